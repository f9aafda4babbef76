/*
 * One verb from its arguments to its exit code: parse, run (in the node, or here under the lock),
 * show.
 */
#pragma once

#include "verb.h"

enum { EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3, EXIT_ASK = 4 };

struct invocation {    /* what stands before the verb, or anywhere after it */
    const char *state; /* --state, NULL: the default */
    const char *space; /* --space, "" if not given */
    bool yes;
    struct show how;
};

int verb_execute(const struct verb *verb, const struct invocation *inv, const struct args *args);

/* Tells that a verb was not used as it should be: words on stderr; with --json also the problem of
 * RFC 9457 on stdout. */
void verb_show_usage(const struct show *how, const struct verb *verb /* or NULL */,
                     const struct err *err);

/*
 * A verb of the command line: parse (argv to a request), run (request to reply, in the node or in
 * this process under the lock), show (reply to words). One verb family a file, cli_<noun>.c; one
 * table, in main.c.
 */
#pragma once

#include "app/app.h"
#include "base/json.h"

#include <stdio.h>

struct args { /* what follows the verb */
    int argc;
    char **argv;
};

enum verb_place {
    VERB_HERE,   /* needs no state: runs in this process (version, holder ...) */
    VERB_STATE,  /* needs the state; runs in the node if one runs, else here under the lock */
    VERB_ALONE,  /* needs the lock: refuses while a node runs (init, serve) */
};

struct verb_call {
    struct app_thread *thread;
    struct space *space;        /* chosen by --space, or the only one; NULL if `no_space` */
    const struct json *request; /* borrowed */
    struct json *reply;         /* owned by the caller; run() fills it in */
    struct err err;
    const struct fetch_rules *fetch;
    struct node *node;          /* the running node, NULL without one */
    const struct state *state;
};

struct show { /* how to print */
    FILE *out;
    bool json, quiet, colour;
    unsigned columns; /* 0: unknown, no limit */
};

struct verb {
    const char *name;  /* "pass issue" */
    const char *usage; /* "MEMBER [--days N] ..." */
    const char *help;  /* some lines, 80 columns */
    enum verb_place place;
    bool no_space;     /* does not need a space */
    int (*parse)(const struct args *a, struct json *request, struct err *err); /* 0 or -EINVAL */
    int (*run)(struct verb_call *c); /* 0, APP_E_*, -errno. VERB_HERE/ALONE verbs also do their work here */
    void (*show)(const struct json *request, const struct json *reply, const struct show *how);
    /* After a reply: 0 done; 1 changed `request`, send it again (peer add's question). NULL: done. */
    int (*again)(struct json *request, const struct json *reply, const struct show *how,
                 struct err *err);
    int (*exit_code)(const struct json *reply); /* of a success; NULL: 0. verify: 0, 3, 4 */
};
extern const struct verb verbs[]; /* main.c; ends with name NULL */
const struct verb *verb_find(int argc, char **argv, int *used); /* longest match */

/* Option parsing for parse(): each file has a const table. Values go into the request under `name`
 * (without dashes, '-' as '_'). Unknown options, missing values, and too many words are -EINVAL with
 * an err that names them. */
struct option_spec {
    const char *name;    /* "--days" */
    enum { OPTION_FLAG, OPTION_TEXT, OPTION_INT, OPTION_REAL } kind;
    int64_t min, max;    /* OPTION_INT */
};
int options_parse(const struct args *a, const struct option_spec *options, size_t n_options,
                  const char *const *words, size_t n_words, size_t required, struct json *request,
                  struct err *err);

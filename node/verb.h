/*
 * A verb of the command line: parse (argv to a request), run (request to reply, in the node or in
 * this process under the lock), show (reply to words). One verb family a file, cli_<noun>.c, which
 * defines its struct verbs; one table of them, in main.c.
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
    VERB_HERE,  /* needs no state: runs in this process (version, holder ...) */
    VERB_STATE, /* needs the state; runs in the node if one runs, else here under the lock */
    VERB_NODE,  /* needs a running node, and runs in it (reload) */
    VERB_ALONE, /* takes the lock itself: refuses while a node runs (init, serve) */
};

#define VERB_AGAIN 2000 /* no APP_E_* */

struct verb_call {
    struct app_thread *thread;  /* NULL for VERB_HERE and VERB_ALONE */
    struct space *space;        /* chosen by --space, or the only one; may be NULL if `no_space` */
    const struct json *request; /* borrowed */
    struct json *reply;         /* owned by the caller; run() fills it in, also with a failure whose
                                   problem has more to say (the verdict that refused) */
    struct err err;
    const struct fetch_rules *fetch;
    uint64_t fetch_until; /* loop_now_ms() when all fetches have to be over; 0: each has its time */
    int stop;             /* an eventfd, readable once the node stops: what waits ends; 0: none */
    struct node *node;    /* the running node, NULL without one */
    const struct state *state; /* for VERB_HERE and VERB_ALONE only its .dir, "" if none is known */
};

struct show { /* how to print */
    FILE *out;
    bool json, quiet, colour;
    unsigned columns; /* 0: unknown, no limit */
};

struct verb {
    const char *name;  /* "pass issue" */
    const char *usage; /* "MEMBER [--days N] ..." */
    const char *about; /* a few words for the first screen, at most 58 characters */
    const char *help;  /* some lines, 80 columns */
    enum verb_place place;
    bool no_space; /* does not need a space */
    /* A text that the request of every caller must hold for run(), whoever wrote it; NULL: none. */
    const char *wants;
    /* 0; -EINVAL: not used as it should be (exit 2); APP_E_*, -errno: a file that cannot be read.
     * NULL: no options, no words. */
    int (*parse)(const struct args *a, struct json *request, struct err *err);
    int (*run)(struct verb_call
                   *c); /* 0, APP_E_*, -errno. VERB_HERE/ALONE verbs also do their work here */
    void (*show)(const struct json *request, const struct json *reply, const struct show *how);
    /* After a reply, in the caller's process: 0 done; VERB_AGAIN: `request` was changed, send it
     * again (peer add's question); else a failure (a file that cannot be written). NULL: done. */
    int (*again)(struct json *request, const struct json *reply, const struct show *how,
                 struct err *err);
    /* What cannot be undone is asked first, on a terminal and without --yes: "pass revoke pas_x
     * <asks>", pas_x being the request's member `asks_of`. NULL: no question. */
    const char *asks, *asks_of;
    /* Stands in words for a failure whose reasons show() tells already. NULL: none does. */
    const char *told;
    int (*exit_code)(const struct json *reply); /* of a success; NULL: 0. verify: 0, 3, 4 */
};
extern const struct verb *const verbs[];                        /* main.c; ends with NULL */
const struct verb *verb_find(int argc, char **argv, int *used); /* longest match; NULL if none */

/* Says which words are no verb, and which verb may have been meant. Returns -EINVAL. */
int verb_unknown(int argc, char **argv, struct err *err);

/* The space that a verb is about: `name` ("" for the only one). APP_E_ABSENT, APP_E_INVALID. */
int verb_choose_space(const struct verb *verb, struct app *app, const char *name,
                      struct space **out, struct err *err);

/* Option parsing for parse(): each file has a const table. Values go into the request under `name`
 * (without dashes, '-' as '_'), words under their own. "--option value" and "--option=value"; after
 * "--" all are words. Unknown options, options given twice, missing values, missing words and too
 * many of them are -EINVAL with an err that names them. */
enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_INT, OPTION_REAL };
struct option_spec {
    const char *name; /* "--days" */
    enum option_kind kind;
    int64_t min, max; /* OPTION_INT, OPTION_REAL */
};
int options_parse(const struct args *a, const struct option_spec *options, size_t n_options,
                  const char *const *words, size_t n_words, size_t required, struct json *request,
                  struct err *err);

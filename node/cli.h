/*
 * What the cli_*.c files share: reading arguments, building lists, printing for people.
 */
#pragma once

#include "verb.h"

/* ---- arguments (in the caller's process) ---- */

/* A text argument; "-" reads standard input. White space around it is dropped, and what is no UTF-8
 * becomes '?', since unreadable text is an answer ("malformed") and not a failure. Replaces the
 * member `name` of the request. At most max bytes; more are cut to max + 1. */
int cli_text(struct json *request, const char *name, size_t max, struct err *err);

/* A whole file ("-": standard input). APP_E_INVALID: longer than out->max; -errno. */
int cli_read_file(const char *path, struct buf *out, struct err *err);

/* A new file, or an old one over again, 0600. With `exclusive` an old one is left alone: -EEXIST.
 */
int cli_write_file(const char *path, struct str content, bool exclusive, struct err *err);

/* Makes the path under `name`, if there, whole (from /); it must be a readable file. */
int cli_whole_path(struct json *request, const char *name, struct err *err);

/* ---- in run() ---- */

/* Copies the text under `name` ("" if absent) into dst. APP_E_INVALID: it is too long. */
int cli_copy(const struct json *request, const char *name, char *dst, size_t cap, struct err *err);
bool cli_flag(const struct json *request, const char *name);
struct store *cli_reads(struct verb_call *c); /* NULL: err says why */
struct store *cli_directory_reads(struct verb_call *c);

/* What the store answered to a look-up of `what`: APP_E_ABSENT with words, or -errno. */
int cli_store(struct verb_call *c, int r, const char *what, const char *id);

/* A time as {"exp": N, "expires_at": "..."}: `at` under both names; 0 is null. */
int cli_put_time(struct json *obj, const char *seconds, const char *text, int64_t at);

/* Lists: {"items": [...], "next": null or what --after takes}. */
#define CLI_PAGE 100
#define CLI_PAGE_MAX 1000
#define CLI_PAGE_OPTIONS                                                                           \
    {"--limit", OPTION_INT, 1, CLI_PAGE_MAX},                                                      \
    {                                                                                              \
        "--after", OPTION_TEXT                                                                     \
    }
struct page {
    struct json *items; /* owned */
    const char *after;  /* NULL: from the start */
    size_t limit;
    bool more;
};
int page_start(struct page *p, const struct json *request);
int page_add(struct page *p, struct json *item); /* consumes; one more than limit only sets .more */
/* Ends it: c->reply. `id` is the member of the last item that --after takes. */
int page_finish(struct page *p, struct verb_call *c, const char *id);
void page_clear(struct page *p);

/* ---- for people ---- */

enum colour { COLOUR_PLAIN = 0, COLOUR_RED = 31, COLOUR_GREEN = 32, COLOUR_YELLOW = 33 };

void show_words(const struct show *how, const char *text); /* wrapped, made fit for a terminal */
void show_indented(const struct show *how, unsigned indent, const char *text);
void show_field(const struct show *how, const char *label, const char *value); /* NULL, "": none */
void show_number(const struct show *how, const char *label, int64_t n);
void show_coloured(const struct show *how, enum colour colour, const char *text);
void show_duration(int64_t seconds, char out[static 32]); /* "7 h", "3 d" */
void show_fingerprint(const struct show *how, const char *thumbprint);

struct column {
    const char *title, *key;
    enum {
        COLUMN_TEXT,
        COLUMN_INT,
        COLUMN_YES,
        COLUMN_HOST,  /* of a space's URL */
        COLUMN_TIME,  /* of RFC 3339: "2026-05-01 09:30" */
        COLUMN_CLOCK, /* of it: "09:30" */
    } kind;
    bool whole; /* never cut: what other verbs take */
};
/* {"items", "next"} as a table no wider than the terminal. `none` is said of an empty list. */
void show_table(const struct show *how, const struct json *reply, const struct column *columns,
                size_t n, const char *none);

/* Peers: shared by `peer` and `status`. */
struct peer_row;
struct json *peer_json(struct app *app, const struct peer_row *row); /* owned, NULL: no memory */

/* A question on the terminal. -ENOTTY if there is none to ask. */
int ask_yes(const char *question, bool *yes);

/* ---- the verbs; the table is in main.c ---- */

extern const struct verb verb_init, verb_space_add, verb_space_list;
extern const struct verb verb_serve, verb_reload, verb_config_check;
extern const struct verb verb_member_add, verb_member_list, verb_member_show, verb_member_suspend,
    verb_member_restore, verb_member_remove, verb_member_import;
extern const struct verb verb_pass_issue, verb_pass_show, verb_pass_list, verb_pass_revoke;
extern const struct verb verb_peer_add, verb_peer_list, verb_peer_refresh, verb_peer_remove;
extern const struct verb verb_verify, verb_checkin, verb_checkout;
extern const struct verb verb_visit_list, verb_stamp_list;
extern const struct verb verb_token_create, verb_token_list, verb_token_revoke;
extern const struct verb verb_holder_key, verb_holder_present;
extern const struct verb verb_status, verb_version, verb_help, verb_completion;

/* The first screen, and that of one verb. */
void help_overview(FILE *out);
int help_verb(const struct verb *verb, struct buf *out);

/* Members of a space: add, change, import. */
#pragma once

#include "app/space.h"
#include "store/members.h"

struct member_facts {
    char name[LIMIT_NAME + 1]; /* required */
    char tier[LIMIT_TIER + 1]; /* "member" if empty */
    char email[LIMIT_EMAIL + 1];
    char external_id[LIMIT_EXTERNAL_ID + 1];
    char language[LIMIT_LANGUAGE + 1];
};
int member_check(const struct member_facts *f, struct err *err); /* APP_E_INVALID */
/* A row for those facts, with a new id and sub; nothing is stored. */
int member_row_new(struct app_thread *t, const struct member_facts *f, struct member_row *out);
/* APP_E_INVALID: member_check(); APP_E_EXISTS: the external id is another member's; APP_E_BUSY. */
int member_add(struct app_thread *t, struct space *space, const struct member_facts *f,
               struct member_row *out, struct err *err);

/* Suspends, restores or removes; their live passes get the status that follows, and the status
 * lists are published before it returns. Setting the state that they are in is success.
 * APP_E_ABSENT: no such member; APP_E_STATE: removed, which is for good; APP_E_BUSY. A failure of
 * the signer leaves the state set and the lists dirty: then space_renew() publishes them. */
int member_set_state(struct app_thread *t, struct space *space, const char *id,
                     enum member_state state, struct member_row *out, struct err *err);

/* CSV (RFC 4180, UTF-8, a header line: name required, tier, email, external_id, language). All rows
 * or none: with n_errors the result is APP_E_INVALID and nothing was changed. Rows whose
 * external_id is known update that member. APP_E_BUSY. */
#define IMPORT_ROWS_MAX 20000
struct import_result {
    size_t added, updated, unchanged;
    size_t n_errors;
    struct {
        size_t line;
        char text[160];
    } errors[20];
};
int member_import(struct app_thread *t, struct space *space, struct str csv, bool dry_run,
                  struct import_result *out, struct err *err);
/* What `member show --json` prints; owned, NULL if memory is out. */
struct json *member_json(const struct member_row *m);

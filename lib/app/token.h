/* Bearer tokens of desks: "cmt_" and 43 base64url characters, of which only the SHA-256 is kept. */
#pragma once

#include "app/space.h"

#define TOKENS_MAX 1024 /* valid ones of a space */

struct token_made {
    struct token_row row;
    char secret[64]; /* shown once */
};
int token_create(struct app_thread *t, struct space *space, const char *name, enum token_role role,
                 struct token_made *out,
                 struct err *err); /* APP_E_EXISTS, APP_E_INVALID, APP_E_LIMIT */
/* APP_E_ABSENT; APP_E_STATE: it is revoked already. */
int token_revoke(struct app_thread *t, struct space *space, const char *id_or_name,
                 struct err *err);

/* On the desk's path: a read lock and a hash look-up, no store. APP_E_UNAUTHENTICATED. */
struct token_holder {
    char id[32];
    char name[LIMIT_NAME + 1];
    enum token_role role;
};
int token_check(struct app_thread *t, struct space *space, struct str secret,
                struct token_holder *out);
int tokens_load(struct space *space, struct store *store); /* (re)fills the cache */
void tokens_free(struct tokens *tokens);
bool token_role_parse(struct str name, enum token_role *out);
const char *token_role_name(enum token_role role);

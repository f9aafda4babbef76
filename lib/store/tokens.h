/* Bearer tokens of desks, managers and integrations (space.db). Only their SHA-256 is kept. */
#pragma once

#include "store/store.h"

enum token_role { TOKEN_DESK = 1, TOKEN_MANAGER, TOKEN_INTEGRATION };

struct token_row {
    char id[32]; /* tok_... */
    char name[LIMIT_NAME + 1];
    enum token_role role;
    uint8_t hash[32];
    int64_t created_at, revoked_at; /* revoked_at 0 while valid */
};

typedef int (*token_each)(const struct token_row *row, void *arg);

int store_token_add(struct store *s,
                    const struct token_row *row); /* STORE_E_EXISTS: name in use by a valid token */
/* An id, or the name of a valid token. STORE_E_ABSENT; STORE_E_STATE: it is revoked already. The
 * name may then be used again. */
int store_token_revoke(struct store *s, const char *id_or_name, int64_t at);
int store_token_list(struct store *s, token_each each, void *arg); /* by creation */

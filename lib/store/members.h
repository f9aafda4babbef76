/* Members of a space (space.db). */
#pragma once

#include "store/store.h"

enum member_state { MEMBER_ACTIVE = 0, MEMBER_SUSPENDED = 1, MEMBER_REMOVED = 2 };

struct member_row {
    char id[32];  /* mem_... */
    char sub[32]; /* opaque, stable; what hosts see */
    char name[LIMIT_NAME + 1];
    char tier[LIMIT_TIER + 1];
    char email[LIMIT_EMAIL + 1];             /* "" if unknown */
    char external_id[LIMIT_EXTERNAL_ID + 1]; /* "" if none; unique otherwise */
    char language[LIMIT_LANGUAGE + 1];       /* BCP 47, "" if unknown */
    enum member_state state;
    int64_t created_at, changed_at;
};

typedef int (*member_each)(const struct member_row *row, void *arg);

int store_member_add(struct store *s,
                     const struct member_row *row); /* STORE_E_EXISTS: external_id */
int store_member_get(struct store *s, const char *id, struct member_row *out);
int store_member_by_external_id(struct store *s, const char *external_id, struct member_row *out);
int store_member_by_sub(struct store *s, const char *sub, struct member_row *out);
int store_member_update(struct store *s,
                        const struct member_row *row); /* all but id, sub, created_at */
/* Ordered by creation; removed ones only if `removed`. `after` is an id or NULL; at most max rows.
 */
int store_member_list(struct store *s, const char *after, size_t max, bool removed,
                      member_each each, void *arg);
int store_member_count(struct store *s, enum member_state state, int64_t *n); /* in that state */

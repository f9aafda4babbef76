/* Passes that a space issued, and its published documents (space.db). */
#pragma once

#include "store/store.h"

enum pass_state { PASS_LIVE = 0, PASS_REVOKED = 1, PASS_SUSPENDED = 2 };

struct pass_row {
    char id[32]; /* pas_... */
    char member[32];
    char tier[LIMIT_TIER + 1];
    unsigned list; /* which status list, 0 to 3 */
    uint32_t idx;  /* in that list */
    int64_t iat, exp;
    char device[44]; /* thumbprint of the holder's key, "" if not bound */
    enum pass_state state;
    int64_t revoked_at;
};

typedef int (*pass_each)(const struct pass_row *row, void *arg);

/* STORE_E_EXISTS if (list, idx) is taken by a pass that has not expired at `now`, or the id is in
 * use; STORE_E_ABSENT: no such member. */
int store_pass_add(struct store *s, const struct pass_row *row, int64_t now);
int store_pass_get(struct store *s, const char *id, struct pass_row *out);
int store_pass_by_index(struct store *s, unsigned list, uint32_t idx, int64_t issued_before,
                        struct pass_row *out); /* the newest with that index, iat <= that */
/* Revoked is final: STORE_E_STATE for another state after it; revoking again keeps the first time.
 * `at` becomes revoked_at if the state is PASS_REVOKED, and is not kept otherwise. */
int store_pass_set_state(struct store *s, const char *id, enum pass_state state, int64_t at);
/* By creation. */
int store_pass_list(struct store *s, const char *member /* or NULL */, const char *after,
                    size_t max, pass_each each, void *arg);
/* All passes of one list whose state is not live and that expire after `now`: the list's bits. */
int store_pass_marked(struct store *s, unsigned list, int64_t now, pass_each each, void *arg);
/* How many unexpired passes use the list. */
int store_pass_count(struct store *s, unsigned list, int64_t now, uint32_t *n);
/* How many passes of all lists are live and expire after `now`. */
int store_pass_live_count(struct store *s, int64_t now, int64_t *n);

/* Signed documents that the space serves: "configuration", "status/0". The newest only: put gives
 * STORE_E_STATE if the one that is there has a later iat, but by no more than LIMIT_CLOCK_SKEW: a
 * clock was ahead when it was made, and others do not accept it. */
int store_published_put(struct store *s, const char *name, struct str token, int64_t iat,
                        int64_t exp);
int store_published_get(struct store *s, const char *name, struct buf *token, int64_t *iat,
                        int64_t *exp);
/* A status list's bits changed and it must be signed anew: survives a crash in between. */
int store_status_dirty(struct store *s, unsigned list, bool dirty);
int store_status_is_dirty(struct store *s, unsigned list, bool *dirty);

/* Pinned peers and the last good record of each (directory.db). */
#pragma once

#include "store/store.h"

struct peer_row {
    char id[LIMIT_ENTITY_ID + 1];
    char space[LIMIT_ENTITY_ID + 1]; /* which of our spaces pinned it */
    char fingerprint[44];            /* thumbprint of the federation key that was confirmed */
    int64_t pinned_at;
    int64_t checked, status_checked; /* last confirmed at the origin */
    char failure[160];               /* why the last refresh failed, "" if it did not */
    int64_t failed_at;
};
typedef int (*peer_each)(const struct peer_row *row, void *arg);

/* Adds or replaces (id, space). STORE_E_FULL also beyond LIMIT_PEERS of one space. */
int store_peer_put(struct store *s, const struct peer_row *row);
int store_peer_get(struct store *s, const char *space, const char *id, struct peer_row *out);
int store_peer_remove(struct store *s, const char *space, const char *id);
int store_peer_list(struct store *s, const char *space /* NULL: of all */, peer_each each,
                    void *arg); /* by id */
/* Of all spaces that pinned it. What went well clears the failure; a text that is longer than a row
 * holds is cut. STORE_E_ABSENT: nobody pinned it. */
int store_peer_checked(struct store *s, const char *id, bool status, int64_t at,
                       const char *failure /* NULL or "": it went well */);

/* Records: the verified token under (kind, subject), e.g. ("configuration", id), ("status", uri).
 */
typedef int (*record_each)(const char *kind, const char *subject, const char *issuer,
                           struct str token, int64_t checked, void *arg);
/* Adds, or replaces what this issuer had there. STORE_E_STATE: the one that is there has a later
 * iat; STORE_E_CONFLICT: it is of another issuer. */
int store_record_put(struct store *s, const char *kind, const char *subject, const char *issuer,
                     struct str token, int64_t iat, int64_t checked);
int store_record_get(struct store *s, const char *kind, const char *subject, struct buf *token);
int store_record_checked(struct store *s, const char *kind, const char *subject, int64_t checked);
int store_record_remove_issuer(struct store *s, const char *issuer);
int store_record_list(struct store *s, record_each each, void *arg); /* configurations first */

/* Pinned peers and the last good record of each (directory.db). */
#pragma once

#include "store/store.h"

struct peer_row {
    char id[LIMIT_ENTITY_ID + 1];
    char space[LIMIT_ENTITY_ID + 1]; /* which of our spaces pinned it */
    char fingerprint[44];            /* thumbprint of the federation key that was confirmed */
    int64_t pinned_at;
    int64_t checked, status_checked; /* last confirmed at the origin */
    /* Why the last refresh of a document failed, "" if none did; the configuration's goes before
     * its lists'. Read only: store_peer_put() does not put these. */
    char failure[160];
    int64_t failed_at;
};
typedef int (*peer_each)(const struct peer_row *row, void *arg);

/* Adds or replaces (id, space). STORE_E_FULL also beyond LIMIT_PEERS of one space. */
int store_peer_put(struct store *s, const struct peer_row *row);
int store_peer_get(struct store *s, const char *space, const char *id, struct peer_row *out);
int store_peer_remove(struct store *s, const char *space, const char *id);
int store_peer_list(struct store *s, const char *space /* NULL: of all */, peer_each each,
                    void *arg); /* by id */
int store_peer_pins(struct store *s, const char *id, peer_each each,
                    void *arg); /* of all spaces that pinned it, by space */

/* One document of a peer, as all spaces that pinned it share it: its configuration, whose subject
 * is its id, or a status list, whose subject is its URI. */
struct peer_document {
    char fingerprint[44]; /* of the pin */
    int64_t iat, checked; /* of the record; 0 if there is none */
    bool failing;
};
/* STORE_E_ABSENT: nobody pinned that peer. */
int store_peer_document(struct store *s, const char *id, const char *kind, const char *subject,
                        struct peer_document *out);
/* It was confirmed at its origin, and no longer fails. STORE_E_ABSENT: nobody pinned that peer. */
int store_peer_checked(struct store *s, const char *id, const char *subject, int64_t at);
/* Its refresh failed; a text that is longer than a row holds is cut. STORE_E_ABSENT likewise. */
int store_peer_failed(struct store *s, const char *id, const char *subject, int64_t at,
                      const char *failure);
/* Forgets the failures of all its documents: some may no longer be among them. */
int store_peer_all_well(struct store *s, const char *id);

/* Records: the verified token under (kind, subject). */
#define RECORD_CONFIGURATION "configuration" /* its subject is the peer's id */
#define RECORD_STATUS "status"               /* its subject is the list's URI */
typedef int (*record_each)(const char *kind, const char *subject, const char *issuer,
                           struct str token, int64_t checked, void *arg);
/* Adds, or replaces what this issuer had there. STORE_E_STATE: the one that is there has a later
 * iat; STORE_E_CONFLICT: it is of another issuer. */
int store_record_put(struct store *s, const char *kind, const char *subject, const char *issuer,
                     struct str token, int64_t iat, int64_t checked);
int store_record_checked(struct store *s, const char *kind, const char *subject, int64_t checked);
int store_record_remove_issuer(struct store *s, const char *issuer);
int store_record_list(struct store *s, record_each each, void *arg); /* configurations first */

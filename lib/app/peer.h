/*
 * Peers: what was fetched is verified here and kept; fetching is the caller's (the network thread,
 * or a verb). A failure never replaces the last good record.
 */
#pragma once

#include "app/space.h"
#include "store/peers.h"

/* Looks at a fetched configuration before anything is pinned: who it is, which key. */
struct peer_seen {
    struct configuration configuration;
    char fingerprint[THUMBPRINT_LEN + 1]; /* of the federation key that signed it */
};
int peer_look(struct app_thread *t, const char *id, struct str token, struct peer_seen *out,
              struct err *err); /* APP_E_INVALID: err says why it is not acceptable */

/* Pins it for `space`: stores the peer and the record, puts it into the directory. APP_E_INVALID:
 * it is the space itself, or older than what we hold; APP_E_CONFLICT: another space of this node
 * has pinned it with another key; APP_E_LIMIT. */
int peer_pin(struct app_thread *t, struct space *space, const struct peer_seen *seen,
             struct str token, struct err *err);
int peer_remove(struct app_thread *t, struct space *space, const char *id, struct err *err);

/* A refresh brought this. Not signed by the pinned key: APP_E_FORBIDDEN. The same or older: only
 * the time of the check is noted. */
int peer_configuration_received(struct app_thread *t, const char *id, struct str token,
                                struct err *err);
int peer_status_received(struct app_thread *t, const char *id, const char *uri, struct str token,
                         struct err *err);
/* APP_E_ABSENT: it was removed meanwhile. */
int peer_unchanged(struct app_thread *t, const char *id, const char *uri /* NULL: configuration */);
int peer_failed(struct app_thread *t, const char *id, const char *uri, const char *why);

/* At start: records from the store, verified again, into the directory. */
int peers_load(struct app_thread *t, struct err *err);

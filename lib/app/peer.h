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

/*
 * Pins it for `space`: stores the peer and the record; the directory in memory follows once they
 * are committed. APP_E_INVALID: it is the space itself, or older than what we hold; APP_E_CONFLICT:
 * another space of this node has pinned it with another key; APP_E_LIMIT; APP_E_BUSY.
 */
int peer_pin(struct app_thread *t, struct space *space, const struct peer_seen *seen,
             struct str token, struct err *err);
/* APP_E_ABSENT: it is no peer of this space; APP_E_BUSY. */
int peer_remove(struct app_thread *t, struct space *space, const char *id, struct err *err);

/*
 * A refresh brought this. APP_E_FORBIDDEN: it is not signed by the pinned key; APP_E_INVALID: it is
 * not acceptable, or older than what we hold; APP_E_ABSENT: the peer was removed meanwhile;
 * APP_E_BUSY. Unless the result is 0, nothing has changed in the store, nor in the directory; but
 * -ENOMEM may come after the store has it, and the directory has it at the next start.
 */
int peer_configuration_received(struct app_thread *t, const char *id, struct str token,
                                struct err *err);
int peer_status_received(struct app_thread *t, const char *id, const char *uri, struct str token,
                         struct err *err);
/* The origin confirmed what we hold: noted in memory at once, on disk once a minute or when it ends
 * a failure. APP_E_ABSENT: the peer was removed meanwhile; APP_E_BUSY. */
int peer_unchanged(struct app_thread *t, const char *id, const char *uri /* NULL: configuration */);
/* Noted with that document; the peer's other documents may be well. APP_E_ABSENT, APP_E_BUSY. */
int peer_failed(struct app_thread *t, const char *id, const char *uri, const char *why);

/* At start, before there are other threads: records from the store, verified again, into the
 * directory. */
int peers_load(struct app_thread *t, struct err *err);

/*
 * The network thread: refreshes peers on their own schedules (back-off, jitter), delivers the
 * outbox, renews what is due. It drives lib/app's step functions with fetches; it decides nothing
 * itself.
 */
#pragma once

#include "app/app.h"
#include "config.h"
#include "fetch.h"
#include "loop.h"

struct network;

struct network_settings {
    struct app_thread *thread; /* the network thread's own: .signer, .verifier, .directory_read and
                                  .reads are all used; borrowed for the network's life */
    const struct fetch_rules *rules; /* copied; its allow-list is borrowed */
    unsigned status_poll;            /* seconds */
};

/* Makes all but the thread, and sets app.notify: so it comes before any thread that notifies. 0 or
 * -errno. */
int network_new(const struct network_settings *s, struct network **out);

/* Makes the thread, with all signals blocked: what was noticed before is looked at then. 0 or
 * -errno. */
int network_start(struct network *n);

/* Ends the thread and joins it, in the middle of what it fetches: what was not delivered stays in
 * the outbox. The writer and the signer must still run, since the thread may be waiting for them.
 * Others may go on to notify, in vain. */
void network_stop(struct network *n);

/* Stops it if need be, and frees. Nobody may notify any more: app.notify is NULL from here on. */
void network_free(struct network *n);

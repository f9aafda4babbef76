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

/* Makes the thread, with all signals blocked, and sets app.notify: so it comes before the threads that
 * notify. 0 or -errno. */
int network_start(const struct network_settings *s, struct network **out);

/* What app.notify is: from any thread, with the network as ctx. */
void network_notify(void *network, int what);

/* Breaks off what is being fetched (what was not delivered stays in the outbox), joins the thread
 * and frees. The writer and the signer must still run, since the thread may be waiting for them;
 * and nobody else may notify any more: app.notify
 * is NULL from here on. */
void network_stop(struct network *n);

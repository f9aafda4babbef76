/*
 * The network thread: refreshes peers on their own schedules (back-off, jitter), delivers the outbox,
 * renews what is due. It drives lib/app's step functions with fetches; it decides nothing itself.
 */
#pragma once

#include "app/app.h"
#include "config.h"
#include "fetch.h"
#include "loop.h"

struct network;

struct network_settings {
    struct app_thread *thread; /* the network thread's own */
    const struct fetch_rules *rules;
    unsigned status_poll; /* seconds */
};
int network_start(const struct network_settings *s, struct network **out); /* makes the thread */
void network_notify(void *network, int what);                              /* any thread: app.notify */
void network_stop(struct network *n);

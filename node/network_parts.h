/* What the parts of the network thread share. Private to node/network*. All of it belongs to the
 * loop's thread. */
#pragma once

#include "app/stamps.h"
#include "base/map.h"
#include "loop.h"
#include "network.h"
#include "network_schedule.h"

#define DELIVERIES_MAX 8 /* under way at once */

struct peers {
    struct app_thread *thread; /* borrowed, as the next two */
    struct fetcher *fetcher;
    struct map *map;      /* entity id -> struct peer, owned */
    struct peer *leaving; /* owned: removed while they are being fetched from */
    struct loop_timer *timer;
    uint64_t next; /* when it fires; UINT64_MAX: it does not */
    struct schedule_rule configuration_rule, status_rule;
};

int peers_init(struct peers *p, struct loop *loop, struct app_thread *thread,
               struct fetcher *fetcher, unsigned status_poll);
void peers_clear(struct peers *p); /* after the fetcher is freed: nothing calls back any more */

/* Reads who is pinned: new ones get their schedules, removed ones go. */
void peers_read(struct peers *p);

struct outbox {
    struct app_thread *thread; /* borrowed, as the next one */
    struct fetcher *fetcher;
    struct sending *sending[DELIVERIES_MAX]; /* owned; NULL: free */
    struct loop_timer *timer;
};

int outbox_init(struct outbox *o, struct loop *loop, struct app_thread *thread,
                struct fetcher *fetcher);
void outbox_clear(struct outbox *o); /* likewise */
void outbox_send(struct outbox *o);  /* what is due, as far as there is room */

#include "app/replay.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * Sixteen shards, each a lock and a table of buckets. A slot whose time is over is free, so the
 * table cleans itself as it is used; a full bucket refuses. Buckets do not overlap: else whoever
 * keeps a share of each could still fill all that lies between.
 */
#define SHARDS 16
#define PROBES 32 /* slots of a bucket */
#define SHARE (PROBES / 4)

struct slot {
    uint8_t key[16];
    uint64_t owner;
    int64_t until; /* 0: never used */
};

struct shard {
    pthread_mutex_t lock;
    struct slot *slots; /* made on first use: an idle node holds none */
};

struct replay {
    size_t slots_per_shard; /* power of two */
    struct shard shards[SHARDS];
};

int replay_new(size_t max, struct replay **out)
{
    struct replay *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->slots_per_shard = PROBES;
    while (r->slots_per_shard * SHARDS < max)
        r->slots_per_shard *= 2;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&r->shards[i].lock, NULL);
    *out = r;
    return 0;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&r->shards[i].lock);
        free(r->shards[i].slots);
    }
    free(r);
}

static int shard_bind(struct replay *r, struct shard *s, const uint8_t key[static 16],
                      uint64_t owner, unsigned most, int64_t now, int64_t until, int *again)
{
    if (!s->slots && !(s->slots = calloc(r->slots_per_shard, sizeof(struct slot))))
        return -ENOMEM;

    uint64_t h;
    memcpy(&h, key + 8, sizeof(h));
    struct slot *empty = NULL, *bucket = &s->slots[h & (r->slots_per_shard - 1) & ~(PROBES - 1ul)];
    unsigned held = 0;
    for (size_t i = 0; i < PROBES; i++) {
        struct slot *slot = &bucket[(h + i) % PROBES];
        if (slot->until > now && memcmp(slot->key, key, 16) == 0) {
            if (slot->owner != owner)
                return REPLAY_E_SEEN;
            if (again)
                *again = 1;
            return 0;
        }
        if (slot->until > now)
            held += slot->owner == owner;
        else if (!empty)
            empty = slot;
    }
    if (!empty || held >= most)
        return REPLAY_E_FULL;
    memcpy(empty->key, key, 16);
    empty->owner = owner;
    empty->until = until;
    return 0;
}

static int bind_most(struct replay *r, const uint8_t key[static 16], uint64_t owner, unsigned most,
                     int64_t now, int64_t until, int *again)
{
    struct shard *s = &r->shards[key[0] % SHARDS];
    if (again)
        *again = 0;
    pthread_mutex_lock(&s->lock);
    int result = shard_bind(r, s, key, owner, most, now, until, again);
    pthread_mutex_unlock(&s->lock);
    return result;
}

int replay_bind(struct replay *r, const uint8_t key[static 16], uint64_t owner, int64_t now,
                int64_t until, int *again)
{
    return bind_most(r, key, owner, PROBES, now, until, again);
}

int replay_bind_share(struct replay *r, const uint8_t key[static 16], uint64_t owner, int64_t now,
                      int64_t until, int *again)
{
    return bind_most(r, key, owner, SHARE, now, until, again);
}

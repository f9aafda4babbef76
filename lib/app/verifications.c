#include "app/verifications.h"

#include <errno.h>
#include <pthread.h>

/*
 * Rings, so that the oldest promise is the one that makes room; a hash of the id selects the ring,
 * so that desks on several threads do not wait for each other.
 */
#define SHARDS 64

struct kept {
    char id[VERIFICATION_ID_MAX + 1];
    char desk[32];
    int64_t seen_at;
    char *token; /* owned */
    size_t n;
};

struct shard {
    pthread_mutex_t lock;
    size_t next;
    struct kept *ring; /* made on first use */
};

struct verifications {
    size_t per_shard;
    struct shard shards[SHARDS];
};

int verifications_new(size_t max, struct verifications **out)
{
    struct verifications *v = calloc(1, sizeof(*v));
    if (!v)
        return -ENOMEM;
    v->per_shard = (max + SHARDS - 1) / SHARDS;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&v->shards[i].lock, NULL);
    *out = v;
    return 0;
}

void verifications_free(struct verifications *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        for (size_t k = 0; v->shards[i].ring && k < v->per_shard; k++)
            free(v->shards[i].ring[k].token);
        free(v->shards[i].ring);
        pthread_mutex_destroy(&v->shards[i].lock);
    }
    free(v);
}

static struct shard *shard_of(struct verifications *v, const char *id)
{
    unsigned h = 5381;
    for (const char *p = id; *p; p++)
        h = h * 33 + (unsigned char)*p;
    return &v->shards[h % SHARDS];
}

int verifications_put(struct verifications *v, const char *id, const char *desk, struct str token,
                      int64_t seen_at)
{
    struct shard *s = shard_of(v, id);
    char *copy = str_dup(token);
    if (!copy)
        return -ENOMEM;
    pthread_mutex_lock(&s->lock);
    if (!s->ring)
        s->ring = calloc(v->per_shard, sizeof(struct kept));
    if (!s->ring) {
        pthread_mutex_unlock(&s->lock);
        free(copy);
        return -ENOMEM;
    }
    struct kept *k = &s->ring[s->next];
    s->next = (s->next + 1) % v->per_shard;
    char *old = k->token;
    str_copy(k->id, sizeof(k->id), str_of(id));
    str_copy(k->desk, sizeof(k->desk), str_of(desk));
    k->seen_at = seen_at;
    k->token = copy;
    k->n = token.n;
    pthread_mutex_unlock(&s->lock);
    free(old);
    return 0;
}

static const struct kept *find(const struct verifications *v, const struct shard *s, const char *id)
{
    for (size_t i = 0; s->ring && i < v->per_shard; i++) {
        if (s->ring[i].token && strcmp(s->ring[i].id, id) == 0)
            return &s->ring[i];
    }
    return NULL;
}

int verifications_get(struct verifications *v, const char *id, const char *desk, int64_t now,
                      struct buf *token, int64_t *seen_at)
{
    struct shard *s = shard_of(v, id);
    int r = APP_E_ABSENT;
    pthread_mutex_lock(&s->lock);
    const struct kept *k = find(v, s, id);
    if (k && strcmp(k->desk, desk) == 0 && now <= k->seen_at + LIMIT_VERIFICATION_TIME) {
        r = buf_add(token, k->token, k->n);
        *seen_at = k->seen_at;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

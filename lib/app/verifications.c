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
    char *token; /* owned; NULL: nothing is promised here */
    size_t n, cap;
};

struct shard {
    pthread_mutex_t lock;
    size_t oldest, n;
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

static bool is_over(const struct kept *k, int64_t now)
{
    return now > k->seen_at + LIMIT_VERIFICATION_TIME;
}

static void drop(struct verifications *v, struct shard *s)
{
    struct kept *k = &s->ring[s->oldest];
    free(k->token);
    *k = (struct kept){0};
    s->oldest = (s->oldest + 1) % v->per_shard;
    s->n--;
}

/* Whoever takes the lock gives back what is over: nobody's token is held for longer than said. */
static void drop_over(struct verifications *v, struct shard *s, int64_t now)
{
    while (s->n > 0 && is_over(&s->ring[s->oldest], now))
        drop(v, s);
}

/* The place for a new promise with room for so many bytes; at need the oldest one's, whose memory
 * is used again if it is large enough. NULL: no memory. */
static struct kept *place(struct verifications *v, struct shard *s, size_t bytes)
{
    if (!s->ring && !(s->ring = calloc(v->per_shard, sizeof(struct kept))))
        return NULL;
    struct kept *k = &s->ring[(s->oldest + s->n) % v->per_shard];
    if (k->cap < bytes) {
        char *token = malloc(bytes);
        if (!token)
            return NULL;
        free(k->token);
        k->token = token;
        k->cap = bytes;
    }
    if (s->n == v->per_shard)
        s->oldest = (s->oldest + 1) % v->per_shard;
    else
        s->n++;
    return k;
}

int verifications_put(struct verifications *v, const char *id, const char *desk, struct str token,
                      int64_t seen_at)
{
    struct shard *s = shard_of(v, id);
    pthread_mutex_lock(&s->lock);
    drop_over(v, s, seen_at);
    struct kept *k = place(v, s, token.n);
    if (k) {
        str_copy(k->id, sizeof(k->id), str_of(id));
        str_copy(k->desk, sizeof(k->desk), str_of(desk));
        k->seen_at = seen_at;
        memcpy(k->token, token.p, token.n);
        k->n = token.n;
    }
    pthread_mutex_unlock(&s->lock);
    return k ? 0 : -ENOMEM;
}

void verifications_prune(struct verifications *v, int64_t now)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&v->shards[i].lock);
        drop_over(v, &v->shards[i], now);
        pthread_mutex_unlock(&v->shards[i].lock);
    }
}

size_t verifications_count(struct verifications *v)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&v->shards[i].lock);
        n += v->shards[i].n;
        pthread_mutex_unlock(&v->shards[i].lock);
    }
    return n;
}

static const struct kept *find(const struct verifications *v, const struct shard *s, const char *id)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct kept *k = &s->ring[(s->oldest + i) % v->per_shard];
        if (strcmp(k->id, id) == 0)
            return k;
    }
    return NULL;
}

int verifications_get(struct verifications *v, const char *id, const char *desk, int64_t now,
                      struct buf *token, int64_t *seen_at)
{
    struct shard *s = shard_of(v, id);
    int r = APP_E_ABSENT;
    pthread_mutex_lock(&s->lock);
    drop_over(v, s, now);
    const struct kept *k = find(v, s, id);
    if (k && strcmp(k->desk, desk) == 0 && !is_over(k, now)) { /* a clock may have gone back */
        r = buf_add(token, k->token, k->n);
        *seen_at = k->seen_at;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

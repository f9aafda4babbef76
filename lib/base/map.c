#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Entries stand in one array in the order of their insertion; an open-addressed table of places in
 * it finds them by hash. A removed entry stays as a hole (key NULL) until the array is rebuilt.
 */
struct entry {
    char *key; /* owned; NULL: a hole */
    size_t n;
    uint64_t hash;
    void *value;
};

struct map {
    struct entry *entries;
    uint32_t *slots;        /* place in entries + 1; 0: free */
    size_t used, cap, live; /* entries in use with holes, allocated, without holes */
    size_t mask;            /* slots - 1; there are twice as many slots as entries */
    size_t max;
    uint64_t seed;
    void (*free_value)(void *);
};

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static void sip_round(uint64_t v[static 4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein) under a key made of the seed. */
static uint64_t hash_of(uint64_t seed, struct str s)
{
    uint64_t k0 = seed, k1 = rotl(seed, 32) ^ 0x9E3779B97F4A7C15;
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                     k1 ^ 0x7465646279746573};
    uint64_t m;
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8) {
        memcpy(&m, s.p + i, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    m = (uint64_t)s.n << 56;
    for (int k = 0; i < s.n; i++, k += 8)
        m |= (uint64_t)(uint8_t)s.p[i] << k;
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
    v[2] ^= 0xFF;
    for (int k = 0; k < 3; k++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct entry *find(const struct map *m, struct str key, uint64_t hash)
{
    if (!m->cap)
        return NULL;
    for (size_t at = hash & m->mask; m->slots[at]; at = (at + 1) & m->mask) {
        struct entry *e = &m->entries[m->slots[at] - 1];

        if (e->key && e->hash == hash && str_eq((struct str){e->key, e->n}, key))
            return e;
    }
    return NULL;
}

static void index_entry(uint32_t *slots, size_t mask, const struct entry *e, size_t place)
{
    size_t at = e->hash & mask;

    while (slots[at])
        at = (at + 1) & mask;
    slots[at] = (uint32_t)place + 1;
}

/* Makes room for one more: drops the holes, and doubles unless they were at least half. */
static int rebuild(struct map *m)
{
    size_t cap = !m->cap ? 8 : m->live > m->cap / 2 ? m->cap * 2 : m->cap;
    struct entry *entries = malloc(cap * sizeof(*entries));
    uint32_t *slots = calloc(cap * 2, sizeof(*slots));
    size_t n = 0;

    if (!entries || !slots) {
        free(entries);
        free(slots);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->used; i++) {
        if (!m->entries[i].key)
            continue;
        entries[n] = m->entries[i];
        index_entry(slots, cap * 2 - 1, &entries[n], n);
        n++;
    }
    free(m->entries);
    free(m->slots);
    m->entries = entries;
    m->slots = slots;
    m->used = n;
    m->cap = cap;
    m->mask = cap * 2 - 1;
    return 0;
}

int map_new(size_t max, uint64_t seed, void (*free_value)(void *), struct map **out)
{
    struct map *m;

    if (max > UINT32_MAX / 4)
        return -EINVAL;
    m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    m->max = max;
    m->seed = seed;
    m->free_value = free_value;
    *out = m;
    return 0;
}

static void drop_value(const struct map *m, void *value)
{
    if (m->free_value && value)
        m->free_value(value);
}

void map_free(struct map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->used; i++) {
        if (!m->entries[i].key)
            continue;
        drop_value(m, m->entries[i].value);
        free(m->entries[i].key);
    }
    free(m->entries);
    free(m->slots);
    free(m);
}

size_t map_count(const struct map *m)
{
    return m->live;
}

void *map_get(const struct map *m, struct str key)
{
    struct entry *e = find(m, key, hash_of(m->seed, key));

    return e ? e->value : NULL;
}

int map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(m->seed, key);
    struct entry *e = find(m, key, hash);
    char *copy;
    int r;

    if (e) {
        if (e->value != value)
            drop_value(m, e->value);
        e->value = value;
        return 0;
    }
    if (m->live >= m->max)
        return MAP_E_FULL;
    if (m->used == m->cap) {
        r = rebuild(m);
        if (r)
            return r;
    }
    copy = str_dup(key);
    if (!copy)
        return -ENOMEM;
    m->entries[m->used] = (struct entry){copy, key.n, hash, value};
    index_entry(m->slots, m->mask, &m->entries[m->used], m->used);
    m->used++;
    m->live++;
    return 0;
}

void map_remove(struct map *m, struct str key)
{
    struct entry *e = find(m, key, hash_of(m->seed, key));

    if (!e)
        return;
    drop_value(m, e->value);
    free(e->key);
    *e = (struct entry){0};
    m->live--;
}

int map_each(const struct map *m, size_t *at, struct str *key, void **value)
{
    while (*at < m->used) {
        const struct entry *e = &m->entries[(*at)++];

        if (!e->key)
            continue;
        *key = (struct str){e->key, e->n};
        *value = e->value;
        return 1;
    }
    return 0;
}

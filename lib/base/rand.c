#include "base/rand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/b64.h"

#define ID_BYTES 12

static int fill_system(struct rand *r, void *p, size_t n)
{
    uint8_t *at = p;

    while (n) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -EIO;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

void rand_system(struct rand *r)
{
    *r = (struct rand){.fill = fill_system};
}

static int fill_buffered(struct rand *r, void *p, size_t n)
{
    int rc;

    if (n > RAND_AHEAD_MOST)
        return fill_system(r, p, n);
    if (r->n_ahead < n) {
        rc = fill_system(r, r->ahead, RAND_AHEAD);
        if (rc)
            return rc;
        r->n_ahead = RAND_AHEAD;
    }
    r->n_ahead -= n;
    memcpy(p, r->ahead + r->n_ahead, n);
    explicit_bzero(r->ahead + r->n_ahead, n);
    return 0;
}

int rand_buffered(struct rand *r)
{
    uint8_t *ahead = malloc(RAND_AHEAD);

    if (!ahead)
        return -ENOMEM;
    *r = (struct rand){.fill = fill_buffered, .ahead = ahead};
    return 0;
}

void rand_clear(struct rand *r)
{
    if (r->ahead)
        explicit_bzero(r->ahead, RAND_AHEAD);
    free(r->ahead);
    *r = (struct rand){0};
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

/* xoshiro256** (Blackman and Vigna). */
static uint64_t seeded_next(uint64_t s[static 4])
{
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

static int fill_seeded(struct rand *r, void *p, size_t n)
{
    uint8_t *at = p;

    for (size_t i = 0; i < n; i += 8) {
        uint64_t x = seeded_next(r->state);

        for (size_t k = 0; k < 8 && i + k < n; k++)
            at[i + k] = (uint8_t)(x >> (8 * k));
    }
    return 0;
}

void rand_seeded(struct rand *r, uint64_t seed)
{
    *r = (struct rand){.fill = fill_seeded};
    /* splitmix64 spreads the seed, so that near seeds give unlike streams */
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9E3779B97F4A7C15;

        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        r->state[i] = z ^ z >> 31;
    }
}

int rand_fill(struct rand *r, void *p, size_t n)
{
    return r->fill(r, p, n);
}

int rand_below(struct rand *r, uint32_t bound, uint32_t *out)
{
    uint32_t x, limit;
    int rc;

    if (bound == 0)
        return -EINVAL;
    limit =
        (uint32_t)(0 - bound) % bound; /* 2^32 mod bound: those first values would be too many */
    do {
        rc = r->fill(r, &x, sizeof(x));
        if (rc)
            return rc;
    } while (x < limit);
    *out = x % bound;
    return 0;
}

int rand_id(struct rand *r, const char *prefix, char *out, size_t cap)
{
    size_t n = strlen(prefix);
    uint8_t bytes[ID_BYTES];
    int rc;

    if (cap < n + B64_LEN(ID_BYTES) + 1)
        return -ENOSPC;
    rc = r->fill(r, bytes, sizeof(bytes));
    if (rc)
        return rc;
    memcpy(out, prefix, n);
    b64_encode(bytes, sizeof(bytes), out + n);
    out[n + B64_LEN(ID_BYTES)] = '\0';
    return 0;
}

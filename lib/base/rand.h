/*
 * Randomness as a parameter: the node passes rand_system(), tests and the simulator a seeded one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rand {
    /* Fills p with n random bytes. 0 or -EIO. */
    int (*fill)(struct rand *r, void *p, size_t n);
    uint64_t state[4]; /* of a seeded generator; unused by the system's */
};

void rand_system(struct rand *r);                /* getrandom(2), buffered nowhere */
void rand_seeded(struct rand *r, uint64_t seed); /* reproducible; never for secrets */

int rand_fill(struct rand *r, void *p, size_t n);
int rand_below(struct rand *r, uint32_t bound, uint32_t *out); /* uniform in [0, bound) */

/* Writes prefix and 16 base64url characters (96 bits) with a NUL: "mem_Jx2...". cap >=
 * strlen(prefix)+17. */
int rand_id(struct rand *r, const char *prefix, char *out, size_t cap);

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
    uint8_t *ahead;    /* owned: what rand_buffered() took from the system and has not given yet */
    size_t n_ahead;
};

void rand_system(struct rand *r); /* getrandom(2), buffered nowhere */

/*
 * The system's, taken RAND_AHEAD bytes at a time: a system call for some forty ids instead of one
 * for each. What was given is wiped at once, but what was not yet is in memory ahead of its use:
 * so only ids, nonces and salts are, and whatever is as long as a key comes from the system
 * directly. One thread at a time; a child after fork() would give what its parent gives. -ENOMEM.
 * Free with rand_clear(), which the others do not need.
 */
#define RAND_AHEAD 512
#define RAND_AHEAD_MOST 24 /* bytes asked for at once; more are never taken ahead */
int rand_buffered(struct rand *r);
void rand_clear(struct rand *r); /* wipes and frees; may be called twice, and on zeros */

void rand_seeded(struct rand *r, uint64_t seed); /* reproducible; never for secrets */

int rand_fill(struct rand *r, void *p, size_t n);
int rand_below(struct rand *r, uint32_t bound, uint32_t *out); /* uniform in [0, bound) */

/* Writes prefix and 16 base64url characters (96 bits) with a NUL: "mem_Jx2...". cap >=
 * strlen(prefix)+17. */
int rand_id(struct rand *r, const char *prefix, char *out, size_t cap);

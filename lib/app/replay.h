/*
 * What was seen: 16-byte keys (a digest of what must be unique, such as device key and nonce, never
 * of a signature) with an owner and an end. Sharded locks, shared by all threads, bounded.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct replay;

enum {
    REPLAY_E_SEEN = 1, /* seen before, for another owner */
    REPLAY_E_FULL,     /* no room, and nothing has expired: refuse rather than forget */
};

int replay_new(size_t max, struct replay **out);
void replay_free(struct replay *r);

/* Binds key to owner until `until`. Seen for the same owner: 0, *again is set (may be NULL). */
int replay_bind(struct replay *r, const uint8_t key[static 16], uint64_t owner, int64_t now,
                int64_t until, int *again);
/* The same for owners who do not trust each other: none gets more than a quarter of the room, and
 * REPLAY_E_FULL is first of all told to the one who fills it. */
int replay_bind_share(struct replay *r, const uint8_t key[static 16], uint64_t owner, int64_t now,
                      int64_t until, int *again);

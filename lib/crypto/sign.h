/*
 * Signatures of exactly 64 bytes: ECDSA P-256 with SHA-256 as r, s (RFC 7518 section 3.4), or
 * Ed25519 (RFC 8032).
 */
#pragma once

#include "crypto/key.h"

#define SIG_LEN 64

enum { SIG_E_BAD = 1 };

/* One thread at a time for one pair: it keeps a context that is ready to sign. */
int sign_bytes(const struct key_pair *pair, const void *p, size_t n, uint8_t sig[static SIG_LEN]);

/*
 * A verifier belongs to one thread. It keeps at most max_keys parsed keys, least recently used
 * first out, each with a context that is ready to verify: no key parsing and no algorithm look-up
 * on the hot path. It also owns the digest context for sha256 on that path.
 */
struct verifier;

int verifier_new(size_t max_keys, struct verifier **out);
void verifier_free(struct verifier *v);
DEFINE_CLEANUP(struct verifier *, verifier_free)

/* 0 if sig is key's signature of the n bytes at p; SIG_E_BAD if not (also for r or s of 0 or >= n,
 * a key that is no point); negative errno if it cannot tell. */
int verifier_check(struct verifier *v, const struct key *key, const void *p, size_t n,
                   const uint8_t sig[static SIG_LEN]);

int verifier_sha256(struct verifier *v, const void *p, size_t n, uint8_t out[static 32]);

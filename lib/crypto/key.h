/*
 * Keys: EC P-256 (FIPS 186-4) and Ed25519 (RFC 8032).
 *
 * A public key is a plain value of 64 bytes (parsed OpenSSL keys cost 2 KB, so they are kept only
 * in a verifier's bounded cache). A key pair is opaque, owned by whoever made it, and wiped on
 * free.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum key_type { KEY_P256 = 1, KEY_ED25519 = 2 };

#define KEY_BYTES 64

struct key {
    enum key_type type;
    uint8_t bytes[KEY_BYTES]; /* P-256: x, y, big endian; Ed25519: 32 bytes, then zeros */
};

enum {
    KEY_E_INVALID = 1, /* no point of the curve, or not a key file */
    KEY_E_MODE,        /* the file may be read by others */
    KEY_E_EXISTS,      /* will not overwrite a key */
};

int key_check(const struct key *key); /* 0 or KEY_E_INVALID */
bool key_equal(const struct key *a, const struct key *b);

struct key_pair;

int key_pair_generate(enum key_type type, struct key_pair **out);
int key_pair_from_secret(enum key_type type, const uint8_t secret[static 32],
                         struct key_pair **out);                             /* KEY_E_INVALID */
int key_pair_secret(const struct key_pair *pair, uint8_t secret[static 32]); /* wipe it after use */

/* PEM, PKCS #8, mode 0600, created exclusively and synced. */
int key_pair_save(const struct key_pair *pair, const char *path, struct err *err);
int key_pair_load(const char *path, struct key_pair **out, struct err *err);

const struct key *key_pair_public(const struct key_pair *pair); /* borrowed */
void key_pair_free(struct key_pair *pair);
DEFINE_CLEANUP(struct key_pair *, key_pair_free)

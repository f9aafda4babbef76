/*
 * Between key.c, key_file.c and sign.c: keys in OpenSSL's form. Internal to crypto.
 */
#pragma once

#include <openssl/evp.h>

#include "crypto/key.h"

struct key_pair {
    EVP_PKEY *pkey; /* owned */
    EVP_PKEY_CTX *signing; /* owned: ready to sign; NULL for Ed25519 */
    struct key pub;
};

/* The curve of P-256 without a point: owned, NULL if memory is out. Making it costs ten times as
 * much as copying it and setting a point does. */
EVP_PKEY *key_blank_p256(void);

/* Sets the point of a P-256 key. KEY_E_INVALID if it is not on the curve; then pkey is of no use.
 */
int key_set_point(EVP_PKEY *pkey, const struct key *key);

/* Takes over pkey, also on failure. KEY_E_INVALID if it is of a type that we do not know. */
int key_pair_adopt(EVP_PKEY *pkey, struct key_pair **out);

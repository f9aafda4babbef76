/*
 * The algorithms of RFC 7518, 8037 and 9864 that Comity knows: one static table, exact names.
 * "none" and HS* are absent, so they cannot be asked for.
 */
#pragma once

#include "crypto/key.h"

struct jose_alg {
    const char *name; /* "ES256", "Ed25519", "EdDSA" */
    enum key_type type;
};

const struct jose_alg *jose_alg_find(struct str name);  /* NULL if unknown */
const struct jose_alg *jose_alg_of(enum key_type type); /* the one we write: ES256, Ed25519 */

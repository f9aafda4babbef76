/*
 * The hash input of RFC 7638, apart from the key types that we have. Internal to jose, and to the
 * test that holds it to the RFC's own (RSA) example.
 */
#pragma once

#include "base/buf.h"
#include "jose/jwk.h"

struct thumbprint_member {
    const char *name;
    struct str value; /* needs no escaping in JSON: base64url or a registered name */
};

/* The members must be those that the key type requires, in lexicographic order (section 3.3). */
int thumbprint_of(const struct thumbprint_member *members, size_t n,
                  char out[static THUMBPRINT_LEN + 1]);

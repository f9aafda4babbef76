/*
 * JWS compact serialisation, RFC 7515, with the algorithms of jose/alg.h.
 *
 * A struct jws borrows the token's text and owns what it decoded; release with jws_clear().
 */
#pragma once

#include "base/json.h"
#include "crypto/sign.h"
#include "jose/alg.h"

#define JWS_TYP_MAX 40
#define JWS_KID_MAX 64

enum {
    JWS_E_MALFORMED = 1, /* not three canonical base64url parts, header no JSON object ... */
    JWS_E_TYP,           /* typ missing or not the wanted one */
    JWS_E_ALG,           /* alg unknown, none or HS* */
    JWS_E_HEADER,        /* crit, b64, jwk, jku, x5u, x5c: what we refuse to obey */
    JWS_E_KEY,           /* the key is not of the header's algorithm */
    JWS_E_SIGNATURE,     /* not of 64 bytes (jws_parse), or not the key's (jws_check) */
};

struct jws {
    struct str signing_input; /* borrowed: protected '.' payload */
    struct str payload_b64;   /* borrowed */
    const struct jose_alg *alg;
    char typ[JWS_TYP_MAX + 1];
    char kid[JWS_KID_MAX + 1]; /* "" if absent */
    uint8_t sig[SIG_LEN];
    struct buf payload; /* owned: decoded bytes */
};

/* Checks in this order: size, form, header JSON, typ (exactly `typ`), alg, forbidden members,
 * signature length, payload encoding. No signature is checked here. *out is only written on 0.
 * With typ NULL the header's is only taken over ("" if absent), and the caller looks at it. */
int jws_parse(struct str token, const char *typ, size_t max, struct jws *out, struct err *err);
void jws_clear(struct jws *jws);

/* Whether the signature is key's. JWS_E_KEY, JWS_E_SIGNATURE. */
int jws_check(struct verifier *v, const struct jws *jws, const struct key *key);

/* SHA-256 of the signing input: what identifies a signed object, never its (malleable) signature.
 */
int jws_digest(const struct jws *jws, uint8_t out[static 32]);

/* Appends protected.payload.signature; kid is the pair's thumbprint. `payload` is JSON text. */
int jws_sign(const struct key_pair *pair, const char *typ, struct str payload, struct buf *out);

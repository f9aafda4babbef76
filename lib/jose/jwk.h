/*
 * JSON Web Keys: RFC 7517, 7518 section 6.2 (EC), 8037 section 2 (OKP); thumbprints: RFC 7638.
 */
#pragma once

#include "base/json.h"
#include "crypto/key.h"

enum {
    JWK_E_MALFORMED = 1, /* a member is missing, of the wrong type, length or encoding */
    JWK_E_UNSUPPORTED,   /* kty or crv that we do not know */
    JWK_E_PRIVATE,       /* carries "d" where only a public key belongs */
};

/* A public key. "use"/"alg"/"key_ops", if present, must allow verifying with that key, else it is
 * JWK_E_UNSUPPORTED; "kid", if present, is returned by jwk_kid() and not trusted.
 * Whether the numbers are a point of the curve is not looked at here, since this is on the path of
 * every holder proof and the verifier looks anyway; who keeps a key calls key_check(). */
int jwk_parse(const struct json *jwk, struct key *out, struct err *err);
int jwk_parse_pair(const struct json *jwk, struct key_pair **out, struct err *err); /* with "d" */
struct str jwk_kid(const struct json *jwk); /* borrowed; {NULL, 0} if absent */

/* Owned JWK with kid (thumbprint), alg and use:"sig"; jwk_bare() has only what identifies the key,
 * for cnf. NULL if memory is out. */
struct json *jwk_write(const struct key *key);
struct json *jwk_bare(const struct key *key);
struct json *jwk_write_pair(const struct key_pair *pair); /* with "d": for files of mode 0600 */

/* {"keys":[...]}: at most max keys; keys of unknown type or of another use are skipped, malformed
 * ones and points off the curve refuse it all. */
int jwks_parse(const struct json *jwks, struct key *out, size_t max, size_t *n, struct err *err);
struct json *jwks_write(const struct key *keys, size_t n);

#define THUMBPRINT_LEN 43
int jwk_thumbprint(const struct key *key, char out[static THUMBPRINT_LEN + 1]);

/* For people: the thumbprint in groups of four characters, "AbCd EfGh ...": '-' is one of
 * them, and would be a poor separator. */
#define FINGERPRINT_LEN (THUMBPRINT_LEN + 10)
void fingerprint_format(const char *thumbprint, char out[static FINGERPRINT_LEN + 1]);
/* Accepts the thumbprint with or without groups, which spaces or '-' separate. */
bool fingerprint_equal(const char *thumbprint, struct str typed);
/* Whether this is as long as a fingerprint: nothing else is known of it. */
bool fingerprint_whole(struct str typed);

/*
 * HTTP Message Signatures for requests between nodes: RFC 9421 with the digest of RFC 9530.
 *
 * Covered components, in this order: "@method" "@authority" "@path" "content-type"
 * "content-digest"; parameters created, expires (<= 120 s later), nonce, keyid, alg, tag="comity".
 * On reading, any order and any superset is accepted as RFC 9421 says, the five are required, and
 * the digest is recomputed over the body. alg: "ecdsa-p256-sha256" or "ed25519", pinned by the key.
 */
#pragma once

#include "base/rand.h"
#include "crypto/sign.h"
#include "jose/jwk.h"

#define HTTPSIG_NONCE_MAX 64

enum {
    HTTPSIG_E_ABSENT = 1, /* no Signature or Signature-Input header, or no label with our tag */
    HTTPSIG_E_MALFORMED,  /* not the structured fields that they should be */
    HTTPSIG_E_COVERAGE,   /* a required component or parameter is not covered, or it covers what the
                           * request does not have or we cannot see */
    HTTPSIG_E_TIME,       /* not yet or no longer valid, or valid for too long */
    HTTPSIG_E_DIGEST,     /* the body is not the one that was signed */
    HTTPSIG_E_ALG,        /* alg unknown or not the key's */
    HTTPSIG_E_SIGNATURE,
};

struct httpsig_request {
    struct str method, authority; /* authority lower case, default port left out */
    struct str path;              /* may have a query behind it, which is no part of "@path" */
    struct str content_type;
    struct str body;
};

struct httpsig_header {
    struct str name, value; /* name lower case */
};

/* What a signer fills in; all texts NUL-terminated. */
struct httpsig_params {
    int64_t created, expires;
    char nonce[HTTPSIG_NONCE_MAX + 1];
    char keyid[THUMBPRINT_LEN + 1];
};

const char *httpsig_alg_of(enum key_type type); /* "ecdsa-p256-sha256" or "ed25519" */

/* Signing in two steps, since the key is in another process: headers and base first (-EINVAL for a
 * text that cannot stand in them) ... */
int httpsig_digest_header(struct str body, struct buf *content_digest);
int httpsig_base(const struct httpsig_request *req, struct str content_digest,
                 const struct httpsig_params *params, const char *alg, struct buf *base,
                 struct buf *signature_input);
/* ... then the Signature header's value from the 64 bytes. */
int httpsig_signature_header(const uint8_t sig[static SIG_LEN], struct buf *out);

/* Reading: httpsig_parse() checks form, coverage, times and digest, and says who claims to sign;
 * the caller finds that key and httpsig_check()s. Replay is the caller's: (keyid, nonce), to be
 * remembered until expires + LIMIT_CLOCK_SKEW. Several headers of one name are one list. *out is
 * only written on 0. */
struct httpsig {
    struct httpsig_params params;
    char alg[24]; /* "" if not given */
    uint8_t sig[SIG_LEN];
    struct buf base; /* owned */
};
int httpsig_parse(const struct httpsig_request *req, const struct httpsig_header *headers, size_t n,
                  int64_t now, struct httpsig *out, struct err *err);

/* HTTPSIG_E_ALG, HTTPSIG_E_SIGNATURE. */
int httpsig_check(struct verifier *v, const struct httpsig *sig, const struct key *key);
void httpsig_clear(struct httpsig *sig);

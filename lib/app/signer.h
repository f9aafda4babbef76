/*
 * What use cases ask of the signer: typed requests, never "sign these bytes". The node's signer
 * process answers them; verbs without a running node use the same code in their own process.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "jose/httpsig.h"

enum sign_kind {
    SIGN_PASS = 1,      /* payload of a pass; pass key */
    SIGN_STATUS_LIST,   /* signer sets iat (counter), exp; pass key */
    SIGN_CONFIGURATION, /* signer sets iat (counter), exp, jwks; federation key */
    SIGN_STAMP,         /* federation key */
    SIGN_RECEIPT,       /* federation key */
    SIGN_REQUEST,       /* HTTP message signature; federation key */
    SIGN_KIND_COUNT
};

struct sign_request {
    enum sign_kind kind;
    const char *space;  /* entity id; payload's iss must be it */
    struct buf payload; /* owned: JSON text. SIGN_REQUEST: {method, authority, path, content_type,
                           content_digest, created, expires, nonce} */
    /* the answer */
    int result;       /* 0; SIGNER_E_*; -errno */
    struct buf token; /* owned: compact JWS; SIGN_REQUEST: the value of Signature-Input, '\n', the
                         value of Signature */
    int64_t iat;      /* what the signer set or found */
    struct err err;
};
void sign_request_clear(struct sign_request *r);

enum {
    SIGNER_E_REFUSED = 1, /* the payload is not what that kind may be */
    SIGNER_E_SPACE,       /* no such space */
};

struct signer {
    /* Answers all n requests (each has its own result). 0; -EIO: the signer is gone; -ENOMEM:
     * then every result is that too. One thread at a time for one struct signer. */
    int (*sign)(struct signer *self, struct sign_request *const reqs[], size_t n);
    /* Makes the keys of a new space (state folder exists). */
    int (*create)(struct signer *self, const char *space, struct err *err);
    /* Public keys of a space. */
    int (*keys)(struct signer *self, const char *space, struct key *federation, struct key *pass,
                struct err *err);
};

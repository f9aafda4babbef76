/*
 * The pass profile: an SD-JWT VC of type urn:coworking:pass:1. See proto/pass.md.
 */
#pragma once

#include "base/limits.h"
#include "cred/sdjwt.h"

#define PASS_TYP "dc+sd-jwt"
#define PASS_VCT "urn:coworking:pass:1"
#define PASS_SUB_MAX 64

enum {
    PASS_E_MALFORMED = 1, /* a claim is missing, of a wrong type or out of range, or one that must
                             be visible came from a disclosure */
    PASS_E_UNSUPPORTED,   /* another vct, an unknown cnf method or status method */
};

struct pass {
    char iss[LIMIT_ENTITY_ID + 1];
    char sub[PASS_SUB_MAX + 1];
    char tier[LIMIT_TIER + 1];
    int64_t iat, nbf, exp; /* nbf 0 if absent */
    uint32_t status_idx;
    char status_uri[LIMIT_ENTITY_ID + 65];
    bool bound; /* cnf present: device is the holder's key */
    struct key device;
    char name[LIMIT_NAME + 1]; /* "" unless disclosed */
};

/* Reads a parsed presentation, whose signature may not have been checked yet. Only what is signed
 * and always visible is read, and the disclosed name. PASS_E_*; err names the claim; *out is only
 * written on 0. */
int pass_read(const struct sdjwt *presented, struct pass *out, struct err *err);

struct pass_claims {
    const struct pass *pass; /* name and member_since become disclosures if set */
    int64_t member_since;    /* Unix seconds, 0 if unknown */
};

/* The payload to sign (owned, with _sd) and in tail the disclosures, "~d1~d2~": the pass is the
 * signed payload followed by tail. member_since becomes a date, in UTC. */
int pass_payload(const struct pass_claims *claims, struct rand *rand, struct json **payload,
                 struct buf *tail);

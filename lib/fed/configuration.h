/*
 * Entity configuration: OpenID Federation 1.0 section 9, self-signed, with the metadata of a space.
 * See proto/configuration.md.
 */
#pragma once

#include "fed/entity.h"
#include "jose/jwk.h"
#include "jose/jws.h"

#define CONFIGURATION_TYP "entity-statement+jwt"
#define CONFIGURATION_PATH "/.well-known/openid-federation"
#define CONFIGURATION_STAMPS_PATH "/node/v1/stamps"
#define CONFIGURATION_STATUS_PATH "/status/" /* and a decimal number below LIMIT_STATUS_LISTS */
#define COMITY_VERSION 1

enum {
    CONFIGURATION_E_MALFORMED = 1,
    CONFIGURATION_E_SIGNATURE, /* not signed by one of its own federation keys */
    CONFIGURATION_E_SUBJECT,   /* iss, sub and where it came from are not one */
    CONFIGURATION_E_TIME,      /* expired, from the future, or of another lifetime */
    CONFIGURATION_E_VERSION,   /* speaks no version of Comity that we do */
};

/* A plain value: nothing in it is owned. Texts are NUL-terminated UTF-8 without control characters.
 */
struct configuration {
    char id[LIMIT_ENTITY_ID + 1];
    char name[LIMIT_NAME + 1];
    int64_t iat, exp; /* exp is iat + LIFETIME_CONFIGURATION */
    struct key federation[LIMIT_KEYS_PER_ENTITY];
    size_t n_federation; /* from 1 */
    struct key
        pass[LIMIT_KEYS_PER_ENTITY]; /* sign passes and status lists; none is a federation key */
    size_t n_pass;                   /* from 1 */
    bool has_position;
    double lat, lon;       /* degrees, WGS 84 */
    char country[3];       /* ISO 3166-1 alpha-2, "" if unknown */
    char timezone[65];     /* "" if unknown */
    unsigned status_lists; /* "<id>/status/0" ...; at most LIMIT_STATUS_LISTS */
};

/*
 * Payload for the signer, owned; NULL if memory is out. It holds everything but iat, exp and jwks
 * (the federation keys), which the signer adds: iss, sub, comity_versions and metadata. So .iat,
 * .exp and .federation of c are not looked at.
 */
struct json *configuration_payload(const struct configuration *c);

/*
 * Checks form, `expected` id (canonical), self-signature and times; the JWT's own keys verify it,
 * so the caller compares them with what it pinned. *out is written on 0 only.
 *
 * A record that was verified when it was received and is read back later may have expired since. To
 * keep it as a stale one, pass as `now` the time at which it was last confirmed at its origin.
 */
int configuration_verify(struct verifier *v, struct str token, const char *expected, int64_t now,
                         struct configuration *out, struct err *err);

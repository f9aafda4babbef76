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
#define COMITY_VERSION 1

enum {
    CONFIGURATION_E_MALFORMED = 1,
    CONFIGURATION_E_SIGNATURE, /* not signed by one of its own federation keys */
    CONFIGURATION_E_SUBJECT,   /* iss, sub and where it came from are not one */
    CONFIGURATION_E_TIME,      /* expired, from the future, or of another lifetime */
    CONFIGURATION_E_VERSION,   /* speaks no version of Comity that we do */
};

struct configuration {
    char id[LIMIT_ENTITY_ID + 1];
    char name[LIMIT_NAME + 1];
    int64_t iat, exp;
    struct key federation[LIMIT_KEYS_PER_ENTITY];
    size_t n_federation;
    struct key pass[LIMIT_KEYS_PER_ENTITY]; /* sign passes and status lists */
    size_t n_pass;
    bool has_position;
    double lat, lon;
    char country[3];   /* ISO 3166-1 alpha-2, "" if unknown */
    char timezone[65]; /* "" if unknown */
    unsigned status_lists; /* "<id>/status/0" ... */
};

/* Payload for the signer (who sets iat and exp), owned. */
struct json *configuration_payload(const struct configuration *c);

/* Checks form, `expected` id, self-signature and times; the JWT's own keys verify it, so the caller
 * compares them with what it pinned. */
int configuration_verify(struct verifier *v, struct str token, const char *expected, int64_t now,
                         struct configuration *out, struct err *err);

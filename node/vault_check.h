/*
 * What each kind of signed object must look like before the vault signs it. Private to node/vault*.
 */
#pragma once

#include "app/signer.h"
#include "base/json.h"
#include "crypto/key.h"

#define VAULT_PAYLOAD_MAX (48 * 1024) /* bytes of JSON text */

/* Whom the vault speaks for, and when. */
struct vault_facts {
    const char *space; /* canonical entity id */
    int64_t now;
    const struct key *federation, *pass;
};

struct vault_member {
    const char *name;
    enum json_kind kind;
};

struct vault_kind {
    const char *name;                   /* for people */
    const char *typ;                    /* of the JWS header; NULL: no JWS */
    bool pass_key;                      /* else the federation key */
    int64_t lifetime;                   /* > 0: the vault sets iat (counter) and exp */
    size_t token_max;                   /* bytes */
    const struct vault_member *members; /* that must be there; a NULL name ends them */
    int (*check)(const struct vault_facts *f, const struct json *payload, struct err *err);
};

const struct vault_kind *vault_kind_find(enum sign_kind kind); /* NULL if there is none */

/* Parses and checks. *out is owned. SIGNER_E_REFUSED: err says what is wrong with which member. */
int vault_check(const struct vault_kind *kind, const struct vault_facts *f, struct str text,
                struct json **out, struct err *err);

/*
 * What the tests of this floor share: two key pairs that are always the same, and ways to sign
 * whatever a test wants signed.
 */
#pragma once

#include "lib/base/unit.h"

#include "cred/pass.h"

#define HOME "https://lisbon.example"
#define HOST "https://berlin.example"
#define NOW 1795000000

struct fixture {
    struct key_pair *issuer, *device; /* both P-256 */
    struct key_pair *other;           /* Ed25519 */
    struct verifier *verifier;
    struct rand rand;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A pass of HOME that is valid at NOW, bound to the device, with a name. */
struct pass fixture_pass(const struct fixture *f);

/* The payload of that pass and, in tail, its disclosures. Owned. */
struct json *fixture_payload(struct fixture *f, struct buf *tail);

/* Signs the JSON text with the issuer's key; owned, NUL-terminated. */
char *fixture_sign(const struct fixture *f, const char *typ, struct str payload, struct str tail);
char *fixture_sign_json(const struct fixture *f, const char *typ, const struct json *payload,
                        struct str tail);

/* A whole pass; owned. */
char *fixture_issue(struct fixture *f, const struct pass *p, int64_t member_since);

/* The value of JSON text that is known to be right; owned. */
struct json *fixture_json(const char *text);

/* A seed for random tests: COMITY_SEED, else a new one; it is printed. */
uint64_t fixture_seed(const char *what);

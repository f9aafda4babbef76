/*
 * Selective Disclosure for JWTs: RFC 9901.
 *
 * A struct sdjwt borrows the presented text; what it decoded is its own; release with
 * sdjwt_clear(). Parsing checks no signature: that is jws_check() on .issuer.
 */
#pragma once

#include "base/rand.h"
#include "jose/jws.h"

enum {
    SDJWT_E_MALFORMED = 1, /* form, encoding, JSON, sizes; also RFC 9901 section 7.1 step 3 failures:
                              duplicate or unreferenced digests, forbidden claim names ... */
    SDJWT_E_TYP,
    SDJWT_E_UNSUPPORTED, /* alg, _sd_alg, crit and the like: well formed, but not for us */
};

struct sdjwt {
    struct jws issuer;     /* the issuer-signed JWT */
    struct json *payload;  /* owned: as signed, with _sd */
    struct json *claims;   /* owned: processed payload, RFC 9901 section 7.1 */
    struct json *disclosed; /* owned: only the claims that came from disclosures, by name */
    struct str issued;     /* borrowed: from the start to the last '~' inclusive: what sd_hash covers */
    struct str proof;      /* borrowed: the key-binding JWT, empty if none */
};

/* `typ` of the issuer-signed JWT is what the profile wants ("dc+sd-jwt"). */
int sdjwt_parse(struct str text, const char *typ, struct sdjwt *out, struct err *err);
void sdjwt_clear(struct sdjwt *s);

/* Issuing: makes a disclosure [salt, name, value], adds its digest to payload's "_sd" (kept sorted,
 * so that order says nothing) and appends "<disclosure>~" to tail. `value` is consumed. */
int sdjwt_conceal(struct json *payload, const char *name, struct json *value, struct rand *rand,
                  struct buf *tail);

/* Holder: the presentation with only the disclosures whose name is in keep[] (all if keep is NULL),
 * ending in '~', ready for a proof to be appended. */
int sdjwt_present(struct str issued, const char *const *keep, size_t n, struct buf *out,
                  struct err *err);

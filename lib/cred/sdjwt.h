/*
 * Selective Disclosure for JWTs: RFC 9901.
 *
 * A struct sdjwt borrows the presented text; what it decoded is its own; release with
 * sdjwt_clear(). Parsing checks no signature: that is jws_check() on .issuer.
 *
 * Parsing does all of RFC 9901 section 7.1 but builds nothing that nobody asked for: a claim that
 * came from a disclosure is found by sdjwt_disclosed(), the whole processed payload is made by
 * sdjwt_claims().
 */
#pragma once

#include "base/limits.h"
#include "base/rand.h"
#include "jose/jws.h"

#define SDJWT_NAME_MAX 64    /* characters of a disclosed claim's name */
#define SDJWT_DIGESTS_MAX 64 /* embedded digests, decoys among them */
#define SDJWT_DIGEST_LEN 43  /* base64url of SHA-256 */

enum {
    SDJWT_E_MALFORMED =
        1, /* form, encoding, JSON, sizes; also RFC 9901 section 7.1 step 3 failures:
              duplicate or unreferenced digests, forbidden claim names ... */
    SDJWT_E_TYP,
    SDJWT_E_UNSUPPORTED, /* alg, _sd_alg, crit and the like: well formed, but not for us */
};

struct sdjwt_disclosure {
    struct str text;          /* borrowed: base64url, as presented */
    struct json *array;       /* owned: [salt, name, value], or [salt, value] of an array item */
    const struct json *level; /* the object whose _sd names it, NULL for an array item */
    char name[SDJWT_NAME_MAX + 1]; /* "" for an array item */
    char
        root[SDJWT_NAME_MAX + 1]; /* the top-level claim that it is, or is part of; cut if longer */
    char digest[SDJWT_DIGEST_LEN];
    bool top; /* .name is a top-level claim */
    bool used;
};

struct sdjwt {
    struct jws issuer;    /* the issuer-signed JWT */
    struct json *payload; /* owned: as signed, with _sd */
    struct str issued; /* borrowed: from the start to the last '~' inclusive: what sd_hash covers */
    struct str proof;  /* borrowed: the key-binding JWT, empty if none */
    size_t n_disclosures;
    struct sdjwt_disclosure disclosures[LIMIT_DISCLOSURES]; /* in the order presented */
};

/* `typ` of the issuer-signed JWT is what the profile wants ("dc+sd-jwt"); it is looked at first.
 * The text may have LIMIT_PRESENTATION characters. *out is only written on 0. */
int sdjwt_parse(struct str text, const char *typ, struct sdjwt *out, struct err *err);

/* The same with another bound, and with a verifier that lends its digest context (NULL: none),
 * which makes a disclosure three times as cheap: what a hot path calls. No signature is checked
 * here either. */
int sdjwt_parse_with(struct verifier *v, struct str text, const char *typ, size_t max,
                     struct sdjwt *out, struct err *err);
void sdjwt_clear(struct sdjwt *s);

/* The value of a top-level claim that came from a disclosure; borrowed, NULL if there is none. */
const struct json *sdjwt_disclosed(const struct sdjwt *s, const char *name);

/* The processed payload (RFC 9901 section 7.1, step 3), owned. NULL if memory is out. Without
 * anything to process it shares what .payload holds. */
struct json *sdjwt_claims(const struct sdjwt *s);

/* Issuing: makes a disclosure [salt, name, value], adds its digest to payload's "_sd" (kept sorted,
 * so that order says nothing) and appends "<disclosure>~" to tail. `value` is consumed, also on
 * failure. 0; -EINVAL if the name is reserved, too long or already in the payload; -ENOMEM, -EIO.
 */
int sdjwt_conceal(struct json *payload, const char *name, struct json *value, struct rand *rand,
                  struct buf *tail);

/* Holder: the presentation with only the disclosures whose name is in keep[] (all if keep is NULL),
 * ending in '~', ready for a proof to be appended. Items of arrays have no name and are kept only
 * with all. SDJWT_E_MALFORMED if `issued` is no SD-JWT, carries a proof already, or if what is kept
 * hangs on a disclosure that is not. */
int sdjwt_present(struct str issued, const char *const *keep, size_t n, struct buf *out,
                  struct err *err);

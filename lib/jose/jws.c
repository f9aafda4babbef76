#include "jose/jws.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/b64.h"
#include "crypto/digest.h"
#include "jose/jwk.h"

#define HEADER_MAX 1024 /* bytes of a decoded protected header */

static const struct json_bounds header_bounds = {
    .bytes = HEADER_MAX, .depth = 3, .members = 16, .items = 16};

/* RFC 7515 sections 4.1.2 to 4.1.6 and 4.1.11, RFC 7797: a key may not come with what it signed,
 * and we know no extension. */
static const char *const refused_members[] = {"crit", "b64", "jwk", "jku", "x5u", "x5c"};

struct parts {
    struct str header, payload, sig;
};

static int split(struct str token, struct parts *out, struct err *err)
{
    struct str rest;

    if (!str_cut(token, '.', &out->header, &rest) ||
        !str_cut(rest, '.', &out->payload, &out->sig) ||
        (out->sig.n && memchr(out->sig.p, '.', out->sig.n)))
        return err_set(err, JWS_E_MALFORMED, "not three parts with two dots");
    return 0;
}

static int check_typ(const struct json *header, const char *typ, struct jws *out, struct err *err)
{
    struct str s;
    int r = json_get_str(header, "typ", &s);

    if (r == JSON_E_ABSENT && !typ)
        return 0;
    if (r || (typ && !str_eqz(s, typ)) || str_copy(out->typ, sizeof(out->typ), s))
        return err_set(err, JWS_E_TYP, "\"typ\" is not \"%s\"", typ ? typ : "a short string");
    return 0;
}

static int check_header(const struct json *header, const char *typ, struct jws *out,
                        struct err *err)
{
    struct str s;
    int r;

    if (json_kind(header) != JSON_OBJECT)
        return err_set(err, JWS_E_MALFORMED, "the header is no JSON object");
    r = check_typ(header, typ, out, err);
    if (r)
        return r;
    r = json_get_str(header, "alg", &s);
    out->alg = r ? NULL : jose_alg_find(s);
    if (!out->alg)
        return err_set(err, JWS_E_ALG, "\"alg\" is none of ES256, Ed25519, EdDSA");
    for (size_t i = 0; i < ARRAY_SIZE(refused_members); i++)
        if (json_get(header, refused_members[i]))
            return err_set(err, JWS_E_HEADER, "the header has \"%s\"", refused_members[i]);
    r = json_get_str(header, "kid", &s);
    if (r == JSON_E_ABSENT)
        return 0;
    if (r || str_copy(out->kid, sizeof(out->kid), s))
        return err_set(err, JWS_E_MALFORMED, "\"kid\" is no string of at most %d characters",
                       JWS_KID_MAX);
    return 0;
}

static bool take(struct str *s, struct str text)
{
    if (!str_starts(*s, text))
        return false;
    s->p += text.n;
    s->n -= text.n;
    return true;
}

static bool is_base64url(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_')
            return false;
    }
    return true;
}

/* The very text that jws_sign() writes, as nearly all headers are: no JSON values are built for it.
 * False for any other text, which says nothing about it yet. */
static bool read_usual_header(struct str s, const char *typ, struct jws *out)
{
    const struct jose_alg *alg;
    struct str name;

    if (!typ || !take(&s, STR("{\"alg\":\"")) || !str_cut(s, '"', &name, &s) ||
        !take(&s, STR(",\"typ\":\"")) || !take(&s, str_of(typ)) ||
        !take(&s, STR("\",\"kid\":\"")) || !str_ends(s, STR("\"}")))
        return false;
    s.n -= strlen("\"}");
    alg = jose_alg_find(name);
    if (!alg || !is_base64url(s) || strlen(typ) > JWS_TYP_MAX || s.n > JWS_KID_MAX)
        return false;
    out->alg = alg;
    memcpy(out->typ, typ, strlen(typ) + 1);
    memcpy(out->kid, s.p, s.n); /* the rest is zero already */
    return true;
}

static int read_header(struct str text, const char *typ, struct jws *out, struct err *err)
{
    _cleanup_(json_freep) struct json *header = NULL;
    char bytes[HEADER_MAX];
    size_t n;
    int r;

    if (B64_DECODED_LEN(text.n) > sizeof(bytes))
        return err_set(err, JWS_E_MALFORMED, "the header is longer than %d bytes", HEADER_MAX);
    if (b64_decode(text, bytes, &n))
        return err_set(err, JWS_E_MALFORMED, "the header is not base64url");
    if (read_usual_header((struct str){bytes, n}, typ, out))
        return 0;
    r = json_parse((struct str){bytes, n}, &header_bounds, &header, err);
    if (r > 0)
        return err_prefix(err, JWS_E_MALFORMED, "header");
    return r ? r : check_header(header, typ, out, err);
}

/* RFC 7518 section 3.4 and RFC 8037 section 3.1: exactly 64 bytes, so no DER. */
static int read_signature(struct str text, uint8_t sig[static SIG_LEN], struct err *err)
{
    if (text.n != B64_LEN(SIG_LEN))
        return err_set(err, JWS_E_SIGNATURE, "the signature is not of %d bytes", SIG_LEN);
    if (b64_decode_exact(text, sig, SIG_LEN))
        return err_set(err, JWS_E_MALFORMED, "the signature is not canonical base64url");
    return 0;
}

static int read_payload(struct str text, struct buf *out, struct err *err)
{
    int r = buf_reserve(out, B64_DECODED_LEN(text.n));

    if (r)
        return r;
    if (b64_decode(text, out->p, &out->n)) {
        buf_clear(out);
        return err_set(err, JWS_E_MALFORMED, "the payload is not base64url");
    }
    out->p[out->n] = '\0';
    return 0;
}

int jws_parse(struct str token, const char *typ, size_t max, struct jws *out, struct err *err)
{
    struct jws jws = {0};
    struct parts parts;
    int r;

    if (token.n > max)
        return err_set(err, JWS_E_MALFORMED, "longer than %zu characters", max);
    r = split(token, &parts, err);
    if (r)
        return r;
    r = read_header(parts.header, typ, &jws, err);
    if (r)
        return r;
    r = read_signature(parts.sig, jws.sig, err);
    if (r)
        return r;
    r = read_payload(parts.payload, &jws.payload, err);
    if (r)
        return r;
    jws.payload_b64 = parts.payload;
    jws.signing_input = (struct str){token.p, parts.header.n + 1 + parts.payload.n};
    *out = jws;
    return 0;
}

void jws_clear(struct jws *jws)
{
    buf_clear(&jws->payload);
    *jws = (struct jws){0};
}

int jws_check(struct verifier *v, const struct jws *jws, const struct key *key)
{
    int r;

    if (key->type != jws->alg->type)
        return JWS_E_KEY;
    r = verifier_check(v, key, jws->signing_input.p, jws->signing_input.n, jws->sig);
    return r == SIG_E_BAD ? JWS_E_SIGNATURE : r;
}

int jws_digest(const struct jws *jws, uint8_t out[static 32])
{
    return sha256(jws->signing_input.p, jws->signing_input.n, out);
}

/* RFC 7515 section 5.1. */
static int write_signed(const struct key_pair *pair, struct str header, struct str payload,
                        struct buf *out)
{
    size_t start = out->n;
    uint8_t sig[SIG_LEN];
    int r;

    b64_append(out, header.p, header.n);
    buf_ch(out, '.');
    r = b64_append(out, payload.p, payload.n);
    if (r)
        return r;
    r = sign_bytes(pair, out->p + start, out->n - start, sig);
    if (r)
        return r;
    buf_ch(out, '.');
    return b64_append(out, sig, sizeof(sig));
}

int jws_sign(const struct key_pair *pair, const char *typ, struct str payload, struct buf *out)
{
    const struct key *key = key_pair_public(pair);
    char kid[THUMBPRINT_LEN + 1], header[HEADER_MAX];
    size_t start = out->n;
    int r, n;

    assert(strlen(typ) <= JWS_TYP_MAX && !strpbrk(typ, "\"\\"));
    r = jwk_thumbprint(key, kid);
    if (r)
        return r;
    n = snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"%s\"}",
                 jose_alg_of(key->type)->name, typ, kid);
    r = write_signed(pair, (struct str){header, (size_t)n}, payload, out);
    if (r && out->p) {
        out->n = start;
        out->p[start] = '\0';
    }
    return r;
}

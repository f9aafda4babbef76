#include "jose/jwk.h"

#include <errno.h>

#include "base/b64.h"
#include "crypto/digest.h"
#include "jose/alg.h"

#define COORDINATE 32

/* The key types and curves of the IANA JOSE registry that we have. */
static const struct shape {
    const char *kty, *crv;
    enum key_type type;
    bool y;
} shapes[] = {
    {"EC", "P-256", KEY_P256, true},        /* RFC 7518 section 6.2 */
    {"OKP", "Ed25519", KEY_ED25519, false}, /* RFC 8037 section 2 */
};

static const struct shape *shape_of(enum key_type type)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (shapes[i].type == type)
            return &shapes[i];
    return NULL;
}

static int wrong(struct err *err, int code, const char *member, const char *what)
{
    return err_set(err, code, "JWK: \"%s\" %s", member, what);
}

static int find_shape(const struct json *jwk, const struct shape **out, struct err *err)
{
    struct str kty, crv;

    if (json_kind(jwk) != JSON_OBJECT)
        return err_set(err, JWK_E_MALFORMED, "JWK: not a JSON object");
    if (json_get_str(jwk, "kty", &kty))
        return wrong(err, JWK_E_MALFORMED, "kty", "is missing or no string");
    if (!str_eqz(kty, "EC") && !str_eqz(kty, "OKP"))
        return wrong(err, JWK_E_UNSUPPORTED, "kty", "is not EC or OKP");
    if (json_get_str(jwk, "crv", &crv))
        return wrong(err, JWK_E_MALFORMED, "crv", "is missing or no string");
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        if (str_eqz(kty, shapes[i].kty) && str_eqz(crv, shapes[i].crv)) {
            *out = &shapes[i];
            return 0;
        }
    }
    return wrong(err, JWK_E_UNSUPPORTED, "crv", "is not P-256 (EC) or Ed25519 (OKP)");
}

static int read_coordinate(const struct json *jwk, const char *name, uint8_t out[static COORDINATE],
                           struct err *err)
{
    struct str text;

    if (json_get_str(jwk, name, &text))
        return wrong(err, JWK_E_MALFORMED, name, "is missing or no string");
    if (b64_decode_exact(text, out, COORDINATE))
        return wrong(err, JWK_E_MALFORMED, name, "is not 32 bytes of base64url");
    return 0;
}

/* RFC 7517 section 4.3: whether the array names op. */
static int check_key_ops(const struct json *ops, const char *op, struct err *err)
{
    bool found = false;

    if (json_kind(ops) != JSON_ARRAY)
        return wrong(err, JWK_E_MALFORMED, "key_ops", "is no array");
    for (size_t i = 0; i < json_count(ops); i++) {
        if (json_kind(json_at(ops, i)) != JSON_STRING)
            return wrong(err, JWK_E_MALFORMED, "key_ops", "has an item that is no string");
        found |= str_eqz(json_as_str(json_at(ops, i)), op);
    }
    return found ? 0 : wrong(err, JWK_E_UNSUPPORTED, "key_ops", "does not allow this use");
}

/* RFC 7517 sections 4.2 to 4.5. */
static int check_use(const struct json *jwk, enum key_type type, const char *op, struct err *err)
{
    const struct json *ops = json_get(jwk, "key_ops");
    const struct jose_alg *alg;
    struct str s;
    int r;

    r = json_get_str(jwk, "kid", &s);
    if (r && r != JSON_E_ABSENT)
        return wrong(err, JWK_E_MALFORMED, "kid", "is no string");
    r = json_get_str(jwk, "use", &s);
    if (r && r != JSON_E_ABSENT)
        return wrong(err, JWK_E_MALFORMED, "use", "is no string");
    if (!r && !str_eqz(s, "sig"))
        return wrong(err, JWK_E_UNSUPPORTED, "use", "is not \"sig\"");
    r = json_get_str(jwk, "alg", &s);
    if (r && r != JSON_E_ABSENT)
        return wrong(err, JWK_E_MALFORMED, "alg", "is no string");
    alg = r ? NULL : jose_alg_find(s);
    if (!r && (!alg || alg->type != type))
        return wrong(err, JWK_E_UNSUPPORTED, "alg", "is no signature algorithm of this key");
    return ops ? check_key_ops(ops, op, err) : 0;
}

static int parse_public(const struct json *jwk, const char *op, struct key *out, struct err *err)
{
    const struct shape *shape = NULL;
    struct key key = {0};
    int r;

    r = find_shape(jwk, &shape, err);
    if (r)
        return r;
    r = check_use(jwk, shape->type, op, err);
    if (r)
        return r;
    key.type = shape->type;
    r = read_coordinate(jwk, "x", key.bytes, err);
    if (!r && shape->y)
        r = read_coordinate(jwk, "y", key.bytes + COORDINATE, err);
    if (r)
        return r;
    *out = key;
    return 0;
}

int jwk_parse(const struct json *jwk, struct key *out, struct err *err)
{
    if (json_get(jwk, "d"))
        return wrong(err, JWK_E_PRIVATE, "d", "is a private key, where only a public one belongs");
    return parse_public(jwk, "verify", out, err);
}

int jwk_parse_pair(const struct json *jwk, struct key_pair **out, struct err *err)
{
    _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
    uint8_t secret[COORDINATE];
    struct key key;
    int r;

    r = parse_public(jwk, "sign", &key, err);
    if (r)
        return r;
    r = read_coordinate(jwk, "d", secret, err);
    if (r)
        return r;
    r = key_pair_from_secret(key.type, secret, &pair);
    secret_wipe(secret, sizeof(secret));
    if (r == KEY_E_INVALID)
        return wrong(err, JWK_E_MALFORMED, "d", "is out of range");
    if (r)
        return r;
    if (!key_equal(&key, key_pair_public(pair)))
        return wrong(err, JWK_E_MALFORMED, "d", "belongs to another public key");
    *out = pair;
    pair = NULL;
    return 0;
}

struct str jwk_kid(const struct json *jwk)
{
    return json_as_str(json_get(jwk, "kid"));
}

static int put_coordinate(struct json *jwk, const char *name, const uint8_t x[static COORDINATE])
{
    char text[B64_LEN(COORDINATE)];
    int r;

    b64_encode(x, COORDINATE, text);
    r = json_put_str(jwk, name, (struct str){text, sizeof(text)});
    secret_wipe(text, sizeof(text)); /* it may have been d */
    return r;
}

struct json *jwk_bare(const struct key *key)
{
    _cleanup_(json_freep) struct json *jwk = json_object();
    const struct shape *shape = shape_of(key->type);
    struct json *out;

    if (!jwk || !shape || json_put_z(jwk, "kty", shape->kty) ||
        json_put_z(jwk, "crv", shape->crv) || put_coordinate(jwk, "x", key->bytes) ||
        (shape->y && put_coordinate(jwk, "y", key->bytes + COORDINATE)))
        return NULL;
    out = jwk;
    jwk = NULL;
    return out;
}

struct json *jwk_write(const struct key *key)
{
    _cleanup_(json_freep) struct json *jwk = jwk_bare(key);
    char kid[THUMBPRINT_LEN + 1];
    struct json *out;

    if (!jwk || jwk_thumbprint(key, kid) || json_put_z(jwk, "kid", kid) ||
        json_put_z(jwk, "alg", jose_alg_of(key->type)->name) || json_put_z(jwk, "use", "sig"))
        return NULL;
    out = jwk;
    jwk = NULL;
    return out;
}

struct json *jwk_write_pair(const struct key_pair *pair)
{
    _cleanup_(json_freep) struct json *jwk = jwk_write(key_pair_public(pair));
    uint8_t secret[COORDINATE];
    struct json *out;
    int r;

    if (!jwk || key_pair_secret(pair, secret))
        return NULL;
    r = put_coordinate(jwk, "d", secret);
    secret_wipe(secret, sizeof(secret));
    if (r)
        return NULL;
    out = jwk;
    jwk = NULL;
    return out;
}

/* RFC 7517 section 5: what is of a type or use that we do not know is passed over. */
int jwks_parse(const struct json *jwks, struct key *out, size_t max, size_t *n, struct err *err)
{
    const struct json *keys = json_get(jwks, "keys");
    size_t count = 0;
    struct key key;
    int r;

    if (json_kind(keys) != JSON_ARRAY)
        return wrong(err, JWK_E_MALFORMED, "keys", "is missing or no array");
    for (size_t i = 0; i < json_count(keys); i++) {
        r = jwk_parse(json_at(keys, i), &key, err);
        if (r == JWK_E_UNSUPPORTED)
            continue;
        if (!r && key_check(&key))
            r = err_set(err, JWK_E_MALFORMED, "JWK: no point of its curve");
        if (!r && count == max)
            r = err_set(err, JWK_E_MALFORMED, "more than %zu keys", max);
        if (r)
            return err_prefix(err, r, "\"keys\"[%zu]", i);
        out[count++] = key;
    }
    *n = count;
    return 0;
}

struct json *jwks_write(const struct key *keys, size_t n)
{
    _cleanup_(json_freep) struct json *jwks = json_object();
    _cleanup_(json_freep) struct json *list = json_array();
    struct json *out = list;

    if (!jwks || !list)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (json_append(list, jwk_write(&keys[i])))
            return NULL;
    list = NULL;
    if (json_put(jwks, "keys", out))
        return NULL;
    out = jwks;
    jwks = NULL;
    return out;
}

#include "crypto/key.h"

#include <assert.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "crypto/digest.h"
#include "crypto/openssl_key.h"

#define COORDINATE 32
#define POINT (1 + 2 * COORDINATE) /* SEC 1 section 2.3.3: 0x04, x, y */

DEFINE_CLEANUP(BIGNUM *, BN_clear_free)
DEFINE_CLEANUP(BN_CTX *, BN_CTX_free)
DEFINE_CLEANUP(EC_GROUP *, EC_GROUP_free)
DEFINE_CLEANUP(EC_POINT *, EC_POINT_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free)

static EVP_PKEY *from_params(int selection, OSSL_PARAM *params)
{
    _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;

    if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &pkey, selection, params) <= 0) {
        ERR_clear_error();
        return NULL;
    }
    return pkey;
}

EVP_PKEY *key_blank_p256(void)
{
    char group[] = SN_X9_62_prime256v1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1),
        OSSL_PARAM_END,
    };

    return from_params(EVP_PKEY_KEY_PARAMETERS, params);
}

int key_set_point(EVP_PKEY *pkey, const struct key *key)
{
    uint8_t point[POINT] = {POINT_CONVERSION_UNCOMPRESSED};

    assert(key->type == KEY_P256);
    memcpy(point + 1, key->bytes, 2 * COORDINATE);
    if (EVP_PKEY_set1_encoded_public_key(pkey, point, sizeof(point)) == 1)
        return 0;
    ERR_clear_error();
    return KEY_E_INVALID;
}

/* 2^255 - 19, and d = -121665/121666 (RFC 8032 section 5.1). */
static const char ed_p[] = "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED";
static const char ed_d[] = "52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3";
/* y of the points of order 8; those of order 1, 2 and 4 have y = 1, -1 and 0. */
static const char *const ed_y8[] = {
    "7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7",
    "05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826",
};

static int is_hex(const BIGNUM *x, const char *hex)
{
    _cleanup_(BN_clear_freep) BIGNUM *other = NULL;

    return BN_hex2bn(&other, hex) ? BN_cmp(x, other) == 0 : -ENOMEM;
}

/* Whether x^2 = (y^2 - 1)/(d y^2 + 1) has a root: 1, 0 or -ENOMEM. */
static int ed_has_x(const BIGNUM *y, const BIGNUM *p, BN_CTX *ctx)
{
    _cleanup_(BN_clear_freep) BIGNUM *u = BN_new(), *v = BN_new(), *d = NULL;
    int k;

    if (!u || !v || !BN_hex2bn(&d, ed_d) || !BN_mod_sqr(u, y, p, ctx) ||
        !BN_mod_mul(v, d, u, p, ctx) || !BN_add_word(v, 1) || !BN_sub_word(u, 1) ||
        !BN_mod_mul(u, u, v, p, ctx))
        return -ENOMEM;
    k = BN_kronecker(u, p, ctx); /* u/v is a square just when u v is */
    return k == -2 ? -ENOMEM : k == 1;
}

/* RFC 8032 section 5.1.3; and not of small order, for which signatures of anything are easy. */
static int check_ed25519(const uint8_t bytes[static COORDINATE])
{
    _cleanup_(BN_CTX_freep) BN_CTX *ctx = BN_CTX_new();
    _cleanup_(BN_clear_freep) BIGNUM *y = NULL, *p = NULL;
    uint8_t le[COORDINATE];
    int r;

    memcpy(le, bytes, sizeof(le));
    le[COORDINATE - 1] &= 0x7F;
    y = BN_lebin2bn(le, sizeof(le), NULL);
    if (!ctx || !y || !BN_hex2bn(&p, ed_p))
        return -ENOMEM;
    if (BN_cmp(y, p) >= 0)
        return KEY_E_INVALID;
    for (size_t i = 0; i < ARRAY_SIZE(ed_y8); i++) {
        r = is_hex(y, ed_y8[i]);
        if (r)
            return r < 0 ? r : KEY_E_INVALID;
    }
    if (BN_is_zero(y))
        return KEY_E_INVALID;
    r = ed_has_x(y, p, ctx); /* 0 also for y = 1 and -1, where x is 0 */
    return r < 0 ? r : r ? 0 : KEY_E_INVALID;
}

int key_check(const struct key *key)
{
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;

    switch (key->type) {
    case KEY_P256:
        pkey = key_blank_p256();
        return pkey ? key_set_point(pkey, key) : -ENOMEM;
    case KEY_ED25519:
        return check_ed25519(key->bytes);
    }
    return KEY_E_INVALID;
}

bool key_equal(const struct key *a, const struct key *b)
{
    return a->type == b->type &&
           memcmp(a->bytes, b->bytes, a->type == KEY_P256 ? KEY_BYTES : COORDINATE) == 0;
}

static int public_of(EVP_PKEY *pkey, struct key *out)
{
    uint8_t point[POINT];
    char group[32] = "";
    size_t n = COORDINATE;

    *out = (struct key){0};
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        out->type = KEY_ED25519;
        return EVP_PKEY_get_raw_public_key(pkey, out->bytes, &n) == 1 ? 0 : -EIO;
    }
    if (!EVP_PKEY_is_a(pkey, "EC") ||
        EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
        strcmp(group, SN_X9_62_prime256v1) != 0)
        return KEY_E_INVALID;
    out->type = KEY_P256;
    if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
                                        sizeof(point), &n) != 1 ||
        n != POINT || point[0] != POINT_CONVERSION_UNCOMPRESSED)
        return KEY_E_INVALID;
    memcpy(out->bytes, point + 1, 2 * COORDINATE);
    return 0;
}

int key_pair_adopt(EVP_PKEY *pkey, struct key_pair **out)
{
    struct key_pair *pair = calloc(1, sizeof(*pair));
    int r;

    if (!pair) {
        EVP_PKEY_free(pkey);
        return -ENOMEM;
    }
    pair->pkey = pkey;
    r = public_of(pkey, &pair->pub);
    if (r == 0 && pair->pub.type == KEY_P256) {
        pair->signing = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        r = pair->signing && EVP_PKEY_sign_init(pair->signing) == 1 ? 0 : -ENOMEM;
    }
    if (r) {
        ERR_clear_error();
        key_pair_free(pair);
        return r;
    }
    *out = pair;
    return 0;
}

int key_pair_generate(enum key_type type, struct key_pair **out)
{
    EVP_PKEY *pkey = type == KEY_P256 ? EVP_EC_gen(SN_X9_62_prime256v1)
                                      : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    return pkey ? key_pair_adopt(pkey, out) : -EIO;
}

/* The public point d G, which EVP_PKEY_fromdata() does not compute. KEY_E_INVALID unless 0 < d < n.
 */
static int p256_point(const BIGNUM *d, uint8_t point[static POINT])
{
    _cleanup_(EC_GROUP_freep) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    _cleanup_(EC_POINT_freep) EC_POINT *q = group ? EC_POINT_new(group) : NULL;

    if (!q)
        return -ENOMEM;
    if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0)
        return KEY_E_INVALID;
    if (!EC_POINT_mul(group, q, d, NULL, NULL, NULL) ||
        EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point, POINT, NULL) != POINT)
        return -EIO;
    return 0;
}

static int p256_from_secret(const uint8_t secret[static COORDINATE], EVP_PKEY **out)
{
    _cleanup_(BN_clear_freep) BIGNUM *d = BN_secure_new();
    _cleanup_(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    _cleanup_(OSSL_PARAM_freep) OSSL_PARAM *params = NULL;
    uint8_t point[POINT];
    int r;

    if (!d || !bld || !BN_bin2bn(secret, COORDINATE, d))
        return -ENOMEM;
    BN_set_flags(d, BN_FLG_CONSTTIME);
    r = p256_point(d, point);
    if (r)
        return r;
    if (!OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) ||
        !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, POINT) ||
        !OSSL_PARAM_BLD_push_BN_pad(bld, OSSL_PKEY_PARAM_PRIV_KEY, d, COORDINATE))
        return -ENOMEM;
    params = OSSL_PARAM_BLD_to_param(bld);
    if (!params)
        return -ENOMEM;
    *out = from_params(EVP_PKEY_KEYPAIR, params);
    return *out ? 0 : -EIO;
}

int key_pair_from_secret(enum key_type type, const uint8_t secret[static 32], struct key_pair **out)
{
    EVP_PKEY *pkey = NULL;
    int r;

    if (type == KEY_P256) {
        r = p256_from_secret(secret, &pkey);
        if (r)
            return r;
    } else {
        pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, COORDINATE);
        if (!pkey)
            return -ENOMEM;
    }
    return key_pair_adopt(pkey, out);
}

int key_pair_secret(const struct key_pair *pair, uint8_t secret[static 32])
{
    _cleanup_(BN_clear_freep) BIGNUM *d = NULL;
    size_t n = COORDINATE;

    if (pair->pub.type == KEY_ED25519)
        return EVP_PKEY_get_raw_private_key(pair->pkey, secret, &n) == 1 ? 0 : -EIO;
    if (EVP_PKEY_get_bn_param(pair->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1)
        return -EIO;
    return BN_bn2binpad(d, secret, COORDINATE) == COORDINATE ? 0 : -EIO;
}

const struct key *key_pair_public(const struct key_pair *pair)
{
    return &pair->pub;
}

void key_pair_free(struct key_pair *pair)
{
    if (!pair)
        return;
    EVP_PKEY_CTX_free(pair->signing);
    EVP_PKEY_free(pair->pkey); /* OpenSSL wipes what is secret */
    free(pair);
}

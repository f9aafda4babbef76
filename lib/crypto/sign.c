#include "crypto/sign.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "crypto/digest.h"
#include "crypto/openssl_key.h"

#define COORDINATE 32
#define DER_MAX 72 /* SEQUENCE { INTEGER r, INTEGER s } for 256 bits */
#define NOWHERE UINT32_MAX

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

/* The order n of P-256, FIPS 186-4 D.1.2.3. */
static const uint8_t p256_order[COORDINATE] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
};

struct parsed {
    struct key key;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx; /* P-256: verification initialised */
    EVP_MD_CTX *md;    /* Ed25519: verification initialised */
    uint32_t newer, older;
    uint32_t next; /* in the same bucket */
};

struct verifier {
    EVP_MD *sha256;
    EVP_MD_CTX *md;
    EVP_PKEY *blank; /* P-256 without a point, to copy */
    struct parsed *keys;
    uint32_t *buckets;
    uint32_t used, max, mask;
    uint32_t newest, oldest;
    uint32_t spare; /* a slot that is used but in no list: its filling failed */
    uint64_t seed[4];
};

/* Writes one INTEGER (X.690 section 8.3) of a big-endian number; returns its end. */
static uint8_t *put_integer(uint8_t *p, const uint8_t x[static COORDINATE])
{
    size_t skip = 0;
    bool pad;

    while (skip < COORDINATE - 1 && x[skip] == 0)
        skip++;
    pad = x[skip] & 0x80;
    *p++ = 0x02;
    *p++ = (uint8_t)(COORDINATE - skip + pad);
    if (pad)
        *p++ = 0;
    memcpy(p, x + skip, COORDINATE - skip);
    return p + (COORDINATE - skip);
}

static size_t der_from_raw(const uint8_t sig[static SIG_LEN], uint8_t der[static DER_MAX])
{
    uint8_t *end = put_integer(put_integer(der + 2, sig), sig + COORDINATE);

    der[0] = 0x30;
    der[1] = (uint8_t)(end - der - 2);
    return (size_t)(end - der);
}

/* Reads one INTEGER of our own OpenSSL's making. */
static const uint8_t *take_integer(const uint8_t *p, const uint8_t *end,
                                   uint8_t out[static COORDINATE])
{
    size_t n;

    if (end - p < 3 || p[0] != 0x02)
        return NULL;
    n = p[1];
    p += 2;
    if (n == 0 || n > (size_t)(end - p))
        return NULL;
    for (; n > COORDINATE; n--)
        if (*p++ != 0)
            return NULL;
    memset(out, 0, COORDINATE - n);
    memcpy(out + COORDINATE - n, p, n);
    return p + n;
}

static int raw_from_der(const uint8_t *der, size_t n, uint8_t sig[static SIG_LEN])
{
    const uint8_t *end = der + n, *p;
    uint8_t raw[SIG_LEN];

    if (n < 2 || n > DER_MAX || der[0] != 0x30 || der[1] != n - 2)
        return -EIO;
    p = take_integer(der + 2, end, raw);
    p = p ? take_integer(p, end, raw + COORDINATE) : NULL;
    if (p != end)
        return -EIO;
    memcpy(sig, raw, SIG_LEN);
    return 0;
}

static int sign_p256(const struct key_pair *pair, const void *p, size_t n,
                     uint8_t sig[static SIG_LEN])
{
    uint8_t digest[SHA256_LEN], out[DER_MAX];
    size_t len = sizeof(out);
    int r = sha256(p, n, digest);

    if (r)
        return r;
    if (EVP_PKEY_sign(pair->signing, out, &len, digest, sizeof(digest)) != 1) {
        ERR_clear_error();
        return -EIO;
    }
    return raw_from_der(out, len, sig);
}

int sign_bytes(const struct key_pair *pair, const void *p, size_t n, uint8_t sig[static SIG_LEN])
{
    if (pair->pub.type == KEY_P256)
        return sign_p256(pair, p, n, sig);

    _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = SIG_LEN;

    if (!ctx)
        return -ENOMEM;
    if (EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair->pkey) != 1 ||
        EVP_DigestSign(ctx, sig, &len, p, n) != 1 || len != SIG_LEN) {
        ERR_clear_error();
        return -EIO;
    }
    return 0;
}

static void parsed_drop(struct parsed *k)
{
    EVP_MD_CTX_free(k->md);
    EVP_PKEY_CTX_free(k->ctx);
    EVP_PKEY_free(k->pkey);
    k->md = NULL;
    k->ctx = NULL;
    k->pkey = NULL;
}

/* Into a slot that is empty or holds another P-256 key, whose parts then serve again. */
static int fill_p256(const struct verifier *v, struct parsed *k)
{
    if (!k->pkey)
        k->pkey = EVP_PKEY_dup(v->blank);
    if (!k->pkey)
        return -ENOMEM;
    if (key_set_point(k->pkey, &k->key))
        return SIG_E_BAD;
    if (!k->ctx)
        k->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    return k->ctx && EVP_PKEY_verify_init(k->ctx) == 1 ? 0 : -ENOMEM;
}

static int fill_ed25519(struct parsed *k)
{
    k->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, k->key.bytes, COORDINATE);
    k->md = EVP_MD_CTX_new();
    if (!k->pkey || !k->md || EVP_DigestVerifyInit(k->md, NULL, NULL, NULL, k->pkey) != 1)
        return -ENOMEM;
    return 0;
}

/* SIG_E_BAD if the key is no point of its curve; on failure the slot is left empty. */
static int parsed_fill(const struct verifier *v, struct parsed *k, const struct key *key)
{
    int r = SIG_E_BAD;

    if (k->key.type != key->type)
        parsed_drop(k);
    k->key = *key;
    if (key->type == KEY_P256) {
        r = fill_p256(v, k);
    } else if (key->type == KEY_ED25519) {
        parsed_drop(k);
        r = fill_ed25519(k);
    }
    if (r) {
        parsed_drop(k);
        ERR_clear_error();
    }
    return r;
}

int verifier_new(size_t max_keys, struct verifier **out)
{
    _cleanup_(verifier_freep) struct verifier *v = calloc(1, sizeof(*v));
    size_t buckets = 1;

    if (!v)
        return -ENOMEM;
    if (max_keys == 0 || max_keys > UINT32_MAX / 4)
        return -EINVAL;
    while (buckets < max_keys)
        buckets *= 2;
    v->max = (uint32_t)max_keys;
    v->mask = (uint32_t)buckets - 1;
    v->newest = v->oldest = v->spare = NOWHERE;
    v->keys = calloc(max_keys, sizeof(*v->keys));
    v->buckets = malloc(buckets * sizeof(*v->buckets));
    v->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    v->md = EVP_MD_CTX_new();
    v->blank = key_blank_p256();
    if (!v->keys || !v->buckets || !v->sha256 || !v->md || !v->blank)
        return -ENOMEM;
    memset(v->buckets, 0xFF, buckets * sizeof(*v->buckets));
    if (EVP_DigestInit_ex2(v->md, v->sha256, NULL) != 1 ||
        RAND_bytes((uint8_t *)v->seed, sizeof(v->seed)) != 1)
        return -EIO;
    *out = v;
    v = NULL;
    return 0;
}

void verifier_free(struct verifier *v)
{
    if (!v)
        return;
    for (uint32_t i = 0; i < v->used; i++)
        parsed_drop(&v->keys[i]);
    free(v->keys);
    free(v->buckets);
    EVP_MD_CTX_free(v->md);
    EVP_MD_free(v->sha256);
    EVP_PKEY_free(v->blank);
    free(v);
}

/* Over the first 32 bytes, keyed, since anyone may make keys. */
static uint32_t *bucket_of(struct verifier *v, const struct key *key)
{
    uint64_t h = key->type, w[4];

    memcpy(w, key->bytes, sizeof(w));
    for (int i = 0; i < 4; i++) {
        h = (h ^ w[i] ^ v->seed[i]) * 0x9E3779B97F4A7C15;
        h ^= h >> 29;
    }
    return &v->buckets[h >> 17 & v->mask];
}

static void list_remove(struct verifier *v, uint32_t i)
{
    struct parsed *k = &v->keys[i];

    *(k->newer == NOWHERE ? &v->newest : &v->keys[k->newer].older) = k->older;
    *(k->older == NOWHERE ? &v->oldest : &v->keys[k->older].newer) = k->newer;
}

static void list_push(struct verifier *v, uint32_t i)
{
    struct parsed *k = &v->keys[i];

    k->newer = NOWHERE;
    k->older = v->newest;
    *(v->newest == NOWHERE ? &v->oldest : &v->keys[v->newest].newer) = i;
    v->newest = i;
}

static void bucket_remove(struct verifier *v, uint32_t i)
{
    uint32_t *at = bucket_of(v, &v->keys[i].key);

    while (*at != i)
        at = &v->keys[*at].next;
    *at = v->keys[i].next;
}

/* A slot that stands in no list: a new one, or the least recently used. */
static uint32_t take_slot(struct verifier *v)
{
    uint32_t i = v->spare;

    if (i != NOWHERE) {
        v->spare = NOWHERE;
        return i;
    }
    if (v->used < v->max)
        return v->used++;
    i = v->oldest;
    list_remove(v, i);
    bucket_remove(v, i);
    return i;
}

/* The parsed form of key, now the most recently used. */
static int find_key(struct verifier *v, const struct key *key, struct parsed **out)
{
    uint32_t *bucket = bucket_of(v, key), i;
    int r;

    for (i = *bucket; i != NOWHERE; i = v->keys[i].next) {
        if (!key_equal(&v->keys[i].key, key))
            continue;
        if (i != v->newest) {
            list_remove(v, i);
            list_push(v, i);
        }
        *out = &v->keys[i];
        return 0;
    }
    i = take_slot(v);
    r = parsed_fill(v, &v->keys[i], key);
    if (r) {
        v->spare = i;
        return r;
    }
    v->keys[i].next = *bucket;
    *bucket = i;
    list_push(v, i);
    *out = &v->keys[i];
    return 0;
}

/* FIPS 186-4 section 6.4.2: 0 < x < n. */
static bool in_order(const uint8_t x[static COORDINATE])
{
    static const uint8_t zero[COORDINATE];

    return memcmp(x, p256_order, COORDINATE) < 0 && memcmp(x, zero, COORDINATE) != 0;
}

static int judge(int r)
{
    if (r == 1)
        return 0;
    ERR_clear_error();
    return r == 0 ? SIG_E_BAD : -EIO;
}

static int check_p256(struct verifier *v, struct parsed *k, const void *p, size_t n,
                      const uint8_t sig[static SIG_LEN])
{
    uint8_t digest[SHA256_LEN], der[DER_MAX];
    size_t len = der_from_raw(sig, der);
    int r = verifier_sha256(v, p, n, digest);

    return r ? r : judge(EVP_PKEY_verify(k->ctx, der, len, digest, sizeof(digest)));
}

int verifier_check(struct verifier *v, const struct key *key, const void *p, size_t n,
                   const uint8_t sig[static SIG_LEN])
{
    struct parsed *k;
    int r;

    if (key->type == KEY_P256 && (!in_order(sig) || !in_order(sig + COORDINATE)))
        return SIG_E_BAD;
    r = find_key(v, key, &k);
    if (r)
        return r;
    if (key->type == KEY_P256)
        return check_p256(v, k, p, n, sig);
    /* a context that has verified is begun again, with the key that it has */
    if (EVP_DigestVerifyInit(k->md, NULL, NULL, NULL, NULL) != 1)
        return judge(-1);
    return judge(EVP_DigestVerify(k->md, sig, SIG_LEN, p, n));
}

int verifier_sha256(struct verifier *v, const void *p, size_t n, uint8_t out[static 32])
{
    if (EVP_DigestInit_ex2(v->md, NULL, NULL) != 1 || EVP_DigestUpdate(v->md, p, n) != 1 ||
        EVP_DigestFinal_ex(v->md, out, NULL) != 1)
        return -EIO;
    return 0;
}

#include "lib/base/unit.h"

#include <errno.h>

#include "base/b64.h"
#include "crypto/digest.h"
#include "crypto/sign.h"

static struct verifier *verifier(size_t keys)
{
    struct verifier *v = NULL;

    assert_int_equal(verifier_new(keys, &v), 0);
    return v;
}

static struct key_pair *generate(enum key_type type)
{
    struct key_pair *pair = NULL;

    assert_int_equal(key_pair_generate(type, &pair), 0);
    return pair;
}

static const enum key_type types[] = {KEY_P256, KEY_ED25519};

static void signs_and_verifies(void **state)
{
    _cleanup_(verifier_freep) struct verifier *v = verifier(2);

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        _cleanup_(key_pair_freep) struct key_pair *pair = generate(types[i]);
        const struct key *key = key_pair_public(pair);
        uint8_t sig[SIG_LEN];

        for (int round = 0; round < 50; round++) { /* r and s of every length */
            assert_int_equal(sign_bytes(pair, "abc", 3, sig), 0);
            assert_int_equal(verifier_check(v, key, "abc", 3, sig), 0);
        }
        assert_int_equal(verifier_check(v, key, "abd", 3, sig), SIG_E_BAD);
        assert_int_equal(verifier_check(v, key, "abc", 2, sig), SIG_E_BAD);
        assert_int_equal(verifier_check(v, key, "", 0, sig), SIG_E_BAD);
        for (size_t bit = 0; bit < 8 * SIG_LEN; bit += 7) {
            sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(verifier_check(v, key, "abc", 3, sig), SIG_E_BAD);
            sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(verifier_check(v, key, "abc", 3, sig), 0);
        assert_int_equal(sign_bytes(pair, NULL, 0, sig), 0);
        assert_int_equal(verifier_check(v, key, NULL, 0, sig), 0);
    }
}

static const uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                                  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                                  0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

/* x = n - x */
static void negate(uint8_t x[static 32])
{
    int borrow = 0;

    for (int i = 31; i >= 0; i--) {
        int d = order[i] - x[i] - borrow;

        borrow = d < 0;
        x[i] = (uint8_t)(d + 256 * borrow);
    }
}

static void add_order(uint8_t x[static 32], int *overflow)
{
    int carry = 0;

    for (int i = 31; i >= 0; i--) {
        int d = x[i] + order[i] + carry;

        carry = d >> 8;
        x[i] = (uint8_t)d;
    }
    *overflow = carry;
}

static void refuses_r_and_s_out_of_range(void **state)
{
    _cleanup_(verifier_freep) struct verifier *v = verifier(2);
    _cleanup_(key_pair_freep) struct key_pair *pair = generate(KEY_P256);
    const struct key *key = key_pair_public(pair);
    uint8_t sig[SIG_LEN], bad[SIG_LEN], values[4][32] = {{0}};

    memcpy(values[1], order, 32);
    memcpy(values[2], order, 32);
    values[2][31]++;
    memset(values[3], 0xFF, 32);
    assert_int_equal(sign_bytes(pair, "abc", 3, sig), 0);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        for (int half = 0; half < 3; half++) { /* r, s, both */
            memcpy(bad, sig, SIG_LEN);
            if (half != 1)
                memcpy(bad, values[i], 32);
            if (half != 0)
                memcpy(bad + 32, values[i], 32);
            assert_int_equal(verifier_check(v, key, "abc", 3, bad), SIG_E_BAD);
        }
    }
}

/* Both s and n - s verify, which is why nothing is known by its signature; s + n never does. */
static void is_malleable_only_as_ecdsa_is(void **state)
{
    _cleanup_(verifier_freep) struct verifier *v = verifier(2);
    _cleanup_(key_pair_freep) struct key_pair *pair = generate(KEY_P256);
    const struct key *key = key_pair_public(pair);
    uint8_t sig[SIG_LEN];
    int overflow;

    assert_int_equal(sign_bytes(pair, "abc", 3, sig), 0);
    negate(sig + 32);
    assert_int_equal(verifier_check(v, key, "abc", 3, sig), 0);
    add_order(sig + 32, &overflow);
    assert_int_equal(verifier_check(v, key, "abc", 3, sig), SIG_E_BAD);
}

/* r or s so small that their DER form is short: made for the purpose, none verifies, none crashes.
 */
static void takes_short_numbers(void **state)
{
    _cleanup_(verifier_freep) struct verifier *v = verifier(2);
    _cleanup_(key_pair_freep) struct key_pair *pair = generate(KEY_P256);

    for (size_t n = 1; n <= 32; n++) {
        uint8_t sig[SIG_LEN] = {0};

        sig[32 - n] = sig[SIG_LEN - n] = n == 32 ? 0x01 : 0x80;
        assert_int_equal(verifier_check(v, key_pair_public(pair), "abc", 3, sig), SIG_E_BAD);
    }
}

/* More keys than the cache holds, in rotation and mixed types: always the right key answers. */
static void evicts_but_never_confuses(void **state)
{
    enum { KEYS = 9 };
    struct key_pair *pairs[KEYS];
    uint8_t sig[KEYS][SIG_LEN];

    for (int i = 0; i < KEYS; i++) {
        pairs[i] = generate(i % 3 == 2 ? KEY_ED25519 : KEY_P256);
        assert_int_equal(sign_bytes(pairs[i], &i, sizeof(i), sig[i]), 0);
    }
    for (size_t max = 1; max <= KEYS + 1; max++) {
        _cleanup_(verifier_freep) struct verifier *v = verifier(max);

        for (int step = 0; step < 4 * KEYS; step++) {
            int i = step * 5 % KEYS, other = (i + 3) % KEYS; /* of the same type */
            struct key bad = *key_pair_public(pairs[i]);

            assert_int_equal(verifier_check(v, key_pair_public(pairs[i]), &i, sizeof(i), sig[i]),
                             0);
            assert_int_equal(
                verifier_check(v, key_pair_public(pairs[other]), &i, sizeof(i), sig[i]), SIG_E_BAD);
            bad.bytes[5] ^= 1; /* most likely off the curve: takes a slot and gives it back */
            assert_int_equal(verifier_check(v, &bad, &i, sizeof(i), sig[i]), SIG_E_BAD);
        }
    }
    for (int i = 0; i < KEYS; i++)
        key_pair_free(pairs[i]);
}

static void refuses_keys_that_are_none(void **state)
{
    _cleanup_(verifier_freep) struct verifier *v = verifier(2);
    struct key zero = {.type = KEY_P256}, untyped = {0}, ones = {.type = KEY_P256};
    uint8_t sig[SIG_LEN];

    memset(sig, 1, sizeof(sig));
    memset(ones.bytes, 0xFF, sizeof(ones.bytes));
    assert_int_equal(verifier_check(v, &zero, "abc", 3, sig), SIG_E_BAD);
    assert_int_equal(verifier_check(v, &ones, "abc", 3, sig), SIG_E_BAD);
    assert_int_equal(verifier_check(v, &untyped, "abc", 3, sig), SIG_E_BAD);
}

static void bounds_of_the_cache(void **state)
{
    struct verifier *v = NULL;

    assert_int_equal(verifier_new(0, &v), -EINVAL);
    assert_int_equal(verifier_new(SIZE_MAX, &v), -EINVAL);
    assert_null(v);
    verifier_free(NULL);
}

static void from_hex(const char *hex, uint8_t *out)
{
    static const char digits[] = "0123456789abcdef";

    for (; *hex; hex += 2)
        *out++ =
            (uint8_t)((strchr(digits, hex[0]) - digits) << 4 | (strchr(digits, hex[1]) - digits));
}

/* FIPS 180-4's own example, and RFC 4231 section 4.3. */
static void digests_as_published(void **state)
{
    _cleanup_(verifier_freep) struct verifier *v = verifier(1);
    uint8_t want[SHA256_LEN], got[SHA256_LEN];

    from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", want);
    assert_int_equal(sha256("abc", 3, got), 0);
    assert_true(secret_equal(got, want, sizeof(want)));
    for (int again = 0; again < 2; again++) {
        memset(got, 0, sizeof(got));
        assert_int_equal(verifier_sha256(v, "abc", 3, got), 0);
        assert_memory_equal(got, want, sizeof(want));
    }
    from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", want);
    assert_int_equal(hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, got), 0);
    assert_memory_equal(got, want, sizeof(want));
    got[31] ^= 1;
    assert_false(secret_equal(got, want, sizeof(want)));
    secret_wipe(got, sizeof(got));
    memset(want, 0, sizeof(want));
    assert_memory_equal(got, want, sizeof(want));
}

/* RFC 8032 section 7.1, tests 1 and 3. */
static void ed25519_as_published(void **state)
{
    static const struct {
        const char *secret, *public, *message, *sig;
    } tests[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9"
         "b46bd25bf5f0595bbe24655141438e7a100b"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "84d"
         "c6594a7c15e9716ed28dc027beceea1ec40a"},
    };
    _cleanup_(verifier_freep) struct verifier *v = verifier(2);

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
        uint8_t secret[32], message[8], want[SIG_LEN], sig[SIG_LEN];
        struct key key = {.type = KEY_ED25519};

        from_hex(tests[i].secret, secret);
        from_hex(tests[i].public, key.bytes);
        from_hex(tests[i].message, message);
        from_hex(tests[i].sig, want);
        assert_int_equal(key_pair_from_secret(KEY_ED25519, secret, &pair), 0);
        assert_true(key_equal(&key, key_pair_public(pair)));
        assert_int_equal(sign_bytes(pair, message, strlen(tests[i].message) / 2, sig), 0);
        assert_memory_equal(sig, want, SIG_LEN);
        assert_int_equal(verifier_check(v, &key, message, strlen(tests[i].message) / 2, want), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_and_verifies),
        cmocka_unit_test(refuses_r_and_s_out_of_range),
        cmocka_unit_test(is_malleable_only_as_ecdsa_is),
        cmocka_unit_test(takes_short_numbers),
        cmocka_unit_test(evicts_but_never_confuses),
        cmocka_unit_test(refuses_keys_that_are_none),
        cmocka_unit_test(bounds_of_the_cache),
        cmocka_unit_test(digests_as_published),
        cmocka_unit_test(ed25519_as_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

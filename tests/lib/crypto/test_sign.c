#include "lib/base/unit.h"

#include "crypto/sign.h"

static void signs_and_verifies(void **state)
{
    static const enum key_type types[] = {KEY_P256, KEY_ED25519};
    _cleanup_(verifier_freep) struct verifier *v = NULL;

    assert_int_equal(verifier_new(2, &v), 0);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
        uint8_t sig[SIG_LEN];

        assert_int_equal(key_pair_generate(types[i], &pair), 0);
        assert_int_equal(sign_bytes(pair, "abc", 3, sig), 0);
        assert_int_equal(verifier_check(v, key_pair_public(pair), "abc", 3, sig), 0);
        assert_int_equal(verifier_check(v, key_pair_public(pair), "abd", 3, sig), SIG_E_BAD);
        assert_int_equal(verifier_check(v, key_pair_public(pair), "abc", 3, sig), 0);
        sig[40] ^= 1;
        assert_int_equal(verifier_check(v, key_pair_public(pair), "abc", 3, sig), SIG_E_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_and_verifies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

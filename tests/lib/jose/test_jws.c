#include "lib/base/unit.h"

#include "jose/jwk.h"
#include "jose/jws.h"

static void round_trip(void **state)
{
    static const enum key_type types[] = {KEY_P256, KEY_ED25519};
    _cleanup_(verifier_freep) struct verifier *v = NULL;

    assert_int_equal(verifier_new(2, &v), 0);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
        struct buf token = {0};
        struct jws jws;

        assert_int_equal(key_pair_generate(types[i], &pair), 0);
        assert_int_equal(jws_sign(pair, "kb+jwt", STR("{\"iat\":1}"), &token), 0);
        assert_int_equal(jws_parse(buf_as_str(&token), "kb+jwt", 4000, &jws, NULL), 0);
        assert_int_equal(jws_check(v, &jws, key_pair_public(pair)), 0);
        assert_string_equal(jws.payload.p, "{\"iat\":1}");
        jws_clear(&jws);
        assert_int_equal(jws_parse(buf_as_str(&token), "dc+sd-jwt", 4000, &jws, NULL), JWS_E_TYP);
        buf_clear(&token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "lib/base/unit.h"

#include "jose/httpsig.h"

#define NOW 1790000000

static void round_trip(void **state)
{
    const struct httpsig_request req = {
        .method = STR("POST"),
        .authority = STR("berlin.example"),
        .path = STR("/node/v1/stamps"),
        .content_type = STR("application/json"),
        .body = STR("{}"),
    };
    struct httpsig_params params = {.created = NOW, .expires = NOW + 60, .nonce = "n1"};
    struct buf digest = {0}, base = {0}, input = {0}, signature = {0};
    _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
    _cleanup_(verifier_freep) struct verifier *v = NULL;
    uint8_t sig[SIG_LEN];
    struct httpsig got;

    assert_int_equal(verifier_new(2, &v), 0);
    assert_int_equal(key_pair_generate(KEY_P256, &pair), 0);
    assert_int_equal(jwk_thumbprint(key_pair_public(pair), params.keyid), 0);
    assert_int_equal(httpsig_digest_header(req.body, &digest), 0);
    assert_int_equal(httpsig_base(&req, buf_as_str(&digest), &params, httpsig_alg_of(KEY_P256),
                                  &base, &input),
                     0);
    assert_int_equal(sign_bytes(pair, base.p, base.n, sig), 0);
    assert_int_equal(httpsig_signature_header(sig, &signature), 0);
    {
        const struct httpsig_header headers[] = {
            {STR("content-digest"), buf_as_str(&digest)},
            {STR("signature-input"), buf_as_str(&input)},
            {STR("signature"), buf_as_str(&signature)},
        };
        struct err err = {0};

        if (httpsig_parse(&req, headers, ARRAY_SIZE(headers), NOW + 1, &got, &err))
            fail_msg("%s\n%s", err.text, input.p);
        assert_int_equal(httpsig_check(v, &got, key_pair_public(pair)), 0);
        assert_string_equal(got.params.nonce, "n1");
        httpsig_clear(&got);
    }
    buf_clear(&digest);
    buf_clear(&base);
    buf_clear(&input);
    buf_clear(&signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

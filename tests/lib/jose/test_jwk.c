#include "lib/base/unit.h"

#include "base/b64.h"
#include "jose/alg.h"
#include "jose/thumbprint.h"

static struct json *parse_json(const char *text)
{
    struct json *v = NULL;
    struct err err = {0};

    if (json_parse(str_of(text), &json_bounds_wire, &v, &err))
        fail_msg("%s: %s", text, err.text);
    return v;
}

static int parse(const char *text, struct key *out)
{
    _cleanup_(json_freep) struct json *v = parse_json(text);
    struct err err = {0};
    int r = jwk_parse(v, out, &err);

    assert_true((r == 0) == (err.text[0] == '\0'));
    return r;
}

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\""
#define EC_XY EC ",\"x\":\"" X "\",\"y\":\"" Y "\""

/* RFC 8037 appendix A.1, the key of RFC 8032 section 7.1 test 1. */
#define OKP_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define OKP_D "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\""

static const struct {
    const char *text;
    int code;
} cases[] = {
    {"{" EC_XY "}", 0},
    {"{" OKP "}", 0},
    {"{" EC_XY ",\"kid\":\"any\",\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]}", 0},
    {"{" OKP ",\"alg\":\"EdDSA\"}", 0},
    {"{" OKP ",\"alg\":\"Ed25519\",\"unknown\":{}}", 0},
    {"{" EC_XY ",\"d\":\"" D "\"}", JWK_E_PRIVATE},
    {"{" OKP ",\"d\":null}", JWK_E_PRIVATE},
    {"{}", JWK_E_MALFORMED},
    {"[]", JWK_E_MALFORMED},
    {"\"EC\"", JWK_E_MALFORMED},
    {"{\"kty\":7}", JWK_E_MALFORMED},
    {"{\"kty\":\"EC\"}", JWK_E_MALFORMED},
    {"{\"kty\":\"EC\",\"crv\":null}", JWK_E_MALFORMED},
    {"{" EC ",\"x\":\"" X "\"}", JWK_E_MALFORMED},
    {"{" EC ",\"y\":\"" Y "\"}", JWK_E_MALFORMED},
    {"{" EC ",\"x\":\"" X "\",\"y\":7}", JWK_E_MALFORMED},
    {"{" EC ",\"x\":\"" X "A\",\"y\":\"" Y "\"}", JWK_E_MALFORMED},
    {"{" EC ",\"x\":\"" X "=\",\"y\":\"" Y "\"}", JWK_E_MALFORMED},
    {"{" EC ",\"x\":\"\",\"y\":\"" Y "\"}", JWK_E_MALFORMED},
    /* unused bits set; a leading zero cut off; the other alphabet */
    {"{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\",\"y\":\"" Y "\"}",
     JWK_E_MALFORMED},
    {"{" EC ",\"x\":\"83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEQ\",\"y\":\"" Y "\"}",
     JWK_E_MALFORMED},
    {"{" EC ",\"x\":\"" X "\",\"y\":\"x/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0\"}",
     JWK_E_MALFORMED},
    {"{" EC_XY ",\"use\":1}", JWK_E_MALFORMED},
    {"{" EC_XY ",\"alg\":null}", JWK_E_MALFORMED},
    {"{" EC_XY ",\"kid\":[]}", JWK_E_MALFORMED},
    {"{" EC_XY ",\"key_ops\":\"verify\"}", JWK_E_MALFORMED},
    {"{" EC_XY ",\"key_ops\":[\"verify\",1]}", JWK_E_MALFORMED},
    {"{" EC_XY ",\"use\":\"enc\"}", JWK_E_UNSUPPORTED},
    {"{" EC_XY ",\"alg\":\"ES512\"}", JWK_E_UNSUPPORTED},
    {"{" EC_XY ",\"alg\":\"EdDSA\"}", JWK_E_UNSUPPORTED},
    {"{" EC_XY ",\"alg\":\"es256\"}", JWK_E_UNSUPPORTED},
    {"{" EC_XY ",\"alg\":\"ECDH-ES\"}", JWK_E_UNSUPPORTED},
    {"{" EC_XY ",\"key_ops\":[\"sign\"]}", JWK_E_UNSUPPORTED},
    {"{" EC_XY ",\"key_ops\":[]}", JWK_E_UNSUPPORTED},
    {"{" OKP ",\"alg\":\"ES256\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"oct\",\"k\":\"AQAB\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"ec\",\"crv\":\"P-256\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"EC\",\"crv\":\"P-384\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"EC\",\"crv\":\"secp256k1\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"EC\",\"crv\":\"Ed25519\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"OKP\",\"crv\":\"P-256\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" OKP_X "\"}", JWK_E_UNSUPPORTED},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed448\"}", JWK_E_UNSUPPORTED},
};

static void reads_public_keys(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct key key = {.type = 77};
        int r = parse(cases[i].text, &key);

        if (r != cases[i].code)
            fail_msg("%s: %d, not %d", cases[i].text, r, cases[i].code);
        assert_true((r == 0) == (key.type != 77));
    }
}

/* RFC 7517 appendix A.1: an EC key for encryption and an RSA key; neither is for us, nor an error.
 */
static const char rfc7517_a1[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"use\":\"enc\",\"kid\":\"1\"},"
    "{\"kty\":\"RSA\",\"n\":"
    "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuh"
    "DR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGj"
    "QR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
    "bFTWhAI4vM"
    "QFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\","
    "\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}]}";

static void key_sets(void **state)
{
    static const struct {
        const char *text;
        int code;
        size_t n;
    } sets[] = {
        {rfc7517_a1, 0, 0},
        {"{\"keys\":[]}", 0, 0},
        {"{\"keys\":[{" EC_XY "},{\"kty\":\"RSA\"},{" OKP "}]}", 0, 2},
        {"{\"keys\":[{" EC_XY "},{" OKP "},{" EC_XY "}]}", JWK_E_MALFORMED, 0}, /* more than max */
        {"{\"keys\":[{" EC_XY "},{}]}", JWK_E_MALFORMED, 0},
        {"{\"keys\":[{" EC_XY "},7]}", JWK_E_MALFORMED, 0},
        {"{\"keys\":[{" EC_XY ",\"d\":\"" D "\"}]}", JWK_E_PRIVATE, 0},
        /* off the curve */
        {"{\"keys\":[{" EC ",\"x\":\"" X "\",\"y\":\"" X "\"}]}", JWK_E_MALFORMED, 0},
        {"{\"keys\":{}}", JWK_E_MALFORMED, 0},
        {"{}", JWK_E_MALFORMED, 0},
        {"[]", JWK_E_MALFORMED, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        _cleanup_(json_freep) struct json *v = parse_json(sets[i].text);
        struct key keys[2];
        size_t n = 99;

        if (jwks_parse(v, keys, 2, &n, NULL) != sets[i].code)
            fail_msg("%s", sets[i].text);
        assert_int_equal(n, sets[i].code ? 99 : sets[i].n);
    }
}

static void writes_what_it_reads(void **state)
{
    _cleanup_(json_freep) struct json *set = NULL, *bare = NULL;
    struct key keys[2], back[2];
    struct buf b = {0};
    size_t n;

    assert_int_equal(parse("{" EC_XY "}", &keys[0]), 0);
    assert_int_equal(parse("{" OKP "}", &keys[1]), 0);
    set = jwks_write(keys, 2);
    assert_int_equal(json_write(set, &b), 0);
    assert_string_equal(b.p, "{\"keys\":[{" EC_XY
                             ",\"kid\":\"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U\","
                             "\"alg\":\"ES256\",\"use\":\"sig\"},{" OKP
                             ",\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\","
                             "\"alg\":\"Ed25519\",\"use\":\"sig\"}]}");
    assert_int_equal(jwks_parse(set, back, 2, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_true(key_equal(&keys[0], &back[0]) && key_equal(&keys[1], &back[1]));
    bare = jwk_bare(&keys[0]);
    buf_reset(&b);
    assert_int_equal(json_write(bare, &b), 0);
    assert_string_equal(b.p, "{" EC_XY "}");
    assert_null(jwk_kid(bare).p);
    assert_true(str_eqz(jwk_kid(json_at(json_get(set, "keys"), 1)),
                        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    buf_clear(&b);
}

static void pairs(void **state)
{
    static const struct {
        const char *text;
        int code;
    } tests[] = {
        {"{" EC_XY ",\"d\":\"" D "\"}", 0},
        {"{" OKP ",\"d\":\"" OKP_D "\"}", 0},
        {"{" OKP ",\"d\":\"" OKP_D "\",\"key_ops\":[\"sign\"]}", 0},
        {"{" OKP ",\"d\":\"" OKP_D "\",\"key_ops\":[\"verify\"]}", JWK_E_UNSUPPORTED},
        {"{" EC_XY "}", JWK_E_MALFORMED},
        {"{" EC_XY ",\"d\":\"" OKP_D "\"}", JWK_E_MALFORMED}, /* another's */
        {"{" OKP ",\"d\":\"" D "\"}", JWK_E_MALFORMED},
        {"{" EC_XY ",\"d\":\"AAAA\"}", JWK_E_MALFORMED},
        {"{" EC_XY ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", JWK_E_MALFORMED},
        {"{" EC_XY ",\"d\":\"__________________________________________8\"}", JWK_E_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        _cleanup_(json_freep) struct json *v = parse_json(tests[i].text), *back = NULL;
        _cleanup_(key_pair_freep) struct key_pair *pair = NULL, *again = NULL;

        if (jwk_parse_pair(v, &pair, NULL) != tests[i].code)
            fail_msg("%s", tests[i].text);
        assert_true((tests[i].code == 0) == (pair != NULL));
        if (!pair)
            continue;
        back = jwk_write_pair(pair);
        assert_true(json_equal(json_get(v, "d"), json_get(back, "d")));
        assert_int_equal(jwk_parse_pair(back, &again, NULL), 0);
        assert_true(key_equal(key_pair_public(pair), key_pair_public(again)));
    }
}

/* RFC 7638 section 3.1 has an RSA key, which we never meet: it proves the way of hashing. */
static void thumbprint_of_the_rfc(void **state)
{
    _cleanup_(json_freep) struct json *v = parse_json(rfc7517_a1);
    const struct json *rsa = json_at(json_get(v, "keys"), 1);
    struct thumbprint_member members[] = {
        {"e", json_as_str(json_get(rsa, "e"))},
        {"kty", json_as_str(json_get(rsa, "kty"))},
        {"n", json_as_str(json_get(rsa, "n"))},
    };
    char out[THUMBPRINT_LEN + 1];

    assert_int_equal(thumbprint_of(members, ARRAY_SIZE(members), out), 0);
    assert_string_equal(out, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/* RFC 8037 appendix A.3. */
static void thumbprint_of_ed25519(void **state)
{
    char out[THUMBPRINT_LEN + 1];
    struct key key;

    assert_int_equal(parse("{" OKP "}", &key), 0);
    assert_int_equal(jwk_thumbprint(&key, out), 0);
    assert_string_equal(out, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

static void fingerprints(void **state)
{
    static const char print[] =
        "kPrK_qmxVWaYVA9wwBF6Iuo3-Vzz7TxHCTwXBygrS4k"; /* with a '-' in it */
    static const char *const same[] = {
        "kPrK_qmxVWaYVA9wwBF6Iuo3-Vzz7TxHCTwXBygrS4k",
        "kPrK-_qmx-VWaY-VA9w-wBF6-Iuo3--Vzz-7TxH-CTwX-Bygr-S4k",
        "kPrK _qmx VWaY VA9w wBF6 Iuo3 -Vzz 7TxH CTwX Bygr S4k",
        " kPrK _qmx VWaY  VA9wwBF6 Iuo3 -Vzz 7TxH CTwX Bygr S4k\n",
    };
    static const char *const others[] = {
        "",
        "kPrK",
        "kPrK_qmxVWaYVA9wwBF6Iuo3-Vzz7TxHCTwXBygrS4l",
        "kPrK_qmxVWaYVA9wwBF6Iuo3Vzz7TxHCTwXBygrS4k",
        "kprk_qmxvwayva9wwbf6iuo3-vzz7txhctwxbygrs4k",
        "kPrK_qmxVWaYVA9wwBF6Iuo3-Vzz7TxHCTwXBygrS4kA",
        "kPrK-_qmx-VWaY-VA9w-wBF6-Iuo3--Vzz-7TxH-CTwX-Bygr-S4k-",
        "kPrK-_qmx-VWaY-VA9w-wBF6-Iuo3--Vzz-7TxH-CTwX-Bygr-S4k-kPrK-_qmx"};
    char out[FINGERPRINT_LEN + 1];

    fingerprint_format(print, out);
    assert_string_equal(out, same[2]);
    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        assert_true(fingerprint_equal(print, str_of(same[i])) &&
                    fingerprint_whole(str_of(same[i])));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(fingerprint_equal(print, str_of(others[i])));
    assert_false(fingerprint_equal("", STR("")));
    assert_false(fingerprint_whole(STR("AAAA-BBBB")));
    assert_false(fingerprint_whole(str_of(others[7])));
}

static void algorithms_by_exact_name(void **state)
{
    static const char *const unknown[] = {"",        "none",   "None",  "HS256", "es256",
                                          "ES256 ",  "ES25",   "ES384", "ES512", "ES256K",
                                          "ed25519", "EdDSA2", "RS256", "Ed448"};

    assert_int_equal(jose_alg_find(STR("ES256"))->type, KEY_P256);
    assert_int_equal(jose_alg_find(STR("EdDSA"))->type, KEY_ED25519);
    assert_int_equal(jose_alg_find(STR("Ed25519"))->type, KEY_ED25519);
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_null(jose_alg_find(str_of(unknown[i])));
    assert_null(jose_alg_find(STR("ES256\0")));
    assert_string_equal(jose_alg_of(KEY_P256)->name, "ES256");
    assert_string_equal(jose_alg_of(KEY_ED25519)->name, "Ed25519");
    assert_null(jose_alg_of(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_public_keys),     cmocka_unit_test(key_sets),
        cmocka_unit_test(writes_what_it_reads),  cmocka_unit_test(pairs),
        cmocka_unit_test(thumbprint_of_the_rfc), cmocka_unit_test(thumbprint_of_ed25519),
        cmocka_unit_test(fingerprints),          cmocka_unit_test(algorithms_by_exact_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

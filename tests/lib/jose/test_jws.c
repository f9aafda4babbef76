#include "lib/base/unit.h"

#include <stdio.h>

#include "base/b64.h"
#include "crypto/digest.h"
#include "jose/jwk.h"
#include "jose/jws.h"

#define TYP "dc+sd-jwt"

static struct verifier *v;
static struct key_pair *pairs[2];
static const enum key_type types[2] = {KEY_P256, KEY_ED25519};

static int set_up(void **state)
{
    if (verifier_new(4, &v))
        return -1;
    for (int i = 0; i < 2; i++)
        if (key_pair_generate(types[i], &pairs[i]))
            return -1;
    return 0;
}

static int tear_down(void **state)
{
    verifier_free(v);
    key_pair_free(pairs[0]);
    key_pair_free(pairs[1]);
    return 0;
}

static struct key key_of(const char *text)
{
    _cleanup_(json_freep) struct json *jwk = NULL;
    struct key key = {0};

    assert_int_equal(json_parse(str_of(text), &json_bounds_wire, &jwk, NULL), 0);
    assert_int_equal(jwk_parse(jwk, &key, NULL), 0);
    return key;
}

struct vector {
    const char *jwk, *token, *payload;
};

static const struct vector vectors[] = {
    /* RFC 7515 appendix A.3 */
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
     "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
     "bS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
     "KTUJqPP3-Kg6NU1Q",
     "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"},
    /* RFC 8037 appendix A.4 and A.5 */
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg"
     "3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
     "Example of Ed25519 signing"},
};

static void verifies_published_vectors(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct str token = str_of(vectors[i].token);
        struct key key = key_of(vectors[i].jwk);
        struct jws jws;

        assert_int_equal(jws_parse(token, TYP, 4000, &jws, NULL), JWS_E_TYP); /* they have none */
        assert_int_equal(jws_parse(token, NULL, 4000, &jws, NULL), 0);
        assert_string_equal(jws.payload.p, vectors[i].payload);
        assert_string_equal(jws.typ, "");
        assert_string_equal(jws.kid, "");
        assert_int_equal(jws_check(v, &jws, &key), 0);
        jws.sig[63] ^= 1;
        assert_int_equal(jws_check(v, &jws, &key), JWS_E_SIGNATURE);
        jws_clear(&jws);
    }
}

/* RFC 8037 appendix A.4: Ed25519 always gives the same signature. */
static void signs_as_published(void **state)
{
    _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
    uint8_t secret[32], sig[SIG_LEN];
    struct str input, b64;
    char text[B64_LEN(SIG_LEN)];

    assert_int_equal(
        b64_decode_exact(STR("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), secret, 32), 0);
    assert_int_equal(key_pair_from_secret(KEY_ED25519, secret, &pair), 0);
    input = str_of(vectors[1].token);
    b64 = (struct str){input.p + input.n - sizeof(text), sizeof(text)};
    input.n -= sizeof(text) + 1;
    assert_int_equal(sign_bytes(pair, input.p, input.n, sig), 0);
    b64_encode(sig, sizeof(sig), text);
    assert_true(str_eq(b64, (struct str){text, sizeof(text)}));
}

static void round_trip(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        const struct key *key = key_pair_public(pairs[i]), *other = key_pair_public(pairs[1 - i]);
        struct buf token = {0};
        char kid[THUMBPRINT_LEN + 1];
        uint8_t digest[32], want[32];
        struct jws jws;

        buf_z(&token, "before ");
        assert_int_equal(jws_sign(pairs[i], TYP, STR("{\"iat\":1}"), &token), 0);
        token.n -= 7;
        memmove(token.p, token.p + 7, token.n + 1);
        assert_int_equal(jws_parse(buf_as_str(&token), TYP, token.n, &jws, NULL), 0);
        assert_int_equal(jws_check(v, &jws, key), 0);
        assert_int_equal(jws_check(v, &jws, other), JWS_E_KEY);
        assert_string_equal(jws.payload.p, "{\"iat\":1}");
        assert_string_equal(jws.typ, TYP);
        assert_int_equal(jwk_thumbprint(key, kid), 0);
        assert_string_equal(jws.kid, kid);
        assert_int_equal(jws.signing_input.n, token.n - 1 - B64_LEN(SIG_LEN));
        assert_int_equal(jws_digest(&jws, digest), 0);
        assert_int_equal(sha256(jws.signing_input.p, jws.signing_input.n, want), 0);
        assert_memory_equal(digest, want, 32);
        jws_clear(&jws);
        assert_int_equal(jws_parse(buf_as_str(&token), "kb+jwt", 4000, &jws, NULL), JWS_E_TYP);
        assert_int_equal(jws_parse(buf_as_str(&token), TYP, token.n - 1, &jws, NULL),
                         JWS_E_MALFORMED);
        buf_clear(&token);
    }
}

static void a_failed_signature_leaves_the_buffer(void **state)
{
    struct buf out = {.max = 60};

    buf_z(&out, "kept");
    assert_true(jws_sign(pairs[0], TYP, STR("{\"iat\":1}"), &out) < 0);
    assert_string_equal(out.p, "kept");
    buf_clear(&out);
}

/* A token with this header text, rightly signed by the pair. */
static void sign_header(const struct key_pair *pair, const char *header, struct buf *out)
{
    uint8_t sig[SIG_LEN];

    buf_reset(out);
    b64_append(out, header, strlen(header));
    buf_z(out, ".e30");
    assert_int_equal(sign_bytes(pair, out->p, out->n, sig), 0);
    buf_ch(out, '.');
    assert_int_equal(b64_append(out, sig, sizeof(sig)), 0);
}

#define T "\"typ\":\"" TYP "\""

static const struct {
    const char *header;
    int code;
} headers[] = {
    {"{\"alg\":\"ES256\"," T "}", 0},
    {"{" T ",\"alg\":\"ES256\",\"kid\":\"k\",\"cty\":\"x\",\"x5t\":\"y\",\"new\":[{}]}", 0},
    /* near to the text that we write, which is read by a shorter way */
    {"{\"alg\":\"ES256\"," T ",\"kid\":\"\"}", 0},
    {"{\"alg\":\"ES256\"," T ",\"kid\":\"a\\\"}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"kid\":\"a\"b\"}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"kid\":\"a\",\"crit\":\"b\"}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"kid\":\"a\",\"alg\":\"b\"}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"kid\":\"\xFF\"}", JWS_E_MALFORMED},
    {"{\"alg\":\"none\"," T ",\"kid\":\"a\"}", JWS_E_ALG},
    {"{\"alg\":\"ES256\",\"typ\":\"" TYP "x\",\"kid\":\"a\"}", JWS_E_TYP},
    {"{\"alg\":\"ES256\"}", JWS_E_TYP},
    {"{\"alg\":\"ES256\",\"typ\":\"\"}", JWS_E_TYP},
    {"{\"alg\":\"ES256\",\"typ\":7}", JWS_E_TYP},
    {"{\"alg\":\"ES256\",\"typ\":[\"" TYP "\"]}", JWS_E_TYP},
    {"{\"alg\":\"ES256\",\"typ\":\"JWT\"}", JWS_E_TYP},
    {"{\"alg\":\"ES256\",\"typ\":\"DC+SD-JWT\"}", JWS_E_TYP},
    {"{\"alg\":\"ES256\",\"typ\":\"" TYP " \"}", JWS_E_TYP},
    {"{\"alg\":\"ES256\",\"typ\":\"application/" TYP "\"}", JWS_E_TYP},
    {"{\"alg\":\"none\",\"typ\":\"JWT\"}", JWS_E_TYP}, /* typ is looked at first */
    {"{" T "}", JWS_E_ALG},
    {"{\"alg\":null," T "}", JWS_E_ALG},
    {"{\"alg\":\"\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"none\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"NONE\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"HS256\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"es256\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"ES256K\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"ES384\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"ES512\"," T "}", JWS_E_ALG},
    {"{\"alg\":\"RS256\"," T "}", JWS_E_ALG},
    {"{\"alg\":[\"ES256\"]," T "}", JWS_E_ALG},
    {"{\"alg\":\"ES256\"," T ",\"crit\":[\"exp\"],\"exp\":1}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"crit\":[]}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"crit\":null}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"b64\":false,\"crit\":[\"b64\"]}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"b64\":false}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"b64\":true}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"jwk\":{\"kty\":\"EC\"}}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"jku\":\"https://x.example\"}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"x5u\":\"https://x.example\"}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"x5c\":[\"AAAA\"]}", JWS_E_HEADER},
    {"{\"alg\":\"ES256\"," T ",\"kid\":7}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T
     ",\"kid\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
     JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T "", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T "} ", 0}, /* white space is JSON's */
    {"{\"alg\":\"ES256\"," T "}x", JWS_E_MALFORMED},
    {"[\"alg\",\"ES256\"]", JWS_E_MALFORMED},
    {"\"ES256\"", JWS_E_MALFORMED},
    {"12345", JWS_E_MALFORMED},
    {"null", JWS_E_MALFORMED},
    {"", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\",\"alg\":\"ES256\"," T "}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T "," T "}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"," T "}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"n\":[[[1]]]}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"n\":1e400}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"n\":99999999999999999999}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"n\":\"\\u0000\"}", JWS_E_MALFORMED},
    {"{\"alg\":\"ES256\"," T ",\"n\":\"\xFF\"}", JWS_E_MALFORMED},
    {"\xEF\xBB\xBF{\"alg\":\"ES256\"," T "}", JWS_E_MALFORMED},
};

static void judges_headers(void **state)
{
    struct buf token = {0};

    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        struct jws jws = {.alg = NULL};
        struct err err = {0};
        int r;

        sign_header(pairs[0], headers[i].header, &token);
        r = jws_parse(buf_as_str(&token), TYP, 4000, &jws, &err);
        if (r != headers[i].code)
            fail_msg("%s: %d, not %d", headers[i].header, r, headers[i].code);
        assert_true((r == 0) == (err.text[0] == '\0'));
        if (!r) {
            assert_int_equal(jws_check(v, &jws, key_pair_public(pairs[0])), 0);
            jws_clear(&jws);
        } else {
            assert_null(jws.alg); /* untouched */
        }
    }
    buf_clear(&token);
}

/* Each algorithm with each key, whoever signed: only the key's own type ever verifies. */
static void pins_the_algorithm_to_the_key(void **state)
{
    static const char *const algs[] = {"ES256", "Ed25519", "EdDSA"};
    struct buf token = {0};

    for (size_t a = 0; a < ARRAY_SIZE(algs); a++) {
        for (size_t signer = 0; signer < 2; signer++) {
            for (size_t k = 0; k < 2; k++) {
                enum key_type of_alg = a == 0 ? KEY_P256 : KEY_ED25519;
                char header[80];
                struct jws jws;
                int want;

                snprintf(header, sizeof(header), "{\"alg\":\"%s\"," T "}", algs[a]);
                sign_header(pairs[signer], header, &token);
                assert_int_equal(jws_parse(buf_as_str(&token), TYP, 4000, &jws, NULL), 0);
                want = of_alg != types[k] ? JWS_E_KEY : signer != k ? JWS_E_SIGNATURE : 0;
                assert_int_equal(jws_check(v, &jws, key_pair_public(pairs[k])), want);
                jws_clear(&jws);
            }
        }
    }
    buf_clear(&token);
}

static int parse_parts(const char *header, const char *payload, const char *sig)
{
    struct buf b = {0};
    struct jws jws;
    int r;

    buf_printf(&b, "%s.%s.%s", header, payload, sig);
    r = jws_parse(buf_as_str(&b), TYP, 100000, &jws, NULL);
    buf_clear(&b);
    if (!r)
        jws_clear(&jws);
    return r;
}

static void judges_the_three_parts(void **state)
{
    static const char *const shapes[] = {"", ".", "..", "...", "a", "a.b", "a.b.c.d"};
    char header[120], sig[B64_LEN(SIG_LEN) + 1], longer[B64_LEN(72) + 1];
    const char *text = "{\"alg\":\"ES256\"," T "}";
    uint8_t zero[72] = {0x30, 0x46}; /* as a DER signature begins */
    struct jws jws;

    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        assert_int_equal(jws_parse(str_of(shapes[i]), TYP, 100, &jws, NULL), JWS_E_MALFORMED);
    b64_encode(text, strlen(text), header);
    header[B64_LEN(strlen(text))] = '\0';
    b64_encode(zero, SIG_LEN, sig);
    sig[sizeof(sig) - 1] = '\0';
    assert_int_equal(parse_parts(header, "e30", sig), 0);
    assert_int_equal(parse_parts(header, "", sig), 0); /* an empty payload is none's JSON */
    assert_int_equal(parse_parts(header, "e31", sig), JWS_E_MALFORMED); /* unused bits */
    assert_int_equal(parse_parts(header, "e30=", sig), JWS_E_MALFORMED);
    assert_int_equal(parse_parts(header, "e", sig), JWS_E_MALFORMED);
    assert_int_equal(parse_parts(header, "+/+/", sig), JWS_E_MALFORMED);
    assert_int_equal(parse_parts(header, "e3 0", sig), JWS_E_MALFORMED);
    assert_int_equal(parse_parts(header, "e30\n", sig), JWS_E_MALFORMED);
    sig[sizeof(sig) - 2] = 'B'; /* unused bits */
    assert_int_equal(parse_parts(header, "e30", sig), JWS_E_MALFORMED);
    sig[sizeof(sig) - 2] = '\0';
    assert_int_equal(parse_parts(header, "e30", sig), JWS_E_SIGNATURE);
    assert_int_equal(parse_parts(header, "e30", ""), JWS_E_SIGNATURE);
    for (size_t n = 0; n <= 72; n++) { /* DER is 68 to 72 bytes long, and 64 are no DER */
        b64_encode(zero, n, longer);
        longer[B64_LEN(n)] = '\0';
        assert_int_equal(parse_parts(header, "e30", longer), n == 64 ? 0 : JWS_E_SIGNATURE);
    }
}

/* RFC 7515 appendix A.5. */
static void refuses_unsecured(void **state)
{
    struct str token =
        STR("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6"
            "Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.");
    struct jws jws;

    assert_int_equal(jws_parse(token, NULL, 4000, &jws, NULL), JWS_E_ALG);
}

static void bounds_the_header(void **state)
{
    struct buf header = {0}, token = {0};
    struct jws jws;

    buf_z(&header, "{\"alg\":\"ES256\"," T ",\"pad\":\"");
    while (header.n < 2000)
        buf_ch(&header, 'x');
    buf_z(&header, "\"}");
    sign_header(pairs[0], header.p, &token);
    assert_int_equal(jws_parse(buf_as_str(&token), TYP, 4000, &jws, NULL), JWS_E_MALFORMED);
    buf_clear(&header);
    buf_clear(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_published_vectors),
        cmocka_unit_test(signs_as_published),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(a_failed_signature_leaves_the_buffer),
        cmocka_unit_test(judges_headers),
        cmocka_unit_test(pins_the_algorithm_to_the_key),
        cmocka_unit_test(judges_the_three_parts),
        cmocka_unit_test(refuses_unsecured),
        cmocka_unit_test(bounds_the_header),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

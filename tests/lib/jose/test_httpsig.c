/* Our profile of RFC 9421: what httpsig_parse() takes and refuses. */
#include "lib/base/unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "jose/httpsig.h"

#define NOW 1790000000
#define COVERED "(\"@method\" \"@authority\" \"@path\" \"content-type\" \"content-digest\")"
#define PARAMS                                                                                     \
    ";created=1790000000;expires=1790000060;nonce=\"n1\";keyid=\"k1\";alg=\"ecdsa-p256-sha256\""
#define TAG ";tag=\"comity\""

static const struct httpsig_request request = {
    .method = STR("POST"),
    .authority = STR("berlin.example"),
    .path = STR("/node/v1/stamps"),
    .content_type = STR("application/json"),
    .body = STR("{\"hello\": \"world\"}\n"),
};

/* RFC 9530 appendix B.1 has this body's digest. */
#define DIGEST "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
#define SIG64                                                                                      \
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="

static struct verifier *v;
static struct key_pair *pairs[2];

static int set_up(void **state)
{
    return verifier_new(2, &v) || key_pair_generate(KEY_P256, &pairs[0]) ||
           key_pair_generate(KEY_ED25519, &pairs[1]);
}

static int tear_down(void **state)
{
    verifier_free(v);
    key_pair_free(pairs[0]);
    key_pair_free(pairs[1]);
    return 0;
}

static void digests_as_published(void **state)
{
    struct buf b = {0};

    assert_int_equal(httpsig_digest_header(request.body, &b), 0);
    assert_string_equal(b.p, DIGEST);
    buf_reset(&b);
    assert_int_equal(httpsig_digest_header(STR(""), &b), 0);
    assert_string_equal(b.p, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    buf_clear(&b);
}

struct signed_request {
    struct buf digest, input, signature;
};

static void sign(const struct httpsig_request *req, const struct key_pair *pair,
                 struct signed_request *out)
{
    struct httpsig_params params = {.created = NOW, .expires = NOW + 60, .nonce = "n1"};
    struct buf base = {0};
    uint8_t sig[SIG_LEN];

    *out = (struct signed_request){0};
    assert_int_equal(jwk_thumbprint(key_pair_public(pair), params.keyid), 0);
    assert_int_equal(httpsig_digest_header(req->body, &out->digest), 0);
    assert_int_equal(httpsig_base(req, buf_as_str(&out->digest), &params,
                                  httpsig_alg_of(key_pair_public(pair)->type), &base, &out->input),
                     0);
    assert_int_equal(sign_bytes(pair, base.p, base.n, sig), 0);
    assert_int_equal(httpsig_signature_header(sig, &out->signature), 0);
    buf_clear(&base);
}

static int verify(const struct httpsig_request *req, const struct signed_request *s,
                  const struct key *key, int64_t now)
{
    const struct httpsig_header headers[] = {
        {STR("content-digest"), buf_as_str(&s->digest)},
        {STR("signature-input"), buf_as_str(&s->input)},
        {STR("signature"), buf_as_str(&s->signature)},
    };
    struct httpsig got;
    int r = httpsig_parse(req, headers, ARRAY_SIZE(headers), now, &got, NULL);

    if (r)
        return r;
    assert_int_equal(got.params.created, NOW);
    assert_int_equal(got.params.expires, NOW + 60);
    assert_string_equal(got.params.nonce, "n1");
    r = httpsig_check(v, &got, key);
    httpsig_clear(&got);
    return r;
}

static void clear(struct signed_request *s)
{
    buf_clear(&s->digest);
    buf_clear(&s->input);
    buf_clear(&s->signature);
}

static void round_trip(void **state)
{
    for (int i = 0; i < 2; i++) {
        const struct key *key = key_pair_public(pairs[i]);
        struct httpsig_request other;
        struct signed_request s;

        sign(&request, pairs[i], &s);
        assert_int_equal(verify(&request, &s, key, NOW), 0);
        assert_int_equal(verify(&request, &s, key_pair_public(pairs[1 - i]), NOW), HTTPSIG_E_ALG);
        other = request;
        other.path = STR("/node/v1/stamps?x=1"); /* the query is not covered by us */
        assert_int_equal(verify(&other, &s, key, NOW), 0);
        other.path = STR("/node/v1/stamp");
        assert_int_equal(verify(&other, &s, key, NOW), HTTPSIG_E_SIGNATURE);
        other = request;
        other.method = STR("PUT");
        assert_int_equal(verify(&other, &s, key, NOW), HTTPSIG_E_SIGNATURE);
        other = request;
        other.authority = STR("lisbon.example");
        assert_int_equal(verify(&other, &s, key, NOW), HTTPSIG_E_SIGNATURE);
        other = request;
        other.content_type = STR("text/plain");
        assert_int_equal(verify(&other, &s, key, NOW), HTTPSIG_E_SIGNATURE);
        other = request;
        other.body = STR("{\"hello\": \"world\"}");
        assert_int_equal(verify(&other, &s, key, NOW), HTTPSIG_E_DIGEST);
        clear(&s);
    }
}

static void keeps_to_the_times(void **state)
{
    const struct key *key = key_pair_public(pairs[0]);
    struct signed_request s;

    sign(&request, pairs[0], &s);
    assert_int_equal(verify(&request, &s, key, NOW - LIMIT_CLOCK_SKEW), 0);
    assert_int_equal(verify(&request, &s, key, NOW - LIMIT_CLOCK_SKEW - 1), HTTPSIG_E_TIME);
    assert_int_equal(verify(&request, &s, key, NOW + 60 + LIMIT_CLOCK_SKEW), 0);
    assert_int_equal(verify(&request, &s, key, NOW + 60 + LIMIT_CLOCK_SKEW + 1), HTTPSIG_E_TIME);
    clear(&s);
}

static void signs_nothing_odd(void **state)
{
    struct httpsig_params params = {
        .created = NOW, .expires = NOW + 60, .nonce = "n1", .keyid = "k"};
    struct httpsig_request odd = request;
    struct buf base = {0}, input = {0};

    assert_int_equal(httpsig_base(&request, STR(DIGEST), &params, "rsa-pss-sha512", &base, &input),
                     -EINVAL);
    odd.path = STR("/a\n\"@method\": DELETE");
    assert_int_equal(httpsig_base(&odd, STR(DIGEST), &params, "ed25519", &base, &input), -EINVAL);
    snprintf(params.nonce, sizeof(params.nonce), "a\"b");
    assert_int_equal(httpsig_base(&request, STR(DIGEST), &params, "ed25519", &base, &input),
                     -EINVAL);
    assert_int_equal(base.n, 0);
    assert_int_equal(input.n, 0);
    buf_clear(&base);
    buf_clear(&input);
}

/* Everything but the signature itself, which httpsig_check() judges. */
struct form {
    const char *input, *signature, *digest;
    int code;
};

#define GOOD_SIG "comity=:" SIG64 ":"
#define GOOD_INPUT "comity=" COVERED PARAMS TAG

static const struct form forms[] = {
    {GOOD_INPUT, GOOD_SIG, DIGEST, 0},
    /* any order, any superset, any label, other signatures beside it */
    {"x=(\"content-digest\" \"content-type\" \"@path\" \"@authority\" \"@method\" \"@query\" "
     "\"@scheme\" \"x-more\")" TAG ";unknown=1" PARAMS,
     "x=:" SIG64 ":", DIGEST, 0},
    {"a=(\"@method\");tag=\"other\", " GOOD_INPUT " ,b=()", "b=:AAAA:, " GOOD_SIG, DIGEST, 0},
    {GOOD_INPUT, GOOD_SIG, "sha-512=:AAAA:, " DIGEST, 0},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;nonce=\"n1\";keyid=\"k1\"" TAG,
     GOOD_SIG, DIGEST, 0}, /* without alg */
    /* absent */
    {NULL, GOOD_SIG, DIGEST, HTTPSIG_E_ABSENT},
    {"", GOOD_SIG, DIGEST, HTTPSIG_E_ABSENT},
    {"comity=" COVERED PARAMS, GOOD_SIG, DIGEST, HTTPSIG_E_ABSENT},
    {"comity=" COVERED PARAMS ";tag=\"other\"", GOOD_SIG, DIGEST, HTTPSIG_E_ABSENT},
    {"comity=" COVERED PARAMS ";tag=comity", GOOD_SIG, DIGEST, HTTPSIG_E_ABSENT},
    {GOOD_INPUT, NULL, DIGEST, HTTPSIG_E_ABSENT},
    {GOOD_INPUT, "other=:" SIG64 ":", DIGEST, HTTPSIG_E_ABSENT},
    /* malformed */
    {GOOD_INPUT ", b=" COVERED PARAMS TAG, GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {GOOD_INPUT ",", GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {GOOD_INPUT ", b", GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=\"x\"", GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {GOOD_INPUT, "comity=" SIG64, DIGEST, HTTPSIG_E_MALFORMED},
    {GOOD_INPUT, "comity=\"" SIG64 "\"", DIGEST, HTTPSIG_E_MALFORMED},
    {GOOD_INPUT, GOOD_SIG ", " GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {GOOD_INPUT, "comity=:AAA-:", DIGEST, HTTPSIG_E_MALFORMED},
    {GOOD_INPUT, GOOD_SIG, "sha-256=RK/0", HTTPSIG_E_MALFORMED},
    {GOOD_INPUT, GOOD_SIG, "sha-256=:AAAA:", HTTPSIG_E_MALFORMED},
    {GOOD_INPUT, GOOD_SIG, DIGEST ", " DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=(\"@method\" \"@method\" \"@authority\" \"@path\" \"content-type\" "
     "\"content-digest\")" PARAMS TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    /* signatures of another length */
    {GOOD_INPUT, "comity=:AAAA:", DIGEST, HTTPSIG_E_SIGNATURE},
    {GOOD_INPUT, "comity=::", DIGEST, HTTPSIG_E_SIGNATURE},
    {GOOD_INPUT,
     "comity=:MEYCIQCBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGB"
     "gQIhAIGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGB:",
     DIGEST, HTTPSIG_E_SIGNATURE},
    /* coverage */
    {"comity=(\"@authority\" \"@path\" \"content-type\" \"content-digest\")" PARAMS TAG, GOOD_SIG,
     DIGEST, HTTPSIG_E_COVERAGE},
    {"comity=(\"@method\" \"@path\" \"content-type\" \"content-digest\")" PARAMS TAG, GOOD_SIG,
     DIGEST, HTTPSIG_E_COVERAGE},
    {"comity=(\"@method\" \"@authority\" \"content-type\" \"content-digest\")" PARAMS TAG, GOOD_SIG,
     DIGEST, HTTPSIG_E_COVERAGE},
    {"comity=(\"@method\" \"@authority\" \"@path\" \"content-digest\")" PARAMS TAG, GOOD_SIG,
     DIGEST, HTTPSIG_E_COVERAGE},
    {"comity=(\"@method\" \"@authority\" \"@path\" \"content-type\")" PARAMS TAG, GOOD_SIG, DIGEST,
     HTTPSIG_E_COVERAGE},
    {"comity=(\"@method\" \"@authority\" \"@path\" \"content-type\" \"content-digest\";req)" PARAMS
         TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_COVERAGE},
    {"comity=(\"@method\" \"@authority\" \"@path\" \"content-type\" content-digest)" PARAMS TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_COVERAGE},
    {"comity=(\"@method\" \"@authority\" \"@path\" \"content-type\" \"content-digest\" "
     "\"x-absent\")" PARAMS TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_COVERAGE},
    {GOOD_INPUT, GOOD_SIG, NULL, HTTPSIG_E_COVERAGE},
    {"comity=" COVERED ";expires=1790000060;nonce=\"n\";keyid=\"k\"" TAG, GOOD_SIG, DIGEST,
     HTTPSIG_E_COVERAGE},
    {"comity=" COVERED ";created=1790000000;nonce=\"n\";keyid=\"k\"" TAG, GOOD_SIG, DIGEST,
     HTTPSIG_E_COVERAGE},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;keyid=\"k\"" TAG, GOOD_SIG, DIGEST,
     HTTPSIG_E_COVERAGE},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;nonce=\"n\"" TAG, GOOD_SIG, DIGEST,
     HTTPSIG_E_COVERAGE},
    /* parameters of the wrong type or length */
    {"comity=" COVERED ";created=\"1790000000\";expires=1790000060;nonce=\"n\";keyid=\"k\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=" COVERED ";created=1790000000.5;expires=1790000060;nonce=\"n\";keyid=\"k\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=" COVERED ";created=1790000000;expires;nonce=\"n\";keyid=\"k\"" TAG, GOOD_SIG, DIGEST,
     HTTPSIG_E_MALFORMED},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;nonce=n;keyid=\"k\"" TAG, GOOD_SIG,
     DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;nonce=\"\";keyid=\"k\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;nonce=\"a\\\"b\";keyid=\"k\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;nonce=\"n\";keyid="
     "\"12345678901234567890123456789012345678901234\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    {"comity=" COVERED ";created=1790000000;expires=1790000060;keyid=\"k\";nonce="
     "\"12345678901234567890123456789012345678901234567890123456789012345\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_MALFORMED},
    /* times that are none */
    {"comity=" COVERED ";created=1790000000;expires=1790000121;nonce=\"n\";keyid=\"k\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_TIME},
    {"comity=" COVERED ";created=1790000060;expires=1790000060;nonce=\"n\";keyid=\"k\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_TIME},
    {"comity=" COVERED
     ";created=-999999999999999;expires=999999999999999;nonce=\"n\";keyid=\"k\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_TIME},
    /* algorithms */
    {"comity=" COVERED
     ";created=1790000000;expires=1790000060;nonce=\"n\";keyid=\"k\";alg=\"hmac-sha256\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_ALG},
    {"comity=" COVERED
     ";created=1790000000;expires=1790000060;nonce=\"n\";keyid=\"k\";alg=\"ES256\"" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_ALG},
    {"comity=" COVERED
     ";created=1790000000;expires=1790000060;nonce=\"n\";keyid=\"k\";alg=ed25519" TAG,
     GOOD_SIG, DIGEST, HTTPSIG_E_ALG},
    /* digests */
    {GOOD_INPUT, GOOD_SIG, "sha-512=:AAAA:", HTTPSIG_E_DIGEST},
    {GOOD_INPUT, GOOD_SIG,
     "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", HTTPSIG_E_DIGEST},
};

static int parse_form(const struct form *f, struct err *err)
{
    struct httpsig_header headers[4] = {{STR("x-more"), STR("1")}};
    struct httpsig got = {.alg = "untouched"};
    size_t n = 1;
    int r;

    if (f->input)
        headers[n++] = (struct httpsig_header){STR("signature-input"), str_of(f->input)};
    if (f->signature)
        headers[n++] = (struct httpsig_header){STR("signature"), str_of(f->signature)};
    if (f->digest)
        headers[n++] = (struct httpsig_header){STR("content-digest"), str_of(f->digest)};
    r = httpsig_parse(&request, headers, n, NOW, &got, err);
    if (r)
        assert_string_equal(got.alg, "untouched");
    else
        httpsig_clear(&got);
    return r;
}

static void judges_the_form(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct err err = {0};
        int r = parse_form(&forms[i], &err);

        if (r != forms[i].code)
            fail_msg("%s | %s | %s: %d, not %d (%s)", forms[i].input, forms[i].signature,
                     forms[i].digest, r, forms[i].code, err.text);
        assert_true((r == 0) == (err.text[0] == '\0'));
    }
}

/* One field in several lines is one list (RFC 9110 section 5.3). */
static void joins_lines(void **state)
{
    const struct httpsig_header headers[] = {
        {STR("signature-input"), STR("a=();tag=\"other\"")},
        {STR("signature"), STR("a=:AAAA:")},
        {STR("signature-input"), STR(GOOD_INPUT)},
        {STR("signature"), STR(GOOD_SIG)},
        {STR("content-digest"), STR(DIGEST)},
    };
    struct httpsig got;

    assert_int_equal(httpsig_parse(&request, headers, ARRAY_SIZE(headers), NOW, &got, NULL), 0);
    assert_string_equal(got.params.keyid, "k1");
    assert_string_equal(got.alg, "ecdsa-p256-sha256");
    assert_int_equal(httpsig_check(v, &got, key_pair_public(pairs[0])), HTTPSIG_E_SIGNATURE);
    httpsig_clear(&got);
}

static void survives_damage(void **state)
{
    char input[] = GOOD_INPUT;

    for (size_t i = 0; i + 1 < sizeof(input); i++) {
        char kept = input[i];

        for (int c = 1; c < 256; c++) {
            input[i] = (char)c;
            parse_form(&(struct form){input, GOOD_SIG, DIGEST, 0}, NULL);
        }
        input[i] = '\0';
        assert_int_not_equal(parse_form(&(struct form){input, GOOD_SIG, DIGEST, 0}, NULL), 0);
        input[i] = kept;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_as_published), cmocka_unit_test(round_trip),
        cmocka_unit_test(keeps_to_the_times),   cmocka_unit_test(signs_nothing_odd),
        cmocka_unit_test(judges_the_form),      cmocka_unit_test(joins_lines),
        cmocka_unit_test(survives_damage),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

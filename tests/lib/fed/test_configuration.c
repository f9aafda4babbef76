#include "lib/base/unit.h"

#include <stdio.h>

#include "base/b64.h"
#include "fed/configuration.h"

#define NOW INT64_C(1790000000)
#define ID "https://lisbon.example"

static struct key_pair *federation, *federation_2, *pass, *pass_ed, *stranger;
static struct verifier *verifier;

static struct key_pair *new_pair(enum key_type type)
{
    struct key_pair *pair = NULL;

    assert_int_equal(key_pair_generate(type, &pair), 0);
    return pair;
}

static int set_up(void **state)
{
    federation = new_pair(KEY_P256);
    federation_2 = new_pair(KEY_ED25519);
    pass = new_pair(KEY_P256);
    pass_ed = new_pair(KEY_ED25519);
    stranger = new_pair(KEY_P256);
    return verifier_new(8, &verifier);
}

static int tear_down(void **state)
{
    key_pair_free(federation);
    key_pair_free(federation_2);
    key_pair_free(pass);
    key_pair_free(pass_ed);
    key_pair_free(stranger);
    verifier_free(verifier);
    return 0;
}

static struct configuration lisbon(void)
{
    struct configuration c = {
        .id = ID,
        .name = "Lisbon Loft – Baixa",
        .n_pass = 2,
        .has_position = true,
        .lat = 38.75,
        .lon = -9.125,
        .country = "PT",
        .timezone = "Europe/Lisbon",
        .status_lists = 2,
    };

    c.pass[0] = *key_pair_public(pass);
    c.pass[1] = *key_pair_public(pass_ed);
    return c;
}

/* What the signer adds. */
static void add_signers_part(struct json *payload)
{
    const struct key keys[] = {*key_pair_public(federation), *key_pair_public(federation_2)};

    assert_int_equal(json_put_int(payload, "iat", NOW), 0);
    assert_int_equal(json_put_int(payload, "exp", NOW + LIFETIME_CONFIGURATION), 0);
    assert_int_equal(json_put(payload, "jwks", jwks_write(keys, 2)), 0);
}

static struct json *whole_payload(void)
{
    struct configuration c = lisbon();
    struct json *payload = configuration_payload(&c);

    assert_non_null(payload);
    add_signers_part(payload);
    return payload;
}

static void sign(const struct json *payload, const struct key_pair *pair, const char *typ,
                 struct buf *token)
{
    struct buf text = {0};

    assert_int_equal(json_write(payload, &text), 0);
    assert_int_equal(jws_sign(pair, typ, buf_as_str(&text), token), 0);
    buf_clear(&text);
}

static int verify_at(const struct buf *token, int64_t now, struct configuration *out,
                     struct err *err)
{
    return configuration_verify(verifier, buf_as_str(token), ID, now, out, err);
}

static void what_was_written_is_read(void **state)
{
    _cleanup_(json_freep) struct json *payload = whole_payload();
    const struct key_pair *signers[] = {federation, federation_2};

    for (size_t i = 0; i < ARRAY_SIZE(signers); i++) {
        struct configuration want = lisbon(), c;
        struct buf token = {0};
        struct err err = {0};

        sign(payload, signers[i], CONFIGURATION_TYP, &token);
        if (verify_at(&token, NOW, &c, &err) != 0)
            fail_msg("%s", err.text);
        assert_string_equal(c.id, ID);
        assert_string_equal(c.name, want.name);
        assert_true(c.iat == NOW && c.exp == NOW + LIFETIME_CONFIGURATION);
        assert_int_equal(c.n_federation, 2);
        assert_true(key_equal(&c.federation[0], key_pair_public(federation)));
        assert_true(key_equal(&c.federation[1], key_pair_public(federation_2)));
        assert_int_equal(c.n_pass, 2);
        assert_true(key_equal(&c.pass[0], &want.pass[0]));
        assert_true(key_equal(&c.pass[1], &want.pass[1]));
        assert_true(c.has_position && c.lat == want.lat && c.lon == want.lon);
        assert_string_equal(c.country, "PT");
        assert_string_equal(c.timezone, "Europe/Lisbon");
        assert_int_equal(c.status_lists, 2);
        buf_clear(&token);
    }
}

static void what_is_unknown_is_left_out(void **state)
{
    struct configuration c = lisbon(), out;
    struct buf token = {0};

    c.has_position = false;
    c.country[0] = c.timezone[0] = '\0';
    c.status_lists = 0;
    _cleanup_(json_freep) struct json *payload = configuration_payload(&c);
    assert_null(json_get(payload, "iat"));
    assert_null(json_get(payload, "exp"));
    assert_null(json_get(payload, "jwks"));
    add_signers_part(payload);
    sign(payload, federation, CONFIGURATION_TYP, &token);
    assert_int_equal(verify_at(&token, NOW, &out, NULL), 0);
    assert_false(out.has_position);
    assert_string_equal(out.country, "");
    assert_string_equal(out.timezone, "");
    assert_int_equal(out.status_lists, 0);
    buf_clear(&token);
}

/* One change of a sound payload, and what it must give. Changes are JSON merge patches (RFC 7396)
 * with the tokens $FEDERATION and $STRANGER for keys. */
struct change {
    const char *patch;
    int want;
};

#define SPACE(text) "{\"metadata\":{\"comity_space\":{" text "}}}"
#define LISTING(text) SPACE("\"listing\":{" text "}")
#define LONG_128                                                                                   \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"                             \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"

static const struct change changes[] = {
    {"{}", 0},
    {"{\"unknown\":{\"a\":[1,2,null]}}", 0},
    {"{\"authority_hints\":[\"https://alliance.example\"]}", 0},

    {"{\"iss\":null}", CONFIGURATION_E_MALFORMED},
    {"{\"iss\":1}", CONFIGURATION_E_MALFORMED},
    {"{\"sub\":null}", CONFIGURATION_E_MALFORMED},
    {"{\"sub\":[\"" ID "\"]}", CONFIGURATION_E_MALFORMED},
    {"{\"iss\":\"" ID "/\",\"sub\":\"" ID "/\"}", CONFIGURATION_E_MALFORMED},
    {"{\"iss\":\"https://Lisbon.example\",\"sub\":\"https://Lisbon.example\"}",
     CONFIGURATION_E_MALFORMED},
    {"{\"iss\":\"" ID ":443\",\"sub\":\"" ID ":443\"}", CONFIGURATION_E_MALFORMED},
    {"{\"sub\":\"https://berlin.example\"}", CONFIGURATION_E_SUBJECT},
    {"{\"iss\":\"https://berlin.example\"}", CONFIGURATION_E_SUBJECT},
    {"{\"iss\":\"https://berlin.example\",\"sub\":\"https://berlin.example\"}",
     CONFIGURATION_E_SUBJECT},

    {"{\"jwks\":null}", CONFIGURATION_E_MALFORMED},
    {"{\"jwks\":[]}", CONFIGURATION_E_MALFORMED},
    {"{\"jwks\":{\"keys\":[]}}", CONFIGURATION_E_MALFORMED},
    {"{\"jwks\":{\"keys\":{}}}", CONFIGURATION_E_MALFORMED},
    {"{\"jwks\":{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}}",
     CONFIGURATION_E_MALFORMED},
    {"{\"jwks\":{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}}",
     CONFIGURATION_E_MALFORMED},
    {"{\"jwks\":{\"keys\":[$FEDERATION,$FEDERATION]}}", CONFIGURATION_E_MALFORMED},
    {"{\"jwks\":{\"keys\":[$FEDERATION]}}", 0},
    {"{\"jwks\":{\"keys\":[$STRANGER]}}", CONFIGURATION_E_SIGNATURE},
    {"{\"jwks\":{\"keys\":[$STRANGER,$FEDERATION]}}", 0},

    {"{\"iat\":null}", CONFIGURATION_E_MALFORMED},
    {"{\"iat\":\"1790000000\"}", CONFIGURATION_E_MALFORMED},
    {"{\"iat\":1790000000.5}", CONFIGURATION_E_MALFORMED},
    {"{\"exp\":null}", CONFIGURATION_E_MALFORMED},
    {"{\"exp\":true}", CONFIGURATION_E_MALFORMED},
    {"{\"iat\":-1,\"exp\":2591999}", CONFIGURATION_E_MALFORMED},
    {"{\"exp\":1792592001}", CONFIGURATION_E_TIME},
    {"{\"exp\":1792591999}", CONFIGURATION_E_TIME},
    {"{\"exp\":9007199254740991}", CONFIGURATION_E_TIME},
    {"{\"exp\":0}", CONFIGURATION_E_TIME},

    {"{\"crit\":[\"x\"]}", CONFIGURATION_E_MALFORMED},
    {"{\"crit\":[]}", CONFIGURATION_E_MALFORMED},

    {"{\"comity_versions\":null}", CONFIGURATION_E_VERSION},
    {"{\"comity_versions\":[]}", CONFIGURATION_E_VERSION},
    {"{\"comity_versions\":[2]}", CONFIGURATION_E_VERSION},
    {"{\"comity_versions\":[2,1,3]}", 0},
    {"{\"comity_versions\":1}", CONFIGURATION_E_MALFORMED},
    {"{\"comity_versions\":[\"1\"]}", CONFIGURATION_E_MALFORMED},
    {"{\"comity_versions\":[1.0]}", CONFIGURATION_E_MALFORMED},
    /* What a later version says is not judged by this one's form. */
    {"{\"comity_versions\":[2],\"metadata\":null}", CONFIGURATION_E_VERSION},

    {"{\"metadata\":null}", CONFIGURATION_E_MALFORMED},
    {"{\"metadata\":[]}", CONFIGURATION_E_MALFORMED},
    {"{\"metadata\":{\"comity_space\":null}}", CONFIGURATION_E_MALFORMED},
    {"{\"metadata\":{\"comity_space\":\"x\"}}", CONFIGURATION_E_MALFORMED},
    {"{\"metadata\":{\"federation_entity\":null}}", 0}, /* the listing has the name */
    {"{\"metadata\":{\"federation_entity\":7}}", CONFIGURATION_E_MALFORMED},
    {"{\"metadata\":{\"federation_entity\":{\"organization_name\":7}}}", CONFIGURATION_E_MALFORMED},
    {"{\"metadata\":{\"other\":{\"a\":1}}}", 0},

    {SPACE("\"pass_jwks\":null"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"pass_jwks\":{\"keys\":[]}"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"pass_jwks\":{\"keys\":[$FEDERATION]}"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"pass_jwks\":{\"keys\":[$STRANGER,$FEDERATION]}"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"pass_jwks\":{\"keys\":[$STRANGER,$STRANGER]}"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"pass_jwks\":{\"keys\":[$STRANGER]}"), 0},

    {SPACE("\"status_lists\":null"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"status_lists\":{}"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"status_lists\":[]"), 0},
    {SPACE("\"status_lists\":[\"" ID "/status/0\"]"), 0},
    {SPACE("\"status_lists\":[\"" ID "/status/1\"]"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"status_lists\":[\"" ID "/status/00\"]"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"status_lists\":[\"https://berlin.example/status/0\"]"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"status_lists\":[\"" ID "/status/0\",\"" ID "/status/0\"]"),
     CONFIGURATION_E_MALFORMED},
    {SPACE("\"status_lists\":[0]"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"status_lists\":[\"" ID "/status/0\",\"" ID "/status/1\",\"" ID "/status/2\",\"" ID
           "/status/3\"]"),
     0},
    {SPACE("\"status_lists\":[\"" ID "/status/0\",\"" ID "/status/1\",\"" ID "/status/2\",\"" ID
           "/status/3\",\"" ID "/status/4\"]"),
     CONFIGURATION_E_MALFORMED},

    {SPACE("\"endpoints\":null"), 0},
    {SPACE("\"endpoints\":[]"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"endpoints\":{\"stamps\":null,\"later\":\"x\"}"), 0},
    {SPACE("\"endpoints\":{\"stamps\":1}"), CONFIGURATION_E_MALFORMED},
    {SPACE("\"endpoints\":{\"stamps\":\"https://berlin.example/node/v1/stamps\"}"),
     CONFIGURATION_E_MALFORMED},

    {SPACE("\"terms\":null"), 0},
    {SPACE("\"terms\":{\"free_days\":2}"), 0},
    {SPACE("\"terms\":[]"), CONFIGURATION_E_MALFORMED},

    {SPACE("\"listing\":null"), 0}, /* the federation_entity has the name */
    {SPACE("\"listing\":\"x\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"name\":null"), 0},
    {LISTING("\"name\":\"\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"name\":\" x\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"name\":\"a\\u001b[31mb\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"name\":3"), CONFIGURATION_E_MALFORMED},
    {LISTING("\"name\":\"" LONG_128 "\""), 0},
    {LISTING("\"name\":\"" LONG_128 "x\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"lat\":null"), CONFIGURATION_E_MALFORMED},
    {LISTING("\"lon\":null"), CONFIGURATION_E_MALFORMED},
    {LISTING("\"lat\":null,\"lon\":null"), 0},
    {LISTING("\"lat\":\"38\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"lat\":90,\"lon\":-180"), 0},
    {LISTING("\"lat\":90.001"), CONFIGURATION_E_MALFORMED},
    {LISTING("\"lon\":-180.001"), CONFIGURATION_E_MALFORMED},
    {LISTING("\"country\":null"), 0},
    {LISTING("\"country\":\"\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"country\":\"pt\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"country\":\"PRT\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"timezone\":\"America/Argentina/Buenos_Aires\""), 0},
    {LISTING("\"timezone\":\"Etc/GMT+5\""), 0},
    {LISTING("\"timezone\":\"../../etc/passwd\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"timezone\":\"/etc/localtime\""), CONFIGURATION_E_MALFORMED},
    {LISTING("\"timezone\":\"" LONG_128 "\""), CONFIGURATION_E_MALFORMED},
};

/* RFC 7396. Borrowed values of one's own payload may be changed in a test. */
static void merge(struct json *target, const struct json *patch)
{
    struct json_iter it = {0};

    while (json_next(patch, &it)) {
        char *key = str_dup(it.key);
        struct json *old = (struct json *)json_get(target, key);

        if (json_kind(it.value) == JSON_NULL)
            json_remove(target, key);
        else if (json_kind(it.value) == JSON_OBJECT && old && json_kind(old) == JSON_OBJECT)
            merge(old, it.value);
        else
            assert_int_equal(json_put(target, key, json_copy(it.value)), 0);
        free(key);
    }
}

static void add_jwk(struct buf *out, const struct key_pair *pair)
{
    _cleanup_(json_freep) struct json *jwk = jwk_write(key_pair_public(pair));

    assert_int_equal(json_write(jwk, out), 0);
}

static struct json *read_patch(const char *text)
{
    struct buf b = {0};
    struct json *patch = NULL;
    struct err err = {0};

    for (const char *p = text; *p;) {
        if (strncmp(p, "$FEDERATION", 11) == 0) {
            add_jwk(&b, federation);
            p += 11;
        } else if (strncmp(p, "$STRANGER", 9) == 0) {
            add_jwk(&b, stranger);
            p += 9;
        } else {
            buf_ch(&b, *p++);
        }
    }
    if (json_parse(buf_as_str(&b), &json_bounds_wire, &patch, &err) != 0)
        fail_msg("the test's own patch %s: %s", text, err.text);
    buf_clear(&b);
    return patch;
}

static void each_change_has_its_answer(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        _cleanup_(json_freep) struct json *payload = whole_payload();
        _cleanup_(json_freep) struct json *patch = read_patch(changes[i].patch);
        struct configuration c;
        struct buf token = {0};
        struct err err = {0};

        merge(payload, patch);
        sign(payload, federation, CONFIGURATION_TYP, &token);
        memset(&c, 0x5a, sizeof(c));
        int r = verify_at(&token, NOW, &c, &err);
        if (r != changes[i].want)
            fail_msg("%s gave %d (%s), want %d", changes[i].patch, r, err.text, changes[i].want);
        assert_int_equal(r == 0, c.id[0] != 0x5a);
        assert_int_equal(r != 0, err.text[0] != '\0');
        buf_clear(&token);
    }
}

static void times_at_their_edges(void **state)
{
    static const struct {
        int64_t now;
        int want;
    } rows[] = {
        {NOW, 0},
        {NOW - LIMIT_CLOCK_SKEW, 0},
        {NOW - LIMIT_CLOCK_SKEW - 1, CONFIGURATION_E_TIME},
        {NOW + LIFETIME_CONFIGURATION - 1, 0},
        {NOW + LIFETIME_CONFIGURATION, CONFIGURATION_E_TIME},
    };
    _cleanup_(json_freep) struct json *payload = whole_payload();
    struct configuration c;
    struct buf token = {0};

    sign(payload, federation, CONFIGURATION_TYP, &token);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(verify_at(&token, rows[i].now, &c, NULL), rows[i].want);
    buf_clear(&token);
}

static void someone_elses_signature(void **state)
{
    _cleanup_(json_freep) struct json *payload = whole_payload();
    const struct key_pair *wrong[] = {stranger, pass, pass_ed};
    struct configuration c;

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct buf token = {0};

        sign(payload, wrong[i], CONFIGURATION_TYP, &token);
        assert_int_equal(verify_at(&token, NOW, &c, NULL), CONFIGURATION_E_SIGNATURE);
        buf_clear(&token);
    }
}

/* The kid of a listed key does not help a signature that is not that key's. */
static void a_listed_kid_with_a_wrong_signature(void **state)
{
    _cleanup_(json_freep) struct json *payload = whole_payload();
    struct buf token = {0}, other = {0};
    struct configuration c;

    sign(payload, federation, CONFIGURATION_TYP, &token);
    sign(payload, stranger, CONFIGURATION_TYP, &other);
    memcpy(token.p + token.n - B64_LEN(SIG_LEN), other.p + other.n - B64_LEN(SIG_LEN),
           B64_LEN(SIG_LEN));
    assert_int_equal(verify_at(&token, NOW, &c, NULL), CONFIGURATION_E_SIGNATURE);
    buf_clear(&token);
    buf_clear(&other);
}

static void what_is_no_configuration(void **state)
{
    static const char *const types[] = {"JWT", "comity-stamp+jwt", "dc+sd-jwt", "jwk-set+json"};
    static const char *const texts[] = {"",   ".", "..", "a.b.c", "{}", "eyJhbGciOiJub25lIn0..",
                                        "<p>"};
    _cleanup_(json_freep) struct json *payload = whole_payload();
    struct configuration c;
    struct buf token = {0};

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        buf_reset(&token);
        sign(payload, federation, types[i], &token);
        assert_int_equal(verify_at(&token, NOW, &c, NULL), CONFIGURATION_E_MALFORMED);
    }
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(configuration_verify(verifier, str_of(texts[i]), ID, NOW, &c, NULL),
                         CONFIGURATION_E_MALFORMED);
    buf_clear(&token);
}

static void payloads_that_are_no_object(void **state)
{
    static const char *const texts[] = {"[]", "1", "\"x\"", "null", "{", "{\"iss\":1,\"iss\":1}"};
    struct configuration c;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct buf token = {0};

        assert_int_equal(jws_sign(federation, CONFIGURATION_TYP, str_of(texts[i]), &token), 0);
        assert_int_equal(verify_at(&token, NOW, &c, NULL), CONFIGURATION_E_MALFORMED);
        buf_clear(&token);
    }
}

static void size_is_bounded(void **state)
{
    _cleanup_(json_freep) struct json *payload = whole_payload();
    char filler[LIMIT_CONFIGURATION];
    struct buf token = {0};
    struct configuration c;

    memset(filler, 'x', sizeof(filler));
    assert_int_equal(json_put_str(payload, "note", (struct str){filler, 1000}), 0);
    sign(payload, federation, CONFIGURATION_TYP, &token);
    assert_int_equal(verify_at(&token, NOW, &c, NULL), 0);
    buf_reset(&token);
    assert_int_equal(json_put_str(payload, "note", (struct str){filler, sizeof(filler)}), 0);
    sign(payload, federation, CONFIGURATION_TYP, &token);
    assert_int_equal(verify_at(&token, NOW, &c, NULL), CONFIGURATION_E_MALFORMED);
    buf_clear(&token);
}

/* The largest that we can make ourselves fits. */
static void the_fullest_configuration_fits(void **state)
{
    static const char host[] =
        "https://a23456789012345678901234567890123456789012345678901234567890"
        "123.a23456789012345678901234567890123456789012345678901234567890"
        "123.a23456789012345678901234567890123456789012345678901234567890"
        "123.example:65535";
    struct configuration c = lisbon(), out;
    struct key keys[2] = {*key_pair_public(federation), *key_pair_public(federation_2)};
    struct buf token = {0};
    struct err err = {0};

    assert_int_equal(str_copy(c.id, sizeof(c.id), str_of(host)), 0);
    memset(c.name, 'n', LIMIT_NAME);
    c.status_lists = LIMIT_STATUS_LISTS;
    for (c.n_pass = 0; c.n_pass < LIMIT_KEYS_PER_ENTITY; c.n_pass++) {
        _cleanup_(key_pair_freep) struct key_pair *pair = new_pair(KEY_P256);
        c.pass[c.n_pass] = *key_pair_public(pair);
    }
    _cleanup_(json_freep) struct json *payload = configuration_payload(&c);
    add_signers_part(payload);
    assert_int_equal(json_put(payload, "jwks", jwks_write(keys, 2)), 0);
    sign(payload, federation, CONFIGURATION_TYP, &token);
    if (configuration_verify(verifier, buf_as_str(&token), host, NOW, &out, &err) != 0)
        fail_msg("%zu characters: %s", token.n, err.text);
    assert_int_equal(out.n_pass, LIMIT_KEYS_PER_ENTITY);
    buf_clear(&token);
}

/* Every prefix of a token, and every single character changed, is refused and harmless. */
static void damaged_tokens(void **state)
{
    _cleanup_(json_freep) struct json *payload = whole_payload();
    struct configuration c;
    struct buf token = {0};

    sign(payload, federation, CONFIGURATION_TYP, &token);
    for (size_t n = 0; n < token.n; n++)
        assert_true(configuration_verify(verifier, (struct str){token.p, n}, ID, NOW, &c, NULL) >
                    0);
    for (size_t i = 0; i < token.n; i++) {
        char was = token.p[i];

        token.p[i] = was == 'A' ? 'B' : 'A';
        assert_true(verify_at(&token, NOW, &c, NULL) > 0);
        token.p[i] = was;
    }
    assert_int_equal(verify_at(&token, NOW, &c, NULL), 0);
    buf_clear(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(each_change_has_its_answer),
        cmocka_unit_test(times_at_their_edges),
        cmocka_unit_test(someone_elses_signature),
        cmocka_unit_test(a_listed_kid_with_a_wrong_signature),
        cmocka_unit_test(what_is_no_configuration),
        cmocka_unit_test(payloads_that_are_no_object),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(the_fullest_configuration_fits),
        cmocka_unit_test(damaged_tokens),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

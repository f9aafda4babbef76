/* The pass profile: each claim missing, of a wrong type, out of range, twice, in a disclosure. */
#include "lib/cred/fixture.h"

#include <stdio.h>

#include "jose/jwk.h"

static int read_text(const char *text, struct pass *p, struct err *err)
{
    struct sdjwt s;
    int r = sdjwt_parse(str_of(text), PASS_TYP, &s, err);

    if (r)
        return -r; /* told apart from PASS_E_* */
    r = pass_read(&s, p, err);
    sdjwt_clear(&s);
    return r;
}

static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    struct pass want = fixture_pass(f), got;
    _cleanup_(freep) char *bound = fixture_issue(f, &want, 1700000000), *printed = NULL;
    struct sdjwt s;
    struct err err = {0};

    if (sdjwt_parse(str_of(bound), PASS_TYP, &s, &err) || pass_read(&s, &got, &err))
        fail_msg("%s: %s", bound, err.text);
    assert_int_equal(jws_check(f->verifier, &s.issuer, key_pair_public(f->issuer)), 0);
    assert_true(str_eq(json_as_str(sdjwt_disclosed(&s, "member_since")), STR("2023-11-14")));
    assert_null(json_get(s.payload, "_sd_alg"));
    sdjwt_clear(&s);
    assert_string_equal(got.iss, want.iss);
    assert_string_equal(got.sub, want.sub);
    assert_string_equal(got.tier, want.tier);
    assert_string_equal(got.name, want.name);
    assert_string_equal(got.status_uri, want.status_uri);
    assert_int_equal(got.status_idx, want.status_idx);
    assert_int_equal(got.iat, want.iat);
    assert_int_equal(got.exp, want.exp);
    assert_int_equal(got.nbf, 0);
    assert_true(got.bound && key_equal(&got.device, &want.device));

    want.bound = false;
    want.nbf = NOW;
    want.name[0] = '\0';
    printed = fixture_issue(f, &want, 0);
    assert_int_equal(read_text(printed, &got, &err), 0);
    assert_false(got.bound);
    assert_int_equal(got.nbf, NOW);
    assert_string_equal(got.name, "");
    assert_string_equal(strchr(printed, '~'), "~");
}

/* "status.status_list.idx" walks into objects; the last name is what is set or removed. */
static void change(struct json *payload, const char *path, const char *value)
{
    const char *dot = strchr(path, '.');
    char head[32] = {0};

    if (!dot) {
        json_remove(payload, path);
        if (value)
            assert_int_equal(json_put(payload, path, fixture_json(value)), 0);
        return;
    }
    memcpy(head, path, (size_t)(dot - path));
    struct json *child = json_copy(json_get(payload, head));
    change(child, dot + 1, value);
    assert_int_equal(json_put(payload, head, child), 0);
}

static void expect(struct fixture *f, const char *path, const char *value, int want,
                   const char *word)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    _cleanup_(buf_clear) struct buf tail = {0};
    _cleanup_(freep) char *text = NULL;
    struct pass p = {.iat = 42};
    struct err err = {0};
    int r;

    payload = fixture_payload(f, &tail);
    change(payload, path, value);
    text = fixture_sign_json(f, PASS_TYP, payload, buf_as_str(&tail));
    r = read_text(text, &p, &err);
    if (r != want || (r && !strstr(err.text, word)))
        fail_msg("%s = %s gives %d, \"%s\"; wanted %d, \"%s\"", path, value, r, err.text, want,
                 word);
    if (r)
        assert_int_equal(p.iat, 42); /* untouched */
}

#define X44 "Ar4U_JzXCCvLkzvFYzkVZzTAJ5zHzEmfIiJT9o5dI4w"

static const struct {
    const char *path, *value;
    int want;
    const char *word;
} rows[] = {
    {"iss", NULL, PASS_E_MALFORMED, "iss is missing"},
    {"iss", "1", PASS_E_MALFORMED, "iss is not a string"},
    {"iss", "null", PASS_E_MALFORMED, "iss is not a string"},
    {"iss", "\"\"", PASS_E_MALFORMED, "iss is not the address"},
    {"iss", "\"https://\"", PASS_E_MALFORMED, "iss is not the address"},
    {"iss", "\"http://lisbon.example\"", PASS_E_MALFORMED, "iss is not the address"},
    {"iss", "\"https://Lisbon.example\"", PASS_E_MALFORMED, "iss is not the address"},
    {"iss", "\"https://lisbon.example/\"", PASS_E_MALFORMED, "iss is not the address"},
    {"iss", "\"https://a@lisbon.example\"", PASS_E_MALFORMED, "iss is not the address"},
    {"vct", NULL, PASS_E_MALFORMED, "vct is missing"},
    {"vct", "[]", PASS_E_MALFORMED, "vct is not a string"},
    {"vct", "\"urn:coworking:pass:2\"", PASS_E_UNSUPPORTED, "vct"},
    {"vct", "\"URN:coworking:pass:1\"", PASS_E_UNSUPPORTED, "vct"},
    {"sub", NULL, PASS_E_MALFORMED, "sub is missing"},
    {"sub", "7", PASS_E_MALFORMED, "sub is not a string"},
    {"sub", "\"\"", PASS_E_MALFORMED, "sub is not 1 to 64"},
    {"sub", "\"a b\"", PASS_E_MALFORMED, "sub is not 1 to 64"},
    {"sub", "\"01234567890123456789012345678901234567890123456789012345678901234\"",
     PASS_E_MALFORMED, "sub is not 1 to 64"},
    {"tier", NULL, PASS_E_MALFORMED, "tier is missing"},
    {"tier", "true", PASS_E_MALFORMED, "tier is not a string"},
    {"tier", "\"\"", PASS_E_MALFORMED, "tier is not 1 to 32"},
    {"tier", "\"a\\tb\"", PASS_E_MALFORMED, "tier is not 1 to 32"},
    {"tier", "\"012345678901234567890123456789012\"", PASS_E_MALFORMED, "tier is not 1 to 32"},
    {"iat", NULL, PASS_E_MALFORMED, "iat is missing"},
    {"iat", "\"1795000000\"", PASS_E_MALFORMED, "iat is not an integer"},
    {"iat", "1795000000.5", PASS_E_MALFORMED, "iat is not an integer"},
    {"iat", "0", PASS_E_MALFORMED, "iat is out of range"},
    {"iat", "-1", PASS_E_MALFORMED, "iat is out of range"},
    {"exp", NULL, PASS_E_MALFORMED, "exp is missing"},
    {"exp", "{}", PASS_E_MALFORMED, "exp is not an integer"},
    {"exp", "1e10", PASS_E_MALFORMED, "exp"},
    {"exp", "1794996400", PASS_E_MALFORMED, "exp is not after iat"},
    {"exp", "1794996401", 0, ""},
    {"exp", "1797588400", 0, ""}, /* 30 days after iat */
    {"exp", "1797588401", PASS_E_MALFORMED, "exp is more than 30 days"},
    {"exp", "9007199254740991", PASS_E_MALFORMED, "exp is more than 30 days"},
    {"nbf", "1795000000", 0, ""},
    {"nbf", "\"x\"", PASS_E_MALFORMED, "nbf is not an integer"},
    {"nbf", "null", PASS_E_MALFORMED, "nbf is not an integer"},
    {"nbf", "-5", PASS_E_MALFORMED, "nbf is out of range"},
    {"nbf", "1796209600", PASS_E_MALFORMED, "nbf is not before exp"},
    {"status", NULL, PASS_E_MALFORMED, "status is missing"},
    {"status", "\"x\"", PASS_E_MALFORMED, "status is not an object"},
    {"status", "{}", PASS_E_MALFORMED, "status has no status_list"},
    {"status", "{\"other\":1}", PASS_E_UNSUPPORTED, "status has no status_list"},
    {"status.status_list", "[]", PASS_E_MALFORMED, "status.status_list is not an object"},
    {"status.status_list.idx", NULL, PASS_E_MALFORMED, "idx is missing"},
    {"status.status_list.idx", "\"1\"", PASS_E_MALFORMED, "idx is not an integer"},
    {"status.status_list.idx", "-1", PASS_E_MALFORMED, "idx is out of range"},
    {"status.status_list.idx", "32767", 0, ""},
    {"status.status_list.idx", "32768", PASS_E_MALFORMED, "idx is out of range"},
    {"status.status_list.idx", "4294967296", PASS_E_MALFORMED, "idx is out of range"},
    {"status.status_list.uri", NULL, PASS_E_MALFORMED, "uri is missing"},
    {"status.status_list.uri", "7", PASS_E_MALFORMED, "uri is not a string"},
    {"status.status_list.uri", "\"\"", PASS_E_MALFORMED, "uri is not below iss"},
    {"status.status_list.uri", "\"" HOME "\"", PASS_E_MALFORMED, "uri is not below iss"},
    {"status.status_list.uri", "\"" HOME "/\"", PASS_E_MALFORMED, "uri is not below iss"},
    {"status.status_list.uri", "\"" HOME ".evil/0\"", PASS_E_MALFORMED, "uri is not below iss"},
    {"status.status_list.uri", "\"" HOST "/status/0\"", PASS_E_MALFORMED, "uri is not below iss"},
    {"status.status_list.uri", "\"" HOME "/a b\"", PASS_E_MALFORMED, "uri is not below iss"},
    {"cnf", NULL, 0, ""},
    {"cnf", "null", PASS_E_MALFORMED, "cnf is not an object"},
    {"cnf", "\"x\"", PASS_E_MALFORMED, "cnf is not an object"},
    {"cnf", "{}", PASS_E_MALFORMED, "cnf has no jwk"},
    {"cnf", "{\"kid\":\"x\"}", PASS_E_UNSUPPORTED, "cnf has no jwk"},
    {"cnf", "{\"x5t#S256\":\"x\"}", PASS_E_UNSUPPORTED, "cnf has no jwk"},
    {"cnf.jwk", "\"x\"", PASS_E_MALFORMED, "cnf.jwk is not an object"},
    {"cnf.jwk", "{}", PASS_E_MALFORMED, "cnf.jwk"},
    {"cnf.jwk.kty", NULL, PASS_E_MALFORMED, "cnf.jwk"},
    {"cnf.jwk.kty", "1", PASS_E_MALFORMED, "cnf.jwk"},
    {"cnf.jwk.kty", "\"RSA\"", PASS_E_UNSUPPORTED, "cnf.jwk"},
    {"cnf.jwk.crv", "\"P-384\"", PASS_E_UNSUPPORTED, "cnf.jwk"},
    {"cnf.jwk.crv", NULL, PASS_E_MALFORMED, "cnf.jwk"},
    {"cnf.jwk.x", NULL, PASS_E_MALFORMED, "cnf.jwk"},
    {"cnf.jwk.x", "\"AQ\"", PASS_E_MALFORMED, "cnf.jwk"},
    {"cnf.jwk.y", "7", PASS_E_MALFORMED, "cnf.jwk"},
    {"cnf.jwk.d", "\"" X44 "\"", PASS_E_MALFORMED, "cnf.jwk"},
    {"more", "{\"unknown\":[1,null]}", 0, ""}, /* unknown members are ignored */
    {"name", "1", -SDJWT_E_MALFORMED, "\"name\" would replace"},
};

static void test_each_claim(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        expect(*state, rows[i].path, rows[i].value, rows[i].want, rows[i].word);
}

static const char *const visible[] = {"iss", "vct",    "iat", "exp", "nbf",
                                      "sub", "status", "cnf", "tier"};

/* Each always-visible claim in a disclosure instead. */
static void test_disclosed(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(visible); i++) {
        _cleanup_(json_freep) struct json *payload = NULL;
        _cleanup_(buf_clear) struct buf tail = {0};
        _cleanup_(freep) char *text = NULL;
        struct json *value;
        struct err err = {0};
        struct pass p;

        payload = fixture_payload(f, &tail);
        json_put_int(payload, "nbf", NOW);
        value = json_ref(json_get(payload, visible[i]));
        json_remove(payload, visible[i]);
        assert_int_equal(sdjwt_conceal(payload, visible[i], value, &f->rand, &tail), 0);
        text = fixture_sign_json(f, PASS_TYP, payload, buf_as_str(&tail));
        if (read_text(text, &p, &err) != PASS_E_MALFORMED || !strstr(err.text, visible[i]))
            fail_msg("%s in a disclosure: \"%s\"", visible[i], err.text);
    }
}

/* A part of such a claim in a disclosure: cnf.jwk, status.status_list, something new in cnf. */
static void test_disclosed_inside(void **state)
{
    static const char *const parts[][2] = {
        {"cnf", "jwk"}, {"status", "status_list"}, {"cnf", "more"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        _cleanup_(json_freep) struct json *payload = NULL;
        _cleanup_(buf_clear) struct buf tail = {0};
        _cleanup_(freep) char *text = NULL;
        struct json *outer, *value;
        struct err err = {0};
        struct pass p;

        payload = fixture_payload(f, &tail);
        outer = json_copy(json_get(payload, parts[i][0]));
        value =
            json_get(outer, parts[i][1]) ? json_copy(json_get(outer, parts[i][1])) : json_int(1);
        json_remove(outer, parts[i][1]);
        assert_int_equal(sdjwt_conceal(outer, parts[i][1], value, &f->rand, &tail), 0);
        json_put(payload, parts[i][0], outer);
        text = fixture_sign_json(f, PASS_TYP, payload, buf_as_str(&tail));
        if (read_text(text, &p, &err) != PASS_E_MALFORMED || !strstr(err.text, parts[i][0]))
            fail_msg("%s.%s in a disclosure: \"%s\"", parts[i][0], parts[i][1], err.text);
    }
}

/* Each member twice in the JSON text. */
static void test_twice(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(visible); i++) {
        _cleanup_(json_freep) struct json *payload = NULL;
        _cleanup_(buf_clear) struct buf tail = {0}, once = {0}, text = {0}, one = {0};
        _cleanup_(freep) char *token = NULL;
        struct err err = {0};
        struct pass p;

        payload = fixture_payload(f, &tail);
        json_put_int(payload, "nbf", NOW);
        json_write(payload, &once);
        json_write(json_get(payload, visible[i]), &one);
        buf_printf(&text, "{\"%s\":%s,%s", visible[i], one.p, once.p + 1);
        token = fixture_sign(f, PASS_TYP, buf_as_str(&text), buf_as_str(&tail));
        if (read_text(token, &p, &err) != -SDJWT_E_MALFORMED || !strstr(err.text, "twice"))
            fail_msg("%s twice: \"%s\"", visible[i], err.text);
    }
}

static void test_name(void **state)
{
    static const struct {
        const char *value;
        int want;
    } names[] = {
        {"\"Zoë 港\"", 0},          {"\"\"", PASS_E_MALFORMED},      {"1", PASS_E_MALFORMED},
        {"null", PASS_E_MALFORMED}, {"\"a\\nb\"", PASS_E_MALFORMED}, {"{}", PASS_E_MALFORMED},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct pass p = fixture_pass(f);
        _cleanup_(json_freep) struct json *payload = NULL;
        _cleanup_(buf_clear) struct buf tail = {0};
        _cleanup_(freep) char *text = NULL;
        struct err err = {0};

        p.name[0] = '\0';
        assert_int_equal(pass_payload(&(struct pass_claims){&p, 0}, &f->rand, &payload, &tail), 0);
        assert_int_equal(
            sdjwt_conceal(payload, "name", fixture_json(names[i].value), &f->rand, &tail), 0);
        text = fixture_sign_json(f, PASS_TYP, payload, buf_as_str(&tail));
        assert_int_equal(read_text(text, &p, &err), names[i].want);
        if (names[i].want)
            assert_non_null(strstr(err.text, "name"));
        else
            assert_string_equal(p.name, "Zoë 港");
    }
}

/* A pass of more than 2,000 characters is no pass, though as an SD-JWT it may be. */
static void test_length(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *payload = NULL;
    _cleanup_(buf_clear) struct buf tail = {0};
    _cleanup_(freep) char *text = NULL;
    char filler[1200];
    struct err err = {0};
    struct pass p;

    payload = fixture_payload(f, &tail);
    memset(filler, 'x', sizeof(filler));
    json_put_str(payload, "filler", (struct str){filler, sizeof(filler)});
    text = fixture_sign_json(f, PASS_TYP, payload, buf_as_str(&tail));
    assert_true(strlen(text) > LIMIT_PASS && strlen(text) < LIMIT_PRESENTATION);
    assert_int_equal(read_text(text, &p, &err), PASS_E_MALFORMED);
    assert_non_null(strstr(err.text, "at most 2000"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_round_trip), T(test_each_claim), T(test_disclosed), T(test_disclosed_inside),
        T(test_twice),      T(test_name),       T(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

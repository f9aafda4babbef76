/* What RFC 9901 section 7.1 refuses, and what issuing and presenting make. */
#include "lib/cred/fixture.h"

#include <errno.h>
#include <stdio.h>

#include "base/b64.h"
#include "crypto/digest.h"

#define TYP "example+sd-jwt"

/* A disclosure of any JSON text, as "<base64url>", and its digest. */
struct made {
    char text[384];
    char digest[SDJWT_DIGEST_LEN + 1];
};

static struct made make(const char *json)
{
    struct made m = {0};
    uint8_t hash[SHA256_LEN];

    assert_true(B64_LEN(strlen(json)) < sizeof(m.text));
    b64_encode(json, strlen(json), m.text);
    assert_int_equal(sha256(m.text, strlen(m.text), hash), 0);
    b64_encode(hash, sizeof(hash), m.digest);
    return m;
}

/* Signs the payload, appends tail, parses. */
static int parse_text(struct fixture *f, const char *payload, const char *tail, struct sdjwt *s,
                      char **text, struct err *err)
{
    *text = fixture_sign(f, TYP, str_of(payload), str_of(tail));
    return sdjwt_parse(str_of(*text), TYP, s, err);
}

static void expect(struct fixture *f, const char *payload, const char *tail, int want,
                   const char *word)
{
    _cleanup_(freep) char *text = NULL;
    struct err err = {0};
    struct sdjwt s;
    int r = parse_text(f, payload, tail, &s, &text, &err);

    if (r != want || (r && !strstr(err.text, word)))
        fail_msg("%s%s gives %d, \"%s\"; wanted %d, \"%s\"", payload, tail, r, err.text, want,
                 word);
    if (!r)
        sdjwt_clear(&s);
}

static void expect_claims(struct fixture *f, const char *payload, const char *tail,
                          const char *claims)
{
    _cleanup_(json_freep) struct json *want = fixture_json(claims), *got = NULL;
    _cleanup_(buf_clear) struct buf shown = {0};
    _cleanup_(freep) char *text = NULL;
    struct err err = {0};
    struct sdjwt s;

    if (parse_text(f, payload, tail, &s, &text, &err))
        fail_msg("%s%s: %s", payload, tail, err.text);
    got = sdjwt_claims(&s);
    json_write(got, &shown);
    if (!json_equal(want, got))
        fail_msg("%s%s gives %s", payload, tail, shown.p);
    sdjwt_clear(&s);
}

#define FORMAT(...) (snprintf(payload, sizeof(payload), __VA_ARGS__), payload)
#define TAIL(...) (snprintf(tail, sizeof(tail), __VA_ARGS__), tail)

static void test_nothing_disclosed(void **state)
{
    struct made a = make("[\"salt\",\"name\",\"Ana\"]");
    char payload[512];

    expect_claims(*state, "{\"iss\":\"x\"}", "~", "{\"iss\":\"x\"}");
    expect_claims(*state, FORMAT("{\"_sd\":[\"%s\"],\"_sd_alg\":\"sha-256\"}", a.digest), "~",
                  "{}");
    expect_claims(*state, FORMAT("{\"a\":[1,{\"...\":\"%s\"}]}", a.digest), "~", "{\"a\":[1]}");
    expect_claims(*state, "{\"a\":{\"_sd\":[]}}", "~", "{\"a\":{}}");
}

static void test_recursive(void **state)
{
    struct made inner = make("[\"s1\",\"city\",\"Porto\"]"), item, outer;
    char payload[512], tail[4096], json[512];

    snprintf(json, sizeof(json), "[\"s2\",{\"_sd\":[\"%s\"],\"zip\":4000}]", inner.digest);
    item = make(json);
    snprintf(json, sizeof(json), "[\"s3\",\"homes\",[{\"...\":\"%s\"},7]]", item.digest);
    outer = make(json);
    FORMAT("{\"_sd\":[\"%s\"]}", outer.digest);
    expect_claims(*state, payload, TAIL("~%s~%s~%s~", inner.text, item.text, outer.text),
                  "{\"homes\":[{\"city\":\"Porto\",\"zip\":4000},7]}");
    expect_claims(*state, payload, TAIL("~%s~%s~", outer.text, item.text),
                  "{\"homes\":[{\"zip\":4000},7]}");
    expect_claims(*state, payload, TAIL("~%s~", outer.text), "{\"homes\":[7]}");
    expect(*state, payload, TAIL("~%s~%s~", outer.text, inner.text), SDJWT_E_MALFORMED,
           "no digest names disclosure 2");
    expect(*state, payload, TAIL("~%s~", item.text), SDJWT_E_MALFORMED, "no digest names");
}

static void test_digests(void **state)
{
    struct made a = make("[\"s1\",\"name\",\"Ana\"]"), b = make("[\"s2\",\"name\",\"Eva\"]");
    struct made item = make("[\"s3\",\"PT\"]");
    char payload[1024], tail[2048];

    expect(*state, FORMAT("{\"_sd\":[\"%s\",\"%s\"]}", a.digest, a.digest), "~", SDJWT_E_MALFORMED,
           "there twice");
    expect(*state, FORMAT("{\"_sd\":[\"%s\"],\"a\":{\"_sd\":[\"%s\"]}}", a.digest, a.digest), "~",
           SDJWT_E_MALFORMED, "there twice");
    expect(*state, FORMAT("{\"_sd\":[\"%s\"],\"a\":[{\"...\":\"%s\"}]}", a.digest, a.digest),
           TAIL("~%s~", a.text), SDJWT_E_MALFORMED, "there twice");
    expect(*state, FORMAT("{\"_sd\":[\"%s\",\"%s\"]}", a.digest, b.digest),
           TAIL("~%s~%s~", a.text, b.text), SDJWT_E_MALFORMED, "two disclosures of \"name\"");
    expect(*state, FORMAT("{\"_sd\":[\"%s\"]}", a.digest), TAIL("~%s~%s~", a.text, a.text),
           SDJWT_E_MALFORMED, "are the same");
    expect(*state, FORMAT("{\"_sd\":[\"%s\"]}", a.digest), TAIL("~%s~", b.text), SDJWT_E_MALFORMED,
           "no digest names disclosure 1 (\"name\")");
    expect(*state, FORMAT("{\"name\":\"x\",\"_sd\":[\"%s\"]}", a.digest), TAIL("~%s~", a.text),
           SDJWT_E_MALFORMED, "would replace a claim");
    expect(*state, FORMAT("{\"_sd\":[\"%s\"],\"name\":\"x\"}", a.digest), TAIL("~%s~", a.text),
           SDJWT_E_MALFORMED, "would replace a claim");
    expect(*state, FORMAT("{\"_sd\":[\"%s\"]}", item.digest), TAIL("~%s~", item.text),
           SDJWT_E_MALFORMED, "[salt, name, value]");
    expect(*state, FORMAT("{\"a\":[{\"...\":\"%s\"}]}", a.digest), TAIL("~%s~", a.text),
           SDJWT_E_MALFORMED, "[salt, value]");
}

static void test_form_of_digests(void **state)
{
    static const char *const bad[][2] = {
        {"{\"_sd\":\"x\"}", "_sd is not an array"},
        {"{\"_sd\":{}}", "_sd is not an array"},
        {"{\"_sd\":[1]}", "a digest is not a string"},
        {"{\"_sd\":[null]}", "a digest is not a string"},
        {"{\"a\":{\"_sd\":[[]]}}", "a digest is not a string"},
        {"{\"a\":[{\"...\":1}]}", "a digest is not a string"},
        {"{\"a\":[{\"...\":\"x\",\"b\":1}]}", "other members"},
        {"{\"...\":\"x\"}", "outside of an array"},
        {"{\"a\":{\"...\":\"x\"}}", "outside of an array"},
        {"{\"a\":{\"_sd_alg\":\"sha-256\"}}", "below the top level"},
        {"{\"_sd_alg\":1}", "_sd_alg is not a string"},
        {"[]", "not a JSON object"},
        {"\"x\"", "not a JSON object"},
        {"", "payload"},
        {"{\"a\":1,\"a\":2}", "payload"},
        {"{\"a\":[[[[[[[[[1]]]]]]]]]}", "payload"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect(*state, bad[i][0], "~", SDJWT_E_MALFORMED, bad[i][1]);
    expect(*state, "{\"_sd_alg\":\"sha-512\"}", "~", SDJWT_E_UNSUPPORTED, "only sha-256");
    expect(*state, "{\"_sd_alg\":\"SHA-256\"}", "~", SDJWT_E_UNSUPPORTED, "only sha-256");
    expect(*state, "{\"_sd_alg\":\"sha-256\"}", "~", 0, "");
}

static void test_form_of_disclosures(void **state)
{
    static const char *const bad[][2] = {
        {"{}", "no JSON array"},
        {"[]", "no JSON array"},
        {"[\"s\"]", "no JSON array"},
        {"[\"s\",\"n\",1,2]", "no JSON array"},
        {"[1,\"n\",1]", "salt is not a string"},
        {"[\"s\",1,1]", "name is not a string"},
        {"[\"s\",\"\",1]", "name is not a string"},
        {"[\"s\",\"_sd\",[]]", "may be named \"_sd\""},
        {"[\"s\",\"...\",1]", "may be named \"...\""},
        {"[\"s\",\"_sd_alg\",\"sha-256\"]", "may be named \"_sd_alg\""},
        {"[\"s\",\"n\",{\"_sd\":1}]", "_sd is not an array"},
        {"[\"s\",\"n\",{\"a\":1,\"a\":1}]", "disclosure 1"},
        {"[\"s\",\"n\",1]x", "disclosure 1"},
        {"[\"s\",\"n\",90071992547409921]", "disclosure 1"},
        {"[\"s\",\"n\",\"\xff\"]", "disclosure 1"},
        {"[\"s\",\"a23456789b123456789c123456789d123456789e123456789f123456789g12345\",1]",
         "more than 64"},
    };
    char payload[512], tail[2048];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct made m = make(bad[i][0]);

        expect(*state, FORMAT("{\"_sd\":[\"%s\"]}", m.digest), TAIL("~%s~", m.text),
               SDJWT_E_MALFORMED, bad[i][1]);
    }
}

static void test_form(void **state)
{
    struct made a = make("[\"s1\",\"name\",\"Ana\"]");
    char payload[512], tail[LIMIT_PRESENTATION + 1];

    FORMAT("{\"_sd\":[\"%s\"]}", a.digest);
    expect(*state, payload, "", SDJWT_E_MALFORMED, "at least one '~'");
    expect(*state, payload, "~~", SDJWT_E_MALFORMED, "not base64url");
    expect(*state, payload, TAIL("~%s~~", a.text), SDJWT_E_MALFORMED, "not base64url");
    expect(*state, payload, TAIL("~%s=~", a.text), SDJWT_E_MALFORMED, "not base64url");
    expect(*state, payload, TAIL("~%s", a.text), SDJWT_E_MALFORMED, "last '~' is not a JWT");
    expect(*state, payload, "~x", SDJWT_E_MALFORMED, "last '~' is not a JWT");
    expect(*state, payload, "~a.b.c", 0, ""); /* whether it is a proof is asked elsewhere */
    memset(tail, 'A', sizeof(tail) - 1);
    tail[0] = '~';
    tail[sizeof(tail) - 1] = '\0';
    expect(*state, payload, tail, SDJWT_E_MALFORMED, "at most 4000");
}

static void test_bounds(void **state)
{
    char payload[SDJWT_DIGESTS_MAX * 8 + 64] = "{\"_sd\":[", tail[4096] = "~";
    struct made m[LIMIT_DISCLOSURES + 1];
    size_t n = strlen(payload);

    for (unsigned i = 0; i < SDJWT_DIGESTS_MAX; i++)
        n += (size_t)snprintf(payload + n, sizeof(payload) - n, "\"d%02u\",", i);
    strcpy(payload + n - 1, "]}");
    expect(*state, payload, "~", 0, "");
    strcpy(payload + n - 1, ",\"d\"]}");
    expect(*state, payload, "~", SDJWT_E_MALFORMED, "more than 64 digests");

    n = (size_t)snprintf(payload, sizeof(payload), "{}");
    for (unsigned i = 0; i < ARRAY_SIZE(m); i++) {
        char json[128];

        snprintf(json, sizeof(json), "[\"s%u\",\"n%u\",1]", i, i);
        m[i] = make(json);
        strcat(strcat(tail, m[i].text), "~");
    }
    expect(*state, payload, tail, SDJWT_E_MALFORMED, "more than 16 disclosures");
}

/* Each level of nesting in a disclosure of its own: the whole is bounded as the parts are. */
static void test_depth(void **state)
{
    char payload[512], tail[4096] = "", json[256] = "[\"s0\",1]";
    struct made m = make(json);

    for (unsigned i = 1; i < 10; i++) {
        strcat(strcat(tail, "~"), m.text);
        snprintf(json, sizeof(json), "[\"s%u\",[{\"...\":\"%s\"}]]", i, m.digest);
        m = make(json);
    }
    strcat(strcat(strcat(tail, "~"), m.text), "~");
    expect(*state, FORMAT("{\"a\":[{\"...\":\"%s\"}]}", m.digest), tail, SDJWT_E_MALFORMED,
           "deeper than 8");
}

static void test_header(void **state)
{
    struct fixture *f = *state;
    _cleanup_(freep) char *text = fixture_sign(f, TYP, STR("{}"), STR("~"));
    struct err err = {0};
    struct sdjwt s;

    assert_int_equal(sdjwt_parse(str_of(text), "dc+sd-jwt", &s, &err), SDJWT_E_TYP);
    /* {"alg":"none","typ":"example+sd-jwt"} and {"alg":"ES256","typ":...,"crit":["x"]} */
    static const char *const heads[] = {
        "{\"alg\":\"none\",\"typ\":\"example+sd-jwt\"}",
        "{\"alg\":\"HS256\",\"typ\":\"example+sd-jwt\"}",
        "{\"alg\":\"ES256\",\"typ\":\"example+sd-jwt\",\"crit\":[\"x\"]}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        char t[256];
        size_t n = B64_LEN(strlen(heads[i]));

        b64_encode(heads[i], strlen(heads[i]), t);
        strcpy(t + n, ".e30."); /* {} */
        memset(t + n + 5, 'A', 86);
        strcpy(t + n + 91, "~");
        assert_int_equal(sdjwt_parse(str_of(t), TYP, &s, &err), SDJWT_E_UNSUPPORTED);
    }
    assert_int_equal(sdjwt_parse((struct str){0}, TYP, &s, &err), SDJWT_E_MALFORMED);
}

/* The place of a disclosure is known: which top-level claim it is part of. */
static void test_root(void **state)
{
    struct made a = make("[\"s1\",\"street\",\"Rua Augusta\"]"), b = make("[\"s2\",\"PT\"]");
    struct made c = make("[\"s3\",\"name\",\"Ana\"]");
    char payload[512], tail[2048];
    _cleanup_(freep) char *text = NULL;
    struct sdjwt s;

    FORMAT("{\"_sd\":[\"%s\"],\"address\":{\"_sd\":[\"%s\"]},\"from\":[{\"...\":\"%s\"}]}",
           c.digest, a.digest, b.digest);
    TAIL("~%s~%s~%s~", a.text, b.text, c.text);
    assert_int_equal(parse_text(*state, payload, tail, &s, &text, NULL), 0);
    assert_string_equal(s.disclosures[0].root, "address");
    assert_string_equal(s.disclosures[1].root, "from");
    assert_string_equal(s.disclosures[2].root, "name");
    assert_null(sdjwt_disclosed(&s, "street"));
    assert_null(sdjwt_disclosed(&s, "address"));
    assert_true(str_eq(json_as_str(sdjwt_disclosed(&s, "name")), STR("Ana")));
    sdjwt_clear(&s);
}

static void test_conceal(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *payload = fixture_json("{\"iss\":\"x\"}"), *got = NULL;
    _cleanup_(json_freep) struct json *want = NULL;
    _cleanup_(buf_clear) struct buf tail = {0};
    _cleanup_(freep) char *text = NULL;
    struct sdjwt s;

    buf_ch(&tail, '~');
    for (unsigned i = 0; i < 8; i++) {
        const char name[2] = {(char)('a' + i), '\0'};

        assert_int_equal(sdjwt_conceal(payload, name, json_int(i), &f->rand, &tail), 0);
    }
    for (size_t i = 1; i < 8; i++) {
        const struct json *sd = json_get(payload, "_sd");

        assert_true(memcmp(json_as_str(json_at(sd, i - 1)).p, json_as_str(json_at(sd, i)).p,
                           SDJWT_DIGEST_LEN) < 0);
    }
    text = fixture_sign_json(f, TYP, payload, buf_as_str(&tail));
    assert_int_equal(sdjwt_parse(str_of(text), TYP, &s, NULL), 0);
    got = sdjwt_claims(&s);
    want = fixture_json(
        "{\"iss\":\"x\",\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5,\"g\":6,\"h\":7}");
    assert_true(json_equal(got, want));
    sdjwt_clear(&s);

    static const char *const reserved[] = {"_sd", "...", "_sd_alg", "", "iss"};
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
        assert_int_equal(sdjwt_conceal(payload, reserved[i], json_int(1), &f->rand, &tail),
                         -EINVAL);
}

static void test_present(void **state)
{
    struct made a = make("[\"s1\",\"name\",\"Ana\"]"), b = make("[\"s2\",\"member_since\",1]"), c;
    static const char *const name_only[] = {"name", "shoe_size"}, *const city_only[] = {"city"};
    char payload[512], tail[2048], json[256];
    _cleanup_(buf_clear) struct buf out = {0};
    _cleanup_(freep) char *text = NULL, *bare = NULL, *one = NULL;
    struct made inner = make("[\"s4\",\"city\",\"Porto\"]");
    struct err err = {0};

    snprintf(json, sizeof(json), "[\"s3\",\"address\",{\"_sd\":[\"%s\"]}]", inner.digest);
    c = make(json);
    FORMAT("{\"_sd\":[\"%s\",\"%s\",\"%s\"]}", a.digest, b.digest, c.digest);
    TAIL("~%s~%s~%s~%s~", a.text, b.text, c.text, inner.text);
    text = fixture_sign(*state, TYP, str_of(payload), str_of(tail));
    bare = fixture_sign(*state, TYP, str_of(payload), STR("~"));

    assert_int_equal(sdjwt_present(str_of(text), NULL, 0, &out, &err), 0);
    assert_true(str_eqz(buf_as_str(&out), text));
    buf_reset(&out);
    assert_int_equal(sdjwt_present(str_of(text), name_only, 2, &out, &err), 0);
    assert_true(strstr(out.p, a.text) && !strstr(out.p, b.text) && !strstr(out.p, c.text));
    assert_int_equal(out.p[out.n - 1], '~');
    buf_reset(&out);
    assert_int_equal(sdjwt_present(str_of(text), name_only, 0, &out, &err), 0);
    assert_int_equal(strchr(out.p, '~') - out.p, out.n - 1);
    assert_int_equal(out.n, strlen(bare));
    buf_reset(&out);
    assert_int_equal(sdjwt_present(str_of(text), city_only, 1, &out, &err), SDJWT_E_MALFORMED);
    assert_int_equal(sdjwt_present(STR("a.b~c.d.e"), NULL, 0, &out, &err), SDJWT_E_MALFORMED);
    assert_int_equal(sdjwt_present(STR("a.b"), NULL, 0, &out, &err), SDJWT_E_MALFORMED);
    assert_int_equal(out.n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_nothing_disclosed),
        T(test_recursive),
        T(test_digests),
        T(test_form_of_digests),
        T(test_form_of_disclosures),
        T(test_form),
        T(test_bounds),
        T(test_depth),
        T(test_header),
        T(test_root),
        T(test_conceal),
        T(test_present),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

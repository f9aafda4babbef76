#include "lib/cred/fixture.h"

#include "cred/stamp.h"

#define THUMB "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbW"

static struct stamp good(void)
{
    return (struct stamp){
        .id = "vis_Jx2kQ9vT4mW1aZ7c",
        .revision = 1,
        .host = HOST,
        .home = HOME,
        .sub = "h7Jx2kQ9vT4mW1aZ",
        .status_uri = HOME "/status/0",
        .status_idx = 4711,
        .iat = NOW,
        .checked_in = NOW - 2,
        .checked_out = 0,
        .day = "2026-11-21",
        .timezone = "Europe/Berlin",
        .tier = "member",
        .verdict = "admit",
        .data_age_s = 60,
    };
}

static int read_json(struct fixture *f, const struct json *payload, struct stamp *s,
                     struct json **backing, struct err *err)
{
    _cleanup_(freep) char *text = fixture_sign_json(f, STAMP_TYP, payload, STR(""));
    struct jws jws;
    int r;

    assert_int_equal(jws_parse(str_of(text), STAMP_TYP, LIMIT_STAMP, &jws, err), 0);
    r = stamp_read(&jws, s, backing, err);
    jws_clear(&jws);
    return r;
}

static void test_round_trip(void **state)
{
    struct stamp want = good(), got;
    _cleanup_(json_freep) struct json *unproven = stamp_payload(&want), *proven = NULL;
    _cleanup_(json_freep) struct json *b1 = NULL, *b2 = NULL;
    bool said;

    assert_int_equal(read_json(*state, unproven, &got, &b1, NULL), 0);
    assert_string_equal(got.id, want.id);
    assert_string_equal(got.host, want.host);
    assert_string_equal(got.home, want.home);
    assert_string_equal(got.sub, want.sub);
    assert_string_equal(got.status_uri, want.status_uri);
    assert_int_equal(got.status_idx, want.status_idx);
    assert_int_equal(got.revision, 1);
    assert_int_equal(got.iat, want.iat);
    assert_int_equal(got.checked_in, want.checked_in);
    assert_int_equal(got.checked_out, 0);
    assert_string_equal(got.day, want.day);
    assert_string_equal(got.timezone, want.timezone);
    assert_string_equal(got.tier, want.tier);
    assert_string_equal(got.verdict, want.verdict);
    assert_int_equal(got.data_age_s, 60);
    assert_int_equal(got.proof.n, 0);
    assert_string_equal(got.device, "");
    assert_int_equal(json_get_bool(unproven, "unproven", &said), 0);
    assert_true(said);

    want.revision = 3;
    want.checked_out = NOW + 7200;
    want.proof = STR("a.b.c");
    strcpy(want.device, THUMB);
    proven = stamp_payload(&want);
    assert_null(json_get(proven, "unproven"));
    assert_int_equal(read_json(*state, proven, &got, &b2, NULL), 0);
    assert_int_equal(got.revision, 3);
    assert_int_equal(got.checked_out, NOW + 7200);
    assert_true(str_eq(got.proof, STR("a.b.c")));
    assert_string_equal(got.device, THUMB);
}

static void test_claims(void **state)
{
    static const char *const bad[][3] = {
        {"iss", NULL, "iss is missing"},
        {"iss", "1", "iss is not a string"},
        {"iss", "\"\"", "iss is empty"},
        {"aud", NULL, "aud is missing"},
        {"aud", "[\"" HOME "\"]", "aud is not a string"},
        {"aud", "\"" HOST "\"", "aud is the same as iss"},
        {"jti", NULL, "jti is missing"},
        {"jti", "\"0123456789012345678901234567890123456789x\"", "jti is empty, too long"},
        {"rev", NULL, "rev is missing"},
        {"rev", "0", "rev is out of range"},
        {"rev", "\"1\"", "rev is not an integer"},
        {"iat", NULL, "iat is missing"},
        {"iat", "-1", "iat is out of range"},
        {"sub", NULL, "sub is missing"},
        {"sub", "\"a\\u0007\"", "not printable"},
        {"status", NULL, "status is missing"},
        {"status", "1", "status is not an object"},
        {"status", "{\"uri\":\"x\"}", "idx is missing"},
        {"status", "{\"uri\":\"x\",\"idx\":32768}", "idx is out of range"},
        {"status", "{\"idx\":1}", "uri is missing"},
        {"tier", NULL, "tier is missing"},
        {"in", NULL, "in is missing"},
        {"in", "1.5", "in is not an integer"},
        {"out", "1794999997", "out is out of range"}, /* before in */
        {"out", "null", "out is not an integer"},
        {"day", NULL, "day is missing"},
        {"day", "\"2026-13-01\"", "day is not a date"},
        {"day", "\"20261121\"", "day is not a date"},
        {"tz", NULL, "tz is missing"},
        {"tz", "\"\"", "tz is empty"},
        {"tz", "\"../../etc/passwd\"", "tz is not a name"},
        {"tz", "\"Europe/../Berlin\"", "tz is not a name"},
        {"tz", "\"/etc/localtime\"", "tz is not a name"},
        {"tz", "\"Europe Berlin\"", "tz is not a name"},
        {"tz", "\"Europe/Bras\u00edlia\"", "tz is not a name"},
        {"tz", "\"a23456789012345678901234567890123456789012345678901234567890abcde\"", "tz is"},
        {"verdict", NULL, "verdict is missing"},
        {"verdict", "\"refuse\"", "verdict is neither"},
        {"data_age", NULL, "data_age is missing"},
        {"data_age", "-2", "data_age is out of range"},
        {"unproven", NULL, "proof is missing"},
        {"unproven", "false", "unproven is not true"},
        {"unproven", "1", "unproven is not true"},
        {"proof", "\"a.b.c\"", "exclude each other"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct stamp s = good(), got = {.iat = 42};
        _cleanup_(json_freep) struct json *payload = stamp_payload(&s), *backing = NULL;
        struct err err = {0};

        json_remove(payload, bad[i][0]);
        if (bad[i][1])
            json_put(payload, bad[i][0], fixture_json(bad[i][1]));
        if (read_json(*state, payload, &got, &backing, &err) != STAMP_E_MALFORMED ||
            !strstr(err.text, bad[i][2]))
            fail_msg("%s = %s: \"%s\"", bad[i][0], bad[i][1], err.text);
        assert_int_equal(got.iat, 42);
        assert_null(backing);
    }
}

static void test_time_zones(void **state)
{
    static const char *const names[] = {
        "UTC", "Etc/GMT+5", "America/Port-au-Prince", "America/Argentina/Buenos_Aires",
        "a23456789012345678901234567890123456789012345678901234567890abcd"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct stamp s = good(), got;
        _cleanup_(json_freep) struct json *payload = NULL, *backing = NULL;

        strcpy(s.timezone, names[i]);
        payload = stamp_payload(&s);
        assert_int_equal(read_json(*state, payload, &got, &backing, NULL), 0);
        assert_string_equal(got.timezone, names[i]);
    }
}

static void test_proof_claims(void **state)
{
    static const char *const bad[][3] = {
        {"proof", "1", "proof is not a string"},
        {"proof", "\"\"", "proof is not a string"},
        {"device", NULL, "device is missing"},
        {"device", "\"x\"", "device is not a thumbprint"},
        {"device", "7", "device is not a string"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct stamp s = good(), got;
        _cleanup_(json_freep) struct json *payload = NULL, *backing = NULL;
        struct err err = {0};

        s.proof = STR("a.b.c");
        strcpy(s.device, THUMB);
        payload = stamp_payload(&s);
        json_remove(payload, bad[i][0]);
        if (bad[i][1])
            json_put(payload, bad[i][0], fixture_json(bad[i][1]));
        if (read_json(*state, payload, &got, &backing, &err) != STAMP_E_MALFORMED ||
            !strstr(err.text, bad[i][2]))
            fail_msg("%s = %s: \"%s\"", bad[i][0], bad[i][1], err.text);
    }
}

static int read_receipt(struct fixture *f, const struct json *payload, struct receipt *r,
                        struct err *err)
{
    _cleanup_(freep) char *text = fixture_sign_json(f, RECEIPT_TYP, payload, STR(""));
    struct jws jws;
    int rc;

    assert_int_equal(jws_parse(str_of(text), RECEIPT_TYP, LIMIT_STAMP, &jws, err), 0);
    rc = receipt_read(&jws, r, err);
    jws_clear(&jws);
    return rc;
}

static void test_receipt(void **state)
{
    static const char *const bad[][3] = {
        {"iss", NULL, "iss is missing"},       {"aud", "7", "aud is not a string"},
        {"jti", NULL, "jti is missing"},       {"rev", "0", "rev is out of range"},
        {"iat", NULL, "iat is missing"},       {"stamp_sha256", NULL, "stamp_sha256"},
        {"stamp_sha256", "1", "stamp_sha256"}, {"stamp_sha256", "\"AAAA\"", "stamp_sha256"},
    };
    struct receipt want = {HOME, HOST, "vis_1", 2, NOW, {1, 2, 3}}, got = {0};
    _cleanup_(json_freep) struct json *payload = receipt_payload(&want);

    assert_int_equal(read_receipt(*state, payload, &got, NULL), 0);
    assert_string_equal(got.home, HOME);
    assert_string_equal(got.host, HOST);
    assert_string_equal(got.id, "vis_1");
    assert_int_equal(got.revision, 2);
    assert_int_equal(got.iat, NOW);
    assert_memory_equal(got.digest, want.digest, 32);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_(json_freep) struct json *p = json_copy(payload);
        struct err err = {0};

        json_remove(p, bad[i][0]);
        if (bad[i][1])
            json_put(p, bad[i][0], fixture_json(bad[i][1]));
        if (read_receipt(*state, p, &got, &err) != STAMP_E_MALFORMED ||
            !strstr(err.text, bad[i][2]))
            fail_msg("%s = %s: \"%s\"", bad[i][0], bad[i][1], err.text);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_round_trip),   T(test_claims),  T(test_time_zones),
        T(test_proof_claims), T(test_receipt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

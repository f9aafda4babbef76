#include "lib/base/unit.h"

#include <errno.h>

#include "base/json.h"
#include "base/limits.h"

static int parse(const char *text, size_t n)
{
    /* a copy of just that size, so that reading on is noticed */
    _cleanup_(freep) char *exact = malloc(n + !n);
    _cleanup_(json_freep) struct json *v = NULL;
    struct err err = {0};
    int r;

    memcpy(exact, text, n);
    r = json_parse((struct str){exact, n}, &json_bounds_wire, &v, &err);
    assert_true((r == 0) == (v != NULL));
    assert_true((r == 0) == (err.text[0] == '\0'));
    return r;
}

static void same(const char *text, const char *want)
{
    _cleanup_(json_freep) struct json *v = NULL;
    struct buf b = {0};
    struct err err = {0};

    if (json_parse(str_of(text), &json_bounds_wire, &v, &err))
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(json_write(v, &b), 0);
    assert_string_equal(b.p, want);
    buf_clear(&b);
}

static void reads_and_writes(void **state)
{
    same("{}", "{}");
    same(" [ ] ", "[]");
    same("\"\"", "\"\"");
    same("\t\r\n null\n", "null");
    same("{\"b\":1,\"a\":[true,false,null,\"x\",{\"c\":-2}]}",
         "{\"b\":1,\"a\":[true,false,null,\"x\",{\"c\":-2}]}");
    same("\"\\u00e9\\ud83d\\uDE00\\n\\/\\\\\\\"\\b\\f\\r\\t\"", "\"é😀\\n/\\\\\\\"\\b\\f\\r\\t\"");
    same("\"\\u20ac\\u007f\"", "\"€\x7f\"");
    same("{\"\\u0061\\u0062\":{\"k\" : [ 1 , 2 ]}}", "{\"ab\":{\"k\":[1,2]}}");
}

static void reads_numbers(void **state)
{
    same("9007199254740991", "9007199254740991");
    same("-9007199254740991", "-9007199254740991");
    same("0", "0");
    same("-0", "0");
    same("0.5", "0.5");
    same("-0.25e1", "-2.5");
    same("1e2", "100.0");
    same("9007199254740991.0", "9007199254740991.0");
    same("0e99999", "0.0");
    same("0.000e+99999999999", "0.0");
    same("1e-400", "0.0");
    same("0.0000000000000000000000000000001e31", "1.0");
}

struct refusal {
    const char *text;
    int code;
};

static const struct refusal refusals[] = {
    {"", JSON_E_SYNTAX},
    {" ", JSON_E_SYNTAX},
    {"{", JSON_E_SYNTAX},
    {"[", JSON_E_SYNTAX},
    {"[1", JSON_E_SYNTAX},
    {"[1,", JSON_E_SYNTAX},
    {"[1,]", JSON_E_SYNTAX},
    {"[,1]", JSON_E_SYNTAX},
    {"[1 2]", JSON_E_SYNTAX},
    {"[1}", JSON_E_SYNTAX},
    {"{\"a\":1]", JSON_E_SYNTAX},
    {"{\"a\"}", JSON_E_SYNTAX},
    {"{\"a\":}", JSON_E_SYNTAX},
    {"{\"a\":1,}", JSON_E_SYNTAX},
    {"{a:1}", JSON_E_SYNTAX},
    {"{'a':1}", JSON_E_SYNTAX},
    {"{1:1}", JSON_E_SYNTAX},
    {"\"a", JSON_E_SYNTAX},
    {"\"\\", JSON_E_SYNTAX},
    {"\"\\u", JSON_E_SYNTAX},
    {"\"\\u00", JSON_E_SYNTAX},
    {"\"\\x41\"", JSON_E_SYNTAX},
    {"\"\\u00g0\"", JSON_E_SYNTAX},
    {"\"a\nb\"", JSON_E_SYNTAX},
    {"tru", JSON_E_SYNTAX},
    {"True", JSON_E_SYNTAX},
    {"nul", JSON_E_SYNTAX},
    {"NaN", JSON_E_SYNTAX},
    {"Infinity", JSON_E_SYNTAX},
    {"-", JSON_E_SYNTAX},
    {"+1", JSON_E_SYNTAX},
    {"01", JSON_E_SYNTAX},
    {"-01", JSON_E_SYNTAX},
    {"1.", JSON_E_SYNTAX},
    {".5", JSON_E_SYNTAX},
    {"1e", JSON_E_SYNTAX},
    {"1e+", JSON_E_SYNTAX},
    {"0x10", JSON_E_SYNTAX},
    {"1 2", JSON_E_SYNTAX},
    {"{} {}", JSON_E_SYNTAX},
    {"{}x", JSON_E_SYNTAX},
    {"// c\n1", JSON_E_SYNTAX},
    {"\xEF\xBB\xBF{}", JSON_E_SYNTAX}, /* a byte order mark */
    {"{\"a\":1,\"a\":1}", JSON_E_DUPLICATE},
    {"{\"a\":1,\"b\":2,\"\\u0061\":3}", JSON_E_DUPLICATE},
    {"[{\"x\":{\"\":1,\"\":null}}]", JSON_E_DUPLICATE},
    {"9007199254740992", JSON_E_NUMBER},
    {"-9007199254740992", JSON_E_NUMBER},
    {"99999999999999999999999999999999999999", JSON_E_NUMBER},
    {"[1e400]", JSON_E_NUMBER},
    {"-1e400", JSON_E_NUMBER},
    {"1e16", JSON_E_NUMBER},
    {"9007199254740991.5", JSON_E_NUMBER},
    {"9007199254740992.0", JSON_E_NUMBER},
    {"90071992547409910e-0", JSON_E_NUMBER},
    {"0.9007199254740992e16", JSON_E_NUMBER},
    {"1e99999999999999999999", JSON_E_NUMBER},
    {"\"\\u0000\"", JSON_E_UTF8},
    {"{\"a\\u0000b\":1}", JSON_E_UTF8},
    {"\"\\ud800\"", JSON_E_UTF8},
    {"\"\\udc00\\ud800\"", JSON_E_UTF8},
    {"\"\\ud800\\u0041\"", JSON_E_UTF8},
    {"\"\\ud800x\"", JSON_E_UTF8},
    {"\"\x80\"", JSON_E_UTF8},
    {"\"\xC0\xAF\"", JSON_E_UTF8},     /* overlong */
    {"\"\xE0\x80\xAF\"", JSON_E_UTF8}, /* overlong */
    {"\"\xED\xA0\x80\"", JSON_E_UTF8}, /* surrogate */
    {"\"\xF4\x90\x80\x80\"", JSON_E_UTF8},
    {"\"\xFF\"", JSON_E_UTF8},
    {"\"\xE2\x82\"", JSON_E_UTF8}, /* cut short */
    {"[[[[[[[[[]]]]]]]]]", JSON_E_DEPTH},
    {"{\"a\":[{\"a\":[{\"a\":[{\"a\":[{}]}]}]}]}", JSON_E_DEPTH},
};

static void refuses(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        int r = parse(refusals[i].text, strlen(refusals[i].text));

        if (r != refusals[i].code)
            fail_msg("%s: %d, not %d", refusals[i].text, r, refusals[i].code);
    }
    assert_int_equal(parse("\"a\0b\"", 5), JSON_E_UTF8);
    assert_int_equal(parse("1\0", 2), JSON_E_SYNTAX);
}

static void keeps_to_its_bounds(void **state)
{
    struct buf b = {0};

    assert_int_equal(parse("[[[[[[[[1]]]]]]]]", 17), 0); /* LIMIT_JSON_DEPTH */
    for (int over = 0; over < 2; over++) {
        buf_reset(&b);
        buf_ch(&b, '{');
        for (int i = 0; i < LIMIT_JSON_MEMBERS + over; i++)
            buf_printf(&b, "%s\"m%d\":%d", i ? "," : "", i, i);
        buf_ch(&b, '}');
        assert_int_equal(parse(b.p, b.n), over ? JSON_E_MEMBERS : 0);
        buf_reset(&b);
        for (int i = 0; i < LIMIT_JSON_ITEMS + over; i++)
            buf_z(&b, i ? ",0" : "[0");
        buf_ch(&b, ']');
        assert_int_equal(parse(b.p, b.n), over ? JSON_E_MEMBERS : 0);
        buf_reset(&b);
        for (int i = 0; i < LIMIT_JSON - 1 + over; i++)
            buf_ch(&b, ' ');
        buf_ch(&b, '1');
        assert_int_equal(parse(b.p, b.n), over ? JSON_E_SIZE : 0);
    }
    buf_clear(&b);
}

static const char sample[] =
    "{\"iss\":\"https://a.example\",\"n\":[1,-2.5e1,{\"k\":\"\\u00e9\\ud83d\\ude00\"}],\"t\":true}";

/* Each prefix and each changed byte is read or refused, never read past. */
static void survives_damage(void **state)
{
    char text[sizeof(sample)];

    for (size_t n = 0; n + 1 < sizeof(sample); n++)
        assert_int_not_equal(parse(sample, n), 0);
    for (size_t i = 0; i + 1 < sizeof(sample); i++) {
        for (int c = 0; c < 256; c++) {
            memcpy(text, sample, sizeof(text));
            text[i] = (char)c;
            parse(text, sizeof(text) - 1);
        }
    }
}

static void gives_members(void **state)
{
    _cleanup_(json_freep) struct json *v = NULL;
    struct json_iter it = {0};
    struct str s = STR("kept");
    int64_t n = 7;
    double x = 0;
    bool b = false;

    assert_int_equal(json_parse(STR("{\"s\":\"x\",\"n\":5,\"r\":1.5,\"b\":true,\"a\":[1]}"),
                                &json_bounds_wire, &v, NULL),
                     0);
    assert_int_equal(json_get_str(v, "s", &s), 0);
    assert_true(str_eqz(s, "x"));
    assert_int_equal(json_get_str(v, "n", &s), JSON_E_TYPE);
    assert_int_equal(json_get_str(v, "zz", &s), JSON_E_ABSENT);
    assert_true(str_eqz(s, "x"));
    assert_int_equal(json_get_int(v, "n", &n), 0);
    assert_int_equal(n, 5);
    assert_int_equal(json_get_int(v, "r", &n), JSON_E_TYPE);
    assert_int_equal(json_get_real(v, "n", &x), 0);
    assert_true(x == 5);
    assert_int_equal(json_get_real(v, "r", &x), 0);
    assert_true(x == 1.5);
    assert_int_equal(json_get_bool(v, "b", &b), 0);
    assert_true(b);
    assert_int_equal(json_get_bool(v, "s", &b), JSON_E_TYPE);
    assert_int_equal(json_count(v), 5);
    assert_int_equal(json_count(json_get(v, "a")), 1);
    assert_null(json_at(json_get(v, "a"), 1));
    assert_null(json_get(json_get(v, "a"), "x"));
    assert_int_equal(json_kind(json_get(v, "r")), JSON_REAL);
    assert_null(json_z(v, "n"));
    for (size_t i = 0; i < 5; i++) {
        assert_true(json_next(v, &it));
        assert_true(it.key.p[0] == "snrba"[i]);
    }
    assert_false(json_next(v, &it));
}

static void builds_values(void **state)
{
    _cleanup_(json_freep) struct json *v = json_object(), *copy = NULL, *shared = NULL;
    struct json *list = json_array();
    struct buf b = {0};

    assert_int_equal(json_put_z(v, "z", "\"q\""), 0);
    assert_int_equal(json_put_z(v, "left out", NULL), 0);
    assert_int_equal(json_put_int(v, "n", -1), 0);
    assert_int_equal(json_put_int(v, "n", 2), 0); /* replaced in its place */
    assert_int_equal(json_put_bool(v, "b", false), 0);
    assert_int_equal(json_append_z(list, "x"), 0);
    assert_int_equal(json_append(list, json_null()), 0);
    assert_int_equal(json_put(v, "a", list), 0);
    assert_int_equal(json_put(v, "gone", json_real(0.5)), 0);
    json_remove(v, "gone");
    assert_int_equal(json_put(v, "m", NULL), -ENOMEM);
    assert_null(json_string(STR("\xFF")));
    copy = json_copy(v);
    shared = json_ref(v);
    assert_true(json_equal(v, copy));
    assert_int_equal(json_put_int(v, "n", 3), 0);
    assert_false(json_equal(v, copy));
    assert_true(json_equal(v, shared));
    assert_int_equal(json_write(copy, &b), 0);
    assert_string_equal(b.p, "{\"z\":\"\\\"q\\\"\",\"n\":2,\"b\":false,\"a\":[\"x\",null]}");
    buf_reset(&b);
    assert_int_equal(json_write_pretty(json_get(copy, "a"), &b), 0);
    assert_string_equal(b.p, "[\n  \"x\",\n  null\n]");
    buf_clear(&b);
    b.max = 4;
    assert_int_equal(json_write(copy, &b), -ENOSPC);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes), cmocka_unit_test(reads_numbers),
        cmocka_unit_test(refuses),          cmocka_unit_test(keeps_to_its_bounds),
        cmocka_unit_test(survives_damage),  cmocka_unit_test(gives_members),
        cmocka_unit_test(builds_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

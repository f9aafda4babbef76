#include "lib/base/unit.h"

#include "base/json.h"

static int parse(const char *text)
{
    _cleanup_(json_freep) struct json *v = NULL;

    return json_parse(str_of(text), &json_bounds_wire, &v, NULL);
}

/* Parses, writes, and compares. */
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
    same("{\"b\":1,\"a\":[true,false,null,\"x\",{\"c\":-2}]}",
         "{\"b\":1,\"a\":[true,false,null,\"x\",{\"c\":-2}]}");
    same("\"\\u00e9\\ud83d\\ude00\\n\\/\\\\\\\"\"", "\"é😀\\n/\\\\\\\"\"");
    same("9007199254740991", "9007199254740991");
    same("-9007199254740991", "-9007199254740991");
    same("0.5", "0.5");
    same("-0.25e1", "-2.5");
    same("{\"\\u0061\\u0062\":{\"k\" : [ 1 , 2 ]}}", "{\"ab\":{\"k\":[1,2]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
    };

    (void)parse;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

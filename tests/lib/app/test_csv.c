/* RFC 4180, section 2, and what programs make of it. */
#include "lib/base/unit.h"

#include <stdio.h>

#include "app/csv.h"

/* Records as "[a|b][c]", then what ended it: "" is the end of the text, "!q" and "!f" the errors.
 */
static void read_all(struct str text, char *out, size_t cap)
{
    struct csv c;
    size_t n = 0;
    int r;

    csv_start(&c, text);
    while ((r = csv_next(&c)) == 0) {
        n += (size_t)snprintf(out + n, cap - n, "%zu[", c.line);
        for (size_t i = 0; i < c.n; i++)
            n += (size_t)snprintf(out + n, cap - n, "%s%.*s", i > 0 ? "|" : "",
                                  STR_ARG(csv_field(&c, i)));
        n += (size_t)snprintf(out + n, cap - n, "]");
        assert_null(csv_field(&c, c.n).p);
    }
    snprintf(out + n, cap - n, "%s", r == CSV_E_QUOTES ? "!q" : r == CSV_E_FIELDS ? "!f" : "");
    csv_clear(&c);
}

static void test_table(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"\xef\xbb\xbf", ""},
        {"\n", "1[]"},
        {"\r\n", "1[]"},
        {"a", "1[a]"},
        {"a\n", "1[a]"},
        {"a\r\n", "1[a]"},
        {"a\r", "1[a]"},
        {"a,b,c\nd,e,f\n", "1[a|b|c]2[d|e|f]"},
        {"a,b,c\r\nd,e,f", "1[a|b|c]2[d|e|f]"},
        {"\xef\xbb\xbf"
         "a,b\n",
         "1[a|b]"},
        {",", "1[|]"},
        {"a,", "1[a|]"},
        {",a", "1[|a]"},
        {",,\n,\n", "1[||]2[|]"},
        {"a\n\nb\n", "1[a]2[]3[b]"},
        {" a , b ", "1[ a | b ]"},
        {"\"a\"", "1[a]"},
        {"\"\"", "1[]"},
        {"\"\",\"\"\r\n", "1[|]"},
        {"\"a,b\",c", "1[a,b|c]"},
        {"\"a\nb\",c\nd,e", "1[a\nb|c]3[d|e]"},
        {"\"a\r\nb\"\r\nc", "1[a\r\nb]3[c]"},
        {"\"a\"\"b\"", "1[a\"b]"},
        {"\"\"\"\"", "1[\"]"},
        {"\"\"\"a\"\"\"\n", "1[\"a\"]"},
        {"a\"b", "1[a\"b]"}, /* not RFC 4180, and yet clear */
        {"a\rb\n", "1[a\rb]"},
        {"\"", "!q"},
        {"\"a", "!q"},
        {"\"a\"\"", "!q"},
        {"\"a\"b", "!q"},
        {"\"a\" ,b", "!q"},
        {"\"a\"\"b", "!q"},
        {"\"a\"\r,b", "!q"},
        {"\"a\"\rb", "!q"},
        {"a,b\n\"c", "1[a|b]!q"},
        {"\xc3\xa4,\xf0\x9f\x98\x80\n", "1[\xc3\xa4|\xf0\x9f\x98\x80]"},
    };
    char out[512];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        read_all(str_of(rows[i].text), out, sizeof(out));
        if (strcmp(out, rows[i].expected) != 0)
            fail_msg("row %zu, %s: %s; expected %s", i, rows[i].text, out, rows[i].expected);
    }
}

static void test_many_fields(void **state)
{
    char text[CSV_FIELDS_MAX + 2], out[512];

    memset(text, ',', sizeof(text));
    text[CSV_FIELDS_MAX - 1] = '\0'; /* one comma less than fields */
    read_all(str_of(text), out, sizeof(out));
    assert_null(strstr(out, "!"));
    text[CSV_FIELDS_MAX - 1] = ',';
    text[CSV_FIELDS_MAX] = '\0';
    read_all(str_of(text), out, sizeof(out));
    assert_string_equal(out, "!f");
}

/* A NUL is a byte like any other here; who wants text refuses it. */
static void test_nul(void **state)
{
    struct csv c;

    csv_start(&c, STR("a\0b,c\n"));
    assert_int_equal(csv_next(&c), 0);
    assert_int_equal(c.n, 2);
    assert_int_equal(csv_field(&c, 0).n, 3);
    assert_memory_equal(csv_field(&c, 1).p, "c", 1);
    csv_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_many_fields),
        cmocka_unit_test(test_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Slices, buffers, base64 and errors. */
#include "lib/base/unit.h"

#include <errno.h>

#include "base/b64.h"
#include "base/err.h"

static void slices(void **state)
{
    struct str head, tail, s = STR("a.b.c");
    char dst[4] = "old";
    char *copy;

    assert_true(str_starts(s, STR("a.")) && !str_starts(s, STR("a.b.c.")));
    assert_true(str_ends(s, STR(".c")) && !str_ends(s, STR("b")));
    assert_true(str_cut(s, '.', &head, &s));
    assert_true(str_eqz(head, "a") && str_eqz(s, "b.c"));
    assert_false(str_cut(STR("abc"), '.', &head, &tail));
    assert_true(str_eqz(head, "abc") && tail.n == 0);
    assert_true(str_eqz(str_trim(STR(" \t a b\r\n")), "a b"));
    assert_int_equal(str_trim(STR("  ")).n, 0);
    assert_int_equal(str_copy(dst, sizeof(dst), STR("abcd")), -ENOSPC);
    assert_int_equal(str_copy(dst, sizeof(dst), STR("a\0b")), -EINVAL);
    assert_string_equal(dst, "old");
    assert_int_equal(str_copy(dst, sizeof(dst), STR("abc")), 0);
    assert_string_equal(dst, "abc");
    copy = str_dup(STR(""));
    assert_string_equal(copy, "");
    free(copy);
}

static void integers(void **state)
{
    static const char *const no_numbers[] = {"",   "-",   "+1", "01",  "-0", " 1",
                                             "1 ", "0x1", "1a", "1.0", "٣",  "--1"};
    int64_t n = 42;

    for (size_t i = 0; i < ARRAY_SIZE(no_numbers); i++)
        assert_int_equal(str_to_int(str_of(no_numbers[i]), INT64_MIN, INT64_MAX, &n), -EINVAL);
    assert_int_equal(str_to_int(STR("11"), 0, 10, &n), -ERANGE);
    assert_int_equal(str_to_int(STR("-1"), 0, 10, &n), -ERANGE);
    assert_int_equal(str_to_int(STR("9223372036854775808"), 0, INT64_MAX, &n), -ERANGE);
    assert_int_equal(str_to_int(STR("99999999999999999999"), 0, INT64_MAX, &n), -ERANGE);
    assert_int_equal(n, 42);
    assert_int_equal(str_to_int(STR("0"), 0, 10, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(str_to_int(STR("9223372036854775807"), 0, INT64_MAX, &n), 0);
    assert_true(n == INT64_MAX);
    assert_int_equal(str_to_int(STR("-9223372036854775808"), INT64_MIN, 0, &n), 0);
    assert_true(n == INT64_MIN);
}

static void reals(void **state)
{
    static const char *const no_numbers[] = {"",    "-",  ".5",  "1.",  "01",   "1e3",
                                             "nan", "+1", "1,5", "--1", "1.5x", "1234567890.123"};
    double x = 42;

    for (size_t i = 0; i < ARRAY_SIZE(no_numbers); i++)
        assert_int_equal(str_to_real(str_of(no_numbers[i]), -1e12, 1e12, &x), -EINVAL);
    assert_int_equal(str_to_real(STR("90.1"), -90, 90, &x), -ERANGE);
    assert_true(x == 42);
    assert_int_equal(str_to_real(STR("-38.722252"), -90, 90, &x), 0);
    assert_true(x == -38.722252);
    assert_int_equal(str_to_real(STR("90"), -90, 90, &x), 0);
    assert_true(x == 90);
    assert_int_equal(str_to_real(STR("0.1"), 0, 1, &x), 0);
    assert_true(x == 0.1);
}

static void utf8(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xC1\xBF",
                                      "\xC3",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5",
                                      "a\xE2\x28\xA1"};
    static const char *const controls[] = {"a\nb",         "\t",           "\x1b[31m",
                                           "\x7f",         "\xC2\x85",     "\xE2\x80\xA8",
                                           "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\x8F"};

    assert_true(str_is_utf8(STR("é€😀\x7f\xC2\x80\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF")));
    assert_true(str_is_utf8(STR("")));
    assert_false(str_is_utf8(STR("a\0b")));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(str_is_utf8(str_of(bad[i])));
    for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
        assert_true(str_is_utf8(str_of(controls[i])));
        assert_false(str_is_printable(str_of(controls[i])));
    }
    assert_true(str_is_printable(STR("Zoë — 北京 👩‍💻")));
    assert_false(str_is_printable(STR("\xFF")));
}

static void buffers_grow_to_their_bound(void **state)
{
    struct buf b = {.max = 10};
    char *owned;

    assert_int_equal(buf_z(&b, "12345"), 0);
    assert_int_equal(buf_printf(&b, "%d", 678), 0);
    assert_int_equal(buf_z(&b, "xyz"), -ENOSPC);
    assert_int_equal(buf_ch(&b, 'a'), -ENOSPC); /* sticky, though it would fit */
    assert_int_equal(buf_error(&b), -ENOSPC);
    assert_string_equal(b.p, "12345678");
    assert_null(buf_take(&b));
    assert_int_equal(buf_z(&b, "0123456789"), 0);
    assert_int_equal(buf_printf(&b, "x"), -ENOSPC);
    buf_reset(&b);
    assert_string_equal(b.p, "");
    assert_int_equal(buf_add(&b, "a\0b", 3), 0);
    assert_int_equal(buf_as_str(&b).n, 3);
    owned = buf_take(&b);
    assert_memory_equal(owned, "a\0b", 4);
    free(owned);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.max, 10);
    owned = buf_take(&b);
    assert_string_equal(owned, "");
    free(owned);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOSPC);
    buf_clear(&b);
}

/* RFC 4648 section 10. */
static void base64_of_the_rfc(void **state)
{
    static const char *const texts[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    struct buf b = {0};
    char out[8];
    size_t n;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        buf_reset(&b);
        assert_int_equal(b64_append(&b, texts[i][0], i), 0);
        assert_string_equal(b.p, texts[i][1]);
        assert_int_equal(b64_decode(buf_as_str(&b), out, &n), 0);
        assert_int_equal(n, i);
        assert_memory_equal(out, texts[i][0], i);
        buf_reset(&b);
        assert_int_equal(b64std_append(&b, texts[i][0], i), 0);
        assert_int_equal(b.n, (i + 2) / 3 * 4);
        assert_int_equal(b64std_decode(buf_as_str(&b), out, sizeof(out), &n), 0);
        assert_int_equal(n, i);
    }
    buf_clear(&b);
}

static void base64_is_canonical(void **state)
{
    static const char *const bad[] = {"A",     "Zg==", "Zm8=",  "Zh",   "Zm9", "Zm9v ", " Zm9v",
                                      "Zm9\n", "+/+/", "Zm9vY", "Zm.v", "é",   "Zm9vYh"};
    static const char *const bad_std[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg===", "-_-_", "Zm9vZg=Z", "Z===", "Zg==Zg=="};
    char out[16] = "";
    size_t n = 99;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(b64_decode(str_of(bad[i]), out, &n), -EINVAL);
    for (size_t i = 0; i < ARRAY_SIZE(bad_std); i++)
        assert_int_equal(b64std_decode(str_of(bad_std[i]), out, sizeof(out), &n), -EINVAL);
    assert_int_equal(b64std_decode(STR("Zm9vYmFy"), out, 5, &n), -ENOSPC);
    assert_int_equal(n, 99);
    assert_int_equal(b64_decode_exact(STR("Zm9v"), out, 3), 0);
    assert_int_equal(b64_decode_exact(STR("Zm9v"), out, 2), -EINVAL);
    assert_int_equal(b64_decode_exact(STR("-_-_"), out, 3), 0);
    assert_memory_equal(out, "\xFB\xFF\xBF", 3);
}

/* Each of the 64 values of a character, in each of the four places. */
static void base64_of_every_value(void **state)
{
    for (uint32_t x = 0; x < 1 << 24; x += 4099) {
        uint8_t in[3] = {(uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x}, back[3];
        char text[4];

        b64_encode(in, 3, text);
        assert_int_equal(b64_decode_exact((struct str){text, 4}, back, 3), 0);
        assert_memory_equal(in, back, 3);
    }
}

static void errors_are_cut_not_overrun(void **state)
{
    struct err err = {0};
    char longest[2 * ERR_TEXT_MAX];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(err_set(NULL, 5, "x"), 5);
    assert_int_equal(err_set(&err, -EIO, "disk %d", 1), -EIO);
    assert_int_equal(err_next(&err, 3, "do %s", "that"), 3);
    assert_int_equal(err_prefix(&err, 4, "space %s", "a"), 4);
    assert_string_equal(err.text, "space a: disk 1");
    assert_string_equal(err.next, "do that");
    err_prefix(&err, 4, "%s", longest);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_set(&err, 1, "%s", longest);
    assert_string_equal(err.next, "");
    err_prefix(&err, 4, "p");
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "p: xxx", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),
        cmocka_unit_test(integers),
        cmocka_unit_test(reals),
        cmocka_unit_test(utf8),
        cmocka_unit_test(buffers_grow_to_their_bound),
        cmocka_unit_test(base64_of_the_rfc),
        cmocka_unit_test(base64_is_canonical),
        cmocka_unit_test(base64_of_every_value),
        cmocka_unit_test(errors_are_cut_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

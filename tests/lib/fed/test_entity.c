#include "lib/base/unit.h"

#include "fed/entity.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static void typed_forms_become_canonical(void **state)
{
    static const struct {
        const char *typed, *canonical;
    } rows[] = {
        {"https://lisbon.example", "https://lisbon.example"},
        {"https://lisbon.example/", "https://lisbon.example"},
        {"  https://lisbon.example/\n", "https://lisbon.example"},
        {"HTTPS://Lisbon.EXAMPLE", "https://lisbon.example"},
        {"https://lisbon.example:443", "https://lisbon.example"},
        {"https://lisbon.example:443/", "https://lisbon.example"},
        {"https://lisbon.example:8441/", "https://lisbon.example:8441"},
        {"https://lisbon.example:1", "https://lisbon.example:1"},
        {"https://lisbon.example:65535", "https://lisbon.example:65535"},
        {"https://localhost:8441", "https://localhost:8441"},
        {"https://lisbon.localhost:8441", "https://lisbon.localhost:8441"},
        {"https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"},
        {"https://1.2.3.example", "https://1.2.3.example"},
        {"https://a.b-c.d1", "https://a.b-c.d1"},
        {"https://0xg.0xyz", "https://0xg.0xyz"},
        {"https://" LABEL_63 ".example", "https://" LABEL_63 ".example"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char out[LIMIT_ENTITY_ID + 1];
        struct err err = {0};

        if (entity_canonical(str_of(rows[i].typed), out, &err) != 0)
            fail_msg("%s: %s", rows[i].typed, err.text);
        assert_string_equal(out, rows[i].canonical);
        assert_true(entity_is_canonical(str_of(out)));
        assert_int_equal(entity_is_canonical(str_of(rows[i].typed)),
                         strcmp(rows[i].typed, rows[i].canonical) == 0);
    }
}

static const char *const invalid[] = {
    "",
    " ",
    "https://",
    "https:///",
    "lisbon.example",
    "http://lisbon.example",
    "https:lisbon.example",
    "ftp://lisbon.example",
    "https://lisbon",
    "https://.example",
    "https://lisbon.example.",
    "https://lisbon..example",
    "https://.",
    "https://-lisbon.example",
    "https://lisbon-.example",
    "https://lisbon_1.example",
    "https://lis bon.example",
    "https://lisbon.example/p",
    "https://lisbon.example//",
    "https://lisbon.example?x",
    "https://lisbon.example#x",
    "https://lisbon.example\\p",
    "https://user@lisbon.example",
    "https://user:secret@lisbon.example",
    "https://lisbon.example:",
    "https://lisbon.example:0",
    "https://lisbon.example:08441",
    "https://lisbon.example:65536",
    "https://lisbon.example:-1",
    "https://lisbon.example:+1",
    "https://lisbon.example:99999999999999999999",
    "https://lisbon.example:443:443",
    "https://münchen.example",
    "https://lisbon%2eexample",
    "https://lisbon.example\x01",
    "https://*.example",
    /* addresses, in the forms that some resolver takes for IPv4 */
    "https://127.0.0.1",
    "https://127.0.0.1:8441",
    "https://127.1",
    "https://2130706433",
    "https://017700000001",
    "https://0x7f000001",
    "https://0x7f.1",
    "https://0X7F.0.0.0x1",
    "https://1.2.3.0x",
    "https://lisbon.1",
    "https://[::1]",
    "https://[::1]:8441",
    "https://[::ffff:127.0.0.1]",
    "https://::1",
    "https://a" LABEL_63 ".example",
};

static void others_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(invalid); i++) {
        char out[LIMIT_ENTITY_ID + 1] = "untouched";
        struct err err = {0};

        if (entity_canonical(str_of(invalid[i]), out, &err) != ENTITY_E_INVALID)
            fail_msg("%s was accepted", invalid[i]);
        assert_string_equal(out, "untouched");
        assert_true(err.text[0] && err.next[0]);
        assert_false(entity_is_canonical(str_of(invalid[i])));
    }
}

static void nul_within_is_refused(void **state)
{
    char out[LIMIT_ENTITY_ID + 1];

    assert_int_equal(entity_canonical(STR("https://lisbon.example\0.evil.example"), out, NULL),
                     ENTITY_E_INVALID);
    assert_false(entity_is_canonical(STR("https://lisbon.example\0")));
}

/* "https://" and labels of 61, up to exactly n characters. */
static struct str long_id(char *to, size_t n)
{
    memset(to, 'a', n);
    memcpy(to, "https://", 8);
    for (size_t i = 8 + 61; i < n - 1; i += 62)
        to[i] = '.';
    return (struct str){to, n};
}

static void lengths_are_bounded(void **state)
{
    char text[300], out[LIMIT_ENTITY_ID + 1];

    assert_int_equal(entity_canonical(long_id(text, 255), out, NULL), 0);
    assert_int_equal(strlen(out), 255);
    assert_true(entity_is_canonical(long_id(text, 255)));
    assert_int_equal(entity_canonical(long_id(text, 256), out, NULL), ENTITY_E_INVALID);
    assert_int_equal(entity_canonical(long_id(text, 300), out, NULL), ENTITY_E_INVALID);

    /* What the canonical form drops does not count. */
    long_id(text, 255);
    memcpy(text + 255, ":443/", 5);
    assert_int_equal(entity_canonical((struct str){text, 260}, out, NULL), 0);
    assert_int_equal(strlen(out), 255);
}

static void parts_of_an_id(void **state)
{
    const char *plain = "https://lisbon.example", *port = "https://lisbon.localhost:8441";

    assert_true(str_eqz(entity_authority(plain), "lisbon.example"));
    assert_true(str_eqz(entity_hostname(plain), "lisbon.example"));
    assert_int_equal(entity_port(plain), 443);
    assert_true(str_eqz(entity_authority(port), "lisbon.localhost:8441"));
    assert_true(str_eqz(entity_hostname(port), "lisbon.localhost"));
    assert_int_equal(entity_port(port), 8441);
}

static void local_names(void **state)
{
    assert_true(entity_is_local("https://localhost"));
    assert_true(entity_is_local("https://localhost:8441"));
    assert_true(entity_is_local("https://lisbon.localhost:8441"));
    assert_false(entity_is_local("https://lisbon.example"));
    assert_false(entity_is_local("https://notlocalhost.example"));
    assert_false(entity_is_local("https://evil-localhost.example"));
    assert_false(entity_is_local("https://localhost.example"));
    assert_false(entity_is_local("https://a.evillocalhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typed_forms_become_canonical),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(nul_within_is_refused),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(parts_of_an_id),
        cmocka_unit_test(local_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

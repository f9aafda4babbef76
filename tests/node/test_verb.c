/* Words and options of a command line; which verb is meant; which space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "verb.h"

static const struct verb add = {.name = "member add"}, list = {.name = "member list"},
                         verify = {.name = "verify", .no_space = true}, plain = {.name = "status"};
const struct verb *const verbs[] = {&add, &list, &verify, &plain, NULL};

static const struct verb *find(int argc, char *a, char *b, int *used)
{
    char *argv[] = {a, b};
    return verb_find(argc, argv, used);
}

static void finds_the_longest(void **state)
{
    int used;
    assert_ptr_equal(find(2, "member", "add", &used), &add);
    assert_int_equal(used, 2);
    assert_ptr_equal(find(2, "verify", "add", &used), &verify);
    assert_int_equal(used, 1);
    assert_null(find(1, "member", NULL, &used));
    assert_null(find(2, "member", "ad", &used));
    assert_null(find(1, "verif", NULL, &used));
}

static void suggests_what_is_near(void **state)
{
    struct err err = {0};
    char *typed[] = {"verfy", "x"};
    assert_int_equal(verb_unknown(2, typed, &err), -EINVAL);
    assert_non_null(strstr(err.text, "verfy"));
    assert_non_null(strstr(err.next, "comity verify"));

    char *second[] = {"member", "ad"};
    assert_int_equal(verb_unknown(2, second, &err), -EINVAL);
    assert_non_null(strstr(err.next, "comity member add"));

    char *alone[] = {"member"};
    assert_int_equal(verb_unknown(1, alone, &err), -EINVAL);
    assert_non_null(strstr(err.next, "add|list"));

    char *far[] = {"completely-different"};
    assert_int_equal(verb_unknown(1, far, &err), -EINVAL);
    assert_null(strstr(err.next, "Did you mean"));
}

static const struct option_spec options[] = {
    {"--tier", OPTION_TEXT},
    {"--dry-run", OPTION_FLAG},
    {"--days", OPTION_INT, 1, 30},
    {"--lon", OPTION_REAL, -180, 180},
};
static const char *const words[] = {"name", "other"};

static int parse(struct json *request, struct err *err, int argc, ...)
{
    char *argv[8];
    va_list ap;
    va_start(ap, argc);
    for (int i = 0; i < argc; i++)
        argv[i] = va_arg(ap, char *);
    va_end(ap);
    struct args a = {argc, argv};
    return options_parse(&a, options, ARRAY_SIZE(options), words, 2, 1, request, err);
}

static void reads_options_and_words(void **state)
{
    _cleanup_(json_freep) struct json *r = json_object();
    int64_t days;
    double lon;
    bool dry = false;
    assert_int_equal(
        parse(r, NULL, 7, "--days", "30", "Ana", "--lon=-9.14", "--dry-run", "--tier", "--odd"), 0);
    assert_int_equal(json_get_int(r, "days", &days), 0);
    assert_int_equal(days, 30);
    assert_int_equal(json_get_real(r, "lon", &lon), 0);
    assert_true(lon < -9.1 && lon > -9.2);
    assert_int_equal(json_get_bool(r, "dry_run", &dry), 0);
    assert_true(dry);
    assert_string_equal(json_z(r, "name"), "Ana");
    /* what stands after an option that wants a value is its value */
    assert_string_equal(json_z(r, "tier"), "--odd");
    assert_null(json_get(r, "other"));
}

static void after_two_dashes_all_are_words(void **state)
{
    _cleanup_(json_freep) struct json *r = json_object();
    assert_int_equal(parse(r, NULL, 3, "--", "--days", "-"), 0);
    assert_string_equal(json_z(r, "name"), "--days");
    assert_string_equal(json_z(r, "other"), "-");
}

static void one_dash_is_a_word(void **state)
{
    _cleanup_(json_freep) struct json *r = json_object();
    assert_int_equal(parse(r, NULL, 1, "-"), 0);
    assert_string_equal(json_z(r, "name"), "-");
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        char *a, *b, *c;
        const char *named;
    } cases[] = {
        {"--teir", "x", "Ana", "--teir"},
        {"Ana", "--days", "0", "--days"},
        {"Ana", "--days", "31", "--days"},
        {"Ana", "--days", "many", "many"},
        {"Ana", "--days", "1e1", "1e1"},
        {"Ana", "--days", " 3", "--days"},
        {"Ana", "--lon", "181", "--lon"},
        {"Ana", "--lon", "nan", "nan"},
        {"Ana", "x", "--tier", "--tier"},
        {"Ana", "x", "y", "y"},
        {"--dry-run", "--dry-run", "A", "twice"},
        {"Ana", "--dry-run=no", "x", "--dry-run"},
        {"--tier", "x", "--dry-run", "NAME"},
        {"Ana", "--tier", "\xff", "UTF-8"},
        {"Ana", "-x", "y", "-x"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(json_freep) struct json *r = json_object();
        struct err err = {0};
        print_message("%s %s %s\n", cases[i].a, cases[i].b, cases[i].c);
        assert_int_equal(parse(r, &err, 3, cases[i].a, cases[i].b, cases[i].c), -EINVAL);
        assert_non_null(strstr(err.text, cases[i].named));
    }
}

static void a_mistyped_option_has_a_neighbour(void **state)
{
    _cleanup_(json_freep) struct json *r = json_object();
    struct err err = {0};
    assert_int_equal(parse(r, &err, 2, "Ana", "--teir=x"), -EINVAL);
    assert_non_null(strstr(err.next, "--tier"));
    err = (struct err){0};
    assert_int_equal(parse(r, &err, 2, "Ana", "--jsno"), -EINVAL);
    assert_non_null(strstr(err.next, "--json"));
    err = (struct err){0};
    assert_int_equal(parse(r, &err, 2, "Ana", "--completely-other"), -EINVAL);
    assert_string_equal(err.next, "");
}

static void a_verb_of_many_spaces_wants_one(void **state)
{
    static struct app app; /* without spaces */
    struct space *chosen = (struct space *)&app;
    struct err err = {0};
    assert_int_equal(verb_choose_space(&verify, &app, "", &chosen, &err), 0);
    assert_null(chosen);
    assert_int_equal(verb_choose_space(&add, &app, "", &chosen, &err), APP_E_INVALID);
    assert_non_null(strstr(err.next, "space add"));
    assert_int_equal(verb_choose_space(&verify, &app, "nowhere.example", &chosen, &err),
                     APP_E_ABSENT);
    assert_non_null(strstr(err.text, "nowhere.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_longest),
        cmocka_unit_test(suggests_what_is_near),
        cmocka_unit_test(reads_options_and_words),
        cmocka_unit_test(after_two_dashes_all_are_words),
        cmocka_unit_test(one_dash_is_a_word),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_mistyped_option_has_a_neighbour),
        cmocka_unit_test(a_verb_of_many_spaces_wants_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

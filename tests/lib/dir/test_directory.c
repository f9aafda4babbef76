#include "lib/base/unit.h"

#include "lib/dir/make.h"

#define LISBON "https://lisbon.example"
#define BERLIN "https://berlin.example"

static struct directory *d;

static int set_up(void **state)
{
    return directory_new(&d);
}

static int tear_down(void **state)
{
    directory_free(d);
    return 0;
}

static int put(const char *id, int64_t iat)
{
    struct configuration c = make_space(id, iat);

    return directory_put(d, &c, DIR_RECOGNISED, NOW);
}

static int put_list(const char *iss, const char *uri, int64_t iat, bool set)
{
    struct status_list list = make_list(iss, uri, iat, set);
    int r = directory_put_status(d, &list, NOW);

    if (r == 0) {
        assert_null(list.packed);
        assert_null(list.plain);
        assert_string_equal(list.uri, "");
    } else {
        assert_non_null(list.packed);
        assert_non_null(list.plain);
    }
    status_list_clear(&list);
    return r;
}

/* The value of entry 5 in that list; -1 if there is no such list. */
static int status_of(const char *uri)
{
    struct dir_status status;
    unsigned value = 99;
    int r;

    directory_read(d);
    r = directory_status(d, uri, &status);
    if (r == 0)
        assert_int_equal(status_list_get(status.list, 5, &value), 0);
    directory_done(d);
    assert_true(r == 0 || r == DIR_E_UNKNOWN);
    return r == 0 ? (int)value : -1;
}

static void a_space_is_found_as_it_was_put(void **state)
{
    struct configuration c = make_space(LISBON, NOW - 5);
    const struct dir_issuer *found;
    char kid[THUMBPRINT_LEN + 1];

    c.has_position = true;
    c.lat = 38.75;
    c.lon = -9.125;
    assert_int_equal(directory_put(d, &c, DIR_SUSPENDED, NOW - 3), 0);
    directory_read(d);
    assert_null(directory_find(d, BERLIN));
    assert_null(directory_find(d, ""));
    assert_null(directory_find(d, "https://lisbon.exampl"));
    assert_null(directory_find(d, "https://lisbon.example2"));
    found = directory_find(d, LISBON);
    assert_non_null(found);
    assert_string_equal(found->id, LISBON);
    assert_string_equal(found->name, c.name);
    assert_string_equal(found->country, "PT");
    assert_true(found->has_position && found->lat == c.lat && found->lon == c.lon);
    assert_int_equal(found->state, DIR_SUSPENDED);
    assert_false(found->conflict);
    assert_true(found->config_iat == c.iat && found->config_exp == c.exp);
    assert_true(found->checked == NOW - 3);
    assert_int_equal(found->n_pass, 1);
    assert_int_equal(found->n_federation, 1);
    assert_true(key_equal(&found->pass[0], &c.pass[0]));
    assert_true(key_equal(&found->federation[0], &c.federation[0]));
    assert_int_equal(jwk_thumbprint(&c.pass[0], kid), 0);
    assert_string_equal(found->pass_kid[0], kid);
    assert_int_equal(jwk_thumbprint(&c.federation[0], kid), 0);
    assert_string_equal(found->federation_kid[0], kid);
    assert_int_equal(found->status_lists, 2);
    directory_done(d);
}

static void an_older_configuration_changes_nothing(void **state)
{
    struct configuration c = make_space(LISBON, NOW);

    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(put(LISBON, NOW - 1), DIR_E_OLDER);
    c.pass[0] = make_key(7);
    assert_int_equal(directory_put(d, &c, DIR_UNRECOGNISED, NOW + 9), 0); /* the same iat may */
    c.iat = NOW + 1;
    assert_int_equal(directory_put(d, &c, DIR_RECOGNISED, NOW + 10), 0);
    assert_int_equal(directory_count(d), 1);
    directory_read(d);
    assert_true(directory_find(d, LISBON)->config_iat == NOW + 1);
    assert_true(key_equal(&directory_find(d, LISBON)->pass[0], &c.pass[0]));
    directory_done(d);
}

static void touching_and_removing(void **state)
{
    assert_int_equal(directory_touch(d, LISBON, NOW), DIR_E_UNKNOWN);
    assert_int_equal(directory_remove(d, LISBON), DIR_E_UNKNOWN);
    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(put(BERLIN, NOW), 0);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW, false), 0);
    assert_int_equal(directory_touch(d, LISBON, NOW + 77), 0);
    directory_read(d);
    assert_true(directory_find(d, LISBON)->checked == NOW + 77);
    assert_true(directory_find(d, BERLIN)->checked == NOW);
    directory_done(d);
    assert_int_equal(directory_remove(d, LISBON), 0);
    assert_int_equal(directory_remove(d, LISBON), DIR_E_UNKNOWN);
    assert_int_equal(directory_count(d), 1);
    assert_int_equal(status_of(LISBON "/status/0"), -1);
    assert_int_equal(put(LISBON, NOW - 100), 0); /* nothing of it is remembered */
    assert_int_equal(status_of(LISBON "/status/0"), -1);
}

static void status_lists_of_known_spaces(void **state)
{
    struct dir_status status = {0}, again = {0};

    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW, false), DIR_E_UNKNOWN);
    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(status_of(LISBON "/status/0"), -1);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW, false), 0);
    assert_int_equal(put_list("", LISBON "/status/1", NOW, true), 0);
    assert_int_equal(status_of(LISBON "/status/0"), 0);
    assert_int_equal(status_of(LISBON "/status/1"), 1);

    directory_read(d);
    assert_int_equal(directory_status(d, LISBON "/status/0", &status), 0);
    assert_int_equal(directory_status(d, LISBON "/status/0", &again), 0);
    assert_ptr_equal(status.list, again.list); /* inflated once */
    assert_string_equal(status.list->uri, LISBON "/status/0");
    assert_string_equal(status.list->iss, LISBON);
    assert_true(status.list->iat == NOW && status.list->exp == NOW + LIFETIME_STATUS_LIST);
    assert_true(status.checked == NOW);
    directory_done(d);
}

static void foreign_status_lists(void **state)
{
    static const char *const uris[] = {
        LISBON "/status/2", /* not named by its configuration */
        LISBON "/status/3",   LISBON "/status/4",
        LISBON "/status/-1",  LISBON "/status/00",
        LISBON "/status/",    LISBON "/status",
        LISBON "/status/0/",  LISBON "/status/0?x",
        LISBON "/x/status/0", LISBON,
        "/status/0",          "",
    };

    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(put(BERLIN, NOW), 0);
    for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
        int r = put_list(LISBON, uris[i], NOW, false);
        if (r != DIR_E_FOREIGN && r != DIR_E_UNKNOWN)
            fail_msg("%s: %d", uris[i], r);
        assert_int_equal(status_of(uris[i]), -1);
        assert_int_equal(directory_touch_status(d, uris[i], NOW), DIR_E_UNKNOWN);
    }
    assert_int_equal(put_list(BERLIN, LISBON "/status/0", NOW, false), DIR_E_FOREIGN);
    assert_int_equal(put_list(LISBON, BERLIN "/status/0", NOW, false), DIR_E_FOREIGN);
    assert_int_equal(put_list(LISBON, LISBON ".evil.example/status/0", NOW, false), DIR_E_UNKNOWN);
    assert_int_equal(status_of(LISBON "/status/0"), -1);
}

static void newer_status_lists_replace_older_ones(void **state)
{
    struct dir_status status;

    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW, true), 0);
    assert_int_equal(status_of(LISBON "/status/0"), 1);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW - 1, false), DIR_E_OLDER);
    assert_int_equal(status_of(LISBON "/status/0"), 1);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW + 1, false), 0);
    assert_int_equal(status_of(LISBON "/status/0"), 0);
    assert_int_equal(directory_touch_status(d, LISBON "/status/0", NOW + 50), 0);
    assert_int_equal(directory_touch_status(d, LISBON "/status/1", NOW + 50), DIR_E_UNKNOWN);
    directory_read(d);
    assert_int_equal(directory_status(d, LISBON "/status/0", &status), 0);
    assert_true(status.checked == NOW + 50);
    directory_done(d);
}

static void lists_live_on_through_a_renewal(void **state)
{
    struct configuration c = make_space(LISBON, NOW + 1);

    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW, true), 0);
    assert_int_equal(put_list(LISBON, LISBON "/status/1", NOW, true), 0);
    assert_int_equal(status_of(LISBON "/status/0"), 1); /* inflated; that moves too */
    c.pass[1] = make_key(3);
    c.n_pass = 2;
    assert_int_equal(directory_put(d, &c, DIR_RECOGNISED, NOW), 0);
    assert_int_equal(status_of(LISBON "/status/0"), 1);
    assert_int_equal(status_of(LISBON "/status/1"), 1);

    c.iat = NOW + 2;
    c.status_lists = 1;
    assert_int_equal(directory_put(d, &c, DIR_RECOGNISED, NOW), 0);
    assert_int_equal(status_of(LISBON "/status/0"), 1);
    assert_int_equal(status_of(LISBON "/status/1"), -1);
}

static void lists_go_with_the_key_that_may_have_signed_them(void **state)
{
    struct configuration c = make_space(LISBON, NOW + 1);

    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW + 100, false), 0);
    c.pass[0] = make_key(3);
    assert_int_equal(directory_put(d, &c, DIR_RECOGNISED, NOW), 0);
    assert_int_equal(status_of(LISBON "/status/0"), -1);
    assert_int_equal(put_list(LISBON, LISBON "/status/0", NOW + 2, true), 0);
    assert_int_equal(status_of(LISBON "/status/0"), 1);
}

/* Ids in an order that is not theirs; all are found, in order, up to the bound. */
static void as_many_as_the_bound(void **state)
{
    char id[LIMIT_ENTITY_ID + 1], last[LIMIT_ENTITY_ID + 1] = "";

    for (unsigned i = 0; i < LIMIT_PEERS; i++) {
        snprintf(id, sizeof(id), "https://s%u.example", i * 2654435761u % LIMIT_PEERS);
        assert_int_equal(put(id, NOW), 0);
    }
    assert_int_equal(directory_count(d), LIMIT_PEERS);
    assert_int_equal(put(LISBON, NOW), DIR_E_FULL);
    assert_int_equal(put("https://s17.example", NOW + 1), 0); /* replacing needs no room */
    directory_read(d);
    for (unsigned i = 0; i < LIMIT_PEERS; i++) {
        snprintf(id, sizeof(id), "https://s%u.example", i);
        assert_non_null(directory_find(d, id));
        assert_string_equal(directory_find(d, id)->id, id);
        assert_true(strcmp(last, directory_at(d, i)->id) < 0);
        snprintf(last, sizeof(last), "%s", directory_at(d, i)->id);
    }
    assert_null(directory_at(d, LIMIT_PEERS));
    directory_done(d);
    assert_int_equal(directory_remove(d, "https://s0.example"), 0);
    assert_int_equal(directory_remove(d, "https://s999.example"), 0);
    assert_int_equal(put(LISBON, NOW), 0);
    assert_int_equal(directory_count(d), LIMIT_PEERS - 1);
    directory_read(d);
    assert_non_null(directory_find(d, LISBON));
    assert_null(directory_find(d, "https://s0.example"));
    directory_done(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_space_is_found_as_it_was_put),
        TEST(an_older_configuration_changes_nothing),
        TEST(touching_and_removing),
        TEST(status_lists_of_known_spaces),
        TEST(foreign_status_lists),
        TEST(newer_status_lists_replace_older_ones),
        TEST(lists_live_on_through_a_renewal),
        TEST(lists_go_with_the_key_that_may_have_signed_them),
        TEST(as_many_as_the_bound),
    };

    directory_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

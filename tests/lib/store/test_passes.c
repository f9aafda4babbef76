#include "lib/store/scratch.h"

#include "lib/store/rows.h"

static int setup(void **state)
{
    struct member_row ana = member_row_of("mem_ana"), rui = member_row_of("mem_rui");

    if (scratch_setup(state))
        return -1;
    struct scratch *t = *state;
    return store_member_add(t->space, &ana) || store_member_add(t->space, &rui);
}

static void add(struct scratch *t, const char *id, const char *member, uint32_t idx)
{
    struct pass_row row = pass_row_of(id, member, idx);

    assert_int_equal(store_pass_add(t->space, &row, T0), 0);
}

static int each(const struct pass_row *row, void *arg)
{
    return gather(arg, row->id);
}

static void a_pass_comes_back_as_it_was_added(void **state)
{
    struct scratch *t = *state;
    struct pass_row row = pass_row_of("pas_1", "mem_ana", 32767), out = {.id = "untouched"};

    row.list = 3;
    assert_int_equal(store_pass_add(t->space, &row, T0), 0);
    assert_int_equal(store_pass_get(t->space, "pas_2", &out), STORE_E_ABSENT);
    assert_string_equal(out.id, "untouched");
    assert_int_equal(store_pass_get(t->space, "pas_1", &out), 0);
    assert_memory_equal(&out, &row, sizeof(row));
}

static void an_index_is_free_again_after_expiry(void **state)
{
    struct scratch *t = *state;
    struct pass_row row = pass_row_of("pas_2", "mem_rui", 5), out;

    add(t, "pas_1", "mem_ana", 5);
    assert_int_equal(store_pass_add(t->space, &row, T0), STORE_E_EXISTS);
    assert_int_equal(store_pass_add(t->space, &row, T0 + 30 * 86400 - 1), STORE_E_EXISTS);
    row.list = 1;
    assert_int_equal(store_pass_add(t->space, &row, T0), 0);
    row = pass_row_of("pas_3", "mem_rui", 5);
    row.iat = T0 + 30 * 86400;
    row.exp = row.iat + 86400;
    assert_int_equal(store_pass_add(t->space, &row, T0 + 30 * 86400), 0);

    assert_int_equal(store_pass_by_index(t->space, 0, 5, T0 - 1, &out), STORE_E_ABSENT);
    assert_int_equal(store_pass_by_index(t->space, 0, 5, T0, &out), 0);
    assert_string_equal(out.id, "pas_1");
    assert_int_equal(store_pass_by_index(t->space, 0, 5, row.iat - 1, &out), 0);
    assert_string_equal(out.id, "pas_1");
    assert_int_equal(store_pass_by_index(t->space, 0, 5, row.iat + 7, &out), 0);
    assert_string_equal(out.id, "pas_3");
    assert_int_equal(store_pass_by_index(t->space, 0, 6, row.iat, &out), STORE_E_ABSENT);
}

static void a_pass_needs_its_member_and_an_id_of_its_own(void **state)
{
    struct scratch *t = *state;
    struct pass_row row = pass_row_of("pas_1", "mem_nobody", 5);

    assert_int_equal(store_pass_add(t->space, &row, T0), STORE_E_ABSENT);
    add(t, "pas_1", "mem_ana", 5);
    row = pass_row_of("pas_1", "mem_ana", 6);
    assert_int_equal(store_pass_add(t->space, &row, T0), STORE_E_EXISTS);
}

static void revoked_is_final(void **state)
{
    struct scratch *t = *state;
    struct pass_row out;

    add(t, "pas_1", "mem_ana", 5);
    assert_int_equal(store_pass_set_state(t->space, "pas_1", PASS_SUSPENDED, T0 + 1), 0);
    assert_int_equal(store_pass_set_state(t->space, "pas_1", PASS_LIVE, T0 + 2), 0);
    assert_int_equal(store_pass_get(t->space, "pas_1", &out), 0);
    assert_int_equal(out.state, PASS_LIVE);
    assert_int_equal(out.revoked_at, 0);
    assert_int_equal(store_pass_set_state(t->space, "pas_1", PASS_REVOKED, T0 + 3), 0);
    assert_int_equal(store_pass_set_state(t->space, "pas_1", PASS_REVOKED, T0 + 4), 0);
    assert_int_equal(store_pass_set_state(t->space, "pas_1", PASS_LIVE, T0 + 5), STORE_E_STATE);
    assert_int_equal(store_pass_set_state(t->space, "pas_1", PASS_SUSPENDED, T0), STORE_E_STATE);
    assert_int_equal(store_pass_get(t->space, "pas_1", &out), 0);
    assert_int_equal(out.state, PASS_REVOKED);
    assert_int_equal(out.revoked_at, T0 + 3);
    assert_int_equal(store_pass_set_state(t->space, "pas_2", PASS_REVOKED, T0), STORE_E_ABSENT);
}

static void marked_are_the_bits_of_a_list(void **state)
{
    struct scratch *t = *state;
    struct gathered g = {0};
    uint32_t n = 99;
    int64_t live = 99;

    for (uint32_t i = 0; i < 6; i++) {
        char id[16];
        snprintf(id, sizeof(id), "pas_%u", i);
        struct pass_row row = pass_row_of(id, "mem_ana", i);
        row.list = i == 5;
        row.exp = T0 + 100 * (i + 1);
        assert_int_equal(store_pass_add(t->space, &row, T0), 0);
    }
    assert_int_equal(store_pass_set_state(t->space, "pas_0", PASS_REVOKED, T0), 0);
    assert_int_equal(store_pass_set_state(t->space, "pas_2", PASS_SUSPENDED, T0), 0);
    assert_int_equal(store_pass_set_state(t->space, "pas_4", PASS_REVOKED, T0), 0);
    assert_int_equal(store_pass_set_state(t->space, "pas_5", PASS_REVOKED, T0), 0);
    assert_int_equal(store_pass_marked(t->space, 0, T0, each, &g), 0);
    assert_string_equal(g.text, "pas_0 pas_2 pas_4 ");
    g = (struct gathered){0};
    assert_int_equal(store_pass_marked(t->space, 0, T0 + 100, each, &g), 0);
    assert_string_equal(g.text, "pas_2 pas_4 ");
    assert_int_equal(store_pass_count(t->space, 0, T0, &n), 0);
    assert_int_equal(n, 5);
    assert_int_equal(store_pass_count(t->space, 0, T0 + 300, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(store_pass_count(t->space, 2, T0, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(store_pass_live_count(t->space, T0, &live), 0);
    assert_int_equal(live, 2);
    assert_int_equal(store_pass_live_count(t->space, T0 + 200, &live), 0);
    assert_int_equal(live, 1);
}

static void lists_are_of_all_or_of_a_member(void **state)
{
    struct scratch *t = *state;
    struct gathered g = {0};

    add(t, "d", "mem_ana", 1);
    add(t, "b", "mem_rui", 2);
    add(t, "c", "mem_ana", 3);
    add(t, "a", "mem_ana", 4);
    assert_int_equal(store_pass_list(t->space, NULL, NULL, 3, each, &g), 0);
    assert_int_equal(store_pass_list(t->space, NULL, "c", 3, each, &g), 0);
    assert_string_equal(g.text, "d b c a ");
    g = (struct gathered){0};
    assert_int_equal(store_pass_list(t->space, "mem_ana", NULL, 2, each, &g), 0);
    assert_int_equal(store_pass_list(t->space, "mem_ana", "c", 2, each, &g), 0);
    assert_string_equal(g.text, "d c a ");
    assert_int_equal(store_pass_list(t->space, "mem_nobody", NULL, 2, each, &g), 0);
    assert_int_equal(g.n, 3);
}

static void only_the_newest_is_published(void **state)
{
    struct scratch *t = *state;
    _cleanup_(buf_clear) struct buf token = {0};
    int64_t iat = 0, exp = 0;

    assert_int_equal(store_published_get(t->space, "status/0", &token, &iat, &exp), STORE_E_ABSENT);
    assert_int_equal(store_published_put(t->space, "status/0", STR("one"), T0, T0 + 9), 0);
    assert_int_equal(store_published_put(t->space, "status/0", STR("two"), T0 + 1, T0 + 10), 0);
    assert_int_equal(store_published_put(t->space, "status/0", STR("old"), T0, T0 + 10),
                     STORE_E_STATE);
    assert_int_equal(store_published_put(t->space, "status/2", STR("future"), T0 + 999999, T0), 0);
    assert_int_equal(store_published_put(t->space, "status/2", STR("now"), T0, T0 + 10), 0);
    assert_int_equal(store_published_put(t->space, "status/1", STR("other"), T0, T0 + 10), 0);
    assert_int_equal(store_published_get(t->space, "status/0", &token, &iat, &exp), 0);
    assert_true(str_eqz(buf_as_str(&token), "two"));
    assert_int_equal(iat, T0 + 1);
    assert_int_equal(exp, T0 + 10);
}

static void a_dirty_list_stays_so_until_it_is_signed(void **state)
{
    struct scratch *t = *state;
    bool dirty = true;

    assert_int_equal(store_status_is_dirty(t->space, 2, &dirty), 0);
    assert_false(dirty);
    assert_int_equal(store_status_dirty(t->space, 2, true), 0);
    assert_int_equal(store_status_is_dirty(t->space, 2, &dirty), 0);
    assert_true(dirty);
    assert_int_equal(store_status_is_dirty(t->space, 1, &dirty), 0);
    assert_false(dirty);
    assert_int_equal(store_status_dirty(t->space, 2, false), 0);
    assert_int_equal(store_status_is_dirty(t->space, 2, &dirty), 0);
    assert_false(dirty);
}

#define pass_test(f) cmocka_unit_test_setup_teardown(f, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pass_test(a_pass_comes_back_as_it_was_added),
        pass_test(an_index_is_free_again_after_expiry),
        pass_test(a_pass_needs_its_member_and_an_id_of_its_own),
        pass_test(revoked_is_final),
        pass_test(marked_are_the_bits_of_a_list),
        pass_test(lists_are_of_all_or_of_a_member),
        pass_test(only_the_newest_is_published),
        pass_test(a_dirty_list_stays_so_until_it_is_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

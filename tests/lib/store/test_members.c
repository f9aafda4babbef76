#include "lib/store/scratch.h"

#include "lib/store/rows.h"

static void add(struct scratch *t, const char *id, enum member_state state)
{
    struct member_row row = member_row_of(id);

    row.state = state;
    assert_int_equal(store_member_add(t->space, &row), 0);
}

static int each(const struct member_row *row, void *arg)
{
    return gather(arg, row->id);
}

static void a_member_comes_back_as_it_was_added(void **state)
{
    struct scratch *t = *state;
    struct member_row row = member_row_of("mem_1"), out;

    snprintf(row.external_id, sizeof(row.external_id), "crm-17");
    memset(row.name, 'n', LIMIT_NAME);
    row.changed_at = T0 + 5;
    assert_int_equal(store_member_add(t->space, &row), 0);
    assert_int_equal(store_member_get(t->space, "mem_1", &out), 0);
    assert_memory_equal(&out, &row, sizeof(row));
    assert_int_equal(store_member_by_external_id(t->space, "crm-17", &out), 0);
    assert_string_equal(out.id, "mem_1");
    assert_int_equal(store_member_by_sub(t->space, row.sub, &out), 0);
    assert_string_equal(out.id, "mem_1");
}

static void who_is_not_there_is_absent(void **state)
{
    struct scratch *t = *state;
    struct member_row row = member_row_of("mem_1"), out = {.id = "untouched"};

    add(t, "mem_1", MEMBER_ACTIVE);
    assert_int_equal(store_member_get(t->space, "mem_2", &out), STORE_E_ABSENT);
    assert_int_equal(store_member_by_sub(t->space, "nobody", &out), STORE_E_ABSENT);
    /* "" means none; it is no key, however many have it. */
    assert_int_equal(store_member_by_external_id(t->space, "", &out), STORE_E_ABSENT);
    assert_string_equal(out.id, "untouched");
    snprintf(row.id, sizeof(row.id), "mem_2");
    assert_int_equal(store_member_update(t->space, &row), STORE_E_ABSENT);
}

static void keys_are_unique(void **state)
{
    struct scratch *t = *state;
    struct member_row row = member_row_of("mem_1");

    snprintf(row.external_id, sizeof(row.external_id), "crm-17");
    assert_int_equal(store_member_add(t->space, &row), 0);
    assert_int_equal(store_member_add(t->space, &row), STORE_E_EXISTS);
    row = member_row_of("mem_2");
    snprintf(row.external_id, sizeof(row.external_id), "crm-17");
    assert_int_equal(store_member_add(t->space, &row), STORE_E_EXISTS);
    row = member_row_of("mem_3");
    snprintf(row.sub, sizeof(row.sub), "sub-mem_1");
    assert_int_equal(store_member_add(t->space, &row), STORE_E_EXISTS);
    add(t, "mem_4", MEMBER_ACTIVE);
    add(t, "mem_5", MEMBER_ACTIVE);
    row = member_row_of("mem_5");
    snprintf(row.external_id, sizeof(row.external_id), "crm-17");
    assert_int_equal(store_member_update(t->space, &row), STORE_E_EXISTS);
}

static void an_update_leaves_what_identifies(void **state)
{
    struct scratch *t = *state;
    struct member_row row = member_row_of("mem_1"), out;

    assert_int_equal(store_member_add(t->space, &row), 0);
    snprintf(row.sub, sizeof(row.sub), "another");
    snprintf(row.name, sizeof(row.name), "Ana Sousa Lima");
    row.created_at = 1;
    row.changed_at = T0 + 9;
    row.state = MEMBER_SUSPENDED;
    assert_int_equal(store_member_update(t->space, &row), 0);
    assert_int_equal(store_member_get(t->space, "mem_1", &out), 0);
    assert_string_equal(out.sub, "sub-mem_1");
    assert_string_equal(out.name, "Ana Sousa Lima");
    assert_int_equal(out.created_at, T0);
    assert_int_equal(out.changed_at, T0 + 9);
    assert_int_equal(out.state, MEMBER_SUSPENDED);
}

static void lists_go_page_by_page(void **state)
{
    struct scratch *t = *state;
    int64_t n = 9;
    struct gathered g = {0};

    add(t, "c", MEMBER_ACTIVE);
    add(t, "a", MEMBER_REMOVED);
    add(t, "d", MEMBER_SUSPENDED);
    add(t, "b", MEMBER_ACTIVE);
    assert_int_equal(store_member_list(t->space, NULL, 2, true, each, &g), 0);
    assert_int_equal(store_member_list(t->space, "a", 2, true, each, &g), 0);
    assert_int_equal(store_member_list(t->space, "b", 2, true, each, &g), 0);
    assert_string_equal(g.text, "c a d b ");
    g = (struct gathered){0};
    assert_int_equal(store_member_list(t->space, NULL, 10, false, each, &g), 0);
    assert_string_equal(g.text, "c d b ");
    assert_int_equal(store_member_list(t->space, "z", 10, false, each, &g), STORE_E_ABSENT);
    g = (struct gathered){.stop_at = 2};
    assert_int_equal(store_member_list(t->space, NULL, 10, true, each, &g), 77);
    assert_string_equal(g.text, "c a ");
    assert_int_equal(store_member_count(t->space, MEMBER_ACTIVE, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(store_member_count(t->space, MEMBER_REMOVED, &n), 0);
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_member_comes_back_as_it_was_added),
        scratch_test(who_is_not_there_is_absent),
        scratch_test(keys_are_unique),
        scratch_test(an_update_leaves_what_identifies),
        scratch_test(lists_go_page_by_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

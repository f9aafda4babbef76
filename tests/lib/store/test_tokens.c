#include "lib/store/scratch.h"

#include "store/tokens.h"

static struct token_row token_of(const char *id, const char *name, uint8_t hash)
{
    struct token_row row = {.role = TOKEN_DESK, .created_at = 7};

    snprintf(row.id, sizeof(row.id), "%s", id);
    snprintf(row.name, sizeof(row.name), "%s", name);
    memset(row.hash, hash, sizeof(row.hash));
    return row;
}

static int find(const struct token_row *row, void *arg)
{
    struct token_row *wanted = arg;

    if (strcmp(row->id, wanted->id) != 0)
        return 0;
    *wanted = *row;
    return 77;
}

static int each(const struct token_row *row, void *arg)
{
    return gather(arg, row->id);
}

static void tokens_are_listed_by_creation(void **state)
{
    struct scratch *t = *state;
    struct gathered g = {0};
    struct token_row b = token_of("tok_b", "Front desk", 1), a = token_of("tok_a", "Door", 2);
    struct token_row out = {.id = "tok_a"};

    a.role = TOKEN_INTEGRATION;
    assert_int_equal(store_token_add(t->space, &b), 0);
    assert_int_equal(store_token_add(t->space, &a), 0);
    assert_int_equal(store_token_list(t->space, each, &g), 0);
    assert_string_equal(g.text, "tok_b tok_a ");
    assert_int_equal(store_token_list(t->space, find, &out), 77);
    assert_memory_equal(&out, &a, sizeof(a));
}

static void a_name_is_in_use_until_its_token_is_revoked(void **state)
{
    struct scratch *t = *state;
    struct token_row first = token_of("tok_1", "desk", 1), second = token_of("tok_2", "desk", 2);
    struct token_row out = {.id = "tok_1"};

    assert_int_equal(store_token_add(t->space, &first), 0);
    assert_int_equal(store_token_add(t->space, &second), STORE_E_EXISTS);
    assert_int_equal(store_token_revoke(t->space, "desk", 100), 0);
    assert_int_equal(store_token_revoke(t->space, "desk", 101), STORE_E_ABSENT);
    assert_int_equal(store_token_revoke(t->space, "tok_1", 102), STORE_E_STATE);
    assert_int_equal(store_token_list(t->space, find, &out), 77);
    assert_int_equal(out.revoked_at, 100);
    assert_int_equal(store_token_add(t->space, &second), 0);
    assert_int_equal(store_token_revoke(t->space, "tok_2", 103), 0);
    assert_int_equal(store_token_revoke(t->space, "tok_3", 103), STORE_E_ABSENT);
}

/* A name that is chosen to look like another's id must not take its place. */
static void an_id_goes_before_a_name(void **state)
{
    struct scratch *t = *state;
    struct token_row evil = token_of("tok_1", "tok_2", 1), good = token_of("tok_2", "desk", 2);
    struct token_row out = {.id = "tok_2"};

    assert_int_equal(store_token_add(t->space, &evil), 0);
    assert_int_equal(store_token_add(t->space, &good), 0);
    assert_int_equal(store_token_revoke(t->space, "tok_2", 100), 0);
    assert_int_equal(store_token_list(t->space, find, &out), 77);
    assert_int_equal(out.revoked_at, 100);
    /* And once it is revoked, its id does not fall through to the name either. */
    assert_int_equal(store_token_revoke(t->space, "tok_2", 101), STORE_E_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(tokens_are_listed_by_creation),
        scratch_test(a_name_is_in_use_until_its_token_is_revoked),
        scratch_test(an_id_goes_before_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

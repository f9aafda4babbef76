#include "lib/store/scratch.h"

#include <errno.h>

#include "lib/store/rows.h"
#include "store/sqlite.h"

static void add(struct scratch *t, const char *id)
{
    struct visit_row row = visit_row_of(id);

    assert_int_equal(store_visit_add(t->space, &row), 0);
}

static int each(const struct visit_row *row, void *arg)
{
    return gather(arg, row->id);
}

static void a_visit_comes_back_as_it_was_added(void **state)
{
    struct scratch *t = *state;
    struct visit_row row = visit_row_of("vis_1"), out = {.id = "untouched"};

    row.status_idx = UINT32_MAX;
    row.confirmed = true;
    strncpy(row.verdict, "ask",
            sizeof(row.verdict)); /* fills with zeros: rows are compared whole */
    snprintf(row.reasons, sizeof(row.reasons), "printed_pass,status_stale");
    memset(row.person, 0, sizeof(row.person));
    row.person[31] = 0xff;
    assert_int_equal(store_visit_add(t->space, &row), 0);
    assert_int_equal(store_visit_get(t->space, "vis_2", &out), STORE_E_ABSENT);
    assert_string_equal(out.id, "untouched");
    assert_int_equal(store_visit_get(t->space, "vis_1", &out), 0);
    assert_memory_equal(&out, &row, sizeof(row));
    assert_int_equal(store_visit_open(t->space, row.person, &out), 0);
    assert_memory_equal(&out, &row, sizeof(row));
}

static void a_proof_is_good_for_one_visit(void **state)
{
    struct scratch *t = *state;
    struct visit_row row = visit_row_of("vis_1"), again = visit_row_of("vis_2");

    assert_int_equal(store_visit_add(t->space, &row), 0);
    snprintf(again.nonce, sizeof(again.nonce), "%s", row.nonce);
    assert_int_equal(store_visit_add(t->space, &again), STORE_E_CONFLICT);
    assert_int_equal(store_visit_add(t->space, &row), STORE_E_EXISTS);
    snprintf(again.device, sizeof(again.device), "another device");
    assert_int_equal(store_visit_add(t->space, &again), 0);
}

static void unproven_visits_do_not_collide(void **state)
{
    struct scratch *t = *state;
    int64_t n = 0;

    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof(id), "vis_%d", i);
        struct visit_row row = visit_row_of(id);
        row.device[0] = row.nonce[0] = '\0';
        assert_int_equal(store_visit_add(t->space, &row), 0);
    }
    assert_int_equal(store_visit_count(t->space, true, &n), 0);
    assert_int_equal(n, 3);
}

static void a_visit_is_open_until_checked_out(void **state)
{
    struct scratch *t = *state;
    struct visit_row row = visit_row_of("vis_1"), out;
    int64_t n = 9;

    assert_int_equal(store_visit_open(t->space, row.person, &out), STORE_E_ABSENT);
    assert_int_equal(store_visit_add(t->space, &row), 0);
    assert_int_equal(store_visit_open(t->space, row.person, &out), 0);
    assert_int_equal(store_visit_check_out(t->space, "vis_1", T0 + 60), 0);
    assert_int_equal(store_visit_open(t->space, row.person, &out), STORE_E_ABSENT);
    assert_int_equal(store_visit_check_out(t->space, "vis_1", T0 + 61), STORE_E_STATE);
    assert_int_equal(store_visit_check_out(t->space, "vis_2", T0 + 61), STORE_E_ABSENT);
    assert_int_equal(store_visit_get(t->space, "vis_1", &out), 0);
    assert_int_equal(out.checked_out, T0 + 60);
    assert_int_equal(store_visit_count(t->space, true, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(store_visit_count(t->space, false, &n), 0);
    assert_int_equal(n, 1);
}

static void lists_are_newest_first(void **state)
{
    struct scratch *t = *state;
    struct gathered g = {0};

    add(t, "b");
    add(t, "d");
    add(t, "a");
    add(t, "c");
    assert_int_equal(store_visit_check_out(t->space, "d", T0 + 1), 0);
    assert_int_equal(store_visit_list(t->space, NULL, 3, false, each, &g), 0);
    assert_int_equal(store_visit_list(t->space, "d", 3, false, each, &g), 0);
    assert_string_equal(g.text, "c a d b ");
    g = (struct gathered){0};
    assert_int_equal(store_visit_list(t->space, NULL, 2, true, each, &g), 0);
    assert_int_equal(store_visit_list(t->space, "a", 2, true, each, &g), 0);
    assert_string_equal(g.text, "c a b ");
    assert_int_equal(store_visit_list(t->space, "z", 2, true, each, &g), STORE_E_ABSENT);
}

static void unsound_visits_are_refused(void **state)
{
    struct scratch *t = *state;
    struct visit_row row = visit_row_of("vis_1");

    snprintf(row.verdict, sizeof(row.verdict), "refuse");
    assert_int_equal(store_visit_add(t->space, &row), -EINVAL);
    row = visit_row_of("vis_1");
    snprintf(row.stamp_state, sizeof(row.stamp_state), "lost");
    assert_int_equal(store_visit_add(t->space, &row), -EINVAL);
}

static void a_key_keeps_its_answer(void **state)
{
    struct scratch *t = *state;
    _cleanup_(buf_clear) struct buf answer = {0};
    uint8_t digest[32], out[32] = {0}, untouched[32] = {0};

    memset(digest, 7, sizeof(digest));
    assert_int_equal(store_idempotency_get(t->space, "tok_1", "k", out, &answer), STORE_E_ABSENT);
    assert_memory_equal(out, untouched, sizeof(out));
    assert_int_equal(store_idempotency_put(t->space, "tok_1", "k", digest, STR("{}"), T0), 0);
    assert_int_equal(store_idempotency_put(t->space, "tok_1", "k", digest, STR("[]"), T0),
                     STORE_E_EXISTS);
    assert_int_equal(store_idempotency_get(t->space, "tok_2", "k", out, &answer), STORE_E_ABSENT);
    assert_int_equal(store_idempotency_get(t->space, "tok_1", "k", out, &answer), 0);
    assert_memory_equal(out, digest, sizeof(out));
    assert_true(str_eqz(buf_as_str(&answer), "{}"));
    assert_int_equal(store_idempotency_prune(t->space, T0), 0);
    assert_int_equal(store_idempotency_get(t->space, "tok_1", "k", out, &answer), 0);
    assert_int_equal(store_idempotency_prune(t->space, T0 + 1), 0);
    assert_int_equal(store_idempotency_get(t->space, "tok_1", "k", out, &answer), STORE_E_ABSENT);
}

static void a_verification_is_its_desks_for_a_time(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->space;
    _cleanup_(buf_clear) struct buf body = {0};

    assert_int_equal(store_verification_put(s, "ver_1", "tok_1", STR("{}"), T0 + 600), 0);
    assert_int_equal(store_verification_put(s, "ver_1", "tok_2", STR("{}"), T0 + 600),
                     STORE_E_EXISTS);
    assert_int_equal(store_verification_get(s, "ver_1", "tok_2", T0, &body), STORE_E_ABSENT);
    assert_int_equal(store_verification_get(s, "ver_1", "tok_1", T0 + 600, &body), STORE_E_ABSENT);
    assert_int_equal(store_verification_get(s, "ver_1", "tok_1", T0 + 599, &body), 0);
    assert_true(str_eqz(buf_as_str(&body), "{}"));
    assert_int_equal(store_verification_prune(s, T0 + 599), 0);
    assert_int_equal(store_verification_get(s, "ver_1", "tok_1", T0, &body), 0);
    assert_int_equal(store_verification_prune(s, T0 + 600), 0);
    assert_int_equal(store_verification_get(s, "ver_1", "tok_1", T0, &body), STORE_E_ABSENT);
}

/* A day that nobody pruned is taken away in steps: none holds up the desk for long. */
static void pruning_is_bounded(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->space;
    _cleanup_(buf_clear) struct buf out = {0};
    const int last = STORE_PRUNE_AT_ONCE;
    uint8_t digest[32] = {0};
    char key[32];

    assert_int_equal(store_begin(s), 0);
    for (int i = 0; i <= last; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        assert_int_equal(store_idempotency_put(s, "tok_1", key, digest, STR("{}"), T0), 0);
        assert_int_equal(store_verification_put(s, key, "tok_1", STR("{}"), T0), 0);
    }
    assert_int_equal(store_commit(s), 0);
    assert_int_equal(store_idempotency_prune(s, T0 + 1), 0);
    assert_int_equal(store_verification_prune(s, T0), 0);
    assert_int_equal(store_idempotency_get(s, "tok_1", "key-0", digest, &out), STORE_E_ABSENT);
    assert_int_equal(store_idempotency_get(s, "tok_1", key, digest, &out), 0);
    assert_int_equal(store_verification_get(s, "key-0", "tok_1", 0, &out), STORE_E_ABSENT);
    assert_int_equal(store_verification_get(s, key, "tok_1", 0, &out), 0);
    assert_int_equal(store_idempotency_prune(s, T0 + 1), 0);
    assert_int_equal(store_verification_prune(s, T0), 0);
    assert_int_equal(store_idempotency_get(s, "tok_1", key, digest, &out), STORE_E_ABSENT);
    assert_int_equal(store_verification_get(s, key, "tok_1", 0, &out), STORE_E_ABSENT);
}

/* secure_delete: what was removed is not in the files any more, once the WAL is written back. */
static void what_was_deleted_is_gone_from_the_files(void **state)
{
    static const char SECRET[] = "a-name-nobody-else-has";
    struct scratch *t = *state;
    uint8_t digest[32] = {0};
    char content[1 << 20];
    size_t n;

    assert_int_equal(store_idempotency_put(t->space, "tok_1", "k", digest, STR(SECRET), T0), 0);
    assert_int_equal(store_idempotency_prune(t->space, T0 + 1), 0);
    assert_int_equal(sql_exec(t->space, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
    FILE *f = fopen(t->path, "r");
    n = fread(content, 1, sizeof(content), f);
    fclose(f);
    assert_true(n > 4096 && n < sizeof(content));
    assert_null(memmem(content, n, SECRET, strlen(SECRET)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_visit_comes_back_as_it_was_added),
        scratch_test(a_proof_is_good_for_one_visit),
        scratch_test(unproven_visits_do_not_collide),
        scratch_test(a_visit_is_open_until_checked_out),
        scratch_test(lists_are_newest_first),
        scratch_test(unsound_visits_are_refused),
        scratch_test(a_key_keeps_its_answer),
        scratch_test(a_verification_is_its_desks_for_a_time),
        scratch_test(pruning_is_bounded),
        scratch_test(what_was_deleted_is_gone_from_the_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Stamps on both sides: the outbox at the host, and what arrived at home. */
#include "lib/store/scratch.h"

#include "lib/store/rows.h"

static void visit(struct scratch *t, const char *id)
{
    struct visit_row row = visit_row_of(id);

    assert_int_equal(store_visit_add(t->space, &row), 0);
}

static void put(struct scratch *t, const char *visit_id, const char *home, int64_t due)
{
    assert_int_equal(store_outbox_put(t->space, visit_id, 1, home, STR("stamp"), due), 0);
}

static int each(const struct outbox_row *row, void *arg)
{
    return gather(arg, row->visit);
}

static int first(const struct outbox_row *row, void *arg)
{
    static char token[64];
    struct outbox_row *out = arg;

    *out = *row;
    assert_true(row->token.n < sizeof(token));
    memcpy(token, row->token.p, row->token.n);
    out->token.p = token;
    return 77;
}

static struct outbox_row only(struct scratch *t)
{
    struct outbox_row row = {0};
    int64_t n = 0;

    assert_int_equal(store_outbox_count(t->space, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(store_outbox_due(t->space, HOME, INT64_MAX, 1, first, &row), 77);
    return row;
}

static void assert_stamp_state(struct scratch *t, const char *id, const char *expected)
{
    struct visit_row row;

    assert_int_equal(store_visit_get(t->space, id, &row), 0);
    assert_string_equal(row.stamp_state, expected);
}

#define B "https://b.example"
#define C "https://c.example"

static int each_home(const struct outbox_home *home, void *arg)
{
    return gather(arg, home->id);
}

static void assert_homes(struct scratch *t, int64_t now, const char *expected)
{
    struct gathered g = {0};

    assert_int_equal(store_outbox_homes(t->space, now, each_home, &g), 0);
    assert_string_equal(g.text, expected);
}

static void assert_due(struct scratch *t, const char *home, int64_t now, const char *expected)
{
    struct gathered g = {0};

    assert_int_equal(store_outbox_due(t->space, home, now, 3, each, &g), 0);
    assert_string_equal(g.text, expected);
}

static int64_t seq_of;

static int take_seq(const struct outbox_row *row, void *arg)
{
    if (strcmp(row->visit, arg) == 0)
        seq_of = row->seq;
    return 0;
}

static void what_is_due_comes_by_home_and_age(void **state)
{
    struct scratch *t = *state;
    int64_t n = 0;

    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof(id), "vis_%d", i);
        visit(t, id);
        put(t, id, i % 2 ? B : C, T0 + (i == 6 ? 100 : i % 2));
    }
    assert_homes(t, T0 - 1, "");
    assert_homes(t, T0, C " ");
    assert_homes(t, T0 + 1, C " " B " "); /* C's have waited longer */
    assert_due(t, C, T0 - 1, "");
    assert_due(t, C, T0, "vis_0 vis_2 vis_4 ");
    assert_due(t, C, T0 + 100, "vis_0 vis_2 vis_4 ");
    assert_due(t, B, T0 + 1, "vis_1 vis_3 vis_5 ");
    assert_due(t, HOME, T0 + 100, "");
    assert_int_equal(store_outbox_count(t->space, &n), 0);
    assert_int_equal(n, 8);
    /* What was tried goes behind what was not. */
    assert_int_equal(store_outbox_due(t->space, B, T0 + 1, 9, take_seq, "vis_3"), 0);
    assert_int_equal(store_outbox_defer(t->space, seq_of, T0 + 1), 0);
    assert_due(t, B, T0 + 1, "vis_1 vis_5 vis_7 ");
}

static int most_attempts(const struct outbox_home *home, void *arg)
{
    *(unsigned *)arg = home->attempts;
    return 0;
}

static void a_home_that_does_not_answer_is_deferred_as_a_whole(void **state)
{
    struct scratch *t = *state;
    unsigned attempts = 9;

    for (int i = 0; i < 4; i++) {
        char id[16];
        snprintf(id, sizeof(id), "vis_%d", i);
        visit(t, id);
        put(t, id, i == 3 ? C : B, i == 2 ? T0 + 50 : T0);
    }
    assert_int_equal(store_outbox_due(t->space, B, T0, 9, take_seq, "vis_1"), 0);
    assert_int_equal(store_outbox_defer(t->space, seq_of, T0 + 30), 0);
    assert_int_equal(store_outbox_defer_home(t->space, B, T0, T0 + 30), 0);
    assert_homes(t, T0 + 29, C " ");
    assert_due(t, B, T0 + 29, "");
    assert_due(t, B, T0 + 30, "vis_0 vis_1 ");
    assert_due(t, B, T0 + 50, "vis_0 vis_2 vis_1 ");
    assert_int_equal(store_outbox_defer_home(t->space, C, T0, T0 + 99), 0);
    assert_int_equal(store_outbox_homes(t->space, T0 + 50, most_attempts, &attempts), 0);
    assert_int_equal(attempts, 1);
}

/* A home that is away is not asked for each new stamp; once it answers, all are due. */
static void a_new_stamp_waits_with_its_home(void **state)
{
    struct scratch *t = *state;

    visit(t, "vis_0");
    visit(t, "vis_1");
    visit(t, "vis_2");
    put(t, "vis_0", B, T0);
    assert_int_equal(store_outbox_defer_home(t->space, B, T0, T0 + 30), 0);
    put(t, "vis_1", B, T0 + 1);
    put(t, "vis_2", C, T0 + 1);
    assert_homes(t, T0 + 29, C " ");
    assert_due(t, B, T0 + 30, "vis_0 vis_1 ");
    assert_int_equal(store_outbox_hasten(t->space, B, T0 + 2), 0);
    assert_due(t, B, T0 + 2, "vis_0 vis_1 ");
}

/* A clock that was ahead once parks nothing: no wait is longer than an hour. */
static void a_time_too_far_ahead_is_now(void **state)
{
    struct scratch *t = *state;
    const int64_t years = 5 * INT64_C(365) * 86400;

    visit(t, "vis_0");
    visit(t, "vis_1");
    visit(t, "vis_2");
    put(t, "vis_0", B, T0 + years);
    put(t, "vis_1", C, T0 + 3601); /* the longest that a delivery is put off */
    assert_homes(t, T0, B " ");
    assert_due(t, B, T0, "vis_0 ");
    assert_due(t, C, T0, "");
    put(t, "vis_2", C, T0);
    assert_homes(t, T0 - 1, B " " C " ");
    assert_due(t, C, T0 - 1, "vis_1 vis_2 ");

    /* Once it has failed, it waits like any other, and so does what comes after it. */
    assert_int_equal(store_outbox_defer_home(t->space, B, T0, T0 + 30), 0);
    assert_homes(t, T0, "");
    assert_due(t, B, T0 + 29, "");
    assert_due(t, B, T0 + 30, "vis_0 ");
}

static void a_stamp_is_deferred_and_counted(void **state)
{
    struct scratch *t = *state;
    struct gathered g = {0};
    struct outbox_row row;

    visit(t, "vis_1");
    put(t, "vis_1", HOME, T0);
    row = only(t);
    assert_string_equal(row.home, HOME);
    assert_int_equal(row.revision, 1);
    assert_int_equal(row.attempts, 0);
    assert_true(str_eqz(row.token, "stamp"));
    assert_int_equal(store_outbox_defer(t->space, row.seq, T0 + 30), 0);
    assert_int_equal(store_outbox_due(t->space, HOME, T0 + 29, 9, each, &g), 0);
    assert_int_equal(g.n, 0);
    row = only(t);
    assert_int_equal(row.attempts, 1);
    assert_int_equal(row.due, T0 + 30);
    assert_int_equal(store_outbox_defer(t->space, row.seq + 1, T0), STORE_E_ABSENT);
}

static void a_receipt_settles_and_is_kept(void **state)
{
    struct scratch *t = *state;
    _cleanup_(buf_clear) struct buf token = {0}, receipt = {0};
    int64_t n = 9, revision = 0;

    visit(t, "vis_1");
    assert_int_equal(store_stamp_of_visit(t->space, "vis_1", &revision, &token, &receipt),
                     STORE_E_ABSENT);
    put(t, "vis_1", HOME, T0);
    assert_int_equal(store_stamp_of_visit(t->space, "vis_1", &revision, &token, &receipt), 0);
    assert_true(str_eqz(buf_as_str(&token), "stamp"));
    assert_int_equal(receipt.n, 0);
    int64_t seq = only(t).seq;
    assert_int_equal(store_outbox_receipted(t->space, seq, STR("receipt"), T0 + 5), 0);
    assert_int_equal(store_outbox_receipted(t->space, seq, STR("second"), T0 + 6), STORE_E_ABSENT);
    assert_int_equal(store_outbox_count(t->space, &n), 0);
    assert_int_equal(n, 0);
    assert_stamp_state(t, "vis_1", "receipted");
    buf_reset(&token);
    assert_int_equal(store_stamp_of_visit(t->space, "vis_1", &revision, &token, &receipt), 0);
    assert_int_equal(revision, 1);
    assert_true(str_eqz(buf_as_str(&receipt), "receipt"));
    assert_int_equal(store_outbox_put(t->space, "vis_1", 1, HOME, STR("again"), T0),
                     STORE_E_EXISTS);
}

static void a_refusal_settles_too(void **state)
{
    struct scratch *t = *state;
    int64_t n = 9;

    visit(t, "vis_1");
    put(t, "vis_1", HOME, T0);
    int64_t seq = only(t).seq;
    assert_int_equal(store_outbox_refused(t->space, seq, "unknown_pass", T0), 0);
    assert_int_equal(store_outbox_refused(t->space, seq, "unknown_pass", T0), STORE_E_ABSENT);
    assert_int_equal(store_outbox_count(t->space, &n), 0);
    assert_int_equal(n, 0);
    assert_stamp_state(t, "vis_1", "refused");
}

/* The answer to what was sent before must not settle what replaced it. */
static void a_replaced_stamp_is_not_settled_by_an_earlier_answer(void **state)
{
    struct scratch *t = *state;
    struct outbox_row before, row;

    visit(t, "vis_1");
    visit(t, "vis_2");
    put(t, "vis_1", HOME, T0);
    before = only(t);
    assert_int_equal(store_outbox_defer(t->space, before.seq, T0 + 30), 0);
    assert_int_equal(store_outbox_put(t->space, "vis_1", 1, HOME, STR("anew"), T0 + 1), 0);
    row = only(t);
    assert_true(row.seq > before.seq);
    assert_int_equal(row.attempts, 0);
    assert_true(str_eqz(row.token, "anew"));
    assert_int_equal(store_outbox_receipted(t->space, before.seq, STR("r"), T0), STORE_E_ABSENT);
    assert_int_equal(store_outbox_put(t->space, "vis_1", 2, HOME, STR("two"), T0 + 1), 0);
    assert_int_equal(store_outbox_put(t->space, "vis_1", 1, HOME, STR("old"), T0 + 1),
                     STORE_E_STATE);
    row = only(t);
    assert_int_equal(row.revision, 2);
    assert_stamp_state(t, "vis_1", "pending");
}

static void a_correction_follows_a_settled_stamp(void **state)
{
    struct scratch *t = *state;
    _cleanup_(buf_clear) struct buf token = {0}, receipt = {0};
    int64_t revision = 0;

    visit(t, "vis_1");
    put(t, "vis_1", HOME, T0);
    assert_int_equal(store_outbox_receipted(t->space, only(t).seq, STR("receipt"), T0), 0);
    assert_int_equal(store_outbox_put(t->space, "vis_1", 2, HOME, STR("two"), T0), 0);
    assert_stamp_state(t, "vis_1", "pending");
    assert_int_equal(store_stamp_of_visit(t->space, "vis_1", &revision, &token, &receipt), 0);
    assert_int_equal(revision, 2);
    assert_true(str_eqz(buf_as_str(&token), "two"));
    assert_int_equal(receipt.n, 0);
    assert_int_equal(store_outbox_put(t->space, "vis_9", 1, HOME, STR("x"), T0), STORE_E_ABSENT);
}

static struct home_stamp_row stamp_of(const char *id, int64_t received_at)
{
    struct home_stamp_row row = {.host = "https://berlin.example",
                                 .revision = 1,
                                 .member = "mem_ana",
                                 .pass = "pas_1",
                                 .checked_in = T0,
                                 .day = "2025-11-21",
                                 .received_at = received_at,
                                 .proven = true};

    snprintf(row.id, sizeof(row.id), "%s", id);
    memset(row.digest, 3, sizeof(row.digest));
    return row;
}

static void members(struct scratch *t)
{
    struct member_row ana = member_row_of("mem_ana"), rui = member_row_of("mem_rui");

    assert_int_equal(store_member_add(t->space, &ana), 0);
    assert_int_equal(store_member_add(t->space, &rui), 0);
}

static void the_same_stamp_gets_the_same_receipt(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->space;
    _cleanup_(buf_clear) struct buf earlier = {0};
    struct home_stamp_row row = stamp_of("vis_1", T0);

    members(t);
    assert_int_equal(store_home_stamp_add(s, &row, STR("t"), STR("receipt"), &earlier), 0);
    assert_int_equal(earlier.n, 0);
    row.received_at++;
    assert_int_equal(store_home_stamp_add(s, &row, STR("t2"), STR("r2"), &earlier), STORE_E_EXISTS);
    assert_true(str_eqz(buf_as_str(&earlier), "receipt"));
    buf_reset(&earlier);
    row.digest[31] ^= 1;
    assert_int_equal(store_home_stamp_add(s, &row, STR("t"), STR("r"), &earlier), STORE_E_CONFLICT);
    assert_int_equal(earlier.n, 0);
    row.revision = 2;
    assert_int_equal(store_home_stamp_add(s, &row, STR("t"), STR("r"), &earlier), 0);
    snprintf(row.host, sizeof(row.host), "https://rome.example");
    assert_int_equal(store_home_stamp_add(s, &row, STR("t"), STR("r"), &earlier), 0);
    row = stamp_of("vis_2", T0);
    snprintf(row.member, sizeof(row.member), "mem_nobody");
    assert_int_equal(store_home_stamp_add(s, &row, STR("t"), STR("r"), &earlier), STORE_E_ABSENT);
}

static int each_stamp(const struct home_stamp_row *row, void *arg)
{
    return gather(arg, row->id);
}

static int first_stamp(const struct home_stamp_row *row, void *arg)
{
    *(struct home_stamp_row *)arg = *row;
    return 77;
}

static void pages_of_stamps_do_not_tear_a_second(void **state)
{
    static const struct {
        const char *id, *member;
        int64_t at;
    } rows[] = {{"a", "mem_ana", T0},     {"b", "mem_rui", T0},     {"c", "mem_ana", T0 + 1},
                {"d", "mem_ana", T0 + 1}, {"e", "mem_ana", T0 + 1}, {"f", "mem_ana", T0 + 2}};
    struct scratch *t = *state;
    struct gathered g = {0};
    struct home_stamp_row row, out;

    members(t);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        row = stamp_of(rows[i].id, rows[i].at);
        snprintf(row.member, sizeof(row.member), "%s", rows[i].member);
        assert_int_equal(store_home_stamp_add(t->space, &row, STR("t"), STR("r"), NULL), 0);
    }
    assert_int_equal(store_home_stamp_list(t->space, NULL, 0, 2, each_stamp, &g), 0);
    assert_string_equal(g.text, "f e d c ");
    assert_int_equal(store_home_stamp_list(t->space, NULL, T0 + 1, 2, each_stamp, &g), 0);
    assert_string_equal(g.text, "f e d c b a ");
    g = (struct gathered){0};
    assert_int_equal(store_home_stamp_list(t->space, "mem_ana", 0, 99, each_stamp, &g), 0);
    assert_string_equal(g.text, "f e d c a ");
    assert_int_equal(store_home_stamp_list(t->space, "mem_ana", 0, 1, first_stamp, &out), 77);
    row = stamp_of("f", T0 + 2);
    assert_memory_equal(&out, &row, sizeof(row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(what_is_due_comes_by_home_and_age),
        scratch_test(a_home_that_does_not_answer_is_deferred_as_a_whole),
        scratch_test(a_new_stamp_waits_with_its_home),
        scratch_test(a_time_too_far_ahead_is_now),
        scratch_test(a_stamp_is_deferred_and_counted),
        scratch_test(a_receipt_settles_and_is_kept),
        scratch_test(a_refusal_settles_too),
        scratch_test(a_replaced_stamp_is_not_settled_by_an_earlier_answer),
        scratch_test(a_correction_follows_a_settled_stamp),
        scratch_test(the_same_stamp_gets_the_same_receipt),
        scratch_test(pages_of_stamps_do_not_tear_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

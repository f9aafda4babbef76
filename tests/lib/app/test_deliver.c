/* The outbox: no home, and no stamp, keeps another from being delivered. */
#include "lib/app/fixture.h"

#include <errno.h>
#include <stdio.h>

#define DEAD "https://adelaide.example" /* before HOME in every order by name */
#define OTHER "https://zagreb.example"

/* So many visits of guests of that space, each with a stamp that is due now. */
static void fill(struct world *w, const char *home, unsigned n)
{
    static unsigned count;
    struct store *s = w->host.space->store;

    assert_int_equal(store_begin(s), 0);
    for (unsigned i = 0; i < n; i++) {
        struct visit_row row = {.verdict = "admit", .day = "2026-09-21", .stamp_state = "pending"};

        snprintf(row.id, sizeof(row.id), "vis_%u", ++count);
        snprintf(row.home, sizeof(row.home), "%s", home);
        snprintf(row.desk, sizeof(row.desk), "cli");
        row.checked_in = w->now;
        memcpy(row.person, &count, sizeof(count));
        assert_int_equal(store_visit_add(s, &row), 0);
        assert_int_equal(store_outbox_put(s, row.id, 1, home, STR("stamp"), w->now), 0);
    }
    assert_int_equal(store_commit(s), 0);
}

static size_t collect(struct world *w, const char *const *skip, size_t n_skip, struct delivery *out,
                      size_t max)
{
    struct err err = {0};
    size_t n = 99;
    int r = deliver_collect(&w->host.thread, w->host.space, skip, n_skip, out, max, &n, &err);

    if (r != 0)
        fail_msg("deliver_collect: %d, %s", r, err.text);
    return n;
}

/* More stamps for a home that is asked already than anyone reads at a time. */
static void a_backlog_does_not_hide_other_homes(void **state)
{
    static struct delivery d[3];
    struct world *w = *state;
    const char *const skip[] = {DEAD};

    fill(w, DEAD, 600);
    fill(w, HOME, 1);
    fill(w, OTHER, 20);
    assert_int_equal(collect(w, skip, 1, d, 3), 2);
    assert_string_equal(d[0].home, HOME);
    assert_int_equal(d[0].n, 1);
    assert_string_equal(d[1].home, OTHER);
    assert_int_equal(d[1].n, LIMIT_STAMPS_PER_POST);
    delivery_clear(&d[0]);
    delivery_clear(&d[1]);
    assert_int_equal(collect(w, NULL, 0, d, 1), 1);
    assert_string_equal(d[0].home, DEAD);
    delivery_clear(&d[0]);
}

/* One try for each back-off, however much waits; and each try is of others. */
static void a_home_that_fails_waits_as_a_whole(void **state)
{
    static struct delivery d[2];
    struct world *w = *state;
    int64_t before;

    fill(w, DEAD, 40);
    assert_int_equal(collect(w, NULL, 0, d, 2), 1);
    before = d[0].seq[0];
    assert_int_equal(deliver_failed(&w->host.thread, w->host.space, &d[0]), 0);
    delivery_clear(&d[0]);
    assert_int_equal(collect(w, NULL, 0, d, 2), 0);
    fill(w, HOME, 1);
    assert_int_equal(collect(w, NULL, 0, d, 2), 1);
    assert_string_equal(d[0].home, HOME);
    delivery_clear(&d[0]);

    w->now += 3600;
    assert_int_equal(collect(w, NULL, 0, d, 1), 1);
    delivery_clear(&d[0]);
    assert_int_equal(collect(w, (const char *const[]){HOME}, 1, d, 1), 1);
    assert_string_equal(d[0].home, DEAD);
    assert_int_equal(d[0].n, LIMIT_STAMPS_PER_POST);
    assert_int_equal(d[0].attempts, 1); /* though these are tried for the first time */
    for (size_t i = 0; i < d[0].n; i++)
        assert_true(d[0].seq[i] != before);
    delivery_clear(&d[0]);
}

/* A signer that refuses what goes to DEAD, or gives up as a whole. */
struct refusing {
    struct signer base; /* first */
    struct signer *real;
    int failure;
};

static int refuse(struct signer *self, struct sign_request *const reqs[], size_t n)
{
    struct refusing *me = (struct refusing *)self;
    int r = me->failure ? me->failure : me->real->sign(me->real, reqs, n);

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (strstr(reqs[i]->payload.p, "adelaide")) {
            reqs[i]->result = SIGNER_E_REFUSED;
            err_set(&reqs[i]->err, 0, "not that one");
        }
    }
    return r;
}

static void what_cannot_be_signed_waits_alone(void **state)
{
    static struct delivery d[3];
    struct world *w = *state;
    struct app_thread *t = &w->host.thread;
    struct refusing signer = {.base = *t->signer, .real = t->signer};
    struct err err = {0};
    size_t n = 99;

    signer.base.sign = refuse;
    fill(w, DEAD, 20);
    fill(w, HOME, 1);
    fill(w, OTHER, 1);
    t->signer = &signer.base;
    signer.failure = -EPIPE;
    assert_int_equal(deliver_collect(t, w->host.space, NULL, 0, d, 3, &n, &err), -EPIPE);
    assert_int_equal(n, 99);

    signer.failure = 0;
    assert_int_equal(deliver_collect(t, w->host.space, NULL, 0, d, 3, &n, &err), 0);
    assert_non_null(strstr(err.text, DEAD ": not that one"));
    assert_int_equal(n, 2);
    assert_string_equal(d[0].home, HOME);
    assert_string_equal(d[1].home, OTHER);
    assert_true(d[1].signature.n > 0);
    delivery_clear(&d[0]);
    delivery_clear(&d[1]);

    assert_int_equal(collect(w, NULL, 0, d, 3), 2); /* DEAD has its back-off */
    delivery_clear(&d[0]);
    delivery_clear(&d[1]);
    t->signer = signer.real;
    w->now += 3600;
    assert_int_equal(collect(w, NULL, 0, d, 3), 3);
    for (size_t i = 0; i < 3; i++)
        delivery_clear(&d[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_backlog_does_not_hide_other_homes),
        world_test(a_home_that_fails_waits_as_a_whole),
        world_test(what_cannot_be_signed_waits_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

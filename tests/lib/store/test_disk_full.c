/*
 * A disk that is full: what was acknowledged stays, what was not is gone as a whole, and the store
 * goes on once there is room. Tried by a bound on pages, which meets SQLite's allocation, and by
 * RLIMIT_FSIZE, which meets its write(2).
 */
#include "lib/store/scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "store/sqlite.h"
#include "store/writer.h"

static const char FILLING[8000];

static int put(struct store *s, unsigned i)
{
    char name[32];

    snprintf(name, sizeof(name), "row-%u", i);
    return store_setting_put(s, name, FILLING, sizeof(FILLING));
}

static bool has(struct store *s, unsigned i)
{
    _cleanup_(buf_clear) struct buf value = {0};
    char name[32];
    int r;

    snprintf(name, sizeof(name), "row-%u", i);
    r = store_setting_get(s, name, &value);
    assert_true(r == 0 || r == STORE_E_ABSENT);
    return r == 0;
}

/* Puts rows until one fails; all that were acknowledged must be there, also after reopening. */
static void fill(struct scratch *t, unsigned from, unsigned *acknowledged)
{
    unsigned i = from;
    int r;

    while ((r = put(t->space, i)) == 0 && i < 10000)
        i++;
    assert_int_equal(r, STORE_E_FULL);
    assert_true(store_failure(t->space)[0] != '\0');
    *acknowledged = i;
}

static void assert_rows(struct store *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_true(has(s, i));
    assert_false(has(s, n));
}

static void full_by_pages(void **state)
{
    struct scratch *t = *state;
    unsigned n = 0;

    assert_int_equal(sql_bound_pages(t->space, 200), 0);
    fill(t, 0, &n);
    assert_true(n > 10);
    assert_rows(t->space, n);
    assert_int_equal(sql_bound_pages(t->space, 100000), 0);
    assert_int_equal(put(t->space, n), 0);
    store_close(t->space);
    t->space = scratch_open(t->path, STORE_SPACE);
    assert_rows(t->space, n + 1);
}

static void full_by_write(void **state)
{
    struct scratch *t = *state;
    struct rlimit old, bound;
    unsigned n = 0;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    bound = old;
    bound.rlim_cur = 600000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &bound), 0);
    fill(t, 0, &n);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(n > 10);
    assert_rows(t->space, n);
    assert_int_equal(put(t->space, n), 0);
    store_close(t->space);
    t->space = scratch_open(t->path, STORE_SPACE);
    assert_rows(t->space, n + 1);
}

/* SQLite gives up the transaction by itself; nothing that follows may slip in outside of it. */
static void nothing_slips_in_after_a_transaction_was_given_up(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->space;
    unsigned i = 1;
    int r;

    assert_int_equal(put(s, 0), 0);
    assert_int_equal(sql_bound_pages(s, 100), 0);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_savepoint(s), 0);
    while ((r = put(s, i)) == 0)
        i++;
    assert_int_equal(r, STORE_E_FULL);
    if (!store_in_transaction(s)) {
        assert_int_equal(store_setting_put(s, "small", "x", 1), STORE_E_FULL);
        store_undo(s);
        assert_int_equal(store_savepoint(s), STORE_E_FULL);
        assert_int_equal(store_commit(s), STORE_E_FULL);
    } else {
        store_undo(s);
        store_rollback(s);
    }
    assert_false(store_in_transaction(s));
    assert_rows(s, 1);
    assert_int_equal(store_setting_put(s, "small", "x", 1), 0);
}

struct fill_job {
    struct write_job job;
    unsigned id;
};

static int run_put(struct write_job *job, struct store *s)
{
    return put(s, ((struct fill_job *)job)->id);
}

static void told(struct write_job *job, int result)
{
}

/* Some groups go through and some meet the end of the disk: each job's answer is the truth. */
static void the_writer_tells_the_truth_on_a_full_disk(void **state)
{
    struct scratch *t = *state;
    static struct fill_job jobs[300];
    struct writer *w = NULL;
    unsigned kept = 0, full = 0;

    assert_int_equal(sql_bound_pages(t->space, 200), 0);
    assert_int_equal(writer_start(NULL, &w), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = (struct fill_job){
            .job = {.store = t->space, .run = run_put, .done = told, .result = 1000}, .id = i};
        assert_int_equal(writer_submit(w, &jobs[i].job), 0);
    }
    writer_stop(w);
    store_close(t->space);
    t->space = scratch_open(t->path, STORE_SPACE);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_true(jobs[i].job.result == 0 || jobs[i].job.result == STORE_E_FULL);
        assert_int_equal(has(t->space, i), jobs[i].job.result == 0);
        kept += jobs[i].job.result == 0;
        full += jobs[i].job.result == STORE_E_FULL;
    }
    assert_true(kept > 0);
    assert_true(full > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(full_by_pages),
        scratch_test(full_by_write),
        scratch_test(nothing_slips_in_after_a_transaction_was_given_up),
        scratch_test(the_writer_tells_the_truth_on_a_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

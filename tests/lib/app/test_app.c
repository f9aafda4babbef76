/* Jobs and what they end with; one delivery's bounds. */
#include "lib/app/post.h"

#include <errno.h>
#include <stdio.h>

struct ending {
    struct app_job job;
    int compose, run;
    bool ran;
};

static int end_compose(struct app_job *job)
{
    return ((struct ending *)job)->compose;
}

static int end_run(struct app_job *job, struct store *store)
{
    struct ending *e = (struct ending *)job;

    e->ran = true;
    assert_int_equal(store_setting_put(store, "mark", "x", 1), 0);
    return e->run;
}

static bool marked(struct world *w)
{
    struct buf value = {0};
    bool yes = store_setting_get(w->host.space->store, "mark", &value) == 0;

    buf_clear(&value);
    return yes;
}

static void test_endings(void **state)
{
    struct world *w = *state;
    const struct {
        int compose, run, result;
    } rows[] = {
        {APP_DONE, 0, 0},
        {APP_E_ABSENT, 0, APP_E_ABSENT},
        {-EIO, 0, -EIO},
        {0, APP_DONE, 0}, /* undone, and yet a success */
        {0, APP_E_STATE, APP_E_STATE},
        {0, -ENOMEM, -ENOMEM},
        /* conditions of the store that nobody handled are failures, not those of a use case */
        {0, STORE_E_FULL, -ENOSPC},
        {0, STORE_E_ABSENT, -EIO},
        {0, STORE_E_STATE, -EIO},
        {STORE_E_FULL, 0, -ENOSPC},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct ending e = {
            .job = {.space = w->host.space, .compose = end_compose, .run = end_run},
            .compose = rows[i].compose,
            .run = rows[i].run,
        };

        assert_int_equal(app_do(&w->host.app, &e.job), rows[i].result);
        assert_int_equal(e.ran, rows[i].compose == 0);
        assert_false(marked(w));
    }
}

/* Each failure has a code of its own, a status and an exit code. */
static void test_failures(void **state)
{
    for (int f = APP_E_INVALID; f <= APP_E_BUSY; f++) {
        const struct app_failure_info *info = app_failure_info(f);

        assert_non_null(info->code);
        assert_true(info->status >= 400 && info->status < 600);
        assert_true(info->exit >= 1 && info->exit <= 4);
        for (int other = APP_E_INVALID; other < f; other++)
            assert_string_not_equal(info->code, app_failure_info(other)->code);
    }
    const int unknown[] = {-EIO, 0, 1, APP_E_INVALID - 1, APP_E_BUSY + 1, APP_DONE, INT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_string_equal(app_failure_info(unknown[i])->code, "internal");
    const int full[] = {-ENOSPC, -EDQUOT, -EROFS};
    for (size_t i = 0; i < ARRAY_SIZE(full); i++) {
        assert_string_equal(app_failure_info(full[i])->code, "storage_full");
        assert_int_equal(app_failure_info(full[i])->status, 503);
    }
}

/* Holders choose how long their proofs are. Stamps that carry long ones fill no body beyond what
 * homes read: what has no room goes with the next. */
static void test_delivery_fits(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    struct store *store = w->host.space->store;
    struct delivery d = {0};
    char long_token[6001];
    char visit[32];

    memset(long_token, 'A', sizeof(long_token) - 1);
    long_token[sizeof(long_token) - 1] = '\0';
    world_visit(w, pass, "nonce-0000", visit);
    for (unsigned i = 1; i < 16; i++) {
        struct visit_row row;

        assert_int_equal(store_visit_get(store, visit, &row), 0);
        snprintf(row.id, sizeof(row.id), "vis_%u", i);
        snprintf(row.nonce, sizeof(row.nonce), "nonce-%04u", i);
        row.checked_out = row.checked_in;
        assert_int_equal(store_visit_add(store, &row), 0);
        assert_int_equal(store_outbox_put(store, row.id, 1, HOME, str_of(long_token), w->now), 0);
    }
    post_collect(w, &d);
    assert_in_range(d.body.n, LIMIT_HTTP_BODY - sizeof(long_token) - 10, LIMIT_HTTP_BODY);
    assert_in_range(d.n, 10, 11);
    delivery_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_endings),
        cmocka_unit_test(test_failures),
        world_test(test_delivery_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

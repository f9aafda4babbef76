/* Check-in: one visit for one holder, key and proof; what is refused leaves nothing behind. */
#include "lib/app/fixture.h"

#include <stdio.h>

#include "app/verifications.h"
#include "base/b64.h"
#include "cred/keybind.h"

/* A promise of `verify` for that text, made for the desk. */
static enum verdict promise(struct world *w, const char *text, const char *desk, char id[static 32])
{
    const struct verify_request req = {.text = str_of(text), .desk = desk, .promise = true};
    enum verdict verdict;
    struct verify_answer a;

    assert_int_equal(verify_presentation(&w->host.thread, w->host.space, &req, &a), 0);
    verdict = a.verdict.verdict;
    memcpy(id, a.verification, sizeof(a.verification));
    verify_answer_clear(&a);
    return verdict;
}

/* One check-in whose reply nobody looks at. */
static int check_in_as(struct world *w, const char *text, const char *desk, const char *key,
                       bool confirm)
{
    struct check_in c = {0};
    int r;

    strcpy(c.desk, desk);
    r = world_check_in(w, text, key, confirm, &c);
    check_in_clear(&c);
    return r;
}

static void check_out(struct world *w, const char *visit)
{
    struct check_out out = {0};
    struct err err;

    assert_int_equal(check_out_prepare(&w->host.thread, w->host.space, visit, &out, &err), 0);
    assert_int_equal(app_do(&w->host.app, &out.job), 0);
    check_out_clear(&out);
}

static void test_same_key(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    struct check_in first = CHECK_IN, second = CHECK_IN, third = CHECK_IN;

    assert_int_equal(world_check_in(w, text, "key-1", false, &first), 0);
    assert_false(first.replayed_key);
    w->now += 300;
    assert_int_equal(world_check_in(w, text, "key-1", false, &second), 0);
    assert_true(second.replayed_key);
    assert_string_equal(first.reply.p, second.reply.p);
    third.body_digest[0] = 1;
    assert_int_equal(world_check_in(w, text, "key-1", false, &third), APP_E_CONFLICT);
    assert_int_equal(third.reply.n, 0);
    assert_int_equal(world_visits(w), 1);
    assert_int_equal(world_outbox(w), 1);
    check_in_clear(&first);
    check_in_clear(&second);
    check_in_clear(&third);
}

/* A key is bound to its desk. */
static void test_key_of_another_desk(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *other = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    _cleanup_(freep) char *later = world_present(w, other, "nonce-0002");

    assert_int_equal(check_in_as(w, text, DESK, "key-1", false), 0);
    assert_int_equal(check_in_as(w, later, OTHER_DESK, "key-1", false), 0);
    assert_int_equal(world_visits(w), 2);
}

static void test_already_in(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = NULL;
    struct check_in c = CHECK_IN, confirmed = CHECK_IN;
    char visit[32];

    world_visit(w, pass, "nonce-0001", visit);
    text = world_present(w, pass, "nonce-0002");
    assert_int_equal(world_check_in(w, text, NULL, false, &c), APP_E_CONFIRM);
    assert_true(c.already_in);
    assert_non_null(strstr(c.reply.p, "\"already_checked_in\",\"params\":{\"since\":1790000000}"));
    assert_int_equal(world_check_in(w, text, "key-2", true, &confirmed), 0);
    assert_string_equal(confirmed.visit.id, visit);
    assert_int_equal(world_visits(w), 1);
    check_in_clear(&c);
    check_in_clear(&confirmed);

    /* what that key was told stays its answer, also when the visit is over */
    check_out(w, visit);
    confirmed = CHECK_IN;
    assert_int_equal(world_check_in(w, text, "key-2", true, &confirmed), 0);
    assert_true(confirmed.replayed_key);
    check_in_clear(&confirmed);
    assert_int_equal(world_visits(w), 1);
}

/* (device, nonce) makes one visit, whatever key asks, and whichever of its two signatures. */
static void test_proof_used_twice(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    struct check_in c = CHECK_IN, again = CHECK_IN;

    assert_int_equal(world_check_in(w, text, "key-1", false, &c), 0);
    check_out(w, c.visit.id);
    assert_int_equal(world_check_in(w, text, "key-2", false, &again), APP_E_REFUSED);
    assert_non_null(
        strstr(again.reply.p, "\"verdict\":\"refuse\",\"reasons\":[{\"code\":\"replayed\""));
    assert_int_equal(world_visits(w), 1);
    check_in_clear(&c);
    check_in_clear(&again);
}

static void test_ask_needs_confirm(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL); /* no proof comes with it */
    struct check_in c = CHECK_IN;
    struct visit_row row;

    assert_int_equal(check_in_as(w, pass, DESK, "key-1", false), APP_E_CONFIRM);
    assert_int_equal(world_visits(w), 0);
    assert_int_equal(world_outbox(w), 0);
    assert_int_equal(world_check_in(w, pass, "key-1", true, &c), 0);
    assert_int_equal(store_visit_get(w->host.space->store, c.visit.id, &row), 0);
    assert_string_equal(row.verdict, "ask");
    assert_string_equal(row.reasons, "holder_proof_missing");
    assert_true(row.confirmed);
    assert_string_equal(row.nonce, "");
    check_in_clear(&c);
}

static void test_refused_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct pass_row row;
    _cleanup_(freep) char *pass = world_issue(w, w->device, &row);
    _cleanup_(freep) char *text = NULL;
    struct check_in c = CHECK_IN;
    uint8_t digest[32];
    struct buf answer = {0};

    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, row.id, &row, &(struct err){0}),
                     0);
    side_fetch_status(&w->host, &w->home);
    text = world_present(w, pass, "nonce-0001");
    assert_int_equal(world_check_in(w, text, "key-1", true, &c), APP_E_REFUSED);
    assert_non_null(strstr(c.reply.p, "\"code\":\"revoked\""));
    assert_int_equal(world_visits(w), 0);
    assert_int_equal(world_outbox(w), 0);
    assert_int_equal(store_idempotency_get(w->host.space->store, DESK, "key-1", digest, &answer),
                     STORE_E_ABSENT);
    check_in_clear(&c);
    assert_int_equal(check_in_as(w, "garbage", DESK, NULL, true), APP_E_REFUSED);
    assert_int_equal(check_in_as(w, "", DESK, NULL, true), APP_E_REFUSED);
}

static void test_verification(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    char id[32];

    assert_int_equal(promise(w, text, DESK, id), VERDICT_ADMIT);
    assert_int_equal(check_in_as(w, id, OTHER_DESK, NULL, false), APP_E_ABSENT);
    assert_int_equal(check_in_as(w, text, OTHER_DESK, NULL, false), APP_E_REFUSED);
    assert_int_equal(check_in_as(w, "ver_unknown", DESK, NULL, false), APP_E_ABSENT);
    assert_int_equal(
        check_in_as(w, "ver_0123456789012345678901234567890123456789", DESK, NULL, false),
        APP_E_ABSENT);
    assert_int_equal(world_visits(w), 0);
    w->now += LIMIT_VERIFICATION_TIME; /* the proof itself is too old by now */
    assert_int_equal(check_in_as(w, text, DESK, NULL, false), APP_E_REFUSED);
    assert_int_equal(check_in_as(w, id, DESK, "key-1", false), 0);
    assert_int_equal(world_visits(w), 1);
    w->now++;
    assert_int_equal(check_in_as(w, id, DESK, "key-2", false), APP_E_ABSENT);
    assert_int_equal(check_in_as(w, id, DESK, "key-1", false), 0); /* has its answer */
    assert_int_equal(world_visits(w), 1);
}

/* What was promised is looked at again: a pass that was withdrawn since is refused. */
static void test_verification_revoked_since(void **state)
{
    struct world *w = *state;
    struct pass_row row;
    _cleanup_(freep) char *pass = world_issue(w, w->device, &row);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    char id[32];

    assert_int_equal(promise(w, text, DESK, id), VERDICT_ADMIT);
    w->now += 10;
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, row.id, &row, &(struct err){0}),
                     0);
    side_fetch_status(&w->host, &w->home);
    assert_int_equal(check_in_as(w, id, DESK, NULL, false), APP_E_REFUSED);
    assert_int_equal(world_visits(w), 0);
    assert_int_equal(promise(w, text, DESK, id), VERDICT_REFUSE);
    assert_string_equal(id, "");
}

/* Without a node the promise is in the store, and survives the process. */
static void test_verification_in_store(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    char id[32];

    w->host.app.persist_verifications = true;
    assert_int_equal(promise(w, text, "cli", id), VERDICT_ADMIT);
    side_restart(&w->host);
    w->host.app.persist_verifications = true;
    w->host.app.started_at = w->now + 1;
    w->now += LIMIT_VERIFICATION_TIME - 1;
    assert_int_equal(check_in_as(w, id, DESK, NULL, false), APP_E_ABSENT);
    assert_int_equal(check_in_as(w, id, "cli", NULL, false), 0);
}

/* A verb made it without a node, and then one was started. */
static void test_verification_from_before_the_node(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    char id[32];

    w->host.app.persist_verifications = true;
    assert_int_equal(promise(w, text, "cli", id), VERDICT_ADMIT);
    side_restart(&w->host);
    assert_false(w->host.app.persist_verifications);
    assert_int_equal(check_in_as(w, id, DESK, NULL, false), APP_E_ABSENT);
    assert_int_equal(check_in_as(w, id, "cli", NULL, false), 0);
}

/* The minute's job forgets answers after a day, and verifications when their time is over. */
static void test_pruned(void **state)
{
    struct world *w = *state;
    struct store *store = w->host.space->store;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    _cleanup_(freep) char *later = world_present(w, pass, "nonce-0002");
    _cleanup_(buf_clear) struct buf found = {0};
    struct err err = {0};
    uint8_t digest[32];
    char id[32];

    assert_int_equal(promise(w, text, DESK, id), VERDICT_ADMIT);
    w->host.app.persist_verifications = true;
    assert_int_equal(promise(w, later, "cli", id), VERDICT_ADMIT);
    assert_int_equal(check_in_as(w, text, DESK, "key-1", false), 0);
    w->now += KEEP_IDEMPOTENCY;
    assert_int_equal(space_renew(&w->host.thread, w->host.space, &err), 0);
    assert_int_equal(verifications_count(w->host.space->verifications), 0);
    assert_int_equal(store_verification_get(store, id, "cli", START, &found), STORE_E_ABSENT);
    assert_int_equal(store_idempotency_get(store, DESK, "key-1", digest, &found), 0);
    w->now++;
    assert_int_equal(space_renew(&w->host.thread, w->host.space, &err), 0);
    assert_int_equal(store_idempotency_get(store, DESK, "key-1", digest, &found), STORE_E_ABSENT);
}

static void test_own_member(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(buf_clear) struct buf text = {0};
    struct check_in c = CHECK_IN;
    struct err err;

    assert_int_equal(keybind_present(w->device, str_of(pass), HOME, "nonce-0001", w->now, &text),
                     0);
    assert_int_equal(check_in_prepare(&w->home.thread, w->home.space, buf_as_str(&text), &c, &err),
                     0);
    assert_int_equal(c.answer.verdict.verdict, VERDICT_ADMIT);
    assert_int_equal(app_do(&w->home.app, &c.job), APP_E_STATE);
    assert_non_null(strstr(c.job.err.text, "own member"));
    check_in_clear(&c);
}

static void test_check_out(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    struct check_out out = {0};
    struct err err;
    char visit[32];

    world_visit(w, pass, "nonce-0001", visit);
    w->now += 60;
    check_out(w, visit);
    assert_int_equal(world_outbox(w), 1); /* the first revision's place is taken by the second */
    assert_int_equal(check_out_prepare(&w->host.thread, w->host.space, visit, &out, &err), 0);
    assert_int_equal(app_do(&w->host.app, &out.job), APP_E_STATE);
    assert_int_equal(out.visit.checked_out, w->now);
    check_out_clear(&out);
    out = (struct check_out){0};
    assert_int_equal(check_out_prepare(&w->host.thread, w->host.space, "vis_none", &out, &err), 0);
    assert_int_equal(app_do(&w->host.app, &out.job), APP_E_ABSENT);
    check_out_clear(&out);
    out = (struct check_out){0};
    assert_int_equal(check_out_prepare(&w->host.thread, w->host.space, "mem_none", &out, &err),
                     APP_E_INVALID);
    check_out_clear(&out);
}

/* ---- through a writer's thread ---- */

#define JOBS 8

struct group {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned told;
    bool open;
};

struct grouped {
    struct check_in c; /* first */
    struct group *group;
    int result;
};

static void told(struct app_job *job, int result)
{
    struct grouped *g = (struct grouped *)job;

    pthread_mutex_lock(&g->group->lock);
    g->result = result;
    g->group->told++;
    pthread_cond_broadcast(&g->group->wake);
    pthread_mutex_unlock(&g->group->lock);
}

/* Holds the writer until all are queued, so that they are one group. */
static int gate_compose(struct app_job *job)
{
    struct group *group = ((struct grouped *)job)->group;

    pthread_mutex_lock(&group->lock);
    while (!group->open)
        pthread_cond_wait(&group->wake, &group->lock);
    pthread_mutex_unlock(&group->lock);
    return APP_DONE;
}

static void run_group(struct world *w, struct grouped *jobs, size_t n)
{
    const struct writer_hooks hooks = {app_prepare, &w->host.app};
    struct group group = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};
    struct grouped gate = {.group = &group};

    assert_int_equal(writer_start(&hooks, &w->host.app.writer), 0);
    gate.c.job = (struct app_job){.space = w->host.space, .compose = gate_compose, .done = told};
    assert_int_equal(app_submit(&w->host.app, &gate.c.job), 0);
    for (size_t i = 0; i < n; i++) {
        jobs[i].group = &group;
        jobs[i].c.job.done = told;
        assert_int_equal(app_submit(&w->host.app, &jobs[i].c.job), 0);
    }
    pthread_mutex_lock(&group.lock);
    group.open = true;
    pthread_cond_broadcast(&group.wake);
    while (group.told < n + 1)
        pthread_cond_wait(&group.wake, &group.lock);
    pthread_mutex_unlock(&group.lock);
    writer_stop(w->host.app.writer);
    w->host.app.writer = NULL;
}

static void prepare(struct world *w, struct grouped *g, const char *text, const char *key)
{
    struct err err;

    *g = (struct grouped){.c = CHECK_IN};
    strcpy(g->c.key, key);
    assert_int_equal(check_in_prepare(&w->host.thread, w->host.space, str_of(text), &g->c, &err),
                     0);
}

static void test_one_group_one_key(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *text = world_present(w, pass, "nonce-0001");
    struct grouped jobs[JOBS];

    for (size_t i = 0; i < JOBS; i++)
        prepare(w, &jobs[i], text, "key-1");
    jobs[JOBS - 1].c.body_digest[0] = 1;
    run_group(w, jobs, JOBS);
    for (size_t i = 0; i < JOBS - 1; i++) {
        assert_int_equal(jobs[i].result, 0);
        assert_int_equal(jobs[i].c.replayed_key, i > 0);
        assert_string_equal(jobs[i].c.reply.p, jobs[0].c.reply.p);
    }
    assert_int_equal(jobs[JOBS - 1].result, APP_E_CONFLICT);
    assert_int_equal(world_visits(w), 1);
    assert_int_equal(world_outbox(w), 1);
    for (size_t i = 0; i < JOBS; i++)
        check_in_clear(&jobs[i].c);
}

/* Different keys, one holder: one is in, the others hear so; each leaves its group's others be. */
static void test_one_group_one_holder(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *other = world_issue(w, w->device, NULL);
    struct grouped jobs[JOBS];

    for (size_t i = 0; i < JOBS; i++) {
        char nonce[40], key[40];
        _cleanup_(freep) char *text = NULL;

        snprintf(nonce, sizeof(nonce), "nonce-number-%zu", i);
        snprintf(key, sizeof(key), "key-%zu", i);
        text = world_present(w, i == JOBS - 1 ? other : pass, nonce);
        prepare(w, &jobs[i], text, key);
    }
    run_group(w, jobs, JOBS);
    assert_int_equal(jobs[0].result, 0);
    for (size_t i = 1; i < JOBS - 1; i++) {
        assert_int_equal(jobs[i].result, APP_E_CONFIRM);
        assert_true(jobs[i].c.already_in);
    }
    assert_int_equal(jobs[JOBS - 1].result, 0);
    assert_int_equal(world_visits(w), 2);
    assert_int_equal(world_outbox(w), 2);
    for (size_t i = 0; i < JOBS; i++)
        check_in_clear(&jobs[i].c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_same_key),
        world_test(test_key_of_another_desk),
        world_test(test_already_in),
        world_test(test_proof_used_twice),
        world_test(test_ask_needs_confirm),
        world_test(test_refused_leaves_nothing),
        world_test(test_verification),
        world_test(test_verification_revoked_since),
        world_test(test_verification_in_store),
        world_test(test_pruned),
        world_test(test_verification_from_before_the_node),
        world_test(test_own_member),
        world_test(test_check_out),
        world_test(test_one_group_one_key),
        world_test(test_one_group_one_holder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

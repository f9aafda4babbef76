#include "lib/store/scratch.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "store/sqlite.h"
#include "store/writer.h"

/* Puts a setting under its number and then gives `answer`. */
struct put_job {
    struct write_job job;
    unsigned id;
    int answer;
    int told, result_told;
    sem_t *began, *may_go; /* run() holds the writer here */
    unsigned *order;       /* where done() counts */
    unsigned place, runs;
    bool before_writing; /* `answer` comes before anything is written */
};

static int run(struct write_job *job, struct store *s)
{
    struct put_job *j = (struct put_job *)job;
    char name[32];
    int r;

    if (j->began) {
        sem_post(j->began);
        sem_wait(j->may_go);
    }
    j->runs++;
    if (j->answer && j->before_writing)
        return j->answer;
    snprintf(name, sizeof(name), "row-%u", j->id);
    r = store_setting_put(s, name, "x", 1);
    return r ? r : j->answer;
}

static void done(struct write_job *job, int result)
{
    struct put_job *j = (struct put_job *)job;

    j->told++;
    j->result_told = result;
    if (j->order)
        j->place = (*j->order)++;
}

static struct put_job job_of(struct store *s, unsigned id)
{
    return (struct put_job){.job = {.store = s, .run = run, .done = done}, .id = id};
}

static bool has(struct store *s, unsigned id)
{
    _cleanup_(buf_clear) struct buf value = {0};
    char name[32];
    int r;

    snprintf(name, sizeof(name), "row-%u", id);
    r = store_setting_get(s, name, &value);
    assert_true(r == 0 || r == STORE_E_ABSENT);
    return r == 0;
}

/* A writer that is held inside its first job, so that what is submitted next is one group. */
struct held {
    struct writer *writer;
    struct put_job first;
    sem_t began, may_go;
};

static void hold(struct held *h, struct store *s, const struct writer_hooks *hooks)
{
    sem_init(&h->began, 0, 0);
    sem_init(&h->may_go, 0, 0);
    assert_int_equal(writer_start(hooks, &h->writer), 0);
    h->first = job_of(s, 999999);
    h->first.began = &h->began;
    h->first.may_go = &h->may_go;
    assert_int_equal(writer_submit(h->writer, &h->first.job), 0);
    sem_wait(&h->began);
}

/* Lets go, and waits until all that was submitted is done. */
static void let_go(struct held *h)
{
    sem_post(&h->may_go);
    writer_stop(h->writer);
    assert_int_equal(h->first.told, 1);
    sem_destroy(&h->began);
    sem_destroy(&h->may_go);
}

static void each_job_is_told_once_in_order_and_kept(void **state)
{
    struct scratch *t = *state;
    struct put_job jobs[200];
    struct held h = {0};
    unsigned order = 0;

    hold(&h, t->space, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(t->space, i);
        jobs[i].order = &order;
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    }
    let_go(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_int_equal(jobs[i].told, 1);
        assert_int_equal(jobs[i].result_told, 0);
        assert_int_equal(jobs[i].place, i);
        assert_true(has(t->space, i));
    }
}

static void a_job_that_fails_is_undone_alone(void **state)
{
    static const int answers[] = {0, STORE_E_CONFLICT, 0, -EIO, 0, 0, STORE_E_STATE};
    struct scratch *t = *state;
    struct put_job jobs[ARRAY_SIZE(answers)];
    struct held h = {0};

    hold(&h, t->space, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(t->space, i);
        jobs[i].answer = answers[i];
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    }
    let_go(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_int_equal(jobs[i].result_told, answers[i]);
        assert_int_equal(has(t->space, i), answers[i] == 0);
    }
}

/* Without savepoints the outcome is the same, and a job that fails before it writes costs nothing.
 */
static void repeatable_jobs_are_run_again_without_the_one_that_spoilt(void **state)
{
    static const struct {
        int answer;
        bool before_writing;
        unsigned runs;
    } rows[] = {
        {0, false, 2},            /* before the spoiler: undone with it, and run again */
        {STORE_E_STATE, true, 1}, /* has failed already, and wrote nothing */
        {0, false, 2},
        {STORE_E_CONFLICT, false, 1}, /* wrote, and failed: the spoiler */
        {0, false, 1},                /* after it: only once, and now in savepoints */
        {STORE_E_CONFLICT, false, 1},
        {0, false, 1},
    };
    struct scratch *t = *state;
    struct put_job jobs[ARRAY_SIZE(rows)];
    struct held h = {0};

    hold(&h, t->space, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(t->space, i);
        jobs[i].job.repeatable = true;
        jobs[i].answer = rows[i].answer;
        jobs[i].before_writing = rows[i].before_writing;
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    }
    let_go(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_int_equal(jobs[i].told, 1);
        assert_int_equal(jobs[i].result_told, rows[i].answer);
        assert_int_equal(jobs[i].runs, rows[i].runs);
        assert_int_equal(has(t->space, i), rows[i].answer == 0);
    }
}

static void other_jobs_are_run_once(void **state)
{
    struct scratch *t = *state;
    struct put_job jobs[3];
    struct held h = {0};

    hold(&h, t->space, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(t->space, i);
        jobs[i].job.repeatable = i != 0;
        jobs[i].answer = i == 2 ? STORE_E_CONFLICT : 0;
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    }
    let_go(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_int_equal(jobs[i].runs, 1);
        assert_int_equal(has(t->space, i), i != 2);
    }
}

/* Alone in its transaction a job has no savepoint; the outcome is the same. */
static void a_job_that_fails_alone_is_undone(void **state)
{
    struct scratch *t = *state;
    struct writer *w = NULL;
    struct put_job good = job_of(t->space, 1), bad = job_of(t->space, 2);

    bad.answer = STORE_E_CONFLICT;
    assert_int_equal(writer_start(NULL, &w), 0);
    assert_int_equal(writer_do(w, &bad.job), STORE_E_CONFLICT);
    assert_int_equal(writer_do(w, &good.job), 0);
    writer_stop(w);
    assert_false(has(t->space, 2));
    assert_true(has(t->space, 1));
}

/* No file of this process grows any more: what is written at the commit fails there. */
static void disk_has_room(bool room)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = room ? limit.rlim_max : 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#define CONDITION 70 /* "it is there already": what a job above this floor makes a success of */

/* What it answers it has read of the row that the job before it put. */
static int run_reader(struct write_job *job, struct store *s)
{
    struct put_job *j = (struct put_job *)job;
    _cleanup_(buf_clear) struct buf value = {0};
    char name[32];
    int r;

    j->runs++;
    snprintf(name, sizeof(name), "row-%u", j->id);
    r = store_setting_get(s, name, &value);
    return r == 0 ? CONDITION : r;
}

static int run_on_full_disk(struct write_job *job, struct store *s)
{
    disk_has_room(false);
    return run(job, s);
}

static void done_and_room(struct write_job *job, int result)
{
    disk_has_room(true);
    done(job, result);
}

/* A writer, a reader of its row, perhaps one that spoils the transaction, one that fills the disk.
 */
static void commit_fails(struct scratch *t, bool repeatable, bool spoilt)
{
    struct put_job jobs[4];
    struct held h = {0};

    signal(SIGXFSZ, SIG_IGN);
    hold(&h, t->space, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(t->space, i == 1 ? 0 : i);
        jobs[i].job.repeatable = repeatable;
    }
    jobs[0].job.done = done_and_room;
    jobs[1].job.run = run_reader;
    jobs[2].answer = spoilt ? STORE_E_CONFLICT : 0;
    jobs[3].job.run = run_on_full_disk;
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++)
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    let_go(&h);
    assert_true(jobs[0].result_told == -EIO || jobs[0].result_told == STORE_E_FULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_int_equal(jobs[i].told, 1);
        assert_int_equal(jobs[i].result_told, jobs[0].result_told);
        assert_false(has(t->space, jobs[i].id));
    }
}

static void what_was_read_of_a_failed_commit_was_not_so(void **state)
{
    commit_fails(*state, false, false);
    commit_fails(*state, true, false);
    commit_fails(*state, true, true);
}

/* SQLite itself may give up the transaction; a job that takes no notice has not succeeded. */
static int run_lost(struct write_job *job, struct store *s)
{
    assert_int_equal(sql_exec(s, "ROLLBACK"), 0);
    return CONDITION;
}

static void what_was_read_of_a_lost_transaction_was_not_so(void **state)
{
    struct scratch *t = *state;

    for (int repeatable = 0; repeatable < 2; repeatable++) {
        struct put_job jobs[3];
        struct held h = {0};

        hold(&h, t->space, NULL);
        for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
            jobs[i] = job_of(t->space, 0);
            jobs[i].job.repeatable = repeatable;
        }
        jobs[1].job.run = run_reader;
        jobs[2].job.run = run_lost;
        for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++)
            assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
        let_go(&h);
        for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++)
            assert_int_equal(jobs[i].result_told, -EIO);
        assert_false(has(t->space, 0));
    }
}

/* Memory follows the disk: as many rows as there were kept jobs when this one was. */
static unsigned kept_so_far;

static void kept(struct write_job *job)
{
    struct put_job *j = (struct put_job *)job;

    assert_int_equal(j->told, 0);
    assert_false(store_in_transaction(job->store));
    j->place = ++kept_so_far;
}

static void memory_follows_what_is_kept_in_order(void **state)
{
    static const int answers[] = {0, STORE_E_CONFLICT, 0, CONDITION, 0};
    struct scratch *t = *state;
    struct put_job jobs[ARRAY_SIZE(answers)], alone = job_of(t->space, 77);
    struct held h = {0};
    unsigned expected = 0;

    kept_so_far = 0;
    hold(&h, t->space, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(t->space, i);
        jobs[i].answer = answers[i];
        jobs[i].job.kept = kept;
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    }
    let_go(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++)
        assert_int_equal(jobs[i].place, answers[i] == 0 ? ++expected : 0);
    alone.job.kept = kept;
    assert_int_equal(writer_run_inline(NULL, &alone.job), 0);
    assert_int_equal(alone.place, expected + 1);
}

struct seen {
    size_t groups, jobs, largest;
    unsigned skip; /* the id that prepare() refuses */
    struct store *watched;
};

static void prepare(void *ctx, struct write_job *const jobs[], size_t n)
{
    struct seen *seen = ctx;

    seen->groups++;
    seen->jobs += n;
    seen->largest = n > seen->largest ? n : seen->largest;
    for (size_t i = 0; i < n; i++) {
        struct put_job *j = (struct put_job *)jobs[i];

        assert_false(store_in_transaction(j->job.store));
        assert_int_equal(j->job.result, 0);
        if (j->id == seen->skip)
            j->job.result = -ECONNREFUSED;
    }
}

static void a_group_is_prepared_together_and_is_bounded(void **state)
{
    struct scratch *t = *state;
    struct seen seen = {.skip = 3};
    struct writer_hooks hooks = {.prepare = prepare, .ctx = &seen};
    struct put_job jobs[WRITER_GROUP + 10];
    struct held h = {0};

    hold(&h, t->space, &hooks);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(t->space, i);
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    }
    let_go(&h);
    assert_int_equal(seen.groups, 3);
    assert_int_equal(seen.largest, WRITER_GROUP);
    assert_int_equal(seen.jobs, ARRAY_SIZE(jobs) + 1);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_int_equal(jobs[i].result_told, i == 3 ? -ECONNREFUSED : 0);
        assert_int_equal(has(t->space, i), i != 3);
    }
}

static void one_databases_failure_is_not_anothers(void **state)
{
    struct scratch *t = *state;
    struct store *blocker = scratch_open(t->directory_path, STORE_DIRECTORY);
    struct put_job jobs[20];
    struct held h = {0};

    assert_int_equal(sql_exec(t->directory, "PRAGMA busy_timeout = 1"), 0);
    assert_int_equal(store_begin(blocker), 0);
    hold(&h, t->space, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = job_of(i % 2 ? t->directory : t->space, i);
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), 0);
    }
    let_go(&h);
    store_rollback(blocker);
    store_close(blocker);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        assert_int_equal(jobs[i].result_told, i % 2 ? -EBUSY : 0);
        assert_int_equal(has(jobs[i].job.store, i), i % 2 == 0);
    }
}

static void the_queue_is_bounded(void **state)
{
    struct scratch *t = *state;
    struct put_job *jobs = calloc(WRITER_QUEUE + 1, sizeof(*jobs));
    struct held h = {0};

    hold(&h, t->space, NULL);
    for (unsigned i = 0; i <= WRITER_QUEUE; i++) {
        jobs[i] = job_of(t->space, i);
        assert_int_equal(writer_submit(h.writer, &jobs[i].job), i < WRITER_QUEUE ? 0 : -EAGAIN);
    }
    let_go(&h);
    for (unsigned i = 0; i <= WRITER_QUEUE; i++)
        assert_int_equal(jobs[i].told, i < WRITER_QUEUE ? 1 : 0);
    assert_true(has(t->space, WRITER_QUEUE - 1));
    assert_false(has(t->space, WRITER_QUEUE));
    free(jobs);
}

static void inline_does_the_same_steps(void **state)
{
    struct scratch *t = *state;
    struct seen seen = {.skip = 3};
    struct writer_hooks hooks = {.prepare = prepare, .ctx = &seen};
    struct put_job jobs[4];

    for (unsigned i = 1; i < ARRAY_SIZE(jobs); i++)
        jobs[i] = job_of(t->space, i);
    jobs[2].answer = STORE_E_STATE;
    assert_int_equal(writer_run_inline(NULL, &jobs[1].job), 0);
    assert_int_equal(writer_run_inline(&hooks, &jobs[2].job), STORE_E_STATE);
    assert_int_equal(writer_run_inline(&hooks, &jobs[3].job), -ECONNREFUSED);
    assert_int_equal(seen.groups, 2);
    assert_true(has(t->space, 1));
    assert_false(has(t->space, 2));
    assert_false(has(t->space, 3));
    assert_false(store_in_transaction(t->space));
}

#define SUBMITTERS 64
#define PER_SUBMITTER 20

struct submitter {
    pthread_t thread;
    struct writer *writer;
    struct store *store;
    unsigned from, wrong;
};

static void *submit(void *arg)
{
    struct submitter *me = arg;

    for (unsigned i = 0; i < PER_SUBMITTER; i++) {
        struct put_job j = job_of(me->store, me->from + i);

        j.answer = i % 7 == 3 ? STORE_E_CONFLICT : 0;
        if (writer_do(me->writer, &j.job) != j.answer)
            me->wrong++;
    }
    return NULL;
}

static void *read_along(void *arg)
{
    struct scratch *t = arg;
    _cleanup_(store_closep) struct store *s = NULL;
    intptr_t reads = 0;

    if (store_open(t->path, STORE_SPACE, false, &s, NULL))
        return NULL;
    for (;;) {
        _cleanup_(buf_clear) struct buf value = {0};

        if (store_setting_get(s, "end", &value) == 0)
            return (void *)reads;
        reads++;
    }
}

static void sixty_four_submit_while_others_read(void **state)
{
    struct scratch *t = *state;
    static struct submitter submitters[SUBMITTERS];
    pthread_t reader;
    struct writer *w = NULL;
    void *reads = NULL;

    assert_int_equal(pthread_create(&reader, NULL, read_along, t), 0);
    assert_int_equal(writer_start(NULL, &w), 0);
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        submitters[i] =
            (struct submitter){.writer = w, .store = t->space, .from = i * PER_SUBMITTER};
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit, &submitters[i]), 0);
    }
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        pthread_join(submitters[i].thread, NULL);
        assert_int_equal(submitters[i].wrong, 0);
    }
    writer_stop(w);
    assert_int_equal(store_setting_put(t->space, "end", "x", 1), 0);
    pthread_join(reader, &reads);
    assert_true((intptr_t)reads > 0);
    for (unsigned i = 0; i < SUBMITTERS * PER_SUBMITTER; i++)
        assert_int_equal(has(t->space, i), i % PER_SUBMITTER % 7 != 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(each_job_is_told_once_in_order_and_kept),
        scratch_test(a_job_that_fails_is_undone_alone),
        scratch_test(repeatable_jobs_are_run_again_without_the_one_that_spoilt),
        scratch_test(other_jobs_are_run_once),
        scratch_test(a_job_that_fails_alone_is_undone),
        scratch_test(what_was_read_of_a_failed_commit_was_not_so),
        scratch_test(what_was_read_of_a_lost_transaction_was_not_so),
        scratch_test(memory_follows_what_is_kept_in_order),
        scratch_test(a_group_is_prepared_together_and_is_bounded),
        scratch_test(one_databases_failure_is_not_anothers),
        scratch_test(the_queue_is_bounded),
        scratch_test(inline_does_the_same_steps),
        scratch_test(sixty_four_submit_while_others_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "store/writer.h"

struct writer {
    struct writer_hooks hooks;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* there is work, or the end */
    /* Under the lock: */
    struct write_job *first, **last;
    size_t waiting;
    bool asleep, stopping;
};

/* The part of a group that is for one database, in the order of submission. */
struct batch {
    struct store *store;
    struct write_job *jobs[WRITER_GROUP];
    bool mine[WRITER_GROUP]; /* runs in the transaction: prepare() has not settled it */
    bool todo[WRITER_GROUP]; /* is to be run, or run again */
    size_t n;
};

/* What the jobs read while they are prepared, they read as of one moment of each database. */
static void prepare(const struct writer_hooks *hooks, struct write_job *const jobs[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        jobs[i]->result = 0;
    if (!hooks->prepare)
        return;
    for (size_t i = 0; i < n; i++)
        store_read_begin(jobs[i]->store); /* if it cannot, neither can the reads, and they say so */
    hooks->prepare(hooks->ctx, jobs, n);
    for (size_t i = 0; i < n; i++)
        store_read_end(jobs[i]->store);
}

/* What any of them has found out in a transaction that came to nothing may never have been so: a
 * condition that one answers ("it is there already") is no more than another's success. */
static void fail_all(struct batch *batch, int r)
{
    for (size_t i = 0; i < batch->n; i++) {
        if (batch->mine[i])
            batch->jobs[i]->result = r;
    }
}

/* Why a transaction came to nothing, by the result of the job in which it did: which may have taken
 * no notice, or have made a condition of its own of it. */
static int why(int result)
{
    return result < 0 || result == STORE_E_FULL ? result : -EIO;
}

/* In a savepoint, so that a failure undoes this job alone. */
static int run_in_savepoint(struct write_job *job)
{
    int r = store_savepoint(job->store);

    if (r)
        return r;
    r = job->run(job, job->store);
    if (r == 0)
        return store_release(job->store);
    store_undo(job->store);
    return r;
}

/* Runs what is to do. 0, or why SQLite gave up the whole transaction. */
static int run_each(struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        if (!batch->todo[i])
            continue;
        batch->jobs[i]->result = run_in_savepoint(batch->jobs[i]);
        if (!store_in_transaction(batch->store))
            return why(batch->jobs[i]->result);
    }
    return 0;
}

/* The same without savepoints, until a job fails that has written: *spoilt is that job, else n. */
static int run_light(struct batch *batch, size_t *spoilt)
{
    for (size_t i = 0; i < batch->n; i++) {
        struct write_job *job = batch->jobs[i];
        int64_t before = store_changes(batch->store);

        if (!batch->todo[i])
            continue;
        job->result = job->run(job, batch->store);
        if (!store_in_transaction(batch->store))
            return why(job->result);
        if (job->result && store_changes(batch->store) != before) {
            *spoilt = i;
            return 0;
        }
    }
    *spoilt = batch->n;
    return 0;
}

/* Without the job that spoilt the transaction: those before it that had succeeded, in the same
 * order on the same state, and then the others. Should one of the former fail now, what those that
 * are not run again have read of it is not so, and all of it is given up. */
static int run_again(struct batch *batch, size_t spoilt)
{
    int r;

    store_rollback(batch->store);
    for (size_t i = 0; i <= spoilt; i++)
        batch->todo[i] = batch->todo[i] && batch->jobs[i]->result == 0;
    r = store_begin(batch->store);
    if (r == 0)
        r = run_each(batch);
    for (size_t i = 0; r == 0 && i < spoilt; i++) {
        if (batch->todo[i] && batch->jobs[i]->result)
            r = why(batch->jobs[i]->result);
    }
    return r;
}

static int run_together(struct batch *batch, bool repeatable)
{
    size_t spoilt = batch->n;
    int r = store_begin(batch->store);

    if (r)
        return r;
    r = repeatable ? run_light(batch, &spoilt) : run_each(batch);
    if (r == 0 && spoilt < batch->n)
        r = run_again(batch, spoilt);
    if (r) {
        store_rollback(batch->store);
        return r;
    }
    return store_commit(batch->store);
}

/* A transaction of one job needs no savepoint. */
static int run_alone(struct write_job *job)
{
    int r = store_begin(job->store);

    if (r)
        return r;
    r = job->run(job, job->store);
    if (!store_in_transaction(job->store))
        r = why(r);
    if (r == 0)
        return store_commit(job->store);
    store_rollback(job->store);
    return r;
}

static void run_batch(struct batch *batch)
{
    struct write_job *only = NULL;
    bool repeatable = true;
    size_t todo = 0;
    int r = 0;

    for (size_t i = 0; i < batch->n; i++) {
        batch->mine[i] = batch->todo[i] = batch->jobs[i]->result == 0;
        if (batch->todo[i]) {
            only = batch->jobs[i];
            repeatable = repeatable && only->repeatable;
            todo++;
        }
    }
    if (todo == 1)
        only->result = run_alone(only);
    else if (todo > 1)
        r = run_together(batch, repeatable);
    if (r)
        fail_all(batch, r);
}

static void tell_kept(struct write_job *job)
{
    if (job->result == 0 && job->kept)
        job->kept(job);
}

/* One transaction for each database; its jobs are told before the next one's begins. */
static void run_group(const struct writer_hooks *hooks, struct write_job *jobs[], size_t n)
{
    prepare(hooks, jobs, n);
    for (size_t left = n; left > 0;) {
        struct batch batch = {.store = jobs[0]->store, .n = 0};
        size_t kept = 0;

        for (size_t i = 0; i < left; i++) {
            if (jobs[i]->store == batch.store)
                batch.jobs[batch.n++] = jobs[i];
            else
                jobs[kept++] = jobs[i];
        }
        left = kept;
        run_batch(&batch);
        for (size_t i = 0; i < batch.n; i++)
            tell_kept(batch.jobs[i]);
        for (size_t i = 0; i < batch.n; i++)
            batch.jobs[i]->done(batch.jobs[i], batch.jobs[i]->result);
    }
}

/* Whatever waits, up to a group; without delay, since while one group commits the next gathers.
 * 0: stopped, and nothing is left. */
static size_t take(struct writer *w, struct write_job *jobs[static WRITER_GROUP])
{
    size_t n = 0;

    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->stopping) {
        w->asleep = true;
        pthread_cond_wait(&w->wake, &w->lock);
        w->asleep = false;
    }
    while (w->first && n < WRITER_GROUP) {
        jobs[n++] = w->first;
        w->first = w->first->next;
    }
    if (!w->first)
        w->last = &w->first;
    w->waiting -= n;
    pthread_mutex_unlock(&w->lock);
    return n;
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    struct write_job *jobs[WRITER_GROUP];
    size_t n;

    pthread_setname_np(pthread_self(), "writer");
    while ((n = take(w, jobs)) > 0)
        run_group(&w->hooks, jobs, n);
    return NULL;
}

int writer_start(const struct writer_hooks *hooks, struct writer **out)
{
    struct writer *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return -ENOMEM;
    if (hooks)
        w->hooks = *hooks;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    r = pthread_create(&w->thread, NULL, writer_main, w);
    if (r) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return -r;
    }
    *out = w;
    return 0;
}

void writer_stop(struct writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

int writer_submit(struct writer *w, struct write_job *job)
{
    bool wake;

    assert(job->store && job->run && job->done);
    job->next = NULL;
    pthread_mutex_lock(&w->lock);
    if (w->waiting == WRITER_QUEUE) {
        pthread_mutex_unlock(&w->lock);
        return -EAGAIN;
    }
    *w->last = job;
    w->last = &job->next;
    w->waiting++;
    wake = w->asleep;
    w->asleep = false;
    pthread_mutex_unlock(&w->lock);
    if (wake)
        pthread_cond_signal(&w->wake);
    return 0;
}

/*
 * writer_do() sleeps on a word of its own job, so that nobody is woken for another's result. The
 * waiter may be gone between the store and the wake; a wake at an address that nobody waits at does
 * nothing, and the kernel never writes there.
 */
static void tell(struct write_job *job, int result)
{
    __atomic_store_n(&job->told, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &job->told, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

int writer_do(struct writer *w, struct write_job *job)
{
    int r;

    assert(!pthread_equal(pthread_self(), w->thread));
    job->told = 0;
    job->done = tell;
    r = writer_submit(w, job);
    if (r)
        return r;
    while (!__atomic_load_n(&job->told, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, &job->told, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return job->result;
}

int writer_run_inline(const struct writer_hooks *hooks, struct write_job *job)
{
    const struct writer_hooks none = {0};

    prepare(hooks ? hooks : &none, &job, 1);
    if (job->result == 0)
        job->result = run_alone(job);
    tell_kept(job);
    return job->result;
}

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
    size_t n;
};

static void prepare(const struct writer_hooks *hooks, struct write_job *const jobs[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        jobs[i]->result = 0;
    if (hooks->prepare)
        hooks->prepare(hooks->ctx, jobs, n);
}

static void fail_all(struct batch *batch, int r)
{
    for (size_t i = 0; i < batch->n; i++) {
        if (batch->jobs[i]->result == 0)
            batch->jobs[i]->result = r;
    }
}

/* In a savepoint, so that a failure undoes this job alone. */
static int run_job(struct write_job *job)
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

/* A transaction of one job needs no savepoint. */
static void run_alone(struct write_job *job)
{
    job->result = store_begin(job->store);
    if (job->result)
        return;
    job->result = job->run(job, job->store);
    if (job->result == 0)
        job->result = store_commit(job->store);
    else
        store_rollback(job->store);
}

static void run_together(struct batch *batch)
{
    struct store *store = batch->store;
    bool any = false;
    int r = store_begin(store);

    if (r) {
        fail_all(batch, r);
        return;
    }
    for (size_t i = 0; i < batch->n; i++) {
        struct write_job *job = batch->jobs[i];

        if (job->result)
            continue;
        job->result = run_job(job);
        if (!store_in_transaction(store)) {
            /* SQLite gave up the whole transaction, and with it the jobs before this one. */
            r = job->result;
            store_rollback(store);
            fail_all(batch, r);
            return;
        }
        any = any || job->result == 0;
    }
    if (!any) {
        store_rollback(store);
        return;
    }
    r = store_commit(store);
    if (r)
        fail_all(batch, r);
}

static void run_batch(struct batch *batch)
{
    struct write_job *only = NULL;
    size_t ready = 0;

    for (size_t i = 0; i < batch->n; i++) {
        if (batch->jobs[i]->result == 0) {
            only = batch->jobs[i];
            ready++;
        }
    }
    if (ready == 1)
        run_alone(only);
    else if (ready > 1)
        run_together(batch);
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
        run_alone(job);
    return job->result;
}

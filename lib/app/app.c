#include "app/app.h"

#include <errno.h>

#include "app/space.h"

int64_t app_now(const struct app *app)
{
    return app->clock->now(app->clock);
}

struct space *app_space(struct app *app, struct str authority)
{
    size_t n = atomic_load_explicit(&app->n_spaces, memory_order_acquire);
    for (size_t i = 0; i < n; i++) {
        if (str_eqz(authority, app->spaces[i]->authority))
            return app->spaces[i];
    }
    return NULL;
}

void sign_request_clear(struct sign_request *r)
{
    buf_clear(&r->payload);
    buf_clear(&r->token);
}

static void note(_Atomic bool *fails, bool now)
{
    if (atomic_load_explicit(fails, memory_order_relaxed) != now) /* seldom: keep it shared */
        atomic_store_explicit(fails, now, memory_order_relaxed);
}

static void sign_batch(struct app *app, struct sign_request *const batch[], size_t n)
{
    note(&app->signer_fails, app->writer_signer->sign(app->writer_signer, batch, n) != 0);
}

/* Hands what a group's jobs want signed to the signer, a bounded number at a time, so that neither
 * side of the channel can fill up while the other still writes. */
static void sign_all(struct app *app, struct write_job *const jobs[], size_t n)
{
    struct sign_request *batch[32];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const struct app_job *job = (const struct app_job *)jobs[i];
        for (size_t k = 0; job->write.result == 0 && k < job->n_sign; k++) {
            batch[count++] = job->sign[k];
            if (count == ARRAY_SIZE(batch)) {
                sign_batch(app, batch, count);
                count = 0;
            }
        }
    }
    if (count > 0)
        sign_batch(app, batch, count);
}

/* What the signer refuses to sign is what was asked for, and its words say what is wrong with it.
 */
static int refused(int result)
{
    if (result == SIGNER_E_REFUSED)
        return APP_E_INVALID;
    return result < 0 ? result : -EPROTO;
}

void app_prepare(void *ctx, struct write_job *const jobs[], size_t n)
{
    struct app *app = ctx;
    for (size_t i = 0; i < n; i++) {
        struct app_job *job = (struct app_job *)jobs[i];
        job->n_sign = 0;
        job->write.result = job->compose ? job->compose(job) : 0;
    }
    sign_all(app, jobs, n);
    for (size_t i = 0; i < n; i++) {
        struct app_job *job = (struct app_job *)jobs[i];
        for (size_t k = 0; job->write.result == 0 && k < job->n_sign; k++) {
            if (job->sign[k]->result != 0) {
                job->err = job->sign[k]->err;
                job->write.result = refused(job->sign[k]->result);
            }
        }
    }
}

static int job_run(struct write_job *write, struct store *store)
{
    struct app_job *job = (struct app_job *)write;
    return job->run(job, store);
}

/* What a job, or the commit of its group, ended with, as the one who asked is told it. */
static int settled(int r)
{
    if (r == APP_DONE)
        return 0;
    if (r > 0 && r < APP_E_INVALID) /* of the store, and nobody handled it */
        return r == STORE_E_FULL ? -ENOSPC : -EIO;
    return r;
}

/* What became of a write: of the disk under it, not of what it was about. */
static void written(struct app *app, int result)
{
    if (result == 0 || result == -EIO || result == -ENOSPC || result == -EROFS)
        note(&app->writes_fail, result != 0);
}

static void notify(struct app *app, int what, int result)
{
    if (what && result == 0 && app->notify)
        app->notify(app->notify_ctx, what);
}

static void job_done(struct write_job *write, int result)
{
    struct app_job *job = (struct app_job *)write;
    notify(job->app, job->notify, result);
    result = settled(result);
    written(job->app, result);
    job->done(job, result);
}

static void job_ready(struct app *app, struct app_job *job)
{
    job->app = app;
    job->write.store = job->space ? job->space->store : app->directory_store;
    job->write.run = job_run;
    job->write.done = NULL;
    job->write.result = 0;
}

int app_do(struct app *app, struct app_job *job)
{
    job_ready(app, job);
    const struct writer_hooks hooks = {app_prepare, app};
    int r =
        app->writer ? writer_do(app->writer, &job->write) : writer_run_inline(&hooks, &job->write);
    if (r == -EAGAIN)
        return APP_E_BUSY;
    r = settled(r);
    written(app, r);
    return r;
}

int app_submit(struct app *app, struct app_job *job)
{
    job_ready(app, job);
    job->write.done = job_done;
    return writer_submit(app->writer, &job->write);
}

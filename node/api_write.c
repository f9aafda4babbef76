#include "api.h"

#include <errno.h>

static struct app_job *job_of(struct api_write *w)
{
    return (struct app_job *)((char *)w + w->kind->job);
}

void *api_write_new(struct http_request *r, const struct api_kind *kind)
{
    struct api_write *w = calloc(1, kind->size);

    if (w)
        w->kind = kind;
    else
        http_app_problem(r, -ENOMEM, NULL);
    return w;
}

void api_write_free(struct api_write *w)
{
    if (!w)
        return;
    w->kind->clear(w);
    free(w);
}

static void on_loop(void *arg)
{
    struct api_write *w = arg;
    struct http_request *r = http_resume(w->deferred);

    if (r)
        w->kind->answer(r, w, w->result);
    api_write_free(w);
}

/* On the writer's thread. */
static void on_written(struct app_job *job, int result)
{
    struct api_write *w = job->done_ctx;

    w->result = result;
    w->task = (struct loop_task){.fn = on_loop, .arg = w};
    loop_post_task(http_deferred_loop(w->deferred), &w->task);
}

void api_submit(struct http_request *r, struct api_write *w)
{
    struct app_job *job = job_of(w);
    int result = -ENOMEM;

    job->done = on_written;
    job->done_ctx = w;
    w->deferred = http_defer(r); /* before it is submitted: the writer may be done at once */
    if (w->deferred) {
        result = app_submit(r->thread->app, job);
        if (result == 0)
            return;
        http_resume(w->deferred);
    }
    api_write_free(w);
    http_app_problem(r, result == -EAGAIN ? APP_E_BUSY : result, NULL);
}

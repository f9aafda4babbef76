#include "api.h"

#include <errno.h>

static void on_loop(void *arg)
{
    struct api_write *w = arg;
    struct http_request *r = http_resume(w->deferred);

    if (r)
        w->answer(r, w, w->result);
    w->release(w);
}

void api_written(struct api_write *w, int result)
{
    w->result = result;
    w->task = (struct loop_task){.fn = on_loop, .arg = w};
    loop_post_task(http_deferred_loop(w->deferred), &w->task);
}

void api_submit(struct http_request *r, struct api_write *w, struct app_job *job)
{
    int result = -ENOMEM;

    w->deferred = http_defer(r); /* before it is submitted: the writer may be done at once */
    if (w->deferred) {
        result = app_submit(r->thread->app, job);
        if (result == 0)
            return;
        http_resume(w->deferred);
    }
    w->release(w);
    http_app_problem(r, result == -EAGAIN ? APP_E_BUSY : result, NULL);
}

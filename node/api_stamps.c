/* Stamps that hosts send home: a request signed by the host (RFC 9421). */
#include "api.h"

#include "app/stamps.h"

#include <errno.h>

/* One delivery on its way through the writer. */
struct pending {
    struct accept_stamps accept; /* its job's done() knows us by .owner */
    struct http_deferred *deferred;
    struct loop_task task;
    int result;
};

static void pending_free(struct pending *p)
{
    if (!p)
        return;
    accept_stamps_clear(&p->accept);
    free(p);
}
DEFINE_CLEANUP(struct pending *, pending_free)

static void on_loop(void *arg)
{
    _cleanup_(pending_freep) struct pending *p = arg;
    struct http_request *r = http_resume(p->deferred);

    if (!r)
        return;
    if (p->result)
        http_app_problem(r, p->result, &p->accept.job.err);
    else
        http_answer_json(r, 200, buf_as_str(&p->accept.reply));
}

static void on_written(struct app_job *job, int result)
{
    struct pending *p = ((struct accept_stamps *)job)->owner;

    p->result = result;
    p->task = (struct loop_task){.fn = on_loop, .arg = p};
    loop_post_task(http_deferred_loop(p->deferred), &p->task);
}

static int prepare(struct http_request *r, struct accept_stamps *a, struct err *err)
{
    struct httpsig_header headers[HTTP_HEADERS_MAX];
    struct httpsig_request signed_request = {
        .method = r->method_name,
        .authority = r->host,
        .path = r->path,
        .content_type = http_header_get(r, "content-type"),
        .body = r->body,
    };

    for (size_t i = 0; i < r->n_headers; i++)
        headers[i] = (struct httpsig_header){r->headers[i].name, r->headers[i].value};
    return accept_stamps_prepare(r->thread, r->space, &signed_request, headers, r->n_headers, a,
                                 err);
}

void api_stamps(struct http_request *r)
{
    _cleanup_(pending_freep) struct pending *p = NULL;
    struct app *app = r->thread->app;
    struct err err = {0};
    int result;

    if (r->query.p && r->query.n) { /* no signature would cover it */
        api_invalid(r, "this resource takes no query");
        return;
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        http_app_problem(r, -ENOMEM, NULL);
        return;
    }
    result = prepare(r, &p->accept, &err);
    if (result) {
        http_app_problem(r, result, &err);
        return;
    }
    p->accept.owner = p;
    p->accept.job.done = on_written;
    p->deferred = http_defer(r);
    result = p->deferred ? app_submit(app, &p->accept.job) : -ENOMEM;
    if (!result) {
        p = NULL; /* the writer's, then the loop's */
        return;
    }
    if (p->deferred)
        http_resume(p->deferred);
    http_app_problem(r, result == -EAGAIN ? APP_E_BUSY : result, NULL);
}

/* Stamps that hosts send home: a request signed by the host (RFC 9421). */
#include "api.h"

#include "app/stamps.h"

#include <errno.h>
#include <stddef.h>

/* One delivery on its way through the writer. */
struct pending {
    struct accept_stamps accept; /* first: its job is ours */
    struct api_write write;
};

static void pending_free(struct pending *p)
{
    if (!p)
        return;
    accept_stamps_clear(&p->accept);
    free(p);
}
DEFINE_CLEANUP(struct pending *, pending_free)

static struct pending *pending_of(struct api_write *w)
{
    return (struct pending *)((char *)w - offsetof(struct pending, write));
}

static void release(struct api_write *w)
{
    pending_free(pending_of(w));
}

static void answer(struct http_request *r, struct api_write *w, int result)
{
    const struct accept_stamps *a = &pending_of(w)->accept;

    if (result)
        http_app_problem(r, result, &a->job.err);
    else
        http_answer_json(r, 200, buf_as_str(&a->reply));
}

static void on_written(struct app_job *job, int result)
{
    api_written(&((struct pending *)job)->write, result);
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
    p->accept.job.done = on_written;
    p->write.answer = answer;
    p->write.release = release;
    api_submit(r, &p->write, &p->accept.job);
    p = NULL; /* taken over */
}

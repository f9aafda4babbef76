/* Stamps that hosts send home: a request signed by the host (RFC 9421). */
#include "api.h"

#include "app/stamps.h"

#include <errno.h>
#include <stddef.h>

/* One delivery on its way through the writer. */
struct pending {
    struct api_write write; /* first */
    struct accept_stamps accept;
};

static void clear(struct api_write *w)
{
    accept_stamps_clear(&((struct pending *)w)->accept);
}

static void answer(struct http_request *r, struct api_write *w, int result)
{
    const struct accept_stamps *a = &((const struct pending *)w)->accept;

    if (result)
        http_app_problem(r, result, &a->job.err);
    else
        http_answer_json(r, 200, buf_as_str(&a->reply));
}

static const struct api_kind kind = {
    .size = sizeof(struct pending),
    .job = offsetof(struct pending, accept.job),
    .answer = answer,
    .clear = clear,
};

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
    _cleanup_(api_write_freep) struct api_write *w = NULL;
    struct accept_stamps *c;
    struct err err = {0};
    int result;

    if (r->query.p && r->query.n) { /* no signature would cover it */
        api_invalid(r, "this resource takes no query");
        return;
    }
    w = api_write_new(r, &kind);
    if (!w)
        return;
    c = &((struct pending *)w)->accept;
    result = prepare(r, c, &err);
    if (result) {
        http_app_problem(r, result, &err);
        return;
    }
    api_submit(r, w);
    w = NULL; /* taken over */
}

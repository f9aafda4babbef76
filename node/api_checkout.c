#include "api.h"

#include "app/check_in.h"

#include <errno.h>
#include <stddef.h>

/* One check-out on its way through the writer. */
struct pending {
    struct api_write write; /* first */
    struct check_out check_out;
};

static void clear(struct api_write *w)
{
    check_out_clear(&((struct pending *)w)->check_out);
}

static void answer(struct http_request *r, struct api_write *w, int result)
{
    const struct check_out *c = &((const struct pending *)w)->check_out;
    _cleanup_(buf_clear) struct buf current = {0};

    if (result == 0) {
        http_answer_json(r, 200, buf_as_str(&c->reply));
        return;
    }
    if (result == APP_E_STATE && c->reply.n) { /* is out already: here is how it stands */
        buf_z(&current, "\"current\":");
        buf_str(&current, buf_as_str(&c->reply));
    }
    http_app_problem_with(r, result, &c->job.err, buf_as_str(&current));
}

static const struct api_kind kind = {
    .size = sizeof(struct pending),
    .job = offsetof(struct pending, check_out.job),
    .answer = answer,
    .clear = clear,
};

void api_check_out(struct http_request *r)
{
    _cleanup_(json_freep) struct json *body = api_body(r);
    _cleanup_(api_write_freep) struct api_write *w = NULL;
    struct check_out *c;
    struct err err = {0};
    char visit[32];
    struct str id;
    int result;

    if (!body)
        return;
    if (json_get_str(body, "visit", &id) || !str_starts(id, STR("vis_")) ||
        str_copy(visit, sizeof(visit), id)) {
        api_invalid(r, "visit must be an id that begins with vis_");
        return;
    }
    w = api_write_new(r, &kind);
    if (!w)
        return;
    c = &((struct pending *)w)->check_out;
    result = check_out_prepare(r->thread, r->space, visit, c, &err);
    if (result) {
        http_app_problem(r, result, &err);
        return;
    }
    api_submit(r, w);
    w = NULL; /* taken over */
}

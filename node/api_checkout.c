#include "api.h"

#include "app/check_in.h"

#include <errno.h>
#include <stddef.h>

/* One check-out on its way through the writer. */
struct pending {
    struct check_out check_out; /* first: its job is ours */
    struct api_write write;
};

static void pending_free(struct pending *p)
{
    if (!p)
        return;
    check_out_clear(&p->check_out);
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
    const struct check_out *c = &pending_of(w)->check_out;
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

static void on_written(struct app_job *job, int result)
{
    api_written(&((struct pending *)job)->write, result);
}

void api_check_out(struct http_request *r)
{
    _cleanup_(json_freep) struct json *body = api_body(r);
    _cleanup_(pending_freep) struct pending *p = NULL;
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
    p = calloc(1, sizeof(*p));
    if (!p) {
        http_app_problem(r, -ENOMEM, NULL);
        return;
    }
    str_copy(p->check_out.desk, sizeof(p->check_out.desk), str_of(r->holder.id));
    result = check_out_prepare(r->thread, r->space, visit, &p->check_out, &err);
    if (result) {
        http_app_problem(r, result, &err);
        return;
    }
    p->check_out.job.done = on_written;
    p->write.answer = answer;
    p->write.release = release;
    api_submit(r, &p->write, &p->check_out.job);
    p = NULL; /* taken over */
}

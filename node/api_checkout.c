#include "api.h"

#include "app/check_in.h"

#include <errno.h>

/* One check-out on its way through the writer. */
struct pending {
    struct check_out check_out; /* its job's done() knows us by .owner */
    struct http_deferred *deferred;
    struct loop_task task;
    int result;
};

static void pending_free(struct pending *p)
{
    if (!p)
        return;
    check_out_clear(&p->check_out);
    free(p);
}
DEFINE_CLEANUP(struct pending *, pending_free)

static void answer(struct http_request *r, struct pending *p)
{
    struct check_out *c = &p->check_out;
    _cleanup_(buf_clear) struct buf current = {0};

    if (p->result == 0) {
        http_answer_json(r, 200, buf_as_str(&c->reply));
        return;
    }
    if (p->result == APP_E_STATE && c->reply.n) { /* is out already: here is how it stands */
        buf_z(&current, "\"current\":");
        buf_str(&current, buf_as_str(&c->reply));
    }
    http_app_problem_with(r, p->result, &c->job.err, buf_as_str(&current));
}

static void on_loop(void *arg)
{
    _cleanup_(pending_freep) struct pending *p = arg;
    struct http_request *r = http_resume(p->deferred);

    if (r)
        answer(r, p);
}

static void on_written(struct app_job *job, int result)
{
    struct pending *p = ((struct check_out *)job)->owner;

    p->result = result;
    p->task = (struct loop_task){.fn = on_loop, .arg = p};
    loop_post_task(http_deferred_loop(p->deferred), &p->task);
}

void api_check_out(struct http_request *r)
{
    _cleanup_(json_freep) struct json *body = api_body(r);
    _cleanup_(pending_freep) struct pending *p = NULL;
    struct app *app = r->thread->app;
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
    p->check_out.owner = p;
    p->check_out.job.done = on_written;
    p->deferred = http_defer(r);
    result = p->deferred ? app_submit(app, &p->check_out.job) : -ENOMEM;
    if (!result) {
        p = NULL; /* the writer's, then the loop's */
        return;
    }
    if (p->deferred)
        http_resume(p->deferred);
    http_app_problem(r, result == -EAGAIN ? APP_E_BUSY : result, NULL);
}

#include <errno.h>

#include "app/check_in.h"
#include "cred/stamp.h"

/* The proof that the first revision carried stays in the later ones. */
static int proof_of(struct app_job *job, struct check_out *c, int64_t *revision,
                    struct json **backing, struct str *proof)
{
    _cleanup_(buf_clear) struct buf receipt = {0};
    struct jws jws = {0};
    struct stamp stamp;
    int r = store_stamp_of_visit(job->space->store, c->visit_id, revision, &c->earlier, &receipt);
    if (r == 0)
        r = jws_parse(buf_as_str(&c->earlier), STAMP_TYP, LIMIT_STAMP, &jws, NULL);
    if (r == 0)
        r = stamp_read(&jws, &stamp, backing, NULL);
    if (r == 0)
        *proof = stamp.proof;
    jws_clear(&jws);
    return r > 0 ? -EBADMSG : r;
}

static int out_already(struct check_out *c)
{
    buf_reset(&c->reply);
    visit_write(&c->visit, &c->reply);
    err_set(&c->job.err, 0, "this visit is checked out already");
    return APP_E_STATE;
}

static int check_out_compose(struct app_job *job)
{
    struct check_out *c = (struct check_out *)job;
    _cleanup_(json_freep) struct json *backing = NULL;
    struct str proof = {0};
    int r = store_visit_get(job->space->store, c->visit_id, &c->visit);
    if (r == STORE_E_ABSENT) {
        err_set(&job->err, 0, "no visit has the id %s", c->visit_id);
        err_next(&job->err, 0, "see `comity visit list`");
        return APP_E_ABSENT;
    }
    if (r == 0 && c->visit.checked_out != 0)
        return out_already(c);
    if (r == 0)
        r = proof_of(job, c, &c->revision, &backing, &proof);
    if (r != 0)
        return r;
    c->revision++;
    c->visit.checked_out = app_now(job->app);
    if (c->visit.checked_out < c->visit.checked_in) /* the clock went back */
        c->visit.checked_out = c->visit.checked_in;
    str_copy(c->visit.stamp_state, sizeof(c->visit.stamp_state), STR("pending"));
    r = visit_stamp(job->space, &c->visit, c->revision, app_now(job->app), proof, &c->stamp);
    job->sign[0] = &c->stamp;
    job->n_sign = 1;
    return r;
}

static int check_out_run(struct app_job *job, struct store *store)
{
    struct check_out *c = (struct check_out *)job;
    int r = store_visit_check_out(store, c->visit_id, c->visit.checked_out);
    if (r == STORE_E_STATE) /* another of this group came first */
        return store_visit_get(store, c->visit_id, &c->visit) == 0 ? out_already(c) : -EIO;
    if (r == 0)
        r = store_outbox_put(store, c->visit_id, c->revision, c->visit.home,
                             buf_as_str(&c->stamp.token), app_now(job->app));
    buf_reset(&c->reply);
    return r == 0 ? visit_write(&c->visit, &c->reply) : r;
}

int check_out_prepare(struct app_thread *t, struct space *space, const char *visit,
                      struct check_out *c, struct err *err)
{
    c->job.space = space;
    c->job.compose = check_out_compose;
    c->job.run = check_out_run;
    c->job.notify = NOTIFY_OUTBOX;
    c->job.write.repeatable = true;
    if (!str_starts(str_of(visit), STR("vis_")) ||
        str_copy(c->visit_id, sizeof(c->visit_id), str_of(visit)) != 0)
        return err_set(err, APP_E_INVALID, "a visit's id begins with \"vis_\"");
    return 0;
}

void check_out_clear(struct check_out *c)
{
    sign_request_clear(&c->stamp);
    buf_clear(&c->earlier);
    buf_clear(&c->reply);
}

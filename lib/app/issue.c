#include "app/issue.h"

#include <errno.h>
#include <stdio.h>

#include "cred/qr.h"

#define LIST_NEARLY_FULL (LIMIT_STATUS_ENTRIES / 4 * 3)
#define INDEX_TRIES 64

struct issue_job {
    struct app_job job;
    const struct issue_request *req;
    struct rand *rand;
    struct pass_row row;
    struct member_row member;
    struct sign_request sign;
    struct buf tail; /* the disclosures */
    bool list_full;
};

/* A random index says nothing of how many passes there are, nor of their order. */
static int index_pick(struct issue_job *j, struct store *store)
{
    unsigned lists = space_status_lists(j->job.space);
    struct pass_row other;
    uint32_t used = 0;
    j->row.list = lists - 1;
    int r = store_pass_count(store, j->row.list, j->row.iat, &used);
    if (r != 0)
        return r;
    if (used >= LIST_NEARLY_FULL) {
        j->list_full = lists < LIMIT_STATUS_LISTS;
        if (used >= LIMIT_STATUS_ENTRIES - LIMIT_STATUS_ENTRIES / 64 || j->list_full)
            return APP_E_LIMIT;
    }
    for (int i = 0; i < INDEX_TRIES; i++) {
        r = rand_below(j->rand, LIMIT_STATUS_ENTRIES, &j->row.idx);
        if (r == 0)
            r = store_pass_by_index(store, j->row.list, j->row.idx, INT64_MAX, &other);
        if (r == STORE_E_ABSENT || (r == 0 && other.exp + 2 * LIMIT_CLOCK_SKEW < j->row.iat))
            return 0; /* nobody accepts that other one any more, and its mark is gone */
        if (r != 0)
            return r;
    }
    return APP_E_BUSY;
}

static int pass_compose(struct issue_job *j)
{
    const struct space *space = j->job.space;
    struct pass pass = {.iat = j->row.iat,
                        .exp = j->row.exp,
                        .status_idx = j->row.idx,
                        .bound = j->req->device != NULL};
    _cleanup_(json_freep) struct json *payload = NULL;
    memcpy(pass.iss, space->id, sizeof(pass.iss));
    memcpy(pass.sub, j->member.sub, sizeof(j->member.sub));
    memcpy(pass.tier, j->row.tier, sizeof(pass.tier));
    memcpy(pass.name, j->member.name, sizeof(pass.name));
    snprintf(pass.status_uri, sizeof(pass.status_uri), "%s/status/%u", space->id, j->row.list);
    if (pass.bound)
        pass.device = *j->req->device;
    /* member_since is left out: no rule asks for it yet, and it would make the QR code larger. */
    const struct pass_claims claims = {.pass = &pass};
    buf_reset(&j->tail);
    int r = pass_payload(&claims, j->rand, &payload, &j->tail);
    buf_reset(&j->sign.payload);
    return r == 0 ? json_write(payload, &j->sign.payload) : r;
}

static int issue_compose(struct app_job *job)
{
    struct issue_job *j = (struct issue_job *)job;
    struct store *store = job->space->store;
    int r = store_member_get(store, j->req->member, &j->member);
    if (r == STORE_E_ABSENT)
        return APP_E_ABSENT;
    if (r == 0 && j->member.state != MEMBER_ACTIVE)
        return APP_E_STATE;
    memcpy(j->row.member, j->member.id, sizeof(j->row.member));
    memcpy(j->row.tier, j->member.tier, sizeof(j->row.tier));
    if (r == 0)
        r = index_pick(j, store);
    if (r == 0)
        r = pass_compose(j);
    j->sign.kind = SIGN_PASS;
    j->sign.space = job->space->id;
    job->sign[0] = &j->sign;
    job->n_sign = 1;
    return r;
}

static int issue_run(struct app_job *job, struct store *store)
{
    struct issue_job *j = (struct issue_job *)job;
    struct member_row now;
    int r = store_member_get(store, j->member.id, &now);
    if (r != 0)
        return r == STORE_E_ABSENT ? APP_E_ABSENT : r;
    if (now.state != MEMBER_ACTIVE) /* suspended since compose: by a job of this very group */
        return APP_E_STATE;
    r = store_pass_add(store, &j->row, j->row.iat);
    return r == STORE_E_EXISTS ? APP_E_BUSY : r; /* another of this group took the index */
}

static int explain(const struct issue_job *j, int r, struct err *err)
{
    switch (r) {
    case APP_E_ABSENT:
        err_set(err, r, "no member has the id %.40s", j->req->member);
        return err_next(err, r, "see `comity member list`");
    case APP_E_STATE:
        err_set(err, r, "the member is suspended or removed, and gets no pass");
        return err_next(err, r, "restore the member first");
    case APP_E_LIMIT:
        return err_set(err, r, "every status list is full: %d passes are alive",
                       LIMIT_STATUS_LISTS * LIMIT_STATUS_ENTRIES);
    case APP_E_INVALID:
        return err_set(err, r, "the pass was not signed: %s", j->job.err.text);
    default:
        return err_set(err, r, "the pass could not be signed and stored%s%s",
                       j->job.err.text[0] ? ": " : "", j->job.err.text);
    }
}

static int finish(struct space *space, struct issue_job *j, struct issued *out)
{
    struct issued made = {.row = j->row};
    int r = buf_str(&made.token, buf_as_str(&j->sign.token));
    if (r == 0)
        r = buf_str(&made.token, buf_as_str(&j->tail));
    if (r == 0)
        r = qr_text(space->id, buf_as_str(&made.token), &made.qr);
    if (r != 0) {
        issued_clear(&made);
        return r;
    }
    *out = made;
    return 0;
}

int pass_issue(struct app_thread *t, struct space *space, const struct issue_request *req,
               struct issued *out, struct err *err)
{
    int days = req->days ? req->days : LIMIT_PASS_DAYS;
    if (days < 1 || days > LIMIT_PASS_DAYS)
        return err_set(err, APP_E_INVALID, "a pass lives 1 to %d days, not %d", LIMIT_PASS_DAYS,
                       days);
    if (req->device && key_check(req->device) != 0)
        return err_set(err, APP_E_INVALID, "the holder key is no point of its curve");
    struct issue_job j = {.job = {.space = space, .compose = issue_compose, .run = issue_run},
                          .req = req,
                          .rand = &t->rand};
    j.row.iat = app_now(t->app);
    j.row.exp = j.row.iat + (int64_t)days * 86400;
    int r = rand_id(&t->rand, "pas_", j.row.id, sizeof(j.row.id));
    if (r == 0 && req->device)
        r = jwk_thumbprint(req->device, j.row.device);
    if (r != 0)
        return r;
    for (int tries = 0; tries < 8; tries++) {
        r = app_do(t->app, &j.job);
        if (r == APP_E_LIMIT && j.list_full) {
            j.list_full = false;
            r = space_add_status_list(t, space, &j.job.err);
            if (r != 0)
                break;
        } else if (r != APP_E_BUSY) {
            break;
        }
        buf_reset(&j.sign.token);
    }
    r = r == 0 ? finish(space, &j, out) : explain(&j, r, err);
    sign_request_clear(&j.sign);
    buf_clear(&j.tail);
    return r;
}

void issued_clear(struct issued *i)
{
    buf_clear(&i->token);
    buf_clear(&i->qr);
}

/* ---- revoking ---- */

struct revoke_job {
    struct app_job job;
    const char *id;
    struct pass_row row;
    int64_t now;
};

static int revoke_run(struct app_job *job, struct store *store)
{
    struct revoke_job *j = (struct revoke_job *)job;
    int r = store_pass_get(store, j->id, &j->row);
    if (r == STORE_E_ABSENT)
        return APP_E_ABSENT;
    if (r == 0 && j->row.state == PASS_REVOKED)
        return APP_DONE;
    if (r == 0)
        r = store_pass_set_state(store, j->id, PASS_REVOKED, j->now);
    if (r == 0)
        r = store_status_dirty(store, j->row.list, true);
    j->row.state = PASS_REVOKED;
    j->row.revoked_at = j->now;
    return r;
}

int pass_revoke(struct app_thread *t, struct space *space, const char *id, struct pass_row *out,
                struct err *err)
{
    struct revoke_job j = {
        .job = {.space = space, .run = revoke_run}, .id = id, .now = app_now(t->app)};
    int r = app_do(t->app, &j.job);
    if (r == APP_E_ABSENT) {
        err_set(err, r, "no pass has the id %.40s", id);
        return err_next(err, r, "see `comity pass list`");
    }
    if (r == 0)
        r = space_publish_status(t, space, j.row.list, err);
    if (r == 0)
        *out = j.row;
    return r;
}

struct json *pass_json(const struct pass_row *p)
{
    static const char *const states[] = {
        [PASS_LIVE] = "live", [PASS_REVOKED] = "revoked", [PASS_SUSPENDED] = "suspended"};
    char issued[RFC3339_LEN + 1], expires[RFC3339_LEN + 1];
    struct json *v = json_object();
    rfc3339_format(p->iat, issued);
    rfc3339_format(p->exp, expires);
    if (json_put_z(v, "pass", p->id) || json_put_z(v, "member", p->member) ||
        json_put_z(v, "tier", p->tier) || json_put_z(v, "state", states[p->state]) ||
        json_put_int(v, "iat", p->iat) || json_put_z(v, "issued_at", issued) ||
        json_put_int(v, "exp", p->exp) || json_put_z(v, "expires_at", expires) ||
        json_put_z(v, "device", p->device[0] ? p->device : NULL) ||
        json_put_int(v, "status_list", p->list) || json_put_int(v, "status_idx", p->idx)) {
        json_free(v);
        return NULL;
    }
    return v;
}

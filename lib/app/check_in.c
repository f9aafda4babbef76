#include "app/check_in.h"

#include <errno.h>
#include <stdio.h>

#include "app/verifications.h"
#include "base/b64.h"
#include "base/json_text.h"
#include "cred/stamp.h"

#define VERIFICATION_PREFIX "ver_"

/* ---- on the asking thread: what is presented, and what steps 1 to 7 say of it ---- */

static int redeem(struct app_thread *t, struct space *space, struct check_in *c, const char *id,
                  struct buf *token, int64_t *seen_at)
{
    int64_t now = app_now(t->app);
    int r = verifications_get(space->verifications, id, c->desk, now, token, seen_at);
    struct store *store = t->app->persist_verifications ? space->store
                          : t->reads                    ? t->reads(t, space)
                                                        : NULL;
    if (r != APP_E_ABSENT || !store)
        return r;
    /* Made by a verb before there was a node: a desk of the HTTP threads never has such a one. */
    _cleanup_(buf_clear) struct buf body = {0};
    struct str seen, text;
    r = store_verification_get(store, id, c->desk, now, &body);
    if (r == 0 && (!str_cut(buf_as_str(&body), ' ', &seen, &text) ||
                   str_to_int(seen, 0, LIMIT_JSON_INT, seen_at) != 0))
        r = -EBADMSG;
    if (r == 0)
        r = buf_str(token, text);
    return r == STORE_E_ABSENT ? APP_E_ABSENT : r;
}

static void absent(struct check_in *c)
{
    err_set(&c->job.err, 0, "no such verification for this desk in the last %d minutes",
            LIMIT_VERIFICATION_TIME / 60);
    err_next(&c->job.err, 0, "scan the pass again");
}

/* A visit is to another space: there is no home to send a stamp to. */
static int own_member(struct check_in *c)
{
    err_set(&c->job.err, 0, "this is an own member, and no visitor: the pass is of this space");
    err_next(&c->job.err, 0, "let them in; there is nothing to check in");
    return APP_E_STATE;
}

/* Ids begin with the time, in an alphabet whose order is that of its values, so that the indexes
 * grow at their end: the desk must not slow down as the years pass. Seventy-two random bits follow.
 */
static int visit_id(struct app_thread *t, char out[static 32])
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t random[9];
    int64_t now = app_now(t->app);
    int r = rand_fill(&t->rand, random, sizeof(random));
    if (r != 0)
        return r;
    memcpy(out, "vis_", 4);
    for (int i = 0; i < 7; i++)
        out[4 + i] = alphabet[(now >> (30 - 5 * i)) & 31];
    b64_encode(random, sizeof(random), out + 11);
    out[23] = 0;
    return 0;
}

static int check_in_compose(struct app_job *job);
static int check_in_run(struct app_job *job, struct store *store);

int check_in_prepare(struct app_thread *t, struct space *space, struct str text, struct check_in *c,
                     struct err *err)
{
    _cleanup_(buf_clear) struct buf token = {.max = LIMIT_PRESENTATION};
    struct verify_request req = {.text = text, .desk = c->desk};
    c->job.space = space;
    c->job.compose = check_in_compose;
    c->job.run = check_in_run;
    c->job.notify = NOTIFY_OUTBOX;
    c->job.write.repeatable = true;
    c->outcome = 0;

    if (str_starts(text, STR(VERIFICATION_PREFIX))) {
        char id[VERIFICATION_ID_MAX + 1];
        int64_t seen_at = 0;
        int r = str_copy(id, sizeof(id), str_trim(text));
        r = r == 0 ? redeem(t, space, c, id, &token, &seen_at) : APP_E_ABSENT;
        if (r == APP_E_ABSENT) {
            /* An earlier request with this key may still have its answer. */
            c->outcome = APP_E_ABSENT;
            absent(c);
            return 0;
        }
        if (r != 0)
            return err_set(err, r, "the verification could not be looked up");
        req.text = buf_as_str(&token);
        req.seen_at = seen_at;
    }
    int r = verify_presentation(t, space, &req, &c->answer);
    if (r != 0)
        return err_set(err, r, "the pass could not be checked");
    r = visit_id(t, c->visit.id);
    if (r != 0)
        return r;
    if (c->answer.verdict.verdict == VERDICT_REFUSE)
        c->outcome = APP_E_REFUSED;
    else if (strcmp(c->answer.pass.iss, space->id) == 0)
        c->outcome = own_member(c);
    else if (c->answer.verdict.verdict == VERDICT_ASK && !c->confirm)
        c->outcome = APP_E_CONFIRM;
    return 0;
}

void check_in_clear(struct check_in *c)
{
    verify_answer_clear(&c->answer);
    sign_request_clear(&c->stamp);
    buf_clear(&c->reply);
}

/* ---- on the writer's thread, before the transaction ---- */

static int ended(struct check_in *c, int result)
{
    buf_reset(&c->reply);
    if (result == APP_E_REFUSED || result == APP_E_CONFIRM) {
        verify_answer_write(&c->answer, &c->reply);
        const struct verdict_reason *first = &c->answer.verdict.reasons[0];
        err_set(&c->job.err, 0, "%s", reason_info(first->reason)->text);
        err_next(&c->job.err, 0, "%s", reason_info(first->reason)->next);
    }
    return result;
}

/* What an earlier request with this key got: APP_DONE with the reply; 0 if there was none. */
static int earlier(struct check_in *c, struct store *store)
{
    uint8_t digest[32];
    if (c->key[0] == 0)
        return 0;
    buf_reset(&c->reply);
    int r = store_idempotency_get(store, c->desk, c->key, digest, &c->reply);
    if (r == STORE_E_ABSENT)
        return 0;
    if (r != 0)
        return r;
    if (memcmp(digest, c->body_digest, sizeof(digest)) != 0) {
        buf_reset(&c->reply);
        err_set(&c->job.err, 0, "this idempotency key was used before with another body");
        err_next(&c->job.err, 0, "make a new key for each new check-in");
        return APP_E_CONFLICT;
    }
    c->replayed_key = true;
    return APP_DONE;
}

/* Somebody who is in already is not checked in twice. Staff who confirm get the visit that there
 * is. */
static int already_in(struct check_in *c, struct store *store)
{
    struct visit_row open;
    int r = store_visit_open(store, c->visit.person, &open);
    if (r == STORE_E_ABSENT)
        return 0;
    if (r != 0)
        return r;
    c->already_in = true;
    if (c->confirm) {
        c->visit = open;
        buf_reset(&c->reply);
        r = visit_write(&open, &c->reply);
        return r == 0 ? APP_DONE : r;
    }
    const struct reason_param since = {"since", open.checked_in};
    verdict_add(&c->answer.verdict, REASON_ALREADY_CHECKED_IN, &since, 1);
    return ended(c, APP_E_CONFIRM);
}

static int visit_fill(struct check_in *c, const struct space *space)
{
    const struct verify_answer *a = &c->answer;
    struct visit_row *v = &c->visit;
    struct buf codes = {.max = sizeof(v->reasons) - 1};
    struct civil local;

    memcpy(v->home, a->pass.iss, sizeof(v->home));
    memcpy(v->sub, a->pass.sub, sizeof(v->sub));
    memcpy(v->name, a->pass.name, sizeof(v->name));
    memcpy(v->tier, a->pass.tier, sizeof(v->tier));
    memcpy(v->status_uri, a->pass.status_uri, sizeof(v->status_uri));
    v->status_idx = a->pass.status_idx;
    if (a->proven) {
        memcpy(v->device, a->device, sizeof(v->device));
        memcpy(v->nonce, a->nonce, sizeof(v->nonce));
    }
    str_copy(v->verdict, sizeof(v->verdict), str_of(verdict_name(a->verdict.verdict)));
    for (size_t i = 0; i < a->verdict.n_reasons; i++) {
        buf_z(&codes, i > 0 ? "," : "");
        buf_z(&codes, reason_info(a->verdict.reasons[i].reason)->code);
    }
    if (buf_error(&codes) == 0 && codes.n > 0)
        memcpy(v->reasons, codes.p, codes.n);
    buf_clear(&codes);
    v->confirmed = a->verdict.verdict == VERDICT_ASK;
    v->data_age_s = a->verdict.data_age_s;
    v->checked_in = a->now;
    tz_local(space->tz, a->now, &local);
    snprintf(v->day, sizeof(v->day), "%04u-%02u-%02u", (unsigned)local.year % 10000u,
             (unsigned)local.month % 100u, (unsigned)local.day % 100u);
    memcpy(v->desk, c->desk, sizeof(v->desk));
    str_copy(v->stamp_state, sizeof(v->stamp_state), STR("pending"));
    return space_person(space, v->home, v->sub, v->person);
}

int visit_stamp(const struct space *space, const struct visit_row *v, int64_t revision, int64_t now,
                struct str proof, struct sign_request *out)
{
    struct stamp s = {.revision = revision,
                      .status_idx = v->status_idx,
                      .iat = now,
                      .checked_in = v->checked_in,
                      .checked_out = v->checked_out,
                      .data_age_s = v->data_age_s,
                      .proof = proof};
    _Static_assert(
        sizeof(s.home) == sizeof(v->home) && sizeof(s.sub) == sizeof(v->sub) &&
            sizeof(s.status_uri) == sizeof(v->status_uri) && sizeof(s.tier) == sizeof(v->tier) &&
            sizeof(s.day) == sizeof(v->day) && sizeof(s.verdict) == sizeof(v->verdict) &&
            sizeof(s.device) == sizeof(v->device) && sizeof(s.timezone) == sizeof(space->timezone),
        "a stamp says what the visit's row says");
    memcpy(s.id, v->id, sizeof(v->id));
    memcpy(s.host, space->id, sizeof(s.host));
    memcpy(s.home, v->home, sizeof(s.home));
    memcpy(s.sub, v->sub, sizeof(s.sub));
    memcpy(s.status_uri, v->status_uri, sizeof(s.status_uri));
    memcpy(s.day, v->day, sizeof(s.day));
    memcpy(s.timezone, space->timezone, sizeof(s.timezone));
    memcpy(s.tier, v->tier, sizeof(s.tier));
    memcpy(s.verdict, v->verdict, sizeof(s.verdict));
    memcpy(s.device, v->device, sizeof(s.device));

    _cleanup_(json_freep) struct json *payload = stamp_payload(&s);
    out->kind = SIGN_STAMP;
    out->space = space->id;
    buf_reset(&out->payload);
    return payload ? json_write(payload, &out->payload) : -ENOMEM;
}

static int check_in_compose(struct app_job *job)
{
    struct check_in *c = (struct check_in *)job;
    struct verify_answer *a = &c->answer;
    int r = earlier(c, job->space->store);
    if (r != 0)
        return r;
    if (c->outcome != 0)
        return ended(c, c->outcome);
    r = visit_fill(c, job->space);
    if (r == 0 && !(c->confirm && c->key[0])) /* else the key keeps the answer: inside */
        r = already_in(c, job->space->store);
    if (r != 0)
        return r;
    struct str proof = {a->token.p + a->proof_at, a->token.n - a->proof_at};
    r = visit_stamp(job->space, &c->visit, 1, a->now, a->proven ? proof : (struct str){0},
                    &c->stamp);
    job->sign[0] = &c->stamp;
    job->n_sign = 1;
    return r;
}

/* ---- inside the transaction: everything or nothing ---- */

static int remember(struct check_in *c, struct store *store)
{
    return store_idempotency_put(store, c->desk, c->key, c->body_digest, buf_as_str(&c->reply),
                                 c->answer.now);
}

static int check_in_run(struct app_job *job, struct store *store)
{
    struct check_in *c = (struct check_in *)job;
    /* Others of this group may have come first. */
    int r = earlier(c, store);
    if (r != 0)
        return r;
    r = already_in(c, store);
    if (r == APP_DONE && c->key[0])
        return remember(c, store);
    if (r != 0)
        return r;
    r = store_visit_add(store, &c->visit);
    if (r == STORE_E_CONFLICT) {
        verdict_add(&c->answer.verdict, REASON_REPLAYED, NULL, 0);
        return ended(c, APP_E_REFUSED);
    }
    if (r == 0)
        r = store_outbox_put(store, c->visit.id, 1, c->visit.home, buf_as_str(&c->stamp.token),
                             c->answer.now);
    buf_reset(&c->reply);
    if (r == 0)
        r = visit_write(&c->visit, &c->reply);
    return r == 0 && c->key[0] ? remember(c, store) : r;
}

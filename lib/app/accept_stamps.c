/* At home: stamps that hosts send. Every stamp gets its own answer; one bad one spoils no other. */
#include <errno.h>
#include <stdio.h>

#include "app/replay.h"
#include "app/stamps.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "cred/keybind.h"
#include "crypto/digest.h"
#include "store/members.h"

#define DAY 86400
/* Between proof and check-in: LIMIT_VERIFICATION_TIME, what a proof may be off, and some to spare.
 */
#define PROOF_APART 900

/* ---- on the asking thread: who sends, and are the signatures theirs ---- */

/* NULL if this space does not speak with that federation key. */
static const struct key *key_of(const struct dir_issuer *issuer, const char *keyid)
{
    for (size_t k = 0; issuer->state != DIR_SUSPENDED && k < issuer->n_federation; k++) {
        if (strcmp(issuer->federation_kid[k], keyid) == 0)
            return &issuer->federation[k];
    }
    return NULL;
}

/* The federation key with that kid, if a space that we recognise speaks with it. Another may list
 * it too, since nothing stops anyone from writing a stranger's key beside its own: so which space
 * has sent a stamp is decided for each stamp, by speaks_for(). */
static int sender_key(struct app_thread *t, struct space *space, const char *keyid, struct key *key)
{
    struct directory *d = t->app->directory;
    const struct dir_issuer *issuer;
    int r = APP_E_FORBIDDEN;
    directory_read(d);
    for (size_t i = 0; r != 0 && (issuer = directory_at(d, i)); i++) {
        const struct key *found = key_of(issuer, keyid);
        if (!found || !space_recognises(space, issuer->id))
            continue;
        *key = *found;
        r = 0;
    }
    directory_done(d);
    return r;
}

static bool speaks_for(struct app_thread *t, struct space *space, const char *host,
                       const char *keyid)
{
    struct directory *d = t->app->directory;
    directory_read(d);
    const struct dir_issuer *issuer = directory_find(d, host);
    bool yes = issuer && key_of(issuer, keyid);
    directory_done(d);
    return yes && space_recognises(space, host);
}

static int sender_replay(struct app_thread *t, const struct httpsig *sig, int64_t now)
{
    char both[THUMBPRINT_LEN + 1 + HTTPSIG_NONCE_MAX + 1];
    uint8_t digest[SHA256_LEN], of_key[SHA256_LEN] = {0};
    int n = snprintf(both, sizeof(both), "%s %s", sig->params.keyid, sig->params.nonce);
    int r = verifier_sha256(t->verifier, both, (size_t)n, digest);
    uint64_t sender;
    int again = 0;
    if (r == 0)
        r = verifier_sha256(t->verifier, sig->params.keyid, strlen(sig->params.keyid), of_key);
    memcpy(&sender, of_key, sizeof(sender));
    if (r == 0)
        r = replay_bind_share(t->app->request_replay, digest, sender, now,
                              sig->params.expires + LIMIT_CLOCK_SKEW + 1,
                              &again); /* good at that second */
    if (r == REPLAY_E_FULL)
        return APP_E_BUSY;
    return r == 0 && again ? APP_E_UNAUTHENTICATED : r;
}

static int sender_check(struct app_thread *t, struct space *space,
                        const struct httpsig_request *req, const struct httpsig_header *headers,
                        size_t n_headers, struct accept_stamps *a, struct key *key, struct err *err)
{
    struct httpsig sig = {0};
    int64_t now = app_now(t->app);
    int r = httpsig_parse(req, headers, n_headers, now, &sig, err);
    if (r != 0)
        return r > 0 ? APP_E_UNAUTHENTICATED : r;
    r = sender_key(t, space, sig.params.keyid, key);
    memcpy(a->keyid, sig.params.keyid, sizeof(a->keyid));
    if (r != 0) {
        err_set(err, r, "the key %.12s... is of no space that %s recognises", sig.params.keyid,
                space->id);
        err_next(err, r, "ask the home space to add you as a peer");
    } else {
        r = httpsig_check(t->verifier, &sig, key);
        if (r > 0)
            r = err_set(err, APP_E_UNAUTHENTICATED,
                        "the request's signature is not that of its key");
        if (r == 0) {
            r = sender_replay(t, &sig, now);
            if (r == APP_E_UNAUTHENTICATED)
                err_set(err, r, "a request with this nonce was seen before");
        }
    }
    httpsig_clear(&sig);
    return r;
}

/* A stamp that was re-signed says the same but for iat: that decides "the same" from "a dispute".
 */
static int claims_digest(const struct json *payload, uint8_t out[static SHA256_LEN])
{
    _cleanup_(json_freep) struct json *claims = json_copy(payload);
    _cleanup_(buf_clear) struct buf text = {0};
    if (!claims)
        return -ENOMEM;
    json_remove(claims, "iat");
    int r = json_write(claims, &text);
    return r == 0 ? sha256(text.p, text.n, out) : r;
}

/* The host's day is that of UTC, or one beside it: so no zone is looked up. */
static bool day_fits(const struct stamp *s)
{
    int64_t midnight;
    if (rfc3339_parse(str_of(s->day), &midnight) != 0)
        return false;
    int64_t utc = s->checked_in - s->checked_in % DAY;
    return midnight >= utc - DAY && midnight <= utc + DAY;
}

static bool proof_claims_fit(const struct json *payload, const struct stamp *s)
{
    struct str aud;
    int64_t iat;
    if (json_get_str(payload, "aud", &aud) != 0 || json_get_int(payload, "iat", &iat) != 0)
        return false;
    return (str_eqz(aud, s->host) || str_eqz(aud, KEYBIND_ANY_DESK)) &&
           iat >= s->checked_in - PROOF_APART && iat <= s->checked_in + PROOF_APART;
}

/* Whether this can be the holder proof of that check-in, RFC 9901 section 4.3. Its signature is not
 * looked at: of the device's key we have no more than the thumbprint. */
static int proof_check(const struct stamp *s, bool *fits)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    struct jws jws = {0};
    int r = jws_parse(s->proof, KEYBIND_TYP, LIMIT_PRESENTATION, &jws, NULL);
    if (r == 0)
        r = json_parse(buf_as_str(&jws.payload), &json_bounds_wire, &payload, NULL);
    jws_clear(&jws);
    if (r < 0)
        return r;
    *fits = r == 0 && proof_claims_fit(payload, s);
    return 0;
}

/* What a stamp says that is signed by who may, in itself and beside our clock. */
static int claims_check(const struct space *space, int64_t now, struct accepted *item)
{
    const struct stamp *s = &item->stamp;
    bool fits = true;
    int r = 0;
    if (strcmp(s->home, space->id) != 0)
        item->problem = "foreign";
    else if (s->iat > now + LIMIT_CLOCK_SKEW || s->checked_in > now + LIMIT_CLOCK_SKEW)
        item->problem = "from_the_future";
    else if (!day_fits(s))
        item->problem = "malformed";
    else if (s->proof.n > 0)
        r = proof_check(s, &fits);
    if (!fits)
        item->problem = "proof_mismatch";
    return r;
}

/* 0, also with item->problem set; negative errno if it cannot tell. */
static int stamp_check(struct app_thread *t, struct space *space, const char *keyid,
                       const struct key *key, struct accepted *item)
{
    struct jws jws = {0};
    int r = jws_parse(buf_as_str(&item->token), STAMP_TYP, LIMIT_STAMP, &jws, NULL);
    if (r == 0)
        r = stamp_read(&jws, &item->stamp, &item->backing, NULL);
    if (r > 0)
        item->problem = "malformed";
    if (r == 0) {
        r = jws_check(t->verifier, &jws, key);
        if (r > 0 || !speaks_for(t, space, item->stamp.host, keyid))
            item->problem = "forged";
        else if (r == 0)
            r = claims_check(space, app_now(t->app), item);
    }
    if (r == 0)
        r = jws_digest(&jws, item->digest);
    if (r == 0)
        r = claims_digest(item->backing, item->claims_digest);
    jws_clear(&jws);
    return r < 0 ? r : 0;
}

static int body_read(struct str body, struct accept_stamps *a, struct err *err)
{
    _cleanup_(json_freep) struct json *doc = NULL;
    int r = json_parse(body, &json_bounds_wire, &doc, err);
    if (r != 0)
        return r > 0 ? APP_E_INVALID : r;
    const struct json *stamps = json_get(doc, "stamps");
    size_t n = json_count(stamps);
    if (!stamps || json_kind(stamps) != JSON_ARRAY || n == 0 || n > LIMIT_STAMPS_PER_POST)
        return err_set(err, APP_E_INVALID, "\"stamps\" must be an array of 1 to %d stamps",
                       LIMIT_STAMPS_PER_POST);
    a->items = calloc(n, sizeof(*a->items));
    if (!a->items)
        return -ENOMEM;
    a->n = n;
    for (size_t i = 0; i < n; i++) {
        struct str token = json_as_str(json_at(stamps, i));
        if (token.n == 0 || token.n > LIMIT_STAMP)
            return err_set(err, APP_E_INVALID, "stamps[%zu] is no token of at most %d characters",
                           i, LIMIT_STAMP);
        r = buf_str(&a->items[i].token, token);
        if (r != 0)
            return r;
    }
    return 0;
}

static int accept_compose(struct app_job *job);
static int accept_run(struct app_job *job, struct store *store);

int accept_stamps_prepare(struct app_thread *t, struct space *space,
                          const struct httpsig_request *req, const struct httpsig_header *headers,
                          size_t n_headers, struct accept_stamps *a, struct err *err)
{
    struct key key;
    a->job.space = space;
    a->job.compose = accept_compose;
    a->job.run = accept_run;
    int r = sender_check(t, space, req, headers, n_headers, a, &key, err);
    if (r == 0)
        r = body_read(req->body, a, err);
    for (size_t i = 0; r == 0 && i < a->n; i++)
        r = stamp_check(t, space, a->keyid, &key, &a->items[i]);
    return r;
}

void accept_stamps_clear(struct accept_stamps *a)
{
    for (size_t i = 0; i < a->n; i++) {
        struct accepted *item = &a->items[i];
        json_free(item->backing);
        buf_clear(&item->token);
        buf_clear(&item->answer);
        sign_request_clear(&item->receipt);
    }
    free(a->items);
    a->items = NULL;
    a->n = 0;
    buf_clear(&a->reply);
}

/* ---- on the writer's thread: whose member is it ---- */

/* The status list's number in "<id>/status/<n>"; -1 if the uri is not ours. */
static int list_of(const struct space *space, const char *uri)
{
    struct str rest = str_of(uri);
    int64_t n;
    if (!str_starts(rest, str_of(space->id)))
        return -1;
    rest = (struct str){rest.p + strlen(space->id), rest.n - strlen(space->id)};
    if (!str_starts(rest, STR("/status/")))
        return -1;
    rest = (struct str){rest.p + 8, rest.n - 8};
    return str_to_int(rest, 0, LIMIT_STATUS_LISTS - 1, &n) == 0 ? (int)n : -1;
}

/* What the host claims of a pass that we issued must be what its row says; NULL if it is. */
static const char *pass_problem(const struct stamp *s, const struct pass_row *pass)
{
    if (s->checked_in > pass->exp + LIMIT_CLOCK_SKEW)
        return "pass_expired";
    if (strcmp(s->tier, pass->tier) != 0)
        return "foreign_claims";
    if (s->proof.n > 0 && strcmp(s->device, pass->device) != 0) /* "": the pass has no device */
        return "proof_mismatch";
    return NULL;
}

/* A stamp for a (sub, index) that was never issued is an alarm, and never a visit. */
static int member_find(const struct space *space, struct accepted *item)
{
    struct member_row member;
    struct pass_row pass;
    int list = list_of(space, item->stamp.status_uri);
    int r = list < 0 ? STORE_E_ABSENT : store_member_by_sub(space->store, item->stamp.sub, &member);
    if (r == 0)
        r = store_pass_by_index(space->store, (unsigned)list, item->stamp.status_idx,
                                item->stamp.checked_in + LIMIT_CLOCK_SKEW, &pass);
    if (r < 0)
        return r;
    if (r != 0 || strcmp(pass.member, member.id) != 0) {
        item->problem = "never_issued";
        return 0;
    }
    item->problem = pass_problem(&item->stamp, &pass);
    if (item->problem)
        return 0;
    struct home_stamp_row *row = &item->row;
    memcpy(row->host, item->stamp.host, sizeof(row->host));
    memcpy(row->id, item->stamp.id, sizeof(row->id));
    memcpy(row->member, member.id, sizeof(row->member));
    memcpy(row->pass, pass.id, sizeof(row->pass));
    memcpy(row->digest, item->claims_digest, sizeof(row->digest));
    memcpy(row->day, item->stamp.day, sizeof(row->day));
    row->revision = item->stamp.revision;
    row->checked_in = item->stamp.checked_in;
    row->checked_out = item->stamp.checked_out;
    row->proven = item->stamp.proof.n > 0; /* and fits: proof_check(), pass_problem() */
    return 0;
}

static int receipt_compose(const struct space *space, struct accepted *item, int64_t now)
{
    struct receipt receipt = {.revision = item->stamp.revision, .iat = now};
    memcpy(receipt.home, space->id, sizeof(receipt.home));
    memcpy(receipt.host, item->stamp.host, sizeof(receipt.host));
    memcpy(receipt.id, item->stamp.id, sizeof(receipt.id));
    memcpy(receipt.digest, item->digest, sizeof(receipt.digest));
    _cleanup_(json_freep) struct json *payload = receipt_payload(&receipt);
    item->receipt.kind = SIGN_RECEIPT;
    item->receipt.space = space->id;
    buf_reset(&item->receipt.payload);
    return payload ? json_write(payload, &item->receipt.payload) : -ENOMEM;
}

static int accept_compose(struct app_job *job)
{
    struct accept_stamps *a = (struct accept_stamps *)job;
    int64_t now = app_now(job->app);
    int r = 0;
    for (size_t i = 0; r == 0 && i < a->n; i++) {
        struct accepted *item = &a->items[i];
        item->row.received_at = now;
        if (!item->problem)
            r = member_find(job->space, item);
        if (r != 0 || item->problem)
            continue;
        r = receipt_compose(job->space, item, now);
        job->sign[job->n_sign++] = &item->receipt;
    }
    return r;
}

/* Whether a receipt that we gave earlier is for this very stamp: not if that was signed anew. */
static bool receipt_fits(struct str token, const struct accepted *item)
{
    struct receipt receipt;
    struct jws jws = {0};
    bool fits = jws_parse(token, RECEIPT_TYP, LIMIT_STAMP, &jws, NULL) == 0 &&
                receipt_read(&jws, &receipt, NULL) == 0 &&
                memcmp(receipt.digest, item->digest, sizeof(receipt.digest)) == 0;
    jws_clear(&jws);
    return fits;
}

static int accept_one(struct store *store, struct accepted *item)
{
    struct str receipt = buf_as_str(&item->receipt.token);
    buf_reset(&item->answer);
    int r =
        store_home_stamp_add(store, &item->row, buf_as_str(&item->token), receipt, &item->answer);
    if (r == STORE_E_CONFLICT) {
        item->problem = "dispute";
        return 0;
    }
    if (r ==
        STORE_E_EXISTS) { /* sent again: the receipt that it had, or, if re-signed, a new one */
        if (receipt_fits(buf_as_str(&item->answer), item))
            return 0;
        buf_reset(&item->answer);
        r = 0;
    }
    return r == 0 ? buf_str(&item->answer, receipt) : r;
}

static int accept_run(struct app_job *job, struct store *store)
{
    struct accept_stamps *a = (struct accept_stamps *)job;
    struct buf *out = &a->reply;
    buf_reset(out);
    buf_z(out, "{\"results\":[");
    for (size_t i = 0; i < a->n; i++) {
        struct accepted *item = &a->items[i];
        int r = item->problem ? 0 : accept_one(store, item);
        if (r != 0)
            return r;
        buf_z(out, i > 0 ? ",{" : "{");
        json_text_member(out, "id", item->backing ? item->stamp.id : NULL);
        json_text_member_int(out, "revision", item->stamp.revision);
        if (item->problem)
            json_text_member(out, "code", item->problem);
        else
            json_text_member(out, "receipt", item->answer.p);
        buf_ch(out, '}');
    }
    return buf_z(out, "]}");
}

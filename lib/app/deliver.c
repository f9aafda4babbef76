/* At the host: stamps on their way home. */
#include <errno.h>
#include <stdio.h>

#include "app/stamps.h"
#include "base/b64.h"

#define BACKOFF_FIRST 30
#define BACKOFF_MOST 3600

enum { UNSIGNABLE = 1 }; /* of this delivery alone */

struct collecting {
    struct delivery *out;
    size_t max, n;
    const char *const *skip;
    size_t n_skip;
};

/* Whether one more stamp goes into a body that every home reads. */
static bool has_room(const struct delivery *d, size_t more)
{
    size_t n = sizeof("{\"stamps\":[]}") + more + 3;
    for (size_t i = 0; i < d->n; i++)
        n += d->tokens[i].n + 3; /* two quotes and a comma */
    return d->n < LIMIT_STAMPS_PER_POST && n <= LIMIT_HTTP_BODY;
}

static int collect_home(const struct outbox_home *home, void *arg)
{
    struct collecting *c = arg;
    for (size_t i = 0; i < c->n_skip; i++) {
        if (strcmp(c->skip[i], home->id) == 0)
            return 0;
    }
    if (c->n == c->max)
        return 1;
    struct delivery *d = &c->out[c->n++];
    memset(d, 0, sizeof(*d));
    memcpy(d->home, home->id, sizeof(d->home));
    d->attempts = home->attempts;
    return 0;
}

static int collect_stamp(const struct outbox_row *row, void *arg)
{
    struct delivery *d = arg;
    if (!has_room(d, row->token.n))
        return 0; /* the next time */
    int r = buf_str(&d->tokens[d->n], row->token);
    if (r != 0)
        return r;
    d->seq[d->n] = row->seq;
    d->revision[d->n] = row->revision;
    memcpy(d->visit[d->n], row->visit, sizeof(row->visit));
    d->n++;
    return 0;
}

/* Homes first, then stamps of each: so neither a home that is asked already nor one with many
 * stamps keeps another's from being found. */
static int collect(struct store *store, int64_t now, struct collecting *c)
{
    int r = store_outbox_homes(store, now, collect_home, c);
    if (r > 0)
        r = 0; /* enough for now */
    for (size_t i = 0; r == 0 && i < c->n; i++)
        r = store_outbox_due(store, c->out[i].home, now, LIMIT_STAMPS_PER_POST, collect_stamp,
                             &c->out[i]);
    return r;
}

static int write_body(struct delivery *d)
{
    buf_z(&d->body, "{\"stamps\":[");
    for (size_t i = 0; i < d->n; i++) {
        buf_z(&d->body, i > 0 ? ",\"" : "\"");
        buf_str(&d->body, buf_as_str(&d->tokens[i]));
        buf_ch(&d->body, '"');
    }
    buf_z(&d->body, "]}");
    buf_z(&d->url, d->home);
    return buf_z(&d->url, STAMPS_PATH);
}

/* RFC 9421: the signer, who has the key, makes the signature from these fields. UNSIGNABLE: it
 * refused these; a failure: it signs nothing at all. */
static int sign(struct app_thread *t, struct space *space, struct delivery *d, struct err *err)
{
    struct sign_request req = {.kind = SIGN_REQUEST, .space = space->id};
    uint8_t random[18];
    char nonce[B64_LEN(sizeof(random)) + 1] = "";
    int64_t now = app_now(t->app);
    _cleanup_(json_freep) struct json *fields = json_object();

    int r = rand_fill(&t->rand, random, sizeof(random));
    b64_encode(random, sizeof(random), nonce);
    if (r == 0)
        r = httpsig_digest_header(buf_as_str(&d->body), &d->content_digest);
    if (r == 0 && (json_put_z(fields, "method", "POST") ||
                   json_put_str(fields, "authority", entity_authority(d->home)) ||
                   json_put_z(fields, "path", STAMPS_PATH) ||
                   json_put_z(fields, "content_type", "application/json") ||
                   json_put_str(fields, "content_digest", buf_as_str(&d->content_digest)) ||
                   json_put_int(fields, "created", now) ||
                   json_put_int(fields, "expires", now + LIMIT_REQUEST_SIGNATURE_TIME) ||
                   json_put_z(fields, "nonce", nonce)))
        r = -ENOMEM;
    if (r == 0)
        r = json_write(fields, &req.payload);
    if (r == 0) {
        struct sign_request *const reqs[] = {&req};
        r = t->signer->sign(t->signer, reqs, 1);
    }
    if (r == 0 && req.result != 0)
        r = err_set(err, UNSIGNABLE, "the signer refused a request to %s: %s", d->home,
                    req.err.text);
    struct str input, signature;
    if (r == 0 && !str_cut(buf_as_str(&req.token), '\n', &input, &signature))
        r = err_set(err, UNSIGNABLE, "the signer gave no signature of a request to %s", d->home);
    if (r == 0)
        r = buf_str(&d->signature_input, input);
    if (r == 0)
        r = buf_str(&d->signature, signature);
    sign_request_clear(&req);
    return r;
}

/* Each by itself: one that cannot be signed waits like one that was not answered. What is left of
 * the n is moved together at the front; on failure nothing is. */
static int prepare(struct app_thread *t, struct space *space, struct delivery *out, size_t *n,
                   struct err *err)
{
    size_t kept = 0;
    int r = 0;
    for (size_t i = 0; i < *n; i++) {
        struct delivery d = out[i];
        if (r == 0 && d.n > 0)
            r = write_body(&d);
        if (r == 0 && d.n > 0) /* none if all were settled since the homes were read */
            r = sign(t, space, &d, err);
        if (r == 0 && d.n > 0) {
            out[kept++] = d;
            continue;
        }
        if (r == UNSIGNABLE)
            r = deliver_failed(t, space, &d);
        delivery_clear(&d);
    }
    for (size_t i = 0; r != 0 && i < kept; i++)
        delivery_clear(&out[i]);
    *n = kept;
    return r;
}

int deliver_collect(struct app_thread *t, struct space *space, const char *const *skip,
                    size_t n_skip, struct delivery *out, size_t max, size_t *n, struct err *err)
{
    struct collecting c = {.out = out, .max = max, .skip = skip, .n_skip = n_skip};
    struct store *store = t->reads(t, space);
    if (!store)
        return -EIO;
    int r = collect(store, app_now(t->app), &c);
    if (r != 0) {
        for (size_t i = 0; i < c.n; i++)
            delivery_clear(&out[i]);
        return r;
    }
    r = prepare(t, space, out, &c.n, err);
    if (r == 0)
        *n = c.n;
    return r;
}

void delivery_clear(struct delivery *d)
{
    for (size_t i = 0; i < d->n; i++)
        buf_clear(&d->tokens[i]);
    buf_clear(&d->url);
    buf_clear(&d->body);
    buf_clear(&d->content_digest);
    buf_clear(&d->signature_input);
    buf_clear(&d->signature);
    d->n = 0;
}

/* ---- the answer ---- */

struct outcome {
    bool known, refused;
    char code[40];
    struct str receipt; /* borrowed from the answer */
};

struct outcome_job {
    struct app_job job;
    const struct delivery *delivery;
    struct outcome outcomes[LIMIT_STAMPS_PER_POST];
};

/* A receipt counts if the home signed it, and for this very stamp. */
static bool receipt_good(struct app_thread *t, struct space *space, const struct delivery *d,
                         size_t i, struct str token)
{
    struct jws jws = {0}, stamp = {0};
    struct receipt receipt;
    uint8_t digest[32];
    bool signed_by_home = false;
    if (jws_parse(token, RECEIPT_TYP, LIMIT_STAMP, &jws, NULL) != 0)
        return false;

    directory_read(t->app->directory);
    const struct dir_issuer *home = directory_find(t->app->directory, d->home);
    for (size_t k = 0; home && k < home->n_federation && !signed_by_home; k++)
        signed_by_home = strcmp(home->federation_kid[k], jws.kid) == 0 &&
                         jws_check(t->verifier, &jws, &home->federation[k]) == 0;
    directory_done(t->app->directory);

    bool good = signed_by_home && receipt_read(&jws, &receipt, NULL) == 0 &&
                strcmp(receipt.home, d->home) == 0 && strcmp(receipt.host, space->id) == 0 &&
                strcmp(receipt.id, d->visit[i]) == 0 && receipt.revision == d->revision[i] &&
                jws_parse(buf_as_str(&d->tokens[i]), STAMP_TYP, LIMIT_STAMP, &stamp, NULL) == 0 &&
                jws_digest(&stamp, digest) == 0 &&
                memcmp(digest, receipt.digest, sizeof(digest)) == 0;
    jws_clear(&stamp);
    jws_clear(&jws);
    return good;
}

static void outcome_read(struct app_thread *t, struct space *space, const struct delivery *d,
                         size_t i, const struct json *result, struct outcome *o)
{
    struct str receipt, code;
    if (json_get_str(result, "receipt", &receipt) == 0) {
        o->known = receipt_good(t, space, d, i, receipt);
        o->receipt = receipt;
    } else if (json_get_str(result, "code", &code) == 0 && code.n > 0) {
        o->known = o->refused =
            str_is_printable(code) && str_copy(o->code, sizeof(o->code), code) == 0;
    }
}

static int outcome_run(struct app_job *job, struct store *store)
{
    struct outcome_job *j = (struct outcome_job *)job;
    int64_t now = app_now(job->app);
    int r = 0;
    for (size_t i = 0; r == 0 && i < j->delivery->n; i++) {
        const struct outcome *o = &j->outcomes[i];
        if (o->known && o->refused)
            r = store_outbox_refused(store, j->delivery->seq[i], o->code, now);
        else if (o->known)
            r = store_outbox_receipted(store, j->delivery->seq[i], o->receipt, now);
        else
            r = store_outbox_defer(store, j->delivery->seq[i], now + BACKOFF_MOST);
        if (r == STORE_E_ABSENT) /* a newer revision took its place meanwhile */
            r = 0;
    }
    return r;
}

int deliver_received(struct app_thread *t, struct space *space, const struct delivery *d,
                     struct str body, struct err *err)
{
    _cleanup_(json_freep) struct json *doc = NULL;
    struct outcome_job j = {.job = {.space = space, .run = outcome_run}, .delivery = d};
    int r = json_parse(body, &json_bounds_wire, &doc, err);
    const struct json *results = json_get(doc, "results");
    if (r < 0)
        return r;
    if (r > 0 || json_count(results) != d->n) {
        deliver_failed(t, space, d);
        return err_set(err, APP_E_UPSTREAM, "%s did not answer with one result for each stamp",
                       d->home);
    }
    for (size_t i = 0; i < d->n; i++)
        outcome_read(t, space, d, i, json_at(results, i), &j.outcomes[i]);
    return app_do(t->app, &j.job);
}

struct failed_job {
    struct app_job job;
    const struct delivery *delivery;
    int64_t due;
};

static int failed_run(struct app_job *job, struct store *store)
{
    struct failed_job *j = (struct failed_job *)job;
    int r = 0;
    for (size_t i = 0; r == 0 && i < j->delivery->n; i++) {
        r = store_outbox_defer(store, j->delivery->seq[i], j->due);
        if (r == STORE_E_ABSENT)
            r = 0;
    }
    /* What else is due there waits as long, and is tried before what has failed now. */
    return r ? r : store_outbox_defer_home(store, j->delivery->home, app_now(job->app), j->due);
}

int deliver_failed(struct app_thread *t, struct space *space, const struct delivery *d)
{
    unsigned doublings = d->attempts < 7 ? d->attempts : 7;
    uint32_t most = BACKOFF_FIRST << doublings, wait = 0;
    int r = rand_below(&t->rand, (most < BACKOFF_MOST ? most : BACKOFF_MOST) + 1, &wait);
    struct failed_job j = {.job = {.space = space, .run = failed_run},
                           .delivery = d,
                           .due = app_now(t->app) + 1 + wait};
    return r == 0 ? app_do(t->app, &j.job) : r;
}

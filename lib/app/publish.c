/* The documents a space signs about itself: made when due, kept in the store, served from memory.
 */
#include <errno.h>
#include <stdio.h>

#include "app/space.h"
#include "base/b64.h"
#include "cred/status_list.h"
#include "crypto/digest.h"

#define STATUS_BITS 2
#define STATUS_BYTES (LIMIT_STATUS_ENTRIES * STATUS_BITS / 8)
#define CHECKED_ALWAYS INT64_MAX /* our own facts are never old */

static struct published *slot_of(struct space *space, enum published_kind kind, unsigned n)
{
    switch (kind) {
    case PUBLISHED_CONFIGURATION:
        return &space->published_configuration;
    case PUBLISHED_ISSUER:
        return &space->published_issuer;
    case PUBLISHED_STATUS:
        return n < space->n_status ? &space->published_status[n] : NULL;
    }
    return NULL;
}

/* Replaces what is served, unless something newer is there: two threads may publish one list. */
static int published_set(struct space *space, enum published_kind kind, unsigned n,
                         struct str token, int64_t iat, int64_t exp)
{
    uint8_t digest[SHA256_LEN];
    struct published fresh = {.n = token.n, .iat = iat, .exp = exp};
    int r = sha256(token.p, token.n, digest);
    if (r != 0)
        return r;
    fresh.etag[0] = '"';
    b64_encode(digest, 24, fresh.etag + 1);
    fresh.etag[33] = '"';
    fresh.token = str_dup(token);
    if (!fresh.token)
        return -ENOMEM;

    char *old = fresh.token;
    pthread_rwlock_wrlock(&space->lock);
    struct published *slot = slot_of(space, kind, n);
    if (slot && (!slot->token || slot->iat <= iat)) {
        old = slot->token;
        *slot = fresh;
    }
    pthread_rwlock_unlock(&space->lock);
    free(old);
    return 0;
}

int space_published(struct space *space, enum published_kind kind, unsigned n, struct buf *token,
                    char etag[static 36])
{
    int r = APP_E_ABSENT;
    pthread_rwlock_rdlock(&space->lock);
    const struct published *slot = slot_of(space, kind, n);
    if (slot && slot->token) {
        r = buf_add(token, slot->token, slot->n);
        memcpy(etag, slot->etag, sizeof(slot->etag));
    }
    pthread_rwlock_unlock(&space->lock);
    return r;
}

/* Our own facts stand in the directory like anyone's, so that one code path verifies all passes. */
static int status_into_directory(struct app *app, struct str token)
{
    struct jws jws = {0};
    struct status_list list = {0};
    int r = jws_parse(token, STATUS_TYP, LIMIT_STATUS_TOKEN, &jws, NULL);
    if (r == 0)
        r = status_list_read(&jws, &list, NULL);
    if (r == 0)
        r = directory_put_status(app->directory, &list, CHECKED_ALWAYS);
    status_list_clear(&list);
    jws_clear(&jws);
    return r < 0 ? r : 0;
}

static int configuration_into_directory(struct app *app, struct space *space, int64_t iat,
                                        int64_t exp)
{
    space->configuration.iat = iat;
    space->configuration.exp = exp;
    int r = directory_put(app->directory, &space->configuration, DIR_RECOGNISED, CHECKED_ALWAYS);
    return r < 0 ? r : 0;
}

/* /.well-known/jwt-vc-issuer, draft SD-JWT VC section 5: plain JSON, no signature. */
static int issuer_publish(struct space *space)
{
    _cleanup_(buf_clear) struct buf text = {0};
    _cleanup_(json_freep) struct json *doc = json_object();
    int r = doc ? json_put_z(doc, "issuer", space->id) : -ENOMEM;
    if (r == 0)
        r = json_put(doc, "jwks",
                     jwks_write(space->configuration.pass, space->configuration.n_pass));
    if (r == 0)
        r = json_write(doc, &text);
    return r == 0 ? published_set(space, PUBLISHED_ISSUER, 0, buf_as_str(&text), 0, 0) : r;
}

/* ---- the job that makes a document: compose, sign, store ---- */

struct publish_job {
    struct app_job job;
    struct sign_request sign;
    char name[32];
    int64_t exp;
    int list; /* status list, or -1 */
    uint8_t bits_digest[SHA256_LEN];
};

static int mark(const struct pass_row *row, void *arg)
{
    unsigned value = row->state == PASS_REVOKED ? STATUS_INVALID : STATUS_SUSPENDED;
    return status_bits_set(arg, STATUS_BYTES, STATUS_BITS, row->idx, value) == 0 ? 0 : -ERANGE;
}

/* A mark stays for a while after the end of its pass: a host allows for other clocks, and its own
 * may be late as well. */
static int bits_read(struct store *store, unsigned list, int64_t now, uint8_t bits[STATUS_BYTES],
                     uint8_t digest[static SHA256_LEN])
{
    memset(bits, 0, STATUS_BYTES);
    int r = store_pass_marked(store, list, now - 2 * LIMIT_CLOCK_SKEW, mark, bits);
    return r == 0 ? sha256(bits, STATUS_BYTES, digest) : r;
}

static int compose_status(struct publish_job *j)
{
    const struct space *space = j->job.space;
    int64_t now = app_now(j->job.app);
    char uri[LIMIT_ENTITY_ID + 32];
    _cleanup_(freep) uint8_t *bits = malloc(STATUS_BYTES);
    if (!bits)
        return -ENOMEM;
    int r = bits_read(space->store, (unsigned)j->list, now, bits, j->bits_digest);
    if (r != 0)
        return r;
    snprintf(uri, sizeof(uri), "%s/status/%d", space->id, j->list);
    _cleanup_(json_freep) struct json *payload =
        status_list_payload(space->id, uri, now, now + LIFETIME_STATUS_LIST, TTL_STATUS_LIST,
                            STATUS_BITS, bits, STATUS_BYTES);
    j->sign.kind = SIGN_STATUS_LIST;
    return payload ? json_write(payload, &j->sign.payload) : -ENOMEM;
}

static int compose_configuration(struct publish_job *j)
{
    _cleanup_(json_freep) struct json *payload =
        configuration_payload(&j->job.space->configuration);
    j->sign.kind = SIGN_CONFIGURATION;
    return payload ? json_write(payload, &j->sign.payload) : -ENOMEM;
}

static int publish_compose(struct app_job *job)
{
    struct publish_job *j = (struct publish_job *)job;
    j->sign.space = job->space->id;
    buf_reset(&j->sign.payload);
    int r = j->list < 0 ? compose_configuration(j) : compose_status(j);
    job->sign[0] = &j->sign;
    job->n_sign = 1;
    return r;
}

static int publish_run(struct app_job *job, struct store *store)
{
    struct publish_job *j = (struct publish_job *)job;
    j->exp = j->sign.iat + (j->list < 0 ? LIFETIME_CONFIGURATION : LIFETIME_STATUS_LIST);
    int r = store_published_put(store, j->name, buf_as_str(&j->sign.token), j->sign.iat, j->exp);
    if (r != 0 || j->list < 0)
        return r;

    /* A pass may have been marked by a job of this very group, after compose looked: then the list
     * stays dirty, so that a crash before the next publication cannot lose the mark. */
    uint8_t digest[SHA256_LEN];
    _cleanup_(freep) uint8_t *bits = malloc(STATUS_BYTES);
    if (!bits)
        return -ENOMEM;
    r = bits_read(store, (unsigned)j->list, app_now(job->app), bits, digest);
    if (r == 0 && memcmp(digest, j->bits_digest, sizeof(digest)) == 0)
        r = store_status_dirty(store, (unsigned)j->list, false);
    return r;
}

static int publish(struct app_thread *t, struct space *space, int list, struct err *err)
{
    struct publish_job j = {.job = {.space = space, .compose = publish_compose, .run = publish_run},
                            .list = list};
    if (list < 0)
        str_copy(j.name, sizeof(j.name), STR("configuration"));
    else
        snprintf(j.name, sizeof(j.name), "status/%d", list);
    int r = app_do(t->app, &j.job);
    struct str token = buf_as_str(&j.sign.token);
    if (r != 0)
        err_set(err, r, "%s of %s could not be signed and stored: %s", j.name, space->id,
                j.job.err.text);
    else if (list < 0)
        r = configuration_into_directory(t->app, space, j.sign.iat, j.exp);
    else
        r = status_into_directory(t->app, token);
    if (r == 0)
        r = published_set(space, list < 0 ? PUBLISHED_CONFIGURATION : PUBLISHED_STATUS,
                          list < 0 ? 0 : (unsigned)list, token, j.sign.iat, j.exp);
    sign_request_clear(&j.sign);
    return r;
}

int space_publish_status(struct app_thread *t, struct space *space, unsigned n, struct err *err)
{
    return publish(t, space, (int)n, err);
}

/* ---- what is due ---- */

/* Gathers, on the thread that owns the connection, what the store holds and whether it is due. */
struct due_job {
    struct app_job job;
    unsigned lists;
    bool configuration;
    bool status[LIMIT_STATUS_LISTS];
};

static int due_one(struct app *app, struct space *space, int list, int64_t now, bool *due)
{
    char name[32] = "configuration";
    if (list >= 0)
        snprintf(name, sizeof(name), "status/%d", list);
    _cleanup_(buf_clear) struct buf token = {0};
    int64_t iat = 0, exp = 0;
    bool dirty = false;
    int r = store_published_get(space->store, name, &token, &iat, &exp);
    if (r == 0 && list >= 0)
        r = store_status_is_dirty(space->store, (unsigned)list, &dirty);
    *due = r == STORE_E_ABSENT || dirty || exp <= now ||
           iat + (list < 0 ? RENEW_CONFIGURATION : RENEW_STATUS_LIST) <= now;
    if (r == STORE_E_ABSENT)
        return 0;
    if (r != 0)
        return r;
    if (list < 0)
        r = configuration_into_directory(app, space, iat, exp);
    else
        r = status_into_directory(app, buf_as_str(&token));
    if (r != 0)
        return r;
    return published_set(space, list < 0 ? PUBLISHED_CONFIGURATION : PUBLISHED_STATUS,
                         list < 0 ? 0 : (unsigned)list, buf_as_str(&token), iat, exp);
}

static int due_compose(struct app_job *job)
{
    struct due_job *j = (struct due_job *)job;
    struct space *space = job->space;
    _cleanup_(buf_clear) struct buf lists = {0};
    int r = store_setting_get(space->store, "status_lists", &lists);
    int64_t n = 1;
    if (r == 0)
        r = str_to_int(buf_as_str(&lists), 1, LIMIT_STATUS_LISTS, &n);
    else if (r == STORE_E_ABSENT)
        r = 0;
    if (r != 0)
        return r;

    pthread_rwlock_wrlock(&space->lock);
    space->n_status = (unsigned)n;
    pthread_rwlock_unlock(&space->lock);
    space->configuration.status_lists = (unsigned)n;
    int64_t now = app_now(job->app);
    r = due_one(job->app, space, -1, now, &j->configuration);
    for (unsigned i = 0; r == 0 && i < n; i++)
        r = due_one(job->app, space, (int)i, now, &j->status[i]);
    return r == 0 ? APP_DONE : r;
}

int space_renew(struct app_thread *t, struct space *space, struct err *err)
{
    struct due_job due = {.job = {.space = space, .compose = due_compose}};
    int r = app_do(t->app, &due.job);
    if (r != 0)
        return err_set(err, r, "what %s published cannot be read", space->id);
    if (due.configuration)
        r = publish(t, space, -1, err);
    for (unsigned i = 0; r == 0 && i < space->n_status; i++) {
        if (due.status[i])
            r = publish(t, space, (int)i, err);
    }
    return r == 0 && !space->published_issuer.token ? issuer_publish(space) : r;
}

struct grow_job {
    struct app_job job;
    char lists[2];
};

static int grow_run(struct app_job *job, struct store *store)
{
    struct grow_job *j = (struct grow_job *)job;
    int r = store_setting_put(store, "status_lists", j->lists, 1);
    return r;
}

int space_add_status_list(struct app_thread *t, struct space *space, struct err *err)
{
    if (space->n_status == LIMIT_STATUS_LISTS)
        return err_set(err, APP_E_LIMIT, "all %d status lists of %s are full", LIMIT_STATUS_LISTS,
                       space->id);
    struct grow_job grow = {.job = {.space = space, .run = grow_run},
                            .lists = {(char)('0' + space->n_status + 1), 0}};
    int r = app_do(t->app, &grow.job);
    if (r == 0)
        r = space_renew(t, space, err);
    return r == 0 ? publish(t, space, -1, err) : r;
}

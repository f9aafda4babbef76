/* The documents a space signs about itself: made when due, kept in the store, served from memory.
 */
#include <errno.h>
#include <stdio.h>

#include "app/space.h"
#include "app/verifications.h"
#include "base/b64.h"
#include "cred/status_list.h"
#include "crypto/digest.h"
#include "store/visits.h"

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
    case PUBLISHED_STATUS: /* a list is served before the first index of it is given out */
        return n < LIMIT_STATUS_LISTS ? &space->published_status[n] : NULL;
    }
    return NULL;
}

/* Dated later than others accept: a clock was ahead when it was signed. */
static bool from_future(int64_t iat, int64_t now)
{
    return iat > now + LIMIT_CLOCK_SKEW;
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

static struct configuration configuration_of(struct space *space)
{
    pthread_rwlock_rdlock(&space->lock);
    struct configuration c = space->configuration;
    pthread_rwlock_unlock(&space->lock);
    return c;
}

/* What was signed becomes what the space knows of itself; *c says it. */
static int configuration_into_directory(struct app *app, struct space *space,
                                        const struct configuration *c)
{
    int r = directory_put(app->directory, c, DIR_RECOGNISED, CHECKED_ALWAYS);
    if (r != 0)
        return r < 0 ? r : 0;
    pthread_rwlock_wrlock(&space->lock);
    if (space->configuration.iat <= c->iat) {
        space->configuration.iat = c->iat;
        space->configuration.exp = c->exp;
        space->configuration.status_lists = c->status_lists;
    }
    pthread_rwlock_unlock(&space->lock);
    return 0;
}

unsigned space_status_lists(struct space *space)
{
    pthread_rwlock_rdlock(&space->lock);
    unsigned n = space->n_status;
    pthread_rwlock_unlock(&space->lock);
    return n;
}

/* There are never fewer than there were: two threads may add one at a time. */
static void status_lists_are(struct space *space, unsigned n)
{
    pthread_rwlock_wrlock(&space->lock);
    if (space->n_status < n)
        space->n_status = n;
    pthread_rwlock_unlock(&space->lock);
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
    int list;       /* status list, or -1: the configuration */
    unsigned lists; /* of the configuration: so many at least; found: how many there are */
    bool grown;     /* found: there were as many already, and nothing was signed */
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

/* How many status lists the store says there are. */
static int lists_read(struct store *store, unsigned *out)
{
    _cleanup_(buf_clear) struct buf text = {.max = 16};
    int64_t n = 1;
    int r = store_setting_get(store, "status_lists", &text);
    if (r == 0)
        r = str_to_int(buf_as_str(&text), 1, LIMIT_STATUS_LISTS, &n);
    if (r != 0 && r != STORE_E_ABSENT)
        return r;
    *out = (unsigned)n;
    return 0;
}

static int compose_configuration(struct publish_job *j)
{
    unsigned n = 0;
    int r = lists_read(j->job.space->store, &n);
    if (r != 0)
        return r;
    if (j->lists != 0 && n >= j->lists) {
        j->grown = true;
        return APP_DONE;
    }
    j->lists = n > j->lists ? n : j->lists;
    struct configuration c = configuration_of(j->job.space);
    c.status_lists = j->lists;
    _cleanup_(json_freep) struct json *payload = configuration_payload(&c);
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
    if (r == 0 && j->list < 0) { /* with the document that announces it, or not at all */
        const char lists[] = {(char)('0' + j->lists)};
        return store_setting_put(store, "status_lists", lists, sizeof(lists));
    }
    if (r != 0)
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

/* Signs and stores. What is made is shown by show(). */
static int make(struct app_thread *t, struct space *space, struct publish_job *j, struct err *err)
{
    j->job = (struct app_job){.space = space, .compose = publish_compose, .run = publish_run};
    if (j->list < 0)
        str_copy(j->name, sizeof(j->name), STR("configuration"));
    else
        snprintf(j->name, sizeof(j->name), "status/%d", j->list);
    int r = app_do(t->app, &j->job);
    if (r != 0)
        err_set(err, r, "%s of %s could not be signed and stored: %s", j->name, space->id,
                j->job.err.text);
    return r != 0 && j->job.err.next[0] ? err_next(err, r, "%s", j->job.err.next) : r;
}

/* What could not be shown is not of its time: then it is due, and made again within a minute. */
static void show_failed(struct space *space, int list)
{
    pthread_rwlock_wrlock(&space->lock);
    slot_of(space, list < 0 ? PUBLISHED_CONFIGURATION : PUBLISHED_STATUS,
            list < 0 ? 0 : (unsigned)list)
        ->iat = 0;
    pthread_rwlock_unlock(&space->lock);
}

/* What the store holds, in the directory and for those who ask. `lists` of a configuration. */
static int show(struct app *app, struct space *space, int list, unsigned lists, struct str token,
                int64_t iat, int64_t exp)
{
    int r;
    if (list < 0) {
        struct configuration c = configuration_of(space);
        c.iat = iat;
        c.exp = exp;
        c.status_lists = lists;
        r = configuration_into_directory(app, space, &c);
    } else {
        r = status_into_directory(app, token);
    }
    if (r == 0)
        r = published_set(space, list < 0 ? PUBLISHED_CONFIGURATION : PUBLISHED_STATUS,
                          list < 0 ? 0 : (unsigned)list, token, iat, exp);
    if (r != 0)
        show_failed(space, list);
    return r;
}

static int show_made(struct app_thread *t, struct space *space, const struct publish_job *j)
{
    return show(t->app, space, j->list, j->lists, buf_as_str(&j->sign.token), j->sign.iat, j->exp);
}

static int publish(struct app_thread *t, struct space *space, int list, struct err *err)
{
    struct publish_job j = {.list = list};
    int r = make(t, space, &j, err);
    if (r == 0)
        r = show_made(t, space, &j);
    sign_request_clear(&j.sign);
    return r;
}

int space_publish_status(struct app_thread *t, struct space *space, unsigned n, struct err *err)
{
    return publish(t, space, (int)n, err);
}

/* ---- what is due ---- */

/* Gathers, on the thread that owns the connection, what is due. What the store holds is read once,
 * when the space is opened: from then on what is served is what was stored last. */
struct due_job {
    struct app_job job;
    unsigned lists;
    bool all; /* installs also what is dated too late: it could not be made anew */
    bool configuration;
    bool status[LIMIT_STATUS_LISTS];
};

/* STORE_E_ABSENT: it was never made, or is of the future: what is made now could not replace it. */
static int install(struct due_job *j, int list, const char *name, int64_t now)
{
    struct space *space = j->job.space;
    _cleanup_(buf_clear) struct buf token = {0};
    int64_t iat = 0, exp = 0;
    int r = store_published_get(space->store, name, &token, &iat, &exp);
    if (r == 0 && from_future(iat, now) && !j->all)
        r = STORE_E_ABSENT;
    return r == 0 ? show(j->job.app, space, list, j->lists, buf_as_str(&token), iat, exp) : r;
}

static bool shown(struct space *space, int list, int64_t *iat, int64_t *exp)
{
    pthread_rwlock_rdlock(&space->lock);
    const struct published *slot =
        slot_of(space, list < 0 ? PUBLISHED_CONFIGURATION : PUBLISHED_STATUS,
                list < 0 ? 0 : (unsigned)list);
    bool there = slot->token != NULL;
    *iat = slot->iat;
    *exp = slot->exp;
    pthread_rwlock_unlock(&space->lock);
    return there;
}

static int due_one(struct due_job *j, int list, int64_t now, bool *due)
{
    struct space *space = j->job.space;
    char name[32] = "configuration";
    int64_t iat, exp;
    bool dirty = false;
    int r = 0;
    if (list >= 0)
        snprintf(name, sizeof(name), "status/%d", list);
    if (!shown(space, list, &iat, &exp))
        r = install(j, list, name, now);
    if (r == STORE_E_ABSENT) {
        *due = true;
        return 0;
    }
    if (r == 0 && list >= 0)
        r = store_status_is_dirty(space->store, (unsigned)list, &dirty);
    shown(space, list, &iat, &exp);
    *due = dirty || exp <= now || from_future(iat, now) ||
           iat + (list < 0 ? RENEW_CONFIGURATION : RENEW_STATUS_LIST) <= now;
    return r;
}

static int due_compose(struct app_job *job)
{
    struct due_job *j = (struct due_job *)job;
    int64_t now = app_now(job->app);
    int r = lists_read(job->space->store, &j->lists);
    if (r == 0)
        r = due_one(j, -1, now, &j->configuration);
    for (unsigned i = 0; r == 0 && i < j->lists; i++)
        r = due_one(j, (int)i, now, &j->status[i]);
    return r == 0 ? APP_DONE : r;
}

/* What nobody may ask for any more. A retry with its key comes within a day, or not at all. */
static int prune_run(struct app_job *job, struct store *store)
{
    int64_t now = app_now(job->app);
    int r = store_idempotency_prune(store, now - KEEP_IDEMPOTENCY);
    return r == 0 ? store_verification_prune(store, now) : r;
}

static int prune(struct app_thread *t, struct space *space, struct err *err)
{
    struct app_job job = {.space = space, .run = prune_run};
    verifications_prune(space->verifications, app_now(t->app));
    int r = app_do(t->app, &job);
    return r == 0 ? 0 : err_set(err, r, "what is over at %s cannot be deleted", space->id);
}

/* One that fails does not keep the others from being made; err is that of the first. */
static int publish_due(struct app_thread *t, struct space *space, const struct due_job *due,
                       struct err *err)
{
    int first = due->configuration ? publish(t, space, -1, err) : 0;
    for (unsigned i = 0; i < due->lists; i++) {
        struct err later = {0};
        int r = due->status[i] ? publish(t, space, (int)i, first == 0 ? err : &later) : 0;
        first = first == 0 ? r : first;
    }
    return first;
}

static bool all_shown(struct space *space, unsigned lists)
{
    int64_t iat, exp;
    bool all = shown(space, -1, &iat, &exp);
    for (unsigned i = 0; all && i < lists; i++)
        all = shown(space, (int)i, &iat, &exp);
    return all;
}

int space_renew(struct app_thread *t, struct space *space, struct err *err)
{
    struct due_job due = {.job = {.space = space, .compose = due_compose}};
    char etag[36];
    _cleanup_(buf_clear) struct buf issuer = {0};
    int r = app_do(t->app, &due.job);
    if (r != 0)
        return err_set(err, r, "what %s published cannot be read", space->id);
    r = publish_due(t, space, &due, err);
    if (r == APP_E_INVALID && !all_shown(space, due.lists)) {
        due = (struct due_job){.job = {.space = space, .compose = due_compose}, .all = true};
        if (app_do(t->app, &due.job) != 0)
            return r;
    }
    bool whole = all_shown(space, due.lists); /* what was published before is served on */
    if (whole)
        status_lists_are(space, due.lists);
    if (whole && space_published(space, PUBLISHED_ISSUER, 0, &issuer, etag) == APP_E_ABSENT) {
        int issued = issuer_publish(space);
        r = r == 0 ? issued : r;
    }
    return r == 0 ? prune(t, space, err) : r;
}

/* The list is signed first, and the configuration that announces it is stored together with the
 * number of lists: a crash leaves all of it or nothing. Only then are indices of it given out. */
int space_add_status_list(struct app_thread *t, struct space *space, struct err *err)
{
    unsigned n = space_status_lists(space);
    if (n == LIMIT_STATUS_LISTS)
        return err_set(err, APP_E_LIMIT, "all %d status lists of %s are full", LIMIT_STATUS_LISTS,
                       space->id);
    struct publish_job list = {.list = (int)n}, configuration = {.list = -1, .lists = n + 1};
    int r = make(t, space, &list, err);
    if (r == 0)
        r = make(t, space, &configuration, err);
    if (r == 0 && !configuration.grown)
        r = show_made(t, space, &configuration);
    if (r == 0)
        r = show_made(t, space, &list);
    if (r == 0 && !configuration.grown) /* else whoever was first says so */
        status_lists_are(space, n + 1);
    sign_request_clear(&list.sign);
    sign_request_clear(&configuration.sign);
    return r;
}

/* Peers: what a refresh brought. */
#include <errno.h>
#include <stdio.h>

#include "app/peer.h"
#include "store/visits.h"

#define CHECKED_EVERY 60 /* seconds: how old the time of the last check may be on disk */

/*
 * The directory in memory follows the store: it is changed by the jobs that have changed the store,
 * on the writer's thread and in the order of their commits. So a refresh that is under way while
 * its peer is removed, or pinned with another key, cannot put back what has gone.
 */

/* A record and the note that it was seen, or only the note; or that it failed. */
struct seen_job {
    struct app_job job;
    const char *id, *kind, *subject;
    struct str token; /* empty: nothing new */
    int64_t iat, now;
    const char *failure;          /* NULL: it went well */
    const struct peer_seen *seen; /* the new configuration, or NULL */
    struct status_list *list;     /* the new list, or NULL */
    const char *kid;              /* of the key that signed it */
    bool was_failing;
    int kept;
};

static int note_failure(struct seen_job *j, struct store *store)
{
    return store_peer_failed(store, j->id, j->subject, j->now,
                             *j->failure ? j->failure : "the refresh failed");
}

/* That it is signed by the key that is pinned now. */
static int configuration_fits(struct seen_job *j, const struct peer_document *d)
{
    if (strcmp(d->fingerprint, j->seen->fingerprint) == 0)
        return 0;
    err_set(&j->job.err, 0, "its configuration is signed by another key (%s) than the pinned one",
            j->seen->fingerprint);
    return err_next(&j->job.err, APP_E_FORBIDDEN,
                    "call the space; if the new key is theirs, remove the peer and add it again");
}

/* That the configuration that is held now names that list, and the key that signed it. */
static int list_fits(struct seen_job *j)
{
    struct directory *d = j->job.app->directory;
    char uri[LIMIT_ENTITY_ID + sizeof(CONFIGURATION_STATUS_PATH) + 11];
    bool named = false, signs = false;
    directory_read(d);
    const struct dir_issuer *issuer = directory_find(d, j->id);
    for (unsigned i = 0; issuer && i < issuer->status_lists && !named; i++) {
        snprintf(uri, sizeof(uri), "%s" CONFIGURATION_STATUS_PATH "%u", j->id, i);
        named = strcmp(uri, j->subject) == 0;
    }
    for (size_t i = 0; issuer && i < issuer->n_pass && !signs; i++)
        signs = strcmp(issuer->pass_kid[i], j->kid) == 0;
    directory_done(d);
    if (!named)
        return err_set(&j->job.err, APP_E_INVALID, "the status list is none that %s names", j->id);
    if (!signs)
        return err_set(&j->job.err, APP_E_INVALID,
                       "the status list is signed by a key that %s no longer lists", j->id);
    return 0;
}

static int is_older(struct seen_job *j)
{
    return err_set(&j->job.err, APP_E_INVALID, "its %s is older than the one we hold",
                   j->list ? "status list" : "configuration");
}

static int put_record(struct seen_job *j, struct store *store, const struct peer_document *d)
{
    int r = j->list ? list_fits(j) : configuration_fits(j, d);
    if (r == 0 && !j->list && j->iat > d->iat) /* it may name other lists */
        r = store_peer_all_well(store, j->id);
    if (r == 0)
        r = store_record_put(store, j->kind, j->subject, j->id, j->token, j->iat, j->now);
    return r == STORE_E_STATE || r == STORE_E_CONFLICT ? is_older(j) : r;
}

static int seen_run(struct app_job *job, struct store *store)
{
    struct seen_job *j = (struct seen_job *)job;
    struct peer_document d;
    int r = store_peer_document(store, j->id, j->kind, j->subject, &d);
    if (r == STORE_E_ABSENT)
        return err_set(&job->err, APP_E_ABSENT, "%s is no peer any more", j->id);
    if (r != 0)
        return r;
    j->was_failing = d.failing;
    if (j->failure)
        return note_failure(j, store);
    if (j->token.n > 0)
        r = put_record(j, store, &d);
    else
        r = store_record_checked(store, j->kind, j->subject, j->now);
    if (r == STORE_E_ABSENT) /* unchanged, and yet not there: the next refresh brings it */
        r = 0;
    return r == 0 ? store_peer_checked(store, j->id, j->subject, j->now) : r;
}

/* The time of the check, in memory. */
static int touch(struct app *app, const char *id, const char *subject, int64_t now)
{
    int r = strcmp(id, subject) == 0 ? directory_touch(app->directory, id, now)
                                     : directory_touch_status(app->directory, subject, now);
    return r < 0 ? r : 0;
}

static void seen_kept(struct write_job *write)
{
    struct seen_job *j = (struct seen_job *)write;
    struct directory *d = j->job.app->directory;
    if (j->seen)
        j->kept = directory_put(d, &j->seen->configuration, DIR_RECOGNISED, j->now);
    else if (j->list)
        j->kept = directory_put_status(d, j->list, j->now);
    else if (!j->failure)
        j->kept = touch(j->job.app, j->id, j->subject, j->now);
    if (j->kept > 0) /* of the directory: it held something newer, and keeps it */
        j->kept = APP_E_INVALID;
}

struct hasten_job {
    struct app_job job;
    const char *home;
};

static int hasten_run(struct app_job *job, struct store *store)
{
    return store_outbox_hasten(store, ((struct hasten_job *)job)->home, app_now(job->app));
}

/* A peer that failed and answers again may get its stamps at once. */
static int hasten(struct app_thread *t, const char *home)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < atomic_load(&t->app->n_spaces); i++) {
        struct hasten_job j = {.job = {.space = t->app->spaces[i], .run = hasten_run},
                               .home = home};
        r = app_do(t->app, &j.job);
    }
    if (r == 0 && t->app->notify)
        t->app->notify(t->app->notify_ctx, NOTIFY_OUTBOX);
    return r;
}

static int seen(struct app_thread *t, struct seen_job *j, struct err *err)
{
    j->job.run = seen_run;
    j->job.write.kept = seen_kept;
    j->now = app_now(t->app);
    int r = app_do(t->app, &j->job);
    if (r == 0)
        r = j->kept;
    if (r == APP_E_INVALID && !j->job.err.text[0])
        is_older(j);
    if (r != 0) {
        if (err && j->job.err.text[0])
            *err = j->job.err;
        return r;
    }
    return j->was_failing && !j->failure ? hasten(t, j->id) : 0;
}

int peer_configuration_received(struct app_thread *t, const char *id, struct str token,
                                struct err *err)
{
    struct peer_seen look;
    int r = peer_look(t, id, token, &look, err);
    if (r != 0)
        return r;
    struct seen_job j = {.id = id,
                         .kind = RECORD_CONFIGURATION,
                         .subject = id,
                         .token = token,
                         .iat = look.configuration.iat,
                         .seen = &look};
    return seen(t, &j, err);
}

/* The pass key of that space with that kid, from the directory. */
static bool pass_key(struct directory *d, const char *id, const char *kid, struct key *out)
{
    bool found = false;
    directory_read(d);
    const struct dir_issuer *issuer = directory_find(d, id);
    for (size_t i = 0; issuer && i < issuer->n_pass && !found; i++) {
        found = strcmp(issuer->pass_kid[i], kid) == 0;
        if (found)
            *out = issuer->pass[i];
    }
    directory_done(d);
    return found;
}

/* Whether the address begins with that space's id: a key speaks for its own space's lists only. */
static bool is_below(const char *uri, const char *id)
{
    size_t n = strlen(id);
    return strncmp(uri, id, n) == 0 && uri[n] == '/';
}

/* Draft Token Status List section 8.3: typ, signature, sub = where it came from, times, bits. */
static int status_verify(struct app_thread *t, const char *id, const char *uri, struct str token,
                         struct status_list *out, char kid[static THUMBPRINT_LEN + 1],
                         struct err *err)
{
    struct jws jws = {0};
    struct status_list list = {0};
    struct key key;
    int64_t now = app_now(t->app);
    int r = jws_parse(token, STATUS_TYP, LIMIT_STATUS_TOKEN, &jws, err);
    if (r == 0 && !pass_key(t->app->directory, id, jws.kid, &key))
        r = err_set(err, APP_E_INVALID, "the status list is signed by a key that %s does not list",
                    id);
    if (r == 0) {
        r = jws_check(t->verifier, &jws, &key);
        if (r > 0)
            err_set(err, r, "the status list's signature is not that of its key");
    }
    if (r == 0)
        r = status_list_read(&jws, &list, err);
    if (r == 0 && !is_below(uri, id))
        r = err_set(err, APP_E_INVALID, "the status list is not one of %s", id);
    if (r == 0 && (strcmp(list.uri, uri) != 0 || (list.iss[0] && strcmp(list.iss, id) != 0)))
        r = err_set(err, APP_E_INVALID, "the status list says that it is another one (sub or iss)");
    if (r == 0 && list.iat > now + LIMIT_CLOCK_SKEW)
        r = err_set(err, APP_E_INVALID, "the status list is from the future");
    if (r == 0)
        r = str_copy(kid, THUMBPRINT_LEN + 1, str_of(jws.kid));
    jws_clear(&jws);
    if (r != 0) {
        status_list_clear(&list);
        return r > 0 ? APP_E_INVALID : r;
    }
    *out = list;
    return 0;
}

int peer_status_received(struct app_thread *t, const char *id, const char *uri, struct str token,
                         struct err *err)
{
    struct status_list list = {0};
    char kid[THUMBPRINT_LEN + 1];
    int r = status_verify(t, id, uri, token, &list, kid, err);
    if (r != 0)
        return r;
    struct seen_job j = {.id = id,
                         .kind = RECORD_STATUS,
                         .subject = uri,
                         .token = token,
                         .iat = list.iat,
                         .list = &list,
                         .kid = kid};
    r = seen(t, &j, err);
    status_list_clear(&list);
    return r;
}

/* On disk the time of the check is only written now and then: nothing but a restart reads it. */
int peer_unchanged(struct app_thread *t, const char *id, const char *uri)
{
    int64_t now = app_now(t->app);
    struct peer_document d;
    struct seen_job j = {
        .id = id, .kind = uri ? RECORD_STATUS : RECORD_CONFIGURATION, .subject = uri ? uri : id};
    int r = store_peer_document(t->directory_read, id, j.kind, j.subject, &d);
    if (r == STORE_E_ABSENT)
        return APP_E_ABSENT;
    if (r != 0)
        return r;
    if (!d.failing && now >= d.checked && now - d.checked < CHECKED_EVERY)
        return touch(t->app, id, j.subject, now);
    return seen(t, &j, NULL);
}

int peer_failed(struct app_thread *t, const char *id, const char *uri, const char *why)
{
    struct seen_job j = {.id = id,
                         .kind = uri ? RECORD_STATUS : RECORD_CONFIGURATION,
                         .subject = uri ? uri : id,
                         .failure = why};
    return seen(t, &j, NULL);
}

/* ---- at start ---- */

struct load {
    struct app_thread *t;
};

/* What was good when it was stored may have expired since: the verdict says so, not this. */
static int load_configuration(struct app_thread *t, const char *id, struct str token,
                              int64_t checked)
{
    struct configuration c;
    int r = configuration_verify(t->verifier, token, id, checked, &c, NULL);
    return r == 0 ? directory_put(t->app->directory, &c, DIR_RECOGNISED, checked) : r;
}

static int load_record(const char *kind, const char *subject, const char *issuer, struct str token,
                       int64_t checked, void *arg)
{
    struct load *l = arg;
    int r;
    if (strcmp(kind, RECORD_CONFIGURATION) == 0) {
        r = load_configuration(l->t, subject, token, checked);
    } else {
        struct status_list list = {0};
        char kid[THUMBPRINT_LEN + 1];
        r = status_verify(l->t, issuer, subject, token, &list, kid, NULL);
        if (r == 0)
            r = directory_put_status(l->t->app->directory, &list, checked);
        status_list_clear(&list);
    }
    return r < 0 ? r : 0; /* a record that is no longer good is left for the next refresh */
}

static int load_peer(const struct peer_row *row, void *arg)
{
    struct load *l = arg;
    struct space *space = app_space(l->t->app, entity_authority(row->space));
    return space ? space_recognise(space, row->id, true) : 0;
}

int peers_load(struct app_thread *t, struct err *err)
{
    struct load l = {.t = t};
    int r = store_record_list(t->app->directory_store, load_record, &l);
    if (r == 0)
        r = store_peer_list(t->app->directory_store, NULL, load_peer, &l);
    return r == 0 ? 0 : err_set(err, r, "the directory's records cannot be read");
}

#include "app/peer.h"

#include <errno.h>

#include "store/visits.h"

#define KIND_CONFIGURATION "configuration"
#define KIND_STATUS "status"

int peer_look(struct app_thread *t, const char *id, struct str token, struct peer_seen *out,
              struct err *err)
{
    struct peer_seen seen = {0};
    struct jws jws = {0};
    int r = configuration_verify(t->verifier, token, id, app_now(t->app), &seen.configuration, err);
    if (r != 0)
        return r > 0 ? APP_E_INVALID : r;
    r = jws_parse(token, CONFIGURATION_TYP, LIMIT_CONFIGURATION, &jws, err);
    if (r == 0)
        r = str_copy(seen.fingerprint, sizeof(seen.fingerprint), str_of(jws.kid));
    jws_clear(&jws);
    if (r == 0)
        *out = seen;
    return r > 0 ? APP_E_INVALID : r;
}

/* ---- pinning ---- */

struct pin_job {
    struct app_job job;
    struct peer_row *row;
    struct str token;
    int64_t iat;
};

static int is_other_pin(const struct peer_row *row, void *arg)
{
    const struct peer_row *mine = arg;
    return strcmp(row->id, mine->id) == 0 && strcmp(row->space, mine->space) != 0 &&
           strcmp(row->fingerprint, mine->fingerprint) != 0;
}

/* All spaces of a node share one record of a peer: a key that one of them confirms must not stand
 * in for the one that another confirmed. */
static int pin_run(struct app_job *job, struct store *store)
{
    struct pin_job *j = (struct pin_job *)job;
    int r = store_peer_list(store, NULL, is_other_pin, j->row);
    if (r == 1)
        return APP_E_CONFLICT;
    if (r == 0)
        r = store_peer_put(store, j->row);
    if (r == STORE_E_FULL)
        return APP_E_LIMIT;
    if (r == 0)
        r = store_record_put(store, KIND_CONFIGURATION, j->row->id, j->row->id, j->token, j->iat,
                             j->row->checked);
    return r == STORE_E_STATE ? APP_E_INVALID : r;
}

static int pin_failed(const struct peer_row *row, int r, struct err *err)
{
    switch (r) {
    case APP_E_INVALID:
        err_set(err, 0, "this configuration of %s is older than the one we hold", row->id);
        return err_next(err, r, "fetch it again");
    case APP_E_CONFLICT:
        err_set(err, 0, "another space of this node has pinned %s with another key", row->id);
        return err_next(err, r,
                        "call the space; if the new key is theirs, remove the peer there "
                        "first");
    case APP_E_LIMIT:
        return err_set(err, r, "no more peers fit: the disk is full, or there are %d", LIMIT_PEERS);
    default:
        return err_set(err, r, "%s could not be pinned", row->id);
    }
}

int peer_pin(struct app_thread *t, struct space *space, const struct peer_seen *seen,
             struct str token, struct err *err)
{
    int64_t now = app_now(t->app);
    struct peer_row row = {.pinned_at = now, .checked = now};
    memcpy(row.id, seen->configuration.id, sizeof(row.id));
    memcpy(row.space, space->id, sizeof(row.space));
    memcpy(row.fingerprint, seen->fingerprint, sizeof(row.fingerprint));
    if (strcmp(row.id, row.space) == 0)
        return err_set(err, APP_E_INVALID, "%s is this space itself", row.id);

    struct pin_job j = {
        .job = {.run = pin_run}, .row = &row, .token = token, .iat = seen->configuration.iat};
    int r = app_do(t->app, &j.job);
    if (r != 0)
        return pin_failed(&row, r, err);
    r = directory_put(t->app->directory, &seen->configuration, DIR_RECOGNISED, now);
    if (r != 0)
        return pin_failed(&row,
                          r == DIR_E_FULL    ? APP_E_LIMIT
                          : r == DIR_E_OLDER ? APP_E_INVALID
                                             : r,
                          err);
    r = space_recognise(space, row.id, true);
    if (r == 0 && t->app->notify)
        t->app->notify(t->app->notify_ctx, NOTIFY_PEERS);
    return r;
}

struct remove_job {
    struct app_job job;
    const char *space, *id;
    bool last; /* no other space of this node pins it */
};

static int is_of_other(const struct peer_row *row, void *arg)
{
    const struct remove_job *j = arg;
    return strcmp(row->id, j->id) == 0 && strcmp(row->space, j->space) != 0;
}

static int remove_run(struct app_job *job, struct store *store)
{
    struct remove_job *j = (struct remove_job *)job;
    int r = store_peer_remove(store, j->space, j->id);
    if (r == STORE_E_ABSENT)
        return APP_E_ABSENT;
    if (r == 0)
        r = store_peer_list(store, NULL, is_of_other, j);
    j->last = r == 0;
    if (r == 0)
        return store_record_remove_issuer(store, j->id);
    return r > 0 ? 0 : r;
}

int peer_remove(struct app_thread *t, struct space *space, const char *id, struct err *err)
{
    struct remove_job j = {.job = {.run = remove_run}, .space = space->id, .id = id};
    int r = app_do(t->app, &j.job);
    if (r == APP_E_ABSENT) {
        err_set(err, r, "%s is no peer of %s", id, space->id);
        return err_next(err, r, "see `comity peer list`");
    }
    if (r != 0)
        return r;
    space_recognise(space, id, false);
    if (j.last && !app_space(t->app, entity_authority(id)))
        directory_remove(t->app->directory, id);
    if (t->app->notify)
        t->app->notify(t->app->notify_ctx, NOTIFY_PEERS);
    return 0;
}

/* ---- what a refresh brought ---- */

/* A record and the note that it was seen, or only the note; and the peers' failure cleared or set.
 */
struct seen_job {
    struct app_job job;
    const char *id, *kind, *subject;
    struct str token; /* empty: nothing new */
    int64_t iat, now;
    const char *failure; /* NULL: it went well */
    bool was_failing;
};

static int note_failing(const struct peer_row *row, void *arg)
{
    struct seen_job *j = arg;
    if (strcmp(row->id, j->id) == 0 && row->failure[0])
        j->was_failing = true;
    return 0;
}

static int seen_run(struct app_job *job, struct store *store)
{
    struct seen_job *j = (struct seen_job *)job;
    int r = store_peer_list(store, NULL, note_failing, j);
    if (r == 0)
        r = store_peer_checked(store, j->id, strcmp(j->kind, KIND_STATUS) == 0, j->now, j->failure);
    if (r == STORE_E_ABSENT) /* removed while it was asked */
        return APP_E_ABSENT;
    if (r != 0 || j->failure)
        return r;
    if (j->token.n > 0)
        return store_record_put(store, j->kind, j->subject, j->id, j->token, j->iat, j->now);
    r = store_record_checked(store, j->kind, j->subject, j->now);
    return r == STORE_E_ABSENT ? 0 : r;
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

static int seen(struct app_thread *t, struct seen_job *j)
{
    j->job.run = seen_run;
    j->now = app_now(t->app);
    int r = app_do(t->app, &j->job);
    return r == 0 && j->was_failing && !j->failure ? hasten(t, j->id) : r;
}

struct pinned {
    const char *id;
    char fingerprint[THUMBPRINT_LEN + 1];
};

static int pinned_row(const struct peer_row *row, void *arg)
{
    struct pinned *p = arg;
    if (strcmp(row->id, p->id) == 0)
        memcpy(p->fingerprint, row->fingerprint, sizeof(p->fingerprint));
    return 0;
}

int peer_configuration_received(struct app_thread *t, const char *id, struct str token,
                                struct err *err)
{
    struct peer_seen look;
    struct pinned pinned = {.id = id};
    int r = peer_look(t, id, token, &look, err);
    if (r == 0)
        r = store_peer_list(t->directory_read, NULL, pinned_row, &pinned);
    if (r != 0)
        return r;
    if (strcmp(pinned.fingerprint, look.fingerprint) != 0) {
        err_set(err, 0, "its configuration is signed by another key (%s) than the pinned one",
                look.fingerprint);
        return err_next(
            err, APP_E_FORBIDDEN,
            "call the space; if the new key is theirs, remove the peer and add it again");
    }
    int64_t now = app_now(t->app);
    r = directory_put(t->app->directory, &look.configuration, DIR_RECOGNISED, now);
    if (r == DIR_E_OLDER) {
        err_set(err, 0, "its configuration is older than the one we hold");
        return APP_E_INVALID;
    }
    if (r != 0)
        return r > 0 ? APP_E_LIMIT : r;
    struct seen_job j = {.id = id,
                         .kind = KIND_CONFIGURATION,
                         .subject = id,
                         .token = token,
                         .iat = look.configuration.iat};
    return seen(t, &j);
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
                         struct status_list *out, struct err *err)
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
    int r = status_verify(t, id, uri, token, &list, err);
    if (r != 0)
        return r;
    struct seen_job j = {
        .id = id, .kind = KIND_STATUS, .subject = uri, .token = token, .iat = list.iat};
    r = directory_put_status(t->app->directory, &list, app_now(t->app));
    status_list_clear(&list);
    if (r == DIR_E_OLDER)
        return err_set(err, APP_E_INVALID, "the status list is older than the one we hold");
    if (r > 0)
        return err_set(err, APP_E_INVALID, "the status list is none that %s names", id);
    return r == 0 ? seen(t, &j) : r;
}

int peer_unchanged(struct app_thread *t, const char *id, const char *uri)
{
    int64_t now = app_now(t->app);
    struct seen_job j = {
        .id = id, .kind = uri ? KIND_STATUS : KIND_CONFIGURATION, .subject = uri ? uri : id};
    int r = uri ? directory_touch_status(t->app->directory, uri, now)
                : directory_touch(t->app->directory, id, now);
    if (r < 0)
        return r;
    return seen(t, &j);
}

int peer_failed(struct app_thread *t, const char *id, const char *uri, const char *why)
{
    struct seen_job j = {.id = id,
                         .kind = uri ? KIND_STATUS : KIND_CONFIGURATION,
                         .subject = uri ? uri : id,
                         .failure = why};
    return seen(t, &j);
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
    if (strcmp(kind, KIND_CONFIGURATION) == 0) {
        r = load_configuration(l->t, subject, token, checked);
    } else {
        struct status_list list = {0};
        r = status_verify(l->t, issuer, subject, token, &list, NULL);
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

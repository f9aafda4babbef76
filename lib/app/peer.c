#include "app/peer.h"

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

static void changed(struct app *app)
{
    if (app->notify)
        app->notify(app->notify_ctx, NOTIFY_PEERS);
}

/* ---- pinning ---- */

struct pin_job {
    struct app_job job;
    struct space *space;
    struct peer_row *row;
    const struct configuration *configuration;
    struct str token;
    int kept;
};

static int is_other_pin(const struct peer_row *row, void *arg)
{
    const struct peer_row *mine = arg;
    return strcmp(row->space, mine->space) != 0 && strcmp(row->fingerprint, mine->fingerprint) != 0;
}

static bool has_room(struct directory *d, const char *id)
{
    directory_read(d);
    bool known = directory_find(d, id) != NULL;
    directory_done(d);
    return known || directory_count(d) < LIMIT_PEERS;
}

/* All spaces of a node share one record of a peer: a key that one of them confirms must not stand
 * in for the one that another confirmed. */
static int pin_run(struct app_job *job, struct store *store)
{
    struct pin_job *j = (struct pin_job *)job;
    const char *id = j->row->id;
    if (!has_room(job->app->directory, id))
        return APP_E_LIMIT;
    int r = store_peer_pins(store, id, is_other_pin, j->row);
    if (r == 1)
        return APP_E_CONFLICT;
    if (r == 0)
        r = store_peer_put(store, j->row);
    if (r == STORE_E_FULL)
        return APP_E_LIMIT;
    if (r == 0)
        r = store_peer_all_well(store, id);
    if (r == 0)
        r = store_record_put(store, RECORD_CONFIGURATION, id, id, j->token, j->configuration->iat,
                             j->row->checked);
    return r == STORE_E_STATE ? APP_E_INVALID : r;
}

static void pin_kept(struct write_job *write)
{
    struct pin_job *j = (struct pin_job *)write;
    int r = directory_put(j->job.app->directory, j->configuration, DIR_RECOGNISED, j->row->checked);
    j->kept = r == DIR_E_OLDER ? APP_E_INVALID : r > 0 ? APP_E_LIMIT : r;
    if (j->kept == 0)
        j->kept = space_recognise(j->space, j->row->id, true);
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

    struct pin_job j = {.job = {.run = pin_run, .write.kept = pin_kept},
                        .space = space,
                        .row = &row,
                        .configuration = &seen->configuration,
                        .token = token};
    int r = app_do(t->app, &j.job);
    if (r == 0)
        r = j.kept;
    if (r != 0)
        return pin_failed(&row, r, err);
    changed(t->app);
    return 0;
}

struct remove_job {
    struct app_job job;
    struct space *space;
    const char *id;
    bool last; /* no other space of this node pins it */
};

static int is_of_other(const struct peer_row *row, void *arg)
{
    const struct remove_job *j = arg;
    return strcmp(row->space, j->space->id) != 0;
}

static int remove_run(struct app_job *job, struct store *store)
{
    struct remove_job *j = (struct remove_job *)job;
    int r = store_peer_remove(store, j->space->id, j->id);
    if (r == STORE_E_ABSENT)
        return APP_E_ABSENT;
    if (r == 0)
        r = store_peer_pins(store, j->id, is_of_other, j);
    j->last = r == 0;
    if (r == 0)
        return store_record_remove_issuer(store, j->id);
    return r > 0 ? 0 : r;
}

static void remove_kept(struct write_job *write)
{
    struct remove_job *j = (struct remove_job *)write;
    struct app *app = j->job.app;
    space_recognise(j->space, j->id, false);
    if (j->last && !app_space(app, entity_authority(j->id))) /* our own spaces stay */
        directory_remove(app->directory, j->id);
}

int peer_remove(struct app_thread *t, struct space *space, const char *id, struct err *err)
{
    struct remove_job j = {
        .job = {.run = remove_run, .write.kept = remove_kept}, .space = space, .id = id};
    int r = app_do(t->app, &j.job);
    if (r == APP_E_ABSENT) {
        err_set(err, r, "%s is no peer of %s", id, space->id);
        return err_next(err, r, "see `comity peer list`");
    }
    if (r == 0)
        changed(t->app);
    return r;
}

#include "app/space.h"

#include <errno.h>
#include <stdio.h>

#include "app/replay.h"
#include "app/token.h"
#include "app/verifications.h"
#include "base/b64.h"
#include "crypto/digest.h"

int space_person(const struct space *space, const char *home, const char *sub,
                 uint8_t out[static 32])
{
    char both[LIMIT_ENTITY_ID + 1 + 128];
    size_t h = strlen(home), n = strlen(sub);
    if (h + 1 + n > sizeof(both))
        return -EINVAL;
    memcpy(both, home, h + 1); /* the NUL keeps the two apart */
    memcpy(both + h + 1, sub, n);
    return hmac_sha256(space->count_key, sizeof(space->count_key), both, h + 1 + n, out);
}

bool space_recognises(struct space *space, const char *id)
{
    if (strcmp(space->id, id) == 0)
        return true;
    pthread_rwlock_rdlock(&space->lock);
    bool yes = map_get(space->peers, str_of(id)) != NULL;
    pthread_rwlock_unlock(&space->lock);
    return yes;
}

int space_recognise(struct space *space, const char *id, bool yes)
{
    static char present; /* never written: only its address says "here" */
    int r = 0;
    pthread_rwlock_wrlock(&space->lock);
    if (yes)
        r = map_put(space->peers, str_of(id), &present);
    else
        map_remove(space->peers, str_of(id));
    pthread_rwlock_unlock(&space->lock);
    return r == MAP_E_FULL ? APP_E_LIMIT : r;
}

/* ---- settings of a space in its store ---- */

static int setting_text(struct store *s, const char *name, char *out, size_t cap)
{
    _cleanup_(buf_clear) struct buf value = {.max = 4096};
    int r = store_setting_get(s, name, &value);
    if (r != 0)
        return r;
    return str_copy(out, cap, buf_as_str(&value));
}

static int put_text(struct store *s, const char *name, const char *value)
{
    return store_setting_put(s, name, value, strlen(value));
}

static int facts_put(struct app_thread *t, struct store *s, const struct space_facts *f)
{
    uint8_t count_key[32];
    char position[64] = "";
    if (f->has_position)
        snprintf(position, sizeof(position), "%.6f,%.6f", f->lat, f->lon);

    int r = rand_fill(&t->rand, count_key, sizeof(count_key));
    if (r == 0)
        r = store_setting_put(s, "count_key", count_key, sizeof(count_key));
    secret_wipe(count_key, sizeof(count_key));
    const char *const texts[][2] = {{"entity_id", f->id},
                                    {"name", f->name},
                                    {"country", f->country},
                                    {"timezone", f->timezone},
                                    {"position", position}};
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
        r = put_text(s, texts[i][0], texts[i][1]);
    return r;
}

static int facts_get(struct space *space, struct err *err)
{
    struct configuration *c = &space->configuration;
    char position[64];
    _cleanup_(buf_clear) struct buf key = {.max = 64};
    int r = setting_text(space->store, "entity_id", space->id, sizeof(space->id));
    if (r == 0)
        r = setting_text(space->store, "name", c->name, sizeof(c->name));
    if (r == 0)
        r = setting_text(space->store, "country", c->country, sizeof(c->country));
    if (r == 0)
        r = setting_text(space->store, "timezone", space->timezone, sizeof(space->timezone));
    if (r == 0)
        r = setting_text(space->store, "position", position, sizeof(position));
    if (r == 0)
        r = store_setting_get(space->store, "count_key", &key);
    if (r != 0 || key.n != sizeof(space->count_key))
        return err_set(err, r < 0 ? r : -EBADMSG, "%s is not the database of a space", space->path);

    memcpy(space->count_key, key.p, key.n);
    secret_wipe(key.p, key.n);
    memcpy(c->id, space->id, sizeof(c->id));
    memcpy(c->timezone, space->timezone, sizeof(c->timezone));
    struct str lat, lon;
    if (str_cut(str_of(position), ',', &lat, &lon))
        c->has_position =
            str_to_real(lat, -90, 90, &c->lat) == 0 && str_to_real(lon, -180, 180, &c->lon) == 0;
    return str_copy(space->authority, sizeof(space->authority), entity_authority(space->id));
}

static int keys_get(struct app_thread *t, struct space *space, struct err *err)
{
    struct configuration *c = &space->configuration;
    int r = t->signer->keys(t->signer, space->id, &c->federation[0], &c->pass[0], err);
    if (r != 0)
        return r;
    c->n_federation = c->n_pass = 1;
    r = jwk_thumbprint(&c->federation[0], space->federation_kid);
    return r == 0 ? jwk_thumbprint(&c->pass[0], space->pass_kid) : r;
}

static int caches_new(struct app_thread *t, struct space *space)
{
    uint64_t seed;
    int r = rand_fill(&t->rand, &seed, sizeof(seed));
    if (r == 0)
        r = map_new(LIMIT_PEERS, seed, NULL, &space->peers);
    if (r == 0)
        r = verifications_new(LIMIT_VERIFICATIONS, &space->verifications);
    if (r == 0)
        r = replay_new(LIMIT_REPLAY_ENTRIES, &space->replay);
    return r == 0 ? tokens_load(space, space->store) : r;
}

static int space_load(struct app_thread *t, const char *db_path, struct space **out,
                      struct err *err)
{
    struct space *space = calloc(1, sizeof(*space));
    if (!space)
        return -ENOMEM;
    pthread_rwlock_init(&space->lock, NULL);
    int r = str_copy(space->path, sizeof(space->path), str_of(db_path));
    if (r == 0)
        r = store_open(db_path, STORE_SPACE, false, &space->store, err);
    if (r == 0)
        r = facts_get(space, err);
    if (r == 0)
        r = tz_load(TZ_DIR, space->timezone, &space->tz, err);
    if (r == 0)
        r = keys_get(t, space, err);
    if (r == 0)
        r = caches_new(t, space);
    if (r != 0) {
        space_close(space);
        return r > 0 ? err_prefix(err, -EBADMSG, "%s cannot be opened", db_path) : r;
    }
    *out = space;
    return 0;
}

int space_found(struct app_thread *t, const char *db_path, const struct space_facts *facts,
                struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    int r = t->signer->create(t->signer, facts->id, err);
    if (r == 0)
        r = store_open(db_path, STORE_SPACE, true, &store, err);
    if (r == 0)
        r = store_begin(store);
    if (r != 0)
        return r;
    r = facts_put(t, store, facts);
    if (r == 0)
        r = store_commit(store);
    else
        store_rollback(store);
    if (r != 0)
        return r;

    struct space *space = NULL;
    r = space_load(t, db_path, &space, err);
    if (r == 0)
        r = space_renew(t, space, err);
    space_close(space);
    return r;
}

int space_open(struct app_thread *t, const char *db_path, struct space **out, struct err *err)
{
    struct app *app = t->app;
    size_t n = atomic_load(&app->n_spaces);
    if (n == LIMIT_SPACES)
        return err_set(err, APP_E_LIMIT, "one process serves at most %d spaces", LIMIT_SPACES);
    struct space *space = NULL;
    int r = space_load(t, db_path, &space, err);
    if (r != 0)
        return r;
    r = space_renew(t, space, err);
    if (r == APP_E_INVALID &&
        space_status_lists(space) > 0) /* served on: the minute says it again */
        r = 0;
    if (r != 0) {
        space_close(space);
        return r;
    }
    app->spaces[n] = space;
    atomic_store_explicit(&app->n_spaces, n + 1, memory_order_release);
    *out = space;
    return 0;
}

void space_close(struct space *space)
{
    if (!space)
        return;
    store_close(space->store);
    tz_free(space->tz);
    map_free(space->peers);
    tokens_free(space->tokens);
    verifications_free(space->verifications);
    replay_free(space->replay);
    free(space->published_configuration.token);
    free(space->published_issuer.token);
    for (size_t i = 0; i < LIMIT_STATUS_LISTS; i++)
        free(space->published_status[i].token);
    secret_wipe(space->count_key, sizeof(space->count_key));
    pthread_rwlock_destroy(&space->lock);
    free(space);
}

#include "local.h"

#include <errno.h>

#include "app/peer.h"
#include "app/replay.h"
#include "app/space.h"
#include "clock.h"
#include "log.h"
#include "vault.h"

#define LOCAL_KEYS 16 /* parsed keys that one verb may need at hand */
#define LOCAL_REPLAY 1024

struct local {
    struct app_clock clock;
    struct app app;
    struct app_thread thread;
    struct vault *vault;
    struct fetch_rules rules;
};

void fetch_rules_of(const struct config *config, struct fetch_rules *out)
{
    *out = (struct fetch_rules){
        .trial = config->trial,
        .allow_private = config->allow_private,
        .n_allow_private = config->n_allow_private,
    };
    memcpy(out->tls_ca, config->tls_ca, sizeof(out->tls_ca));
}

/* One thread: readers use the writer's connection. */
static struct store *reads(struct app_thread *t, struct space *space)
{
    return space->store;
}

int directory_store_open(const struct state *state, const struct config *config, struct store **out,
                         struct err *err)
{
    char path[512];
    int r = state_path(state, "directory.db", path);
    if (r != 0)
        return r;
    if (config->n_spaces > 0 && access(path, F_OK) != 0 && errno == ENOENT)
        log_warn("there is no %s: a new one is made, and no other space is recognised; stop, and "
                 "restore it from a backup, or add each peer again",
                 path);
    return store_open(path, STORE_DIRECTORY, true, out, err);
}

static int open_parts(struct local *l, const struct state *state, const struct config *config,
                      struct err *err)
{
    int r = directory_new(&l->app.directory);
    if (r == 0)
        r = replay_new(LOCAL_REPLAY, &l->app.request_replay);
    if (r == 0)
        r = verifier_new(LOCAL_KEYS, &l->thread.verifier);
    if (r == 0)
        r = directory_store_open(state, config, &l->app.directory_store, err);
    if (r == 0)
        r = vault_open(state, &l->clock, &l->vault, err);
    if (r == 0)
        r = signer_local(l->vault, &l->thread.signer);
    if (r > 0) /* conditions of lower floors mean nothing to the caller */
        r = -EBADMSG;
    l->app.writer_signer = l->thread.signer;
    l->thread.directory_read = l->app.directory_store;
    return r;
}

static int open_spaces(struct local *l, const struct state *state, const struct config *config,
                       struct err *err)
{
    for (size_t i = 0; i < config->n_spaces; i++) {
        char path[512];
        struct space *space;
        int r = state_space_path(state, config->spaces[i].authority, "space.db", path);
        if (r < 0)
            return err_set(err, r, "the state folder's path is too long");
        r = space_open(&l->thread, path, &space, err);
        if (r != 0)
            return err_prefix(err, r, "space %s", config->spaces[i].authority);
        *err = (struct err){0}; /* of a renewal that was refused: a verb that needs it says so */
    }
    return 0;
}

int local_open(const struct state *state, const struct config *config, struct local **out,
               struct err *err)
{
    _cleanup_(local_closep) struct local *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    int r = clock_real(config->trial, &l->clock, err);
    if (r != 0)
        return r;
    l->app.clock = &l->clock;
    l->app.trial = config->trial;
    l->app.persist_verifications = true;
    l->thread.app = &l->app;
    l->thread.reads = reads;
    rand_system(&l->thread.rand);
    fetch_rules_of(config, &l->rules);

    r = open_parts(l, state, config, err);
    if (r == 0)
        r = open_spaces(l, state, config, err);
    if (r == 0 && config->n_spaces > 0)
        r = peers_load(&l->thread, err);
    if (r != 0)
        return r;
    *out = l;
    l = NULL;
    return 0;
}

void local_close(struct local *l)
{
    if (!l)
        return;
    for (size_t i = atomic_load(&l->app.n_spaces); i > 0; i--)
        space_close(l->app.spaces[i - 1]);
    if (l->thread.signer)
        signer_free(l->thread.signer);
    vault_free(l->vault);
    store_close(l->app.directory_store);
    verifier_free(l->thread.verifier);
    replay_free(l->app.request_replay);
    directory_free(l->app.directory);
    free(l);
}

struct app_thread *local_thread(struct local *l)
{
    return &l->thread;
}

const struct fetch_rules *local_fetch_rules(const struct local *l)
{
    return &l->rules;
}

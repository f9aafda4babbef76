#include "lib/app/fixture.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "app/replay.h"
#include "base/b64.h"
#include "cred/keybind.h"
#include "temporary.h"

static int64_t clock_now(const struct app_clock *self)
{
    return *((const struct side_clock *)self)->now + self->offset;
}

static uint64_t clock_micros(const struct app_clock *self)
{
    return 7;
}

static int hooked_sign(struct signer *self, struct sign_request *const reqs[], size_t n)
{
    const struct side_signer *signer = (const struct side_signer *)self;
    struct signer *real = signer->side->thread.signer;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        int result = signer->hook(signer->side, reqs[i]);

        if (result != 0)
            reqs[i]->result = result;
        else
            r = real->sign(real, &reqs[i], 1);
    }
    return r;
}

void side_hook_signer(struct side *s, signer_hook hook)
{
    s->signer = (struct side_signer){.base = {.sign = hooked_sign}, .side = s, .hook = hook};
    s->app.writer_signer = hook ? &s->signer.base : s->thread.signer;
}

static struct store *reads(struct app_thread *t, struct space *space)
{
    return space->store;
}

static void must(int r, const struct err *err, const char *what)
{
    if (r != 0)
        fail_msg("%s: %d, %s", what, r, err ? err->text : "");
}

static void space_db(const struct side *s, const char *id, char path[static 512])
{
    char authority[LIMIT_ENTITY_ID + 1];

    assert_int_equal(str_copy(authority, sizeof(authority), entity_authority(id)), 0);
    assert_int_equal(state_space_path(&s->state, authority, "space.db", path), 0);
}

static struct space *open_space(struct side *s, const char *id, const char *name)
{
    struct space_facts facts = {.has_position = true, .lat = 38.7, .lon = -9.1, .country = "PT"};
    struct space *space = NULL;
    struct err err = {0};
    char path[512];

    strcpy(facts.timezone, "Europe/Lisbon");
    strcpy(facts.id, id);
    strcpy(facts.name, name);
    space_db(s, id, path);
    if (access(path, F_OK) != 0)
        must(space_found(&s->thread, path, &facts, &err), &err, "space_found");
    must(space_open(&s->thread, path, &space, &err), &err, "space_open");
    return space;
}

void side_open(struct side *s, const char *folder, const int64_t *now, const char *id,
               const char *name)
{
    struct err err = {0};
    char path[512];

    *s = (struct side){.id = id, .name = name, .state = {.lock = -1}};
    s->clock = (struct side_clock){{.now = clock_now, .micros = clock_micros}, now};
    snprintf(s->state.dir, sizeof(s->state.dir), "%s/%s", folder, name);
    mkdir(s->state.dir, 0700);
    assert_int_equal(state_path(&s->state, "spaces", path), 0);
    mkdir(path, 0700);
    assert_int_equal(state_path(&s->state, "directory.db", path), 0);

    s->app.clock = &s->clock.base;
    must(directory_new(&s->app.directory), NULL, "directory_new");
    must(replay_new(1024, &s->app.request_replay), NULL, "replay_new");
    must(store_open(path, STORE_DIRECTORY, true, &s->app.directory_store, &err), &err, "store");
    s->thread.app = &s->app;
    s->thread.reads = reads;
    s->thread.directory_read = s->app.directory_store;
    rand_system(&s->thread.rand);
    must(verifier_new(16, &s->thread.verifier), NULL, "verifier_new");
    must(vault_open(&s->state, s->app.clock, &s->vault, &err), &err, "vault_open");
    must(signer_local(s->vault, &s->thread.signer), NULL, "signer_local");
    s->app.writer_signer = s->thread.signer;
    s->space = open_space(s, id, name);
    must(peers_load(&s->thread, &err), &err, "peers_load");
}

void side_close(struct side *s)
{
    for (size_t i = s->app.n_spaces; i > 0; i--)
        space_close(s->app.spaces[i - 1]);
    signer_free(s->thread.signer);
    vault_free(s->vault);
    store_close(s->app.directory_store);
    verifier_free(s->thread.verifier);
    replay_free(s->app.request_replay);
    directory_free(s->app.directory);
    *s = (struct side){0};
}

void side_restart(struct side *s)
{
    struct side old = *s;
    char folder[STATE_PATH_MAX];

    strcpy(folder, old.state.dir);
    *strrchr(folder, '/') = '\0';
    side_close(s);
    side_open(s, folder, old.clock.now, old.id, old.name);
}

struct space *side_second_space(struct side *s, const char *id)
{
    return open_space(s, id, "Another");
}

struct key_pair *side_key(const struct side *s, const char *name)
{
    char authority[LIMIT_ENTITY_ID + 1], file[40], path[512];
    struct key_pair *pair = NULL;
    struct err err = {0};

    snprintf(file, sizeof(file), "%s.key", name);
    assert_int_equal(str_copy(authority, sizeof(authority), entity_authority(s->id)), 0);
    assert_int_equal(state_space_path(&s->state, authority, file, path), 0);
    must(key_pair_load(path, &pair, &err), &err, path);
    return pair;
}

char *side_published(struct side *from, enum published_kind kind)
{
    struct buf token = {0};
    char etag[36];

    assert_int_equal(space_published(from->space, kind, 0, &token, etag), 0);
    return buf_take(&token);
}

void side_pin(struct side *who, struct side *whom)
{
    _cleanup_(freep) char *token = side_published(whom, PUBLISHED_CONFIGURATION);
    struct peer_seen seen;
    struct err err = {0};

    must(peer_look(&who->thread, whom->id, str_of(token), &seen, &err), &err, "peer_look");
    must(peer_pin(&who->thread, who->space, &seen, str_of(token), &err), &err, "peer_pin");
}

void side_fetch_status(struct side *who, struct side *whom)
{
    _cleanup_(freep) char *token = side_published(whom, PUBLISHED_STATUS);
    struct err err = {0};
    char uri[300];

    snprintf(uri, sizeof(uri), "%s/status/0", whom->id);
    must(peer_status_received(&who->thread, whom->id, uri, str_of(token), &err), &err,
         "peer_status_received");
}

int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->now = START;
    assert_non_null(mkdtemp(temporary(w->folder, sizeof(w->folder), "comity-app-XXXXXX")));
    side_open(&w->home, w->folder, &w->now, HOME, "home");
    side_open(&w->host, w->folder, &w->now, HOST, "host");
    side_pin(&w->home, &w->host);
    side_pin(&w->host, &w->home);
    side_fetch_status(&w->home, &w->host);
    side_fetch_status(&w->host, &w->home);
    assert_int_equal(key_pair_generate(KEY_P256, &w->device), 0);
    *state = w;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

int world_teardown(void **state)
{
    struct world *w = *state;

    side_close(&w->home);
    side_close(&w->host);
    key_pair_free(w->device);
    nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

void world_member(struct world *w, const char *name, struct member_row *out)
{
    struct member_facts facts = {0};
    struct err err = {0};

    strcpy(facts.name, name);
    must(member_add(&w->home.thread, w->home.space, &facts, out, &err), &err, "member_add");
}

char *world_issue_to(struct world *w, const char *member, const struct key_pair *device,
                     struct pass_row *row)
{
    const struct issue_request req = {.member = member,
                                      .device = device ? key_pair_public(device) : NULL};
    struct issued issued;
    struct err err = {0};
    char *token;

    must(pass_issue(&w->home.thread, w->home.space, &req, &issued, &err), &err, "pass_issue");
    if (row)
        *row = issued.row;
    token = buf_take(&issued.token);
    issued_clear(&issued);
    return token;
}

char *world_issue(struct world *w, const struct key_pair *device, struct pass_row *row)
{
    struct member_row member;

    world_member(w, "Ana Sousa", &member);
    return world_issue_to(w, member.id, device, row);
}

char *world_present(struct world *w, const char *pass, const char *nonce)
{
    struct buf out = {0};

    assert_int_equal(keybind_present(w->device, str_of(pass), HOST, nonce, w->now, &out), 0);
    return buf_take(&out);
}

enum reason world_ask(struct world *w, const char *text, const char *desk, enum verdict *verdict)
{
    const struct verify_request req = {.text = str_of(text), .desk = desk};
    struct verify_answer a;
    enum reason reason;

    must(verify_presentation(&w->host.thread, w->host.space, &req, &a), NULL, "verify");
    reason = a.verdict.n_reasons > 0 ? a.verdict.reasons[0].reason : REASON_NONE;
    if (verdict)
        *verdict = a.verdict.verdict;
    verify_answer_clear(&a);
    return reason;
}

int world_check_in(struct world *w, const char *text, const char *key, bool confirm,
                   struct check_in *c)
{
    struct err err = {0};
    int r;

    c->confirm = confirm;
    if (key)
        strcpy(c->key, key);
    r = check_in_prepare(&w->host.thread, w->host.space, str_of(text), c, &err);
    return r != 0 ? r : app_do(&w->host.app, &c->job);
}

void world_visit(struct world *w, const char *pass, const char *nonce, char visit[static 32])
{
    _cleanup_(freep) char *text = world_present(w, pass, nonce);
    struct check_in c = CHECK_IN;

    must(world_check_in(w, text, NULL, false, &c), &c.job.err, "check-in");
    strcpy(visit, c.visit.id);
    check_in_clear(&c);
}

static int count(const struct visit_row *row, void *arg)
{
    ++*(size_t *)arg;
    return 0;
}

size_t world_visits(struct world *w)
{
    size_t n = 0;

    assert_int_equal(store_visit_list(w->host.space->store, NULL, 10000, false, count, &n), 0);
    return n;
}

size_t world_outbox(struct world *w)
{
    int64_t n = -1;

    assert_int_equal(store_outbox_count(w->host.space->store, &n), 0);
    return (size_t)n;
}

uint64_t world_seed(const char *what)
{
    const char *given = getenv("COMITY_SEED");
    struct rand r;
    uint64_t seed;

    rand_system(&r);
    assert_int_equal(rand_fill(&r, &seed, sizeof(seed)), 0);
    if (given)
        seed = strtoull(given, NULL, 10);
    printf("%s: COMITY_SEED=%" PRIu64 "\n", what, seed);
    return seed;
}

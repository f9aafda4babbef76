#include "app/token.h"

#include <errno.h>

#include "base/b64.h"
#include "crypto/digest.h"

#define TOKEN_PREFIX "cmt_"

/* The cache: valid tokens by hash. Replaced as a whole under the space's lock when one is made or
 * revoked, so that the desk's path never waits for the store. */
struct tokens {
    size_t n;
    struct entry {
        uint8_t hash[32];
        struct token_holder holder;
    } entries[];
};

static const struct {
    const char *name;
    enum token_role role;
} roles[] = {
    {"desk", TOKEN_DESK},
    {"manager", TOKEN_MANAGER},
    {"integration", TOKEN_INTEGRATION},
};

bool token_role_parse(struct str name, enum token_role *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        if (str_eqz(name, roles[i].name)) {
            *out = roles[i].role;
            return true;
        }
    }
    return false;
}

const char *token_role_name(enum token_role role)
{
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        if (roles[i].role == role)
            return roles[i].name;
    }
    return "unknown";
}

static int entry_compare(const void *a, const void *b)
{
    return memcmp(((const struct entry *)a)->hash, ((const struct entry *)b)->hash, 32);
}

struct loading {
    struct tokens *tokens;
};

static int load_row(const struct token_row *row, void *arg)
{
    struct loading *l = arg;
    if (row->revoked_at != 0)
        return 0;
    if (l->tokens->n == TOKENS_MAX)
        return -E2BIG;
    struct entry *e = &l->tokens->entries[l->tokens->n++];
    memcpy(e->hash, row->hash, 32);
    memcpy(e->holder.id, row->id, sizeof(e->holder.id));
    memcpy(e->holder.name, row->name, sizeof(e->holder.name));
    e->holder.role = row->role;
    return 0;
}

int tokens_load(struct space *space, struct store *store)
{
    struct tokens *fresh = calloc(1, sizeof(*fresh) + TOKENS_MAX * sizeof(struct entry));
    if (!fresh)
        return -ENOMEM;
    struct loading l = {.tokens = fresh};
    int r = store_token_list(store, load_row, &l);
    if (r != 0) {
        free(fresh);
        return r;
    }
    struct tokens *trimmed = realloc(fresh, sizeof(*fresh) + (fresh->n + 1) * sizeof(struct entry));
    fresh = trimmed ? trimmed : fresh;
    qsort(fresh->entries, fresh->n, sizeof(struct entry), entry_compare);

    pthread_rwlock_wrlock(&space->lock);
    struct tokens *old = space->tokens;
    space->tokens = fresh;
    pthread_rwlock_unlock(&space->lock);
    free(old);
    return 0;
}

void tokens_free(struct tokens *tokens)
{
    free(tokens);
}

int token_check(struct app_thread *t, struct space *space, struct str secret,
                struct token_holder *out)
{
    struct entry wanted;
    if (secret.n != strlen(TOKEN_PREFIX) + B64_LEN(32) || !str_starts(secret, STR(TOKEN_PREFIX)))
        return APP_E_UNAUTHENTICATED;
    int r = verifier_sha256(t->verifier, secret.p, secret.n, wanted.hash);
    if (r != 0)
        return r;

    r = APP_E_UNAUTHENTICATED;
    pthread_rwlock_rdlock(&space->lock);
    const struct entry *e =
        bsearch(&wanted, space->tokens->entries, space->tokens->n, sizeof(*e), entry_compare);
    if (e) {
        *out = e->holder;
        r = 0;
    }
    pthread_rwlock_unlock(&space->lock);
    return r;
}

struct token_job {
    struct app_job job;
    const struct token_row *row; /* to add; or */
    const char *revoke;
    char id[32]; /* whose token that is */
    int64_t at;
};

static int count_valid(const struct token_row *row, void *arg)
{
    *(size_t *)arg += row->revoked_at == 0;
    return 0;
}

static int add(struct store *store, const struct token_row *row)
{
    size_t valid = 0;
    int r = store_token_list(store, count_valid, &valid);
    if (r == 0 && valid >= TOKENS_MAX)
        return APP_E_LIMIT;
    return r == 0 ? store_token_add(store, row) : r;
}

static int named(const struct token_row *row, void *arg)
{
    struct token_job *j = arg;
    if (strcmp(row->id, j->revoke) == 0 ||
        (j->id[0] == 0 && row->revoked_at == 0 && strcmp(row->name, j->revoke) == 0))
        memcpy(j->id, row->id, sizeof(j->id));
    return 0;
}

static int take_back(struct store *store, struct token_job *j)
{
    int r = store_token_list(store, named, j);
    return r == 0 ? store_token_revoke(store, j->id[0] ? j->id : j->revoke, j->at) : r;
}

static int token_run(struct app_job *job, struct store *store)
{
    struct token_job *j = (struct token_job *)job;
    int r = j->row ? add(store, j->row) : take_back(store, j);
    switch (r) {
    case STORE_E_EXISTS:
        return APP_E_EXISTS;
    case STORE_E_ABSENT:
        return APP_E_ABSENT;
    case STORE_E_STATE:
        return APP_E_STATE;
    default:
        return r;
    }
}

/* The cache follows the commit. The writer's connection is asked on the writer's thread. */
static int token_reload(struct app_job *job)
{
    int r = tokens_load(job->space, job->space->store);
    return r == 0 ? APP_DONE : r;
}

static int reload(struct app_thread *t, struct space *space)
{
    struct app_job job = {.space = space, .compose = token_reload, .run = NULL};
    return app_do(t->app, &job);
}

/* Asks neither memory nor the store, and so cannot fail: what is revoked on disk is so here. */
static void forget(struct space *space, const char *id)
{
    pthread_rwlock_wrlock(&space->lock);
    struct tokens *tokens = space->tokens;
    for (size_t i = 0; i < tokens->n; i++) {
        if (strcmp(tokens->entries[i].holder.id, id) != 0)
            continue;
        memmove(&tokens->entries[i], &tokens->entries[i + 1],
                (--tokens->n - i) * sizeof(struct entry));
        break;
    }
    pthread_rwlock_unlock(&space->lock);
}

int token_create(struct app_thread *t, struct space *space, const char *name, enum token_role role,
                 struct token_made *out, struct err *err)
{
    struct str s = str_trim(str_of(name));
    if (s.n == 0 || s.n > LIMIT_NAME || !str_is_utf8(s) || !str_is_printable(s))
        return err_set(err, APP_E_INVALID,
                       "the token's name is empty, longer than %d bytes, or not plain text",
                       LIMIT_NAME);

    struct token_made made = {.row = {.role = role, .created_at = app_now(t->app)}};
    uint8_t secret[32];
    int r = rand_fill(&t->rand, secret, sizeof(secret));
    if (r == 0)
        r = rand_id(&t->rand, "tok_", made.row.id, sizeof(made.row.id));
    if (r == 0)
        r = str_copy(made.row.name, sizeof(made.row.name), s);
    if (r != 0)
        return err_set(err, r, "no token could be made");
    memcpy(made.secret, TOKEN_PREFIX, strlen(TOKEN_PREFIX));
    b64_encode(secret, sizeof(secret), made.secret + strlen(TOKEN_PREFIX));
    secret_wipe(secret, sizeof(secret));
    r = sha256(made.secret, strlen(made.secret), made.row.hash);
    if (r != 0)
        return r;

    struct token_job job = {.job = {.space = space, .run = token_run}, .row = &made.row};
    r = app_do(t->app, &job.job);
    if (r == APP_E_EXISTS) {
        err_set(err, r, "there is a token named \"%.*s\" already", STR_ARG(s));
        return err_next(err, r, "choose another name, or revoke that one first");
    }
    if (r == APP_E_LIMIT) {
        err_set(err, r, "there are %d valid tokens already", TOKENS_MAX);
        return err_next(err, r, "revoke those that are no longer used");
    }
    if (r == 0)
        r = reload(t, space);
    if (r == 0)
        *out = made;
    secret_wipe(made.secret, sizeof(made.secret));
    return r;
}

int token_revoke(struct app_thread *t, struct space *space, const char *id_or_name, struct err *err)
{
    struct token_job job = {
        .job = {.space = space, .run = token_run}, .revoke = id_or_name, .at = app_now(t->app)};
    int r = app_do(t->app, &job.job);
    if (r == APP_E_ABSENT) {
        err_set(err, r, "no valid token has that id or name");
        return err_next(err, r, "see `comity token list`");
    }
    if (r == 0 || r == APP_E_STATE)
        forget(space, job.id);
    if (r == APP_E_STATE)
        return err_set(err, r, "this token was revoked before");
    return r;
}

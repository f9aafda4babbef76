#include "app/member.h"

#include <errno.h>

#include "base/b64.h"

#define TIER_DEFAULT "member"
#define SUB_BYTES 9 /* unique within one home; short, since every QR code carries it */

static int check_text(const char *name, const char *value, struct err *err)
{
    struct str s = str_of(value);
    if (!str_is_utf8(s) || !str_is_printable(s))
        return err_set(err, APP_E_INVALID, "%s is not plain UTF-8 text of one line", name);
    return 0;
}

static bool is_token_text(const char *value)
{
    for (const char *p = value; *p; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              *p == '-' || *p == '_' || *p == '.'))
            return false;
    }
    return true;
}

int member_check(const struct member_facts *f, struct err *err)
{
    const char *const texts[][2] = {{"name", f->name},
                                    {"tier", f->tier},
                                    {"email", f->email},
                                    {"external_id", f->external_id},
                                    {"language", f->language}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
        r = check_text(texts[i][0], texts[i][1], err);
    if (r != 0)
        return r;
    if (str_trim(str_of(f->name)).n == 0)
        return err_set(err, APP_E_INVALID, "name is empty");
    if (!is_token_text(f->tier))
        return err_set(err, APP_E_INVALID,
                       "tier \"%s\" has other characters than letters, digits, '-', '_' and '.'",
                       f->tier);
    const char *at = strchr(f->email, '@');
    if (f->email[0] && (!at || at == f->email || at[1] == 0 || strchr(f->email, ' ')))
        return err_set(err, APP_E_INVALID, "email is not an e-mail address");
    if (!is_token_text(f->language))
        return err_set(err, APP_E_INVALID, "language is not a tag such as \"pt\" or \"de-CH\"");
    return 0;
}

struct json *member_json(const struct member_row *m)
{
    static const char *const states[] = {
        [MEMBER_ACTIVE] = "active", [MEMBER_SUSPENDED] = "suspended", [MEMBER_REMOVED] = "removed"};
    struct json *v = json_object();
    char at[RFC3339_LEN + 1];
    rfc3339_format(m->created_at, at);
    if (json_put_z(v, "member", m->id) || json_put_z(v, "name", m->name) ||
        json_put_z(v, "tier", m->tier) || json_put_z(v, "email", m->email[0] ? m->email : NULL) ||
        json_put_z(v, "external_id", m->external_id[0] ? m->external_id : NULL) ||
        json_put_z(v, "language", m->language[0] ? m->language : NULL) ||
        json_put_z(v, "state", states[m->state]) || json_put_int(v, "created", m->created_at) ||
        json_put_z(v, "created_at", at)) {
        json_free(v);
        return NULL;
    }
    return v;
}

int member_row_new(struct app_thread *t, const struct member_facts *f, struct member_row *out)
{
    struct member_row row = {.created_at = app_now(t->app), .changed_at = app_now(t->app)};
    int r = rand_id(&t->rand, "mem_", row.id, sizeof(row.id));
    uint8_t sub[SUB_BYTES] = {0};
    if (r == 0) /* what hosts see; it says nothing of the member's id */
        r = rand_fill(&t->rand, sub, sizeof(sub));
    b64_encode(sub, sizeof(sub), row.sub);
    if (r == 0)
        r = str_copy(row.name, sizeof(row.name), str_trim(str_of(f->name)));
    if (r != 0)
        return r;
    str_copy(row.tier, sizeof(row.tier), str_of(f->tier[0] ? f->tier : TIER_DEFAULT));
    memcpy(row.email, f->email, sizeof(row.email));
    memcpy(row.external_id, f->external_id, sizeof(row.external_id));
    memcpy(row.language, f->language, sizeof(row.language));
    *out = row;
    return 0;
}

struct add_job {
    struct app_job job;
    const struct member_row *row;
};

static int add_run(struct app_job *job, struct store *store)
{
    int r = store_member_add(store, ((struct add_job *)job)->row);
    return r == STORE_E_EXISTS ? APP_E_EXISTS : r;
}

int member_add(struct app_thread *t, struct space *space, const struct member_facts *f,
               struct member_row *out, struct err *err)
{
    struct member_row row;
    int r = member_check(f, err);
    if (r == 0)
        r = member_row_new(t, f, &row);
    if (r != 0)
        return r;
    struct add_job j = {.job = {.space = space, .run = add_run}, .row = &row};
    r = app_do(t->app, &j.job);
    if (r == APP_E_EXISTS) {
        err_set(err, r, "a member with the external id \"%s\" is there already", f->external_id);
        return err_next(err, r,
                        "leave --external-id out; or, to change that member, import a CSV row with "
                        "that external_id");
    }
    if (r == 0)
        *out = row;
    return r;
}

/* ---- states ---- */

struct state_job {
    struct app_job job;
    const char *id;
    enum member_state state;
    struct member_row row;
    struct store *store;
    bool lists[LIMIT_STATUS_LISTS]; /* whose bits change */
    int64_t now;
};

/* A member's passes follow: suspended with them, restored with them, revoked when they go. A pass
 * that was revoked for itself stays so. */
static int follow(const struct pass_row *pass, void *arg)
{
    struct state_job *j = arg;
    enum pass_state to = j->state == MEMBER_ACTIVE      ? PASS_LIVE
                         : j->state == MEMBER_SUSPENDED ? PASS_SUSPENDED
                                                        : PASS_REVOKED;
    if (pass->exp + 2 * LIMIT_CLOCK_SKEW <= j->now || pass->state == PASS_REVOKED ||
        pass->state == to)
        return 0;
    j->lists[pass->list] = true;
    int r = store_pass_set_state(j->store, pass->id, to, j->now);
    return r == 0 ? store_status_dirty(j->store, pass->list, true) : r;
}

struct gathered {
    struct pass_row *rows;
    size_t n, cap;
};

static int gather(const struct pass_row *row, void *arg)
{
    struct gathered *g = arg;
    if (g->n == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 16;
        struct pass_row *rows = realloc(g->rows, cap * sizeof(*rows));
        if (!rows)
            return -ENOMEM;
        g->rows = rows;
        g->cap = cap;
    }
    g->rows[g->n++] = *row;
    return 0;
}

static int state_run(struct app_job *job, struct store *store)
{
    struct state_job *j = (struct state_job *)job;
    struct gathered passes = {0};
    int r = store_member_get(store, j->id, &j->row);
    if (r == STORE_E_ABSENT)
        return APP_E_ABSENT;
    if (r == 0 && j->row.state == MEMBER_REMOVED && j->state != MEMBER_REMOVED)
        return APP_E_STATE;
    j->row.state = j->state;
    j->row.changed_at = j->now;
    j->store = store;
    if (r == 0)
        r = store_member_update(store, &j->row);
    if (r == 0)
        r = store_pass_list(store, j->id, NULL, SIZE_MAX, gather, &passes);
    for (size_t i = 0; r == 0 && i < passes.n; i++)
        r = follow(&passes.rows[i], j);
    free(passes.rows);
    return r;
}

int member_set_state(struct app_thread *t, struct space *space, const char *id,
                     enum member_state state, struct member_row *out, struct err *err)
{
    struct state_job j = {.job = {.space = space, .run = state_run},
                          .id = id,
                          .state = state,
                          .now = app_now(t->app)};
    int r = app_do(t->app, &j.job);
    if (r == APP_E_ABSENT) {
        err_set(err, r, "no member has the id %.40s", id);
        return err_next(err, r, "see `comity member list`");
    }
    if (r == APP_E_STATE) {
        err_set(err, r, "this member was removed, and a removal is for good");
        return err_next(err, r, "add them as a new member");
    }
    for (unsigned i = 0; r == 0 && i < LIMIT_STATUS_LISTS; i++) {
        if (j.lists[i])
            r = space_publish_status(t, space, i, err);
    }
    if (r == 0)
        *out = j.row;
    return r;
}

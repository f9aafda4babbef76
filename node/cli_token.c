#include <errno.h>

#include "app/token.h"
#include "cli.h"
#include "crypto/digest.h"

static struct json *token_json(const struct token_row *row)
{
    struct json *v = json_object();
    int r = v ? 0 : -ENOMEM;
    if (r == 0)
        r = json_put_z(v, "id", row->id);
    if (r == 0)
        r = json_put_z(v, "name", row->name);
    if (r == 0)
        r = json_put_z(v, "role", token_role_name(row->role));
    if (r == 0)
        r = cli_put_time(v, NULL, "created_at", row->created_at);
    if (r == 0)
        r = cli_put_time(v, NULL, "revoked_at", row->revoked_at);
    if (r == 0)
        return v;
    json_free(v);
    return NULL;
}

/* ---- token create ---- */

static int parse_create(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--role", OPTION_TEXT}};
    static const char *const words[] = {"name"};
    enum token_role role;
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    if (r == 0 && !token_role_parse(json_as_str(json_get(request, "role")), &role))
        return err_set(err, -EINVAL, "--role must be desk, manager or integration%s%.40s%s",
                       json_get(request, "role") ? ", not \"" : "",
                       json_get(request, "role") ? json_z(request, "role") : "",
                       json_get(request, "role") ? "\"" : "");
    return r;
}

static int run_create(struct verb_call *c)
{
    struct token_made made;
    enum token_role role;
    if (!token_role_parse(json_as_str(json_get(c->request, "role")), &role))
        return err_set(&c->err, APP_E_INVALID, "there is no such role");
    int r = token_create(c->thread, c->space, json_z(c->request, "name"), role, &made, &c->err);
    if (r != 0)
        return r;
    c->reply = token_json(&made.row);
    r = c->reply ? json_put_z(c->reply, "token", made.secret) : -ENOMEM;
    secret_wipe(&made, sizeof(made));
    return r;
}

static void show_create(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    if (how->quiet) {
        fprintf(how->out, "%s\n", json_z(reply, "token"));
        return;
    }
    show_field(how, "id", json_z(reply, "id"));
    show_field(how, "name", json_z(reply, "name"));
    show_field(how, "role", json_z(reply, "role"));
    show_field(how, "token", json_z(reply, "token"));
    show_words(how, "The token is shown this once. It goes into the header \"Authorization: "
                    "Bearer\" of that desk's requests.");
}

const struct verb verb_token_create = {
    .name = "token create",
    .about = "let a desk or a program use the API",
    .usage = "NAME --role desk|manager|integration",
    .help = "Makes a bearer token for the API, and shows it once: only a digest is kept.\n",
    .place = VERB_STATE,
    .parse = parse_create,
    .wants = "name",
    .run = run_create,
    .show = show_create,
};

/* ---- token list ---- */

struct listing {
    struct page page;
    bool all, started;
};

static int add_token(const struct token_row *row, void *arg)
{
    struct listing *l = arg;
    if (!l->started) {
        l->started = strcmp(l->page.after, row->id) == 0;
        return 0;
    }
    if (row->revoked_at && !l->all)
        return 0;
    struct json *item = token_json(row);
    return item ? page_add(&l->page, item) : -ENOMEM;
}

static int parse_list(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--all", OPTION_FLAG}, CLI_PAGE_OPTIONS};
    return options_parse(a, options, ARRAY_SIZE(options), NULL, 0, 0, request, err);
}

static int run_list(struct verb_call *c)
{
    struct listing l = {.all = cli_flag(c->request, "all")};
    struct store *store = cli_reads(c);
    int r = store ? page_start(&l.page, c->request) : -EIO;
    l.started = !l.page.after;
    if (r == 0)
        r = cli_store(c, store_token_list(store, add_token, &l), "token", "");
    if (r == 0)
        r = page_finish(&l.page, c, "id");
    page_clear(&l.page);
    return r;
}

static void show_list(const struct json *request, const struct json *reply, const struct show *how)
{
    static const struct column columns[] = {{"ID", "id"},
                                            {"NAME", "name"},
                                            {"ROLE", "role"},
                                            {"CREATED", "created_at"},
                                            {"REVOKED", "revoked_at"}};
    show_table(how, reply, columns, ARRAY_SIZE(columns),
               "No tokens yet. Make one: comity token create NAME --role desk");
}

const struct verb verb_token_list = {
    .name = "token list",
    .about = "who holds a token",
    .usage = "[--all] [--limit N] [--after ID]",
    .help = "Lists who holds a token of the space; the tokens themselves are not kept.\n"
            "  --all  revoked ones too\n",
    .place = VERB_STATE,
    .parse = parse_list,
    .run = run_list,
    .show = show_list,
};

/* ---- token revoke ---- */

static int parse_revoke(const struct args *a, struct json *request, struct err *err)
{
    static const char *const words[] = {"token"};
    return options_parse(a, NULL, 0, words, 1, 1, request, err);
}

struct search {
    const char *id_or_name;
    struct token_row row;
};

static int find_token(const struct token_row *row, void *arg)
{
    struct search *s = arg;
    if (strcmp(row->id, s->id_or_name) == 0 || strcmp(row->name, s->id_or_name) == 0)
        s->row = *row;
    return 0;
}

static int run_revoke(struct verb_call *c)
{
    struct search s = {.id_or_name = json_z(c->request, "token")};
    struct store *store = cli_reads(c);
    int r = store ? token_revoke(c->thread, c->space, s.id_or_name, &c->err) : -EIO;
    /* Somebody may give the token itself: it is not for a screen or a log. */
    if (r == APP_E_ABSENT && !str_starts(str_of(s.id_or_name), STR("cmt_")))
        err_set(&c->err, 0, "no valid token has the id or name %.64s", s.id_or_name);
    if (r == 0)
        r = cli_store(c, store_token_list(store, find_token, &s), "token", "");
    if (r != 0)
        return r;
    c->reply = token_json(&s.row);
    return c->reply ? 0 : -ENOMEM;
}

static void show_revoke(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    if (!how->quiet)
        fprintf(how->out, "The token of %s opens nothing any more.\n", json_z(reply, "name"));
}

const struct verb verb_token_revoke = {
    .name = "token revoke",
    .about = "withdraw a token",
    .usage = "ID|NAME",
    .help = "Revokes a token, by its id or its name. It is refused from now on.\n",
    .place = VERB_STATE,
    .parse = parse_revoke,
    .wants = "token",
    .run = run_revoke,
    .show = show_revoke,
};

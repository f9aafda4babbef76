#include "app/member.h"

#include <errno.h>

#include "app/issue.h"
#include "cli.h"

#define CSV_MAX ((size_t)2 << 20)

static const char *const member_word[] = {"member"};

static int parse_member(const struct args *a, struct json *request, struct err *err)
{
    return options_parse(a, NULL, 0, member_word, 1, 1, request, err);
}

static int reply_member(struct verb_call *c, const struct member_row *m)
{
    c->reply = member_json(m);
    return c->reply ? 0 : -ENOMEM;
}

static void show_member(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    show_field(how, "member", json_z(reply, "member"));
    show_field(how, "name", json_z(reply, "name"));
    show_field(how, "tier", json_z(reply, "tier"));
    show_field(how, "state", json_z(reply, "state"));
    show_field(how, "email", json_z(reply, "email"));
    show_field(how, "external id", json_z(reply, "external_id"));
    show_field(how, "language", json_z(reply, "language"));
    show_field(how, "since", json_z(reply, "created_at"));
}

/* ---- member add ---- */

static int parse_add(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--tier", OPTION_TEXT},
                                                 {"--email", OPTION_TEXT},
                                                 {"--external-id", OPTION_TEXT},
                                                 {"--language", OPTION_TEXT}};
    static const char *const words[] = {"name"};
    return options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
}

static int run_add(struct verb_call *c)
{
    struct member_facts f;
    struct member_row row;
    int r = cli_copy(c->request, "name", f.name, sizeof(f.name), &c->err);
    if (r == 0)
        r = cli_copy(c->request, "tier", f.tier, sizeof(f.tier), &c->err);
    if (r == 0)
        r = cli_copy(c->request, "email", f.email, sizeof(f.email), &c->err);
    if (r == 0)
        r = cli_copy(c->request, "external_id", f.external_id, sizeof(f.external_id), &c->err);
    if (r == 0)
        r = cli_copy(c->request, "language", f.language, sizeof(f.language), &c->err);
    if (r == 0)
        r = member_add(c->thread, c->space, &f, &row, &c->err);
    return r == 0 ? reply_member(c, &row) : r;
}

static void show_add(const struct json *request, const struct json *reply, const struct show *how)
{
    if (how->quiet) {
        fprintf(how->out, "%s\n", json_z(reply, "member"));
        return;
    }
    show_member(request, reply, how);
    fprintf(how->out, "Next: comity pass issue %s\n", json_z(reply, "member"));
}

const struct verb verb_member_add = {
    .name = "member add",
    .about = "add a member",
    .usage = "NAME [--tier T] [--email E] [--external-id I] [--language L]",
    .help = "Adds a member to the space, and prints the id that other verbs take.\n"
            "  --tier T         what passes say of the membership; \"member\" if not given\n"
            "  --external-id I  the member's id in your own system; unique\n"
            "  --language L     BCP 47, such as pt or de-AT\n",
    .place = VERB_STATE,
    .parse = parse_add,
    .run = run_add,
    .show = show_add,
};

/* ---- member list ---- */

static int parse_list(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--all", OPTION_FLAG}, CLI_PAGE_OPTIONS};
    return options_parse(a, options, ARRAY_SIZE(options), NULL, 0, 0, request, err);
}

static int add_member(const struct member_row *row, void *arg)
{
    struct json *item = member_json(row);
    return item ? page_add(arg, item) : -ENOMEM;
}

static int run_list(struct verb_call *c)
{
    _cleanup_(page_clear) struct page p = {0};
    struct store *store = cli_reads(c);
    int r = store ? page_start(&p, c->request) : -EIO;
    if (r == 0)
        r = store_member_list(store, p.after, p.limit + 1, cli_flag(c->request, "all"), add_member,
                              &p);
    if (r != 0)
        return cli_store(c, r, "member", p.after ? p.after : "");
    return page_finish(&p, c, "member");
}

static void show_list(const struct json *request, const struct json *reply, const struct show *how)
{
    static const struct column columns[] = {
        {"MEMBER", "member"}, {"NAME", "name"}, {"TIER", "tier"}, {"STATE", "state"}};
    show_table(how, reply, columns, ARRAY_SIZE(columns),
               "No members yet. Add one: comity member add NAME");
}

const struct verb verb_member_list = {
    .name = "member list",
    .about = "the members of the space",
    .usage = "[--all] [--limit N] [--after MEMBER]",
    .help = "Lists the members of the space, in the order in which they came.\n"
            "  --all  removed members too\n",
    .place = VERB_STATE,
    .parse = parse_list,
    .run = run_list,
    .show = show_list,
};

/* ---- member show ---- */

static int add_pass(const struct pass_row *row, void *arg)
{
    struct json *item = pass_json(row);
    return item ? json_append(arg, item) : -ENOMEM;
}

static int run_show(struct verb_call *c)
{
    struct store *store = cli_reads(c);
    struct member_row row;
    const char *id = json_z(c->request, "member");
    if (!store)
        return -EIO;
    int r = cli_store(c, store_member_get(store, id, &row), "member", id);
    if (r != 0)
        return r;
    r = reply_member(c, &row);
    if (r != 0)
        return r;
    _cleanup_(json_freep) struct json *passes = json_array();
    if (!passes)
        return -ENOMEM;
    r = cli_store(c, store_pass_list(store, id, NULL, CLI_PAGE, add_pass, passes), "member", id);
    if (r == 0) {
        r = json_put(c->reply, "passes", passes);
        passes = NULL;
    }
    return r;
}

static void show_show(const struct json *request, const struct json *reply, const struct show *how)
{
    const struct json *passes = json_get(reply, "passes");
    show_member(request, reply, how);
    for (size_t i = 0; i < json_count(passes); i++) {
        const struct json *p = json_at(passes, i);
        char line[160];
        snprintf(line, sizeof(line), "%s  %s, until %s", json_z(p, "pass"), json_z(p, "state"),
                 json_z(p, "expires_at"));
        show_field(how, i == 0 ? "passes" : "", line);
    }
}

const struct verb verb_member_show = {
    .name = "member show",
    .about = "one member and their passes",
    .usage = "MEMBER",
    .help = "Shows one member, and the passes that were issued to them.\n",
    .place = VERB_STATE,
    .parse = parse_member,
    .wants = "member",
    .run = run_show,
    .show = show_show,
};

/* ---- member suspend, restore, remove ---- */

static int set_state(struct verb_call *c, enum member_state state)
{
    struct member_row row;
    int r =
        member_set_state(c->thread, c->space, json_z(c->request, "member"), state, &row, &c->err);
    return r == 0 ? reply_member(c, &row) : r;
}

static int run_suspend(struct verb_call *c)
{
    return set_state(c, MEMBER_SUSPENDED);
}

static int run_restore(struct verb_call *c)
{
    return set_state(c, MEMBER_ACTIVE);
}

static int run_remove(struct verb_call *c)
{
    return set_state(c, MEMBER_REMOVED);
}

static void show_state(const struct json *request, const struct json *reply, const struct show *how)
{
    if (!how->quiet)
        fprintf(how->out, "%s is %s now.\n", json_z(reply, "member"), json_z(reply, "state"));
}

const struct verb verb_member_suspend = {
    .name = "member suspend",
    .about = "their passes are refused for now",
    .usage = "MEMBER",
    .help = "Suspends a member. Their passes are refused wherever the new status list has\n"
            "arrived, until `member restore`.\n",
    .place = VERB_STATE,
    .parse = parse_member,
    .wants = "member",
    .run = run_suspend,
    .show = show_state,
};

const struct verb verb_member_restore = {
    .name = "member restore",
    .about = "end of a suspension",
    .usage = "MEMBER",
    .help = "Ends a suspension: passes that were suspended with the member are good again.\n",
    .place = VERB_STATE,
    .parse = parse_member,
    .wants = "member",
    .run = run_restore,
    .show = show_state,
};

const struct verb verb_member_remove = {
    .name = "member remove",
    .about = "for good, with all their passes",
    .usage = "MEMBER [--yes]",
    .help = "Removes a member, and revokes all their passes for good. On a terminal it asks\n"
            "first, unless told --yes.\n",
    .asks = "revokes all their passes, for good",
    .asks_of = "member",
    .place = VERB_STATE,
    .parse = parse_member,
    .wants = "member",
    .run = run_remove,
    .show = show_state,
};

/* ---- member import ---- */

static int parse_import(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--dry-run", OPTION_FLAG}};
    static const char *const words[] = {"file"};
    _cleanup_(buf_clear) struct buf csv = {.max = CSV_MAX};
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    if (r == 0)
        r = cli_read_file(json_z(request, "file"), &csv, err);
    if (r != 0)
        return r;
    if (!str_is_utf8(buf_as_str(&csv))) {
        err_set(err, 0, "%.300s is not UTF-8 text", json_z(request, "file"));
        return err_next(err, APP_E_INVALID, "Save it as \"CSV UTF-8\", and try again.");
    }
    return json_put_str(request, "csv", csv.p ? buf_as_str(&csv) : STR(""));
}

static int put_import(struct json *reply, const struct import_result *i, bool dry_run)
{
    struct json *errors = json_array();
    int r = errors ? 0 : -ENOMEM;
    for (size_t k = 0; r == 0 && k < i->n_errors && k < ARRAY_SIZE(i->errors); k++) {
        struct json *e = json_object();
        r = e ? json_put_int(e, "line", (int64_t)i->errors[k].line) : -ENOMEM;
        if (r == 0)
            r = json_put_z(e, "text", i->errors[k].text);
        if (r == 0)
            r = json_append(errors, e);
        else
            json_free(e);
    }
    if (r == 0)
        r = json_put_int(reply, "added", (int64_t)i->added);
    if (r == 0)
        r = json_put_int(reply, "updated", (int64_t)i->updated);
    if (r == 0)
        r = json_put_int(reply, "unchanged", (int64_t)i->unchanged);
    if (r == 0)
        r = json_put_bool(reply, "dry_run", dry_run);
    if (r == 0)
        return json_put(reply, "errors", errors);
    json_free(errors);
    return r;
}

static int run_import(struct verb_call *c)
{
    struct import_result i = {0};
    bool dry_run = cli_flag(c->request, "dry_run");
    int r = member_import(c->thread, c->space, json_as_str(json_get(c->request, "csv")), dry_run,
                          &i, &c->err);
    if (r != 0 && i.n_errors == 0)
        return r;
    c->reply = json_object();
    int put = c->reply ? put_import(c->reply, &i, dry_run) : -ENOMEM;
    return put != 0 ? put : r;
}

static void show_import(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    int64_t added = 0, updated = 0, unchanged = 0, line = 0;
    const struct json *errors = json_get(reply, "errors");
    json_get_int(reply, "added", &added);
    json_get_int(reply, "updated", &updated);
    json_get_int(reply, "unchanged", &unchanged);
    for (size_t k = 0; k < json_count(errors); k++) {
        json_get_int(json_at(errors, k), "line", &line);
        fprintf(how->out, "line %lld: %s\n", (long long)line, json_z(json_at(errors, k), "text"));
    }
    if (json_count(errors) == 0 && !how->quiet)
        fprintf(how->out, "%lld %s, %lld updated, %lld unchanged.\n", (long long)added,
                cli_flag(reply, "dry_run") ? "would be added" : "added", (long long)updated,
                (long long)unchanged);
}

const struct verb verb_member_import = {
    .name = "member import",
    .about = "add and update members from a CSV file",
    .usage = "FILE.csv [--dry-run]",
    .help = "Adds members from a CSV file (UTF-8, \"-\" for standard input) whose first line\n"
            "names the columns: name, and any of tier, email, external_id, language. A row\n"
            "whose external_id is known updates that member. All rows, or none.\n"
            "  --dry-run  only tells what would be done\n",
    .place = VERB_STATE,
    .parse = parse_import,
    .run = run_import,
    .show = show_import,
};

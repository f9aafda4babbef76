#include <errno.h>

#include "app/issue.h"
#include "cli.h"
#include "cli_qr.h"
#include "crypto/digest.h"
#include "jose/jwk.h"

static const char *const pass_word[] = {"pass"};

static int parse_pass(const struct args *a, struct json *request, struct err *err)
{
    return options_parse(a, NULL, 0, pass_word, 1, 1, request, err);
}

static int reply_pass(struct verb_call *c, const struct pass_row *p)
{
    c->reply = pass_json(p);
    return c->reply ? 0 : -ENOMEM;
}

/* ---- pass issue ---- */

static int parse_issue(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--days", OPTION_INT, 1, LIMIT_PASS_DAYS},
                                                 {"--holder-key", OPTION_TEXT},
                                                 {"--qr-svg", OPTION_TEXT},
                                                 {"--qr-png", OPTION_TEXT}};
    static const char *const words[] = {"member"};
    struct key key;
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    const char *path = r == 0 ? json_z(request, "holder_key") : NULL;
    if (!path)
        return r;
    r = holder_key_read(path, &key, NULL, err);
    return r == 0 ? json_put(request, "holder_key", jwk_bare(&key)) : r;
}

static int put_issued(struct json *reply, const struct issued *i)
{
    int r = json_put_str(reply, "token", buf_as_str(&i->token));
    return r == 0 ? json_put_str(reply, "qr", buf_as_str(&i->qr)) : r;
}

static int run_issue(struct verb_call *c)
{
    const struct json *jwk = json_get(c->request, "holder_key");
    struct issue_request req = {.member = json_z(c->request, "member")};
    struct issued issued = {0};
    struct key device;
    int64_t days = 0;

    json_get_int(c->request, "days", &days);
    req.days = (int)days;
    if (jwk) {
        int r = jwk_parse(jwk, &device, &c->err);
        if (r != 0)
            return r > 0 ? APP_E_INVALID : r;
        req.device = &device;
    }
    int r = pass_issue(c->thread, c->space, &req, &issued, &c->err);
    if (r != 0)
        return r;
    r = reply_pass(c, &issued.row);
    if (r == 0)
        r = put_issued(c->reply, &issued);
    issued_clear(&issued);
    return r;
}

/* The pictures hold the pass: they are written here, where the caller's folder and user are. */
static int again_issue(struct json *request, const struct json *reply, const struct show *how,
                       struct err *err)
{
    struct str text = json_as_str(json_get(reply, "qr"));
    int r = qr_write_svg(json_z(request, "qr_svg"), text, err);
    if (r == 0)
        r = qr_write_png(json_z(request, "qr_png"), text, err);
    return r == 0 ? 0 : err_prefix(err, r, "%s was issued, but", json_z(reply, "pass"));
}

static void show_pass(const struct json *request, const struct json *reply, const struct show *how)
{
    show_field(how, "pass", json_z(reply, "pass"));
    show_field(how, "member", json_z(reply, "member"));
    show_field(how, "tier", json_z(reply, "tier"));
    show_field(how, "state", json_z(reply, "state"));
    show_field(how, "issued", json_z(reply, "issued_at"));
    show_field(how, "expires", json_z(reply, "expires_at"));
    const char *device = json_z(reply, "device");
    show_field(how, "holder key", device ? device : "none: a printed pass");
}

static void show_issue(const struct json *request, const struct json *reply, const struct show *how)
{
    if (how->quiet) {
        fprintf(how->out, "%s\n", json_z(reply, "token"));
        return;
    }
    show_pass(request, reply, how);
    fprintf(how->out, "\n");
    qr_show(how, json_z(reply, "token"), json_z(reply, "qr"));
    fprintf(how->out, "\n%s\n", json_z(reply, "token"));
}

const struct verb verb_pass_issue = {
    .name = "pass issue",
    .about = "give a member a pass",
    .usage = "MEMBER [--days N] [--holder-key JWK-FILE] [--qr-svg F] [--qr-png F]",
    .help = "Issues a pass to a member, and shows its QR code.\n"
            "  --days N         how long it is good, 1 to 30 (30 if not given)\n"
            "  --holder-key F   binds the pass to that device key (a JWK): hosts then want a\n"
            "                   fresh proof. Without one, hosts ask for an ID\n"
            "  --qr-svg F, --qr-png F\n"
            "                   writes the QR code as a picture, readable by you only\n",
    .place = VERB_STATE,
    .parse = parse_issue,
    .wants = "member",
    .run = run_issue,
    .show = show_issue,
    .again = again_issue,
};

/* ---- pass show ---- */

static int run_show(struct verb_call *c)
{
    struct store *store = cli_reads(c);
    const char *id = json_z(c->request, "pass");
    struct pass_row row;
    if (!store)
        return -EIO;
    int r = cli_store(c, store_pass_get(store, id, &row), "pass", id);
    return r == 0 ? reply_pass(c, &row) : r;
}

const struct verb verb_pass_show = {
    .name = "pass show",
    .about = "what is known of a pass",
    .usage = "PASS",
    .help = "Shows what is known of a pass. The pass itself is with its holder, not here.\n",
    .place = VERB_STATE,
    .parse = parse_pass,
    .wants = "pass",
    .run = run_show,
    .show = show_pass,
};

/* ---- pass list ---- */

static int parse_list(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--member", OPTION_TEXT}, CLI_PAGE_OPTIONS};
    return options_parse(a, options, ARRAY_SIZE(options), NULL, 0, 0, request, err);
}

static int add_pass(const struct pass_row *row, void *arg)
{
    struct json *item = pass_json(row);
    return item ? page_add(arg, item) : -ENOMEM;
}

static int run_list(struct verb_call *c)
{
    _cleanup_(page_clear) struct page p = {0};
    struct store *store = cli_reads(c);
    int r = store ? page_start(&p, c->request) : -EIO;
    if (r == 0)
        r = store_pass_list(store, json_z(c->request, "member"), p.after, p.limit + 1, add_pass,
                            &p);
    if (r != 0)
        return cli_store(c, r, "pass", p.after ? p.after : "");
    return page_finish(&p, c, "pass");
}

static void show_list(const struct json *request, const struct json *reply, const struct show *how)
{
    static const struct column columns[] = {
        {"PASS", "pass"}, {"MEMBER", "member"}, {"STATE", "state"}, {"EXPIRES", "expires_at"}};
    show_table(how, reply, columns, ARRAY_SIZE(columns),
               "No passes yet. Issue one: comity pass issue MEMBER");
}

const struct verb verb_pass_list = {
    .name = "pass list",
    .about = "passes that were issued",
    .usage = "[--member MEMBER] [--limit N] [--after PASS]",
    .help = "Lists the passes that the space issued.\n",
    .place = VERB_STATE,
    .parse = parse_list,
    .run = run_list,
    .show = show_list,
};

/* ---- pass revoke ---- */

static int run_revoke(struct verb_call *c)
{
    struct pass_row before, row;
    const char *id = json_z(c->request, "pass");
    struct store *store = cli_reads(c);
    if (!store)
        return -EIO;
    bool already = store_pass_get(store, id, &before) == 0 && before.state == PASS_REVOKED;
    int r = pass_revoke(c->thread, c->space, id, &row, &c->err);
    if (r == 0)
        r = reply_pass(c, &row);
    return r == 0 && already ? json_put_bool(c->reply, "already", true) : r;
}

static void show_revoke(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    if (how->quiet)
        return;
    if (cli_flag(reply, "already"))
        fprintf(how->out, "%s was revoked already.\n", json_z(reply, "pass"));
    else
        fprintf(how->out, "%s is revoked. Hosts refuse it once they have the new status list.\n",
                json_z(reply, "pass"));
}

const struct verb verb_pass_revoke = {
    .name = "pass revoke",
    .about = "have every host refuse a pass",
    .usage = "PASS [--yes]",
    .help = "Revokes a pass for good. It returns once the new status list is signed and\n"
            "served; hosts that look often know it within seconds. On a terminal it asks\n"
            "first, unless told --yes.\n",
    .asks = "has every host refuse it, for good",
    .asks_of = "pass",
    .place = VERB_STATE,
    .parse = parse_pass,
    .wants = "pass",
    .run = run_revoke,
    .show = show_revoke,
};

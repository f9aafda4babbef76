#include <errno.h>

#include "app/check_in.h"
#include "base/clock.h"
#include "cli_verdict.h"
#include "crypto/digest.h"

static void show_visit(const struct json *request, const struct json *reply, const struct show *how)
{
    if (!json_get(reply, "visit")) { /* what prevents it */
        show_verdict(how, reply);
        return;
    }
    if (how->quiet) {
        fprintf(how->out, "%s\n", json_z(reply, "visit"));
        return;
    }
    const char *name = json_z(reply, "name"), *in = json_z(reply, "checked_in_at");
    if (cli_flag(reply, "already") && in && strlen(in) == RFC3339_LEN) {
        char line[256];
        snprintf(line, sizeof(line), "%s is in already since %.5s UTC (%s).",
                 name ? name : "This person", in + 11, json_z(reply, "visit"));
        show_words(how, line);
        return;
    }
    show_field(how, "visit", json_z(reply, "visit"));
    show_field(how, "home", json_z(json_get(reply, "home"), "id"));
    show_field(how, "holder", json_z(reply, "name"));
    show_field(how, "tier", json_z(reply, "tier"));
    show_field(how, "day", json_z(reply, "day"));
    show_field(how, "in", json_z(reply, "checked_in_at"));
    show_field(how, "out", json_z(reply, "checked_out_at"));
    show_field(how, "stamp", json_z(reply, "stamp"));
}

/* ---- checkin ---- */

static int parse_checkin(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--key", OPTION_TEXT},
                                                 {"--confirm", OPTION_FLAG}};
    static const char *const words[] = {"text"};
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    return r == 0 ? cli_text(request, "text", LIMIT_QR_TEXT, err) : r;
}

/* What an idempotency key is bound to: all that the caller asked for. */
static int digest_request(struct str text, bool confirm, uint8_t out[static 32])
{
    _cleanup_(buf_clear) struct buf body = {0};
    buf_ch(&body, confirm ? 1 : 0);
    buf_str(&body, text);
    return buf_error(&body) ? buf_error(&body) : sha256(body.p, body.n, out);
}

static int run_checkin(struct verb_call *c)
{
    struct str text = json_as_str(json_get(c->request, "text"));
    struct check_in *in = calloc(1, sizeof(*in));
    if (!in)
        return -ENOMEM;
    in->confirm = cli_flag(c->request, "confirm");
    memcpy(in->desk, "cli", sizeof("cli"));

    int r = cli_copy(c->request, "key", in->key, sizeof(in->key), &c->err);
    if (r == 0)
        r = digest_request(text, in->confirm, in->body_digest);
    if (r == 0)
        r = check_in_prepare(c->thread, c->space, text, in, &c->err);
    if (r == 0) {
        r = app_do(c->thread->app, &in->job);
        c->err = in->job.err;
    }
    if (r == APP_E_CONFIRM)
        err_next(&c->err, 0, "Look into it, then say --confirm to check in all the same.");
    if (in->reply.n > 0) {
        c->reply = cli_reply(c, buf_as_str(&in->reply));
        if (!c->reply && r == 0)
            r = -EBADMSG;
    }
    if (r == 0 && c->reply && in->already_in)
        r = json_put_bool(c->reply, "already", true);
    check_in_clear(in);
    free(in);
    return r;
}

const struct verb verb_checkin = {
    .name = "checkin",
    .about = "check a visitor in",
    .usage = "TOKEN|QR-TEXT|VERIFICATION|- [--key IDEMPOTENCY-KEY] [--confirm]",
    .help = "Checks a visitor in: by their pass, or by the verification id that `verify` gave\n"
            "in the last 10 minutes. The stamp goes to their home space. Exit 3: refused;\n"
            "4: staff must decide first.\n"
            "  --key K    the same key with the same request makes one visit, however often\n"
            "             it is sent\n"
            "  --confirm  staff settled what the verdict asked\n",
    .place = VERB_STATE,
    .parse = parse_checkin,
    .run = run_checkin,
    .show = show_visit,
    .told = "nobody was checked in",
};

/* ---- checkout ---- */

static int parse_checkout(const struct args *a, struct json *request, struct err *err)
{
    static const char *const words[] = {"visit"};
    return options_parse(a, NULL, 0, words, 1, 1, request, err);
}

static int run_checkout(struct verb_call *c)
{
    struct check_out *out = calloc(1, sizeof(*out));
    if (!out)
        return -ENOMEM;
    int r = check_out_prepare(c->thread, c->space, json_z(c->request, "visit"), out, &c->err);
    if (r == 0) {
        r = app_do(c->thread->app, &out->job);
        c->err = out->job.err;
    }
    if (r != 0 && !c->err.next[0])
        err_next(&c->err, 0, "See `comity visit list --on-site`.");
    if (out->reply.n > 0) {
        c->reply = cli_reply(c, buf_as_str(&out->reply));
        if (!c->reply && r == 0)
            r = -EBADMSG;
    }
    check_out_clear(out);
    free(out);
    return r;
}

const struct verb verb_checkout = {
    .name = "checkout",
    .about = "check a visitor out",
    .usage = "VISIT",
    .help = "Checks a visitor out. Their home space gets the stamp with the time.\n",
    .place = VERB_STATE,
    .parse = parse_checkout,
    .wants = "visit",
    .run = run_checkout,
    .show = show_visit,
};

/* ---- visit list ---- */

static int parse_visits(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--on-site", OPTION_FLAG}, CLI_PAGE_OPTIONS};
    return options_parse(a, options, ARRAY_SIZE(options), NULL, 0, 0, request, err);
}

static int add_visit(const struct visit_row *row, void *arg)
{
    _cleanup_(buf_clear) struct buf text = {0};
    struct json *item = NULL;
    int r = visit_write(row, &text);
    if (r == 0)
        r = json_parse(buf_as_str(&text), &json_bounds_wire, &item, NULL);
    return item ? page_add(arg, item) : r < 0 ? r : -EBADMSG;
}

static int run_visits(struct verb_call *c)
{
    _cleanup_(page_clear) struct page p = {0};
    struct store *store = cli_reads(c);
    int r = store ? page_start(&p, c->request) : -EIO;
    if (r == 0)
        r = store_visit_list(store, p.after, p.limit + 1, cli_flag(c->request, "on_site"),
                             add_visit, &p);
    if (r != 0)
        return cli_store(c, r, "visit", p.after ? p.after : "");
    return page_finish(&p, c, "visit");
}

static void show_visits(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    static const struct column columns[] = {{"VISIT", "visit", .whole = true},
                                            {"NAME", "name"},
                                            {"IN (UTC)", "checked_in_at", COLUMN_TIME},
                                            {"OUT", "checked_out_at", COLUMN_CLOCK},
                                            {"STAMP", "stamp", .whole = true}};
    show_table(how, reply, columns, ARRAY_SIZE(columns), "No visits yet.");
}

const struct verb verb_visit_list = {
    .name = "visit list",
    .about = "visits to this space",
    .usage = "[--on-site] [--limit N] [--after VISIT]",
    .help = "Lists the visits to this space, newest first.\n"
            "  --on-site  only those who are not checked out\n",
    .place = VERB_STATE,
    .parse = parse_visits,
    .run = run_visits,
    .show = show_visits,
};

/* ---- stamp list ---- */

struct stamps {
    struct json *items; /* borrowed */
    int64_t last;
    size_t n;
};

static int parse_stamps(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--member", OPTION_TEXT},
                                                 {"--all", OPTION_FLAG},
                                                 {"--limit", OPTION_INT, 1, CLI_PAGE_MAX},
                                                 {"--after", OPTION_INT, 1, LIMIT_JSON_INT}};
    return options_parse(a, options, ARRAY_SIZE(options), NULL, 0, 0, request, err);
}

static struct json *stamp_json(const struct home_stamp_row *row)
{
    struct json *v = json_object();
    int r = v ? 0 : -ENOMEM;
    if (r == 0)
        r = json_put_z(v, "stamp", row->id);
    if (r == 0)
        r = json_put_z(v, "visit", row->id); /* a stamp has the id of its visit */
    if (r == 0)
        r = json_put_int(v, "revision", row->revision);
    if (r == 0)
        r = json_put_z(v, "host", row->host);
    if (r == 0)
        r = json_put_z(v, "member", row->member);
    if (r == 0)
        r = json_put_z(v, "pass", row->pass);
    if (r == 0)
        r = json_put_z(v, "day", row->day);
    if (r == 0)
        r = cli_put_time(v, "checked_in", "checked_in_at", row->checked_in);
    if (r == 0)
        r = cli_put_time(v, "checked_out", "checked_out_at", row->checked_out);
    if (r == 0)
        r = json_put_bool(v, "proven", row->proven);
    if (r == 0)
        r = cli_put_time(v, "received", "received_at", row->received_at);
    if (r == 0)
        return v;
    json_free(v);
    return NULL;
}

static int add_stamp(const struct home_stamp_row *row, void *arg)
{
    struct stamps *s = arg;
    struct json *item = s->items ? stamp_json(row) : NULL;
    s->n++;
    s->last = row->received_at;
    return s->items ? json_append(s->items, item) : 0;
}

/* The store ends a page only between two seconds, so that the second is where the next one starts.
 */
static int run_stamps(struct verb_call *c)
{
    _cleanup_(page_clear) struct page p = {0};
    struct store *store = cli_reads(c);
    struct stamps s = {0}, rest = {0};
    const char *member = json_z(c->request, "member");
    int (*list)(struct store * from, const char *of, int64_t before, size_t max,
                home_stamp_each each, void *arg) =
        cli_flag(c->request, "all") ? store_home_stamp_list : store_home_stamp_latest;
    int64_t before = 0;
    char next[24];

    json_get_int(c->request, "after", &before);
    int r = store ? page_start(&p, c->request) : -EIO;
    s.items = p.items;
    if (r == 0)
        r = list(store, member, before, p.limit, add_stamp, &s);
    if (r == 0 && s.n >= p.limit)
        r = list(store, member, s.last, 1, add_stamp, &rest);
    if (r != 0)
        return cli_store(c, r, "member", member ? member : "");
    r = page_finish(&p, c, "stamp");
    snprintf(next, sizeof(next), "%lld", (long long)s.last);
    return r == 0 && rest.n > 0 ? json_put_z(c->reply, "next", next) : r;
}

static void show_stamps(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    static const struct column columns[] = {{"VISIT", "visit", .whole = true},
                                            {"REV", "revision", COLUMN_INT, .whole = true},
                                            {"DAY", "day", .whole = true},
                                            {"MEMBER", "member", .whole = true},
                                            {"HOST", "host", COLUMN_HOST}};
    show_table(how, reply, columns, ARRAY_SIZE(columns), "No stamps have come home yet.");
}

const struct verb verb_stamp_list = {
    .name = "stamp list",
    .about = "stamps that hosts sent for our members",
    .usage = "[--member MEMBER] [--all] [--limit N] [--after N]",
    .help = "Lists the stamps that hosts sent home for members of this space, newest first:\n"
            "of each visit the latest revision, which a check-out replaces.\n"
            "  --all  earlier revisions too\n",
    .place = VERB_STATE,
    .parse = parse_stamps,
    .run = run_stamps,
    .show = show_stamps,
};

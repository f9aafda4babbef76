#include "app/peer.h"

#include <errno.h>

#include "cli_peer.h"
#include "fetch.h"
#include "loop.h"
#include "peer_document.h"

/* ---- fetching ---- */

/* The rules of a fetch that has to be over by c->fetch_until; false: that is past. */
static bool rules_until(const struct verb_call *c, struct fetch_rules *out)
{
    uint64_t now = loop_now_ms();
    long most = c->fetch->timeout_ms ? c->fetch->timeout_ms : LIMIT_FETCH_TIME * 1000L;

    *out = *c->fetch;
    if (c->fetch_until == 0)
        return true;
    if (c->fetch_until <= now)
        return false;
    out->timeout_ms = (long)(c->fetch_until - now) < most ? (long)(c->fetch_until - now) : most;
    return true;
}

static int fetch_text(struct verb_call *c, const char *uri, int list, struct buf *out)
{
    struct fetch_request req = peer_document_request(uri, list);
    struct fetch_result result = {0};
    struct fetch_rules rules;
    int r;
    if (rules_until(c, &rules))
        r = fetch_now(&rules, &req, c->stop > 0 ? c->stop : -1, &result);
    else
        r = err_set(&result.err, FETCH_E_TIME, "there was no time left");
    if (r == 0 && result.status != 200)
        r = err_set(&result.err, FETCH_E_STATUS, "it answered with status %d", result.status);
    if (r == 0)
        r = buf_str(out, buf_as_str(&result.body));
    if (r != 0) {
        err_set(&c->err, 0, "%s cannot be fetched: %s", uri, result.err.text);
        err_next(&c->err, 0, "%s",
                 result.err.next[0] ? result.err.next : "Check the address, and that it is up.");
        r = r > 0 ? APP_E_UPSTREAM : r;
    }
    fetch_result_clear(&result);
    return r;
}

static int fetch_configuration(struct verb_call *c, const char *id, struct buf *token)
{
    char uri[PEER_DOCUMENT_URI];
    peer_document_uri(id, PEER_CONFIGURATION, uri);
    return fetch_text(c, uri, PEER_CONFIGURATION, token);
}

/* Noted is what the peer is to blame for: neither that we stop nor that we were in a hurry. */
static void note_failed(struct verb_call *c, const char *id, const char *name, int r)
{
    if (r != -ECANCELED && c->fetch_until == 0)
        peer_failed(c->thread, id, name, c->err.text);
}

/* Fetches a document and hands it over. The network thread does the same on its own: if it has been
 * quicker, what came here may be older than what is held now, and is asked for once more. */
static int fetch_and_keep(struct verb_call *c, const char *id, int list, struct buf *token)
{
    char uri[PEER_DOCUMENT_URI];
    int r = APP_E_INVALID;
    peer_document_uri(id, list, uri);
    for (int tries = c->node ? 2 : 1; r == APP_E_INVALID && tries > 0; tries--) {
        c->err = (struct err){0};
        buf_clear(token);
        r = fetch_text(c, uri, list, token);
        if (r == 0)
            r = peer_document_received(c->thread, id, list, uri, buf_as_str(token), &c->err);
    }
    if (r != 0)
        note_failed(c, id, peer_document_name(uri, list), r);
    return r;
}

/* Each status list that the configuration names. The first failure is noted, and returned. */
static int refresh_status(struct verb_call *c, const struct configuration *conf)
{
    int r = 0;
    for (int i = 0; r == 0 && i < (int)conf->status_lists; i++) {
        _cleanup_(buf_clear) struct buf token = {0};
        r = fetch_and_keep(c, conf->id, i, &token);
    }
    return r;
}

int peer_refresh_now(struct verb_call *c, const char *id)
{
    _cleanup_(buf_clear) struct buf token = {0};
    struct peer_seen seen;
    int r = fetch_and_keep(c, id, PEER_CONFIGURATION, &token);
    if (r == 0)
        r = peer_look(c->thread, id, buf_as_str(&token), &seen, &c->err);
    return r == 0 ? refresh_status(c, &seen.configuration) : r;
}

/* ---- a peer in JSON ---- */

static int put_age(struct json *v, const char *name, int64_t now, int64_t at)
{
    return json_put(v, name, at > 0 ? json_int(now > at ? now - at : 0) : json_null());
}

static int put_issuer(struct json *v, struct directory *d, const char *id)
{
    int r = 0;
    directory_read(d);
    const struct dir_issuer *i = directory_find(d, id);
    if (i)
        r = json_put_z(v, "name", i->name);
    if (i && r == 0 && i->country[0])
        r = json_put_z(v, "country", i->country);
    if (i && r == 0)
        r = cli_put_time(v, "exp", "expires_at", i->config_exp);
    directory_done(d);
    return r;
}

struct json *peer_json(struct app *app, const struct peer_row *row)
{
    int64_t now = app_now(app);
    struct json *v = json_object();
    int r = v ? 0 : -ENOMEM;
    if (r == 0)
        r = json_put_z(v, "peer", row->id);
    if (r == 0)
        r = json_put_z(v, "space", row->space);
    if (r == 0)
        r = put_issuer(v, app->directory, row->id);
    if (r == 0)
        r = json_put_z(v, "fingerprint", row->fingerprint);
    if (r == 0)
        r = cli_put_time(v, NULL, "pinned_at", row->pinned_at);
    if (r == 0)
        r = cli_put_time(v, NULL, "checked_at", row->checked);
    if (r == 0)
        r = cli_put_time(v, NULL, "status_checked_at", row->status_checked);
    if (r == 0)
        r = put_age(v, "data_age_s", now, row->status_checked);
    if (r == 0)
        r = json_put(v, "failure",
                     row->failure[0] ? json_string(str_of(row->failure)) : json_null());
    if (r == 0)
        r = cli_put_time(v, NULL, "failed_at", row->failure[0] ? row->failed_at : 0);
    if (r == 0)
        return v;
    json_free(v);
    return NULL;
}

/* ---- peer add ---- */

static const char *const url_word[] = {"url"};

static int canonical_url(struct json *request, struct err *err)
{
    char id[LIMIT_ENTITY_ID + 1];
    const char *url = json_z(request, "url");
    if (!url)
        return 0;
    int r = entity_canonical(str_of(url), id, err);
    return r > 0 ? APP_E_INVALID : r < 0 ? r : json_put_z(request, "url", id);
}

/* What came over the socket may have been written by another program than this one. */
static int check_url(struct verb_call *c)
{
    const char *url = json_z(c->request, "url");
    if (url ? entity_is_canonical(str_of(url)) : !json_get(c->request, "url"))
        return 0;
    return err_set(&c->err, APP_E_INVALID, "url is no canonical id of a space");
}

static int parse_add(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--fingerprint", OPTION_TEXT}};
    int r = options_parse(a, options, ARRAY_SIZE(options), url_word, 1, 1, request, err);
    const char *typed = r == 0 ? json_z(request, "fingerprint") : NULL;
    if (typed && !fingerprint_whole(str_of(typed)))
        return err_set(err, -EINVAL, "\"%.60s\" is no fingerprint: %d characters are wanted", typed,
                       THUMBPRINT_LEN);
    return r == 0 ? canonical_url(request, err) : r;
}

static int put_seen(struct json *v, const struct peer_seen *seen, const struct verb_call *c)
{
    const struct configuration *conf = &seen->configuration;
    int r = json_put_z(v, "peer", conf->id);
    if (r == 0)
        r = json_put_z(v, "space", c->space->id);
    if (r == 0)
        r = json_put_z(v, "name", conf->name);
    if (r == 0 && conf->country[0])
        r = json_put_z(v, "country", conf->country);
    if (r == 0 && conf->has_position)
        r = json_put(v, "lat", json_real(conf->lat));
    if (r == 0 && conf->has_position)
        r = json_put(v, "lon", json_real(conf->lon));
    if (r == 0)
        r = json_put_z(v, "fingerprint", seen->fingerprint);
    return r == 0 ? cli_put_time(v, "exp", "expires_at", conf->exp) : r;
}

/* Confirmed: by its fingerprint, by --yes, or by an answer to the question about this very key. */
static int is_confirmed(struct verb_call *c, const struct peer_seen *seen, bool *confirmed)
{
    const char *typed = json_z(c->request, "fingerprint");
    const char *answered = json_z(c->request, "confirmed");

    if (typed && !fingerprint_equal(seen->fingerprint, str_of(typed))) {
        char text[FINGERPRINT_LEN + 1];
        fingerprint_format(seen->fingerprint, text);
        err_set(&c->err, 0, "%s shows another fingerprint: %s", seen->configuration.id, text);
        return err_next(&c->err, APP_E_FORBIDDEN,
                        "Do not add it. Ask the space, on another way, what theirs is.");
    }
    *confirmed = typed || cli_flag(c->request, "yes") ||
                 (answered && strcmp(answered, seen->fingerprint) == 0);
    return 0;
}

static int pin(struct verb_call *c, const struct peer_seen *seen, struct str token)
{
    int r = peer_pin(c->thread, c->space, seen, token, &c->err);
    if (r != 0)
        return r;
    if (refresh_status(c, &seen->configuration) != 0) {
        r = json_put_z(c->reply, "failure", c->err.text);
        c->err = (struct err){0};
    }
    return r == 0 ? json_put_bool(c->reply, "pinned", true) : r;
}

static int run_add(struct verb_call *c)
{
    _cleanup_(buf_clear) struct buf token = {0};
    const char *id = json_z(c->request, "url");
    struct peer_seen seen;
    bool confirmed = false;

    int r = check_url(c);
    if (r == 0 && strcmp(id, c->space->id) == 0)
        return err_set(&c->err, APP_E_INVALID, "%s is this space itself", id);
    if (r == 0)
        r = fetch_configuration(c, id, &token);
    if (r == 0)
        r = peer_look(c->thread, id, buf_as_str(&token), &seen, &c->err);
    if (r == 0)
        r = is_confirmed(c, &seen, &confirmed);
    if (r == 0) {
        c->reply = json_object();
        r = c->reply ? put_seen(c->reply, &seen, c) : -ENOMEM;
    }
    if (r == 0 && confirmed)
        return pin(c, &seen, buf_as_str(&token));
    return r == 0 ? json_put_bool(c->reply, "pinned", false) : r;
}

static void show_peer(const struct show *how, const struct json *v)
{
    double lat, lon;
    char place[64];
    show_field(how, "peer", json_z(v, "peer"));
    show_field(how, "name", json_z(v, "name"));
    show_field(how, "country", json_z(v, "country"));
    if (json_get_real(v, "lat", &lat) == 0 && json_get_real(v, "lon", &lon) == 0) {
        snprintf(place, sizeof(place), "%.4f, %.4f", lat, lon);
        show_field(how, "place", place);
    }
    show_fingerprint(how, json_z(v, "fingerprint"));
}

static int again_add(struct json *request, const struct json *reply, const struct show *how,
                     struct err *err)
{
    bool yes = false;
    if (cli_flag(reply, "pinned"))
        return 0;
    struct show aside = *how;
    aside.out = stderr;
    if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
        show_peer(&aside, reply);
    if (ask_yes("Does the space itself say that this is its fingerprint?", &yes) < 0) {
        err_set(err, 0, "%s was not added: nobody confirmed its fingerprint",
                json_z(reply, "peer"));
        return err_next(err, APP_E_STATE,
                        "Say --fingerprint F with what the space told you, or --yes.");
    }
    if (!yes) {
        err_set(err, 0, "%s was not added", json_z(reply, "peer"));
        return APP_E_STATE;
    }
    int r = json_put_z(request, "confirmed", json_z(reply, "fingerprint"));
    return r == 0 ? VERB_AGAIN : r;
}

static void show_add(const struct json *request, const struct json *reply, const struct show *how)
{
    if (how->quiet)
        return;
    show_peer(how, reply);
    if (!cli_flag(reply, "pinned"))
        return;
    show_field(how, "failure", json_z(reply, "failure"));
    fprintf(how->out, "%s is a peer now: its passes are recognised here.\n", json_z(reply, "peer"));
}

const struct verb verb_peer_add = {
    .name = "peer add",
    .about = "recognise another space",
    .usage = "URL [--fingerprint F | --yes]",
    .help = "Recognises another space: fetches its configuration, shows its name, place and\n"
            "the fingerprint of its key, and pins that key once you confirm it.\n"
            "  --fingerprint F  confirms it, if it is this one; as the space told you\n"
            "  --yes            takes what is found there, unseen\n",
    .place = VERB_STATE,
    .parse = parse_add,
    .wants = "url",
    .run = run_add,
    .show = show_add,
    .again = again_add,
};

/* ---- peer list ---- */

struct listing {
    struct app *app;
    struct page page;
    bool started;
};

static int add_peer(const struct peer_row *row, void *arg)
{
    struct listing *l = arg;
    if (!l->started) {
        l->started = strcmp(l->page.after, row->id) == 0;
        return 0;
    }
    struct json *item = peer_json(l->app, row);
    return item ? page_add(&l->page, item) : -ENOMEM;
}

static int parse_list(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {CLI_PAGE_OPTIONS};
    return options_parse(a, options, ARRAY_SIZE(options), NULL, 0, 0, request, err);
}

static int run_list(struct verb_call *c)
{
    struct listing l = {.app = c->thread->app};
    struct store *store = cli_directory_reads(c);
    int r = store ? page_start(&l.page, c->request) : -EIO;
    l.started = !l.page.after;
    if (r == 0)
        r = cli_store(c, store_peer_list(store, c->space->id, add_peer, &l), "peer", "");
    if (r == 0)
        r = page_finish(&l.page, c, "peer");
    page_clear(&l.page);
    return r;
}

static void show_peers(const struct show *how, const struct json *reply)
{
    const struct json *items = json_get(reply, "items");
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *v = json_at(items, i);
        int64_t age;
        char text[32] = "never fetched";
        show_peer(how, v);
        if (json_get_int(v, "data_age_s", &age) == 0)
            show_duration(age, text);
        show_field(how, "data age", text);
        show_field(how, "failure", json_z(v, "failure"));
        show_field(how, "failed at", json_z(v, "failed_at"));
        if (i + 1 < json_count(items))
            fputc('\n', how->out);
    }
}

static void show_list(const struct json *request, const struct json *reply, const struct show *how)
{
    if (json_count(json_get(reply, "items")) == 0 && !how->quiet)
        show_words(how, "No peers yet. Add one: comity peer add URL");
    show_peers(how, reply);
    if (json_z(reply, "next"))
        fprintf(how->out, "There are more: --after %s\n", json_z(reply, "next"));
}

const struct verb verb_peer_list = {
    .name = "peer list",
    .about = "spaces recognised here, and how fresh we are",
    .usage = "[--limit N] [--after URL]",
    .help = "Lists the peers: name, fingerprint, the age of what is known of revocations,\n"
            "and the last failure to refresh it.\n",
    .place = VERB_STATE,
    .parse = parse_list,
    .run = run_list,
    .show = show_list,
};

/* ---- peer refresh ---- */

static int parse_url(const struct args *a, struct json *request, struct err *err)
{
    int r = options_parse(a, NULL, 0, url_word, 1, 1, request, err);
    return r == 0 ? canonical_url(request, err) : r;
}

static int parse_refresh(const struct args *a, struct json *request, struct err *err)
{
    int r = options_parse(a, NULL, 0, url_word, 1, 0, request, err);
    return r == 0 ? canonical_url(request, err) : r;
}

static int add_id(const struct peer_row *row, void *arg)
{
    return json_append_z(arg, row->id);
}

/* The peers to refresh: the one that was named, else all. */
static int chosen(struct verb_call *c, struct store *store, struct json *ids)
{
    const char *url = json_z(c->request, "url");
    struct peer_row row;
    if (!url)
        return cli_store(c, store_peer_list(store, c->space->id, add_id, ids), "peer", "");
    int r = cli_store(c, store_peer_get(store, c->space->id, url, &row), "peer", url);
    return r == 0 ? json_append_z(ids, url) : r;
}

static int refresh_all(struct verb_call *c, struct store *store, const struct json *ids,
                       struct json *items)
{
    int failed = 0;
    for (size_t i = 0; i < json_count(ids); i++) {
        char id[LIMIT_ENTITY_ID + 1];
        struct peer_row row;
        if (str_copy(id, sizeof(id), json_as_str(json_at(ids, i))) < 0)
            return -EINVAL;
        int r = peer_refresh_now(c, id);
        if (r < 0 && r != -EIO && r != -ETIMEDOUT) /* -ECANCELED: the node stops */
            return r;
        failed = failed ? failed : r;
        r = store_peer_get(store, c->space->id, id, &row);
        if (r == STORE_E_ABSENT) /* removed meanwhile */
            continue;
        r = r == 0 ? json_append(items, peer_json(c->thread->app, &row)) : r;
        if (r != 0)
            return cli_store(c, r, "peer", id);
    }
    return failed;
}

static int run_refresh(struct verb_call *c)
{
    _cleanup_(json_freep) struct json *ids = json_array(), *items = json_array();
    struct store *store = cli_directory_reads(c);
    if (!ids || !items || !store)
        return store ? -ENOMEM : -EIO;
    int r = check_url(c);
    if (r == 0)
        r = chosen(c, store, ids);
    if (r == 0)
        r = refresh_all(c, store, ids, items);
    if (r < 0 || (r != 0 && json_count(ids) == 0))
        return r;
    c->reply = json_object();
    int put = c->reply ? json_put(c->reply, "items", items) : -ENOMEM;
    if (c->reply)
        items = NULL;
    if (put == 0)
        put = json_put(c->reply, "next", json_null());
    return put != 0 ? put : r;
}

static void show_refresh(const struct json *request, const struct json *reply,
                         const struct show *how)
{
    if (!how->quiet)
        show_list(request, reply, how);
}

const struct verb verb_peer_refresh = {
    .name = "peer refresh",
    .about = "fetch their records now",
    .usage = "[URL]",
    .help = "Fetches the configuration and the status lists of a peer, or of all, now.\n",
    .place = VERB_STATE,
    .parse = parse_refresh,
    .run = run_refresh,
    .show = show_refresh,
};

/* ---- peer remove ---- */

static int run_remove(struct verb_call *c)
{
    const char *url = json_z(c->request, "url");
    int r = peer_remove(c->thread, c->space, url, &c->err);
    if (r != 0)
        return r;
    c->reply = json_object();
    r = c->reply ? json_put_z(c->reply, "peer", url) : -ENOMEM;
    return r == 0 ? json_put_bool(c->reply, "removed", true) : r;
}

static void show_remove(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    if (!how->quiet)
        fprintf(how->out, "%s is no peer any more: its passes are refused here.\n",
                json_z(reply, "peer"));
}

const struct verb verb_peer_remove = {
    .name = "peer remove",
    .about = "recognise a space no longer",
    .usage = "URL [--yes]",
    .help = "Recognises that space no longer, and forgets what was kept of it. On a terminal\n"
            "it asks first, unless told --yes.\n",
    .asks = "has its passes refused here",
    .asks_of = "url",
    .place = VERB_STATE,
    .parse = parse_url,
    .wants = "url",
    .run = run_remove,
    .show = show_remove,
};

#include <errno.h>

#include "app/space.h"
#include "cli.h"
#include "state.h"
#include "store/members.h"
#include "store/passes.h"
#include "store/peers.h"
#include "store/visits.h"

/* ---- one space ---- */

static int64_t configuration_exp(struct space *space)
{
    pthread_rwlock_rdlock(&space->lock);
    int64_t exp = space->published_configuration.exp;
    pthread_rwlock_unlock(&space->lock);
    return exp;
}

static int put_counts(struct verb_call *c, struct store *s, struct json *v)
{
    int64_t members = 0, passes = 0, on_site = 0, outbox = 0;
    int r = store_member_count(s, MEMBER_ACTIVE, &members);
    if (r == 0)
        r = store_pass_live_count(s, app_now(c->thread->app), &passes);
    if (r == 0)
        r = store_visit_count(s, true, &on_site);
    if (r == 0)
        r = store_outbox_count(s, &outbox);
    if (r != 0)
        return cli_store(c, r, "space", "");
    r = json_put_int(v, "members", members);
    if (r == 0)
        r = json_put_int(v, "passes", passes);
    if (r == 0)
        r = json_put_int(v, "on_site", on_site);
    return r == 0 ? json_put_int(v, "outbox", outbox) : r;
}

struct peers {
    struct app *app;
    struct json *items;
};

static int add_peer(const struct peer_row *row, void *arg)
{
    struct peers *p = arg;
    return json_append(p->items, peer_json(p->app, row));
}

static int put_peers(struct verb_call *c, const struct space *space, struct json *v)
{
    struct store *store = cli_directory_reads(c);
    struct peers p = {c->thread->app, json_array()};
    int r = !store ? -EIO : !p.items ? -ENOMEM : 0;
    if (r == 0)
        r = cli_store(c, store_peer_list(store, space->id, add_peer, &p), "peer", "");
    if (r == 0)
        return json_put(v, "peers", p.items);
    json_free(p.items);
    return r;
}

static int space_status(struct verb_call *c, struct space *space, struct json *items)
{
    _cleanup_(json_freep) struct json *v = json_object();
    struct store *s = c->thread->reads(c->thread, space);
    if (!v || !s)
        return s ? -ENOMEM
                 : err_set(&c->err, -EIO, "the database of %s cannot be opened", space->authority);
    int r = json_put_z(v, "space", space->id);
    if (r == 0)
        r = json_put_z(v, "name", space->configuration.name);
    if (r == 0)
        r = json_put_z(v, "fingerprint", space->federation_kid);
    if (r == 0)
        r = put_counts(c, s, v);
    if (r == 0)
        r = cli_put_time(v, "exp", "expires_at", configuration_exp(space));
    if (r == 0)
        r = put_peers(c, space, v);
    if (r == 0) {
        r = json_append(items, v);
        v = NULL;
    }
    return r;
}

/* ---- status ---- */

static int put_node(struct verb_call *c, struct json *v)
{
    const struct app *app = c->thread->app;
    int r = json_put_bool(v, "running", c->node != NULL);
    if (r == 0)
        r = json_put_z(v, "version", COMITY_VERSION_TEXT);
    if (r == 0)
        r = json_put_z(v, "state", c->state->dir);
    if (r == 0)
        r = json_put_bool(v, "trial", app->trial);
    return r == 0 ? cli_put_time(v, NULL, "started_at", c->node ? app->started_at : 0) : r;
}

static int run(struct verb_call *c)
{
    _cleanup_(json_freep) struct json *items = json_array();
    struct app *app = c->thread->app;
    size_t n = atomic_load_explicit(&app->n_spaces, memory_order_acquire);

    c->reply = json_object();
    int r = c->reply && items ? put_node(c, c->reply) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++)
        if (!c->space || c->space == app->spaces[i])
            r = space_status(c, app->spaces[i], items);
    if (r == 0) {
        r = json_put(c->reply, "spaces", items);
        items = NULL;
    }
    return r;
}

static void show_space(const struct show *how, const struct json *v)
{
    static const struct {
        const char *label, *key;
    } counts[] = {{"members", "members"},
                  {"live passes", "passes"},
                  {"on site", "on_site"},
                  {"stamps to send", "outbox"}};
    int64_t n;

    fputc('\n', how->out);
    show_field(how, "space", json_z(v, "space"));
    show_field(how, "name", json_z(v, "name"));
    show_fingerprint(how, json_z(v, "fingerprint"));
    show_field(how, "configuration", json_z(v, "expires_at"));
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        if (json_get_int(v, counts[i].key, &n) == 0)
            show_number(how, counts[i].label, n);
    show_number(how, "peers", (int64_t)json_count(json_get(v, "peers")));
}

static void show_peer_line(const struct show *how, const struct json *p)
{
    const char *failure = json_z(p, "failure");
    char age[32] = "never fetched", line[LIMIT_ENTITY_ID + 300];
    int64_t seconds;
    if (json_get_int(p, "data_age_s", &seconds) == 0)
        show_duration(seconds, age);
    snprintf(line, sizeof(line), "%s, data age %s%s%s", json_z(p, "peer"), age, failure ? "; " : "",
             failure ? failure : "");
    show_indented(how, 4, line);
}

static void show(const struct json *request, const struct json *reply, const struct show *how)
{
    const struct json *spaces = json_get(reply, "spaces");
    bool running = cli_flag(reply, "running");

    show_coloured(how, running ? COLOUR_GREEN : COLOUR_YELLOW, running ? "running" : "not running");
    fputc('\n', how->out);
    if (how->quiet)
        return;
    show_field(how, "since", json_z(reply, "started_at"));
    show_field(how, "version", json_z(reply, "version"));
    show_field(how, "state", json_z(reply, "state"));
    for (size_t i = 0; i < json_count(spaces); i++) {
        const struct json *v = json_at(spaces, i), *peers = json_get(v, "peers");
        show_space(how, v);
        for (size_t k = 0; k < json_count(peers); k++)
            show_peer_line(how, json_at(peers, k));
    }
}

const struct verb verb_status = {
    .name = "status",
    .about = "how the node and its spaces are",
    .usage = "",
    .help = "Tells whether the node runs, and for each space: members, live passes, visitors\n"
            "on site, stamps that wait to be sent, when its configuration expires, and its\n"
            "peers with the age of what is known of their revocations.\n",
    .place = VERB_STATE,
    .no_space = true,
    .run = run,
    .show = show,
};

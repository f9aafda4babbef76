/* Peers' documents: asked for on their schedules, handed to lib/app, which judges and keeps them.
 */
#include <errno.h>

#include "app/peer.h"
#include "log.h"
#include "network_parts.h"
#include "peer_document.h"

#define SPREAD_A_PEER 20 /* ms: how far the first looks of many peers are spread out */
#define TICK_MIN 20      /* ms */
#define TICK_MAX 60000   /* ms */

struct peer;

/* One document of a peer. */
struct document {
    struct peer *peer;
    int list; /* number of a status list, or PEER_CONFIGURATION */
    struct schedule schedule;
    char etag[80];
    bool busy, known; /* known: it has a schedule */
};

struct peer {
    struct peers *owner;
    char id[LIMIT_ENTITY_ID + 1];
    struct document configuration, status[LIMIT_STATUS_LISTS];
    unsigned n_status;
    bool pinned; /* while peers are read */
    unsigned busy;
    struct peer *next; /* among those that are leaving */
    bool leaving;
};

static uint32_t random_of(struct peers *p)
{
    uint32_t x = 0;

    (void)rand_fill(&p->thread->rand, &x, sizeof(x)); /* without it there is no jitter, no more */
    return x;
}

/* The map's: a peer with fetches under way goes with the last of them. */
static void peer_release(void *value)
{
    struct peer *peer = value;

    if (peer->busy == 0) {
        free(peer);
        return;
    }
    peer->leaving = true;
    peer->next = peer->owner->leaving;
    peer->owner->leaving = peer;
}

static void peer_left(struct peer *peer)
{
    struct peer **at = &peer->owner->leaving;

    if (peer->busy > 0)
        return;
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    free(peer);
}

static const struct schedule_rule *rule_of(const struct document *d)
{
    const struct peers *p = d->peer->owner;

    return d->list == PEER_CONFIGURATION ? &p->configuration_rule : &p->status_rule;
}

static void document_begin(struct document *d, uint64_t age_ms)
{
    struct peers *p = d->peer->owner;
    uint64_t spread = map_count(p->map) * SPREAD_A_PEER;

    if (spread > rule_of(d)->period)
        spread = rule_of(d)->period;
    schedule_begin(&d->schedule, rule_of(d), loop_now_ms(), age_ms, (uint32_t)spread, random_of(p));
    d->known = true;
}

/* How many status lists the newest configuration names; new ones are asked for at once. */
static void status_lists_read(struct peer *peer)
{
    struct directory *d = peer->owner->thread->app->directory;
    const struct dir_issuer *issuer;
    unsigned n = 0;

    directory_read(d);
    issuer = directory_find(d, peer->id);
    if (issuer)
        n = issuer->status_lists < LIMIT_STATUS_LISTS ? issuer->status_lists : LIMIT_STATUS_LISTS;
    directory_done(d);
    peer->n_status = n;
    for (unsigned i = 0; i < LIMIT_STATUS_LISTS; i++) {
        if (i >= n)
            peer->status[i].known = false;
        else if (!peer->status[i].known)
            document_begin(&peer->status[i], UINT64_MAX);
    }
}

static struct document *document_at(struct peer *peer, unsigned i)
{
    return i == 0 ? &peer->configuration : &peer->status[i - 1];
}

/* Lets the timer fire in time for d, too. */
static void timer_for(struct peers *p, const struct document *d)
{
    uint64_t now = loop_now_ms(), wait;

    if (d->busy || d->schedule.due >= p->next)
        return;
    p->next = d->schedule.due;
    wait = p->next > now ? p->next - now : 0;
    wait = wait < TICK_MIN ? TICK_MIN : wait > TICK_MAX ? TICK_MAX : wait;
    loop_timer_start(p->timer, (unsigned)wait);
}

static void peer_timer(const struct peer *peer)
{
    timer_for(peer->owner, &peer->configuration);
    for (unsigned i = 0; i < peer->n_status; i++)
        timer_for(peer->owner, &peer->status[i]);
}

/* Tells lib/app what came; 0 if the document is as it should be. */
static int hand_over(struct document *d, const char *uri, struct fetch_result *r, struct err *err)
{
    struct app_thread *t = d->peer->owner->thread;

    if (r->result != 0) {
        *err = r->err;
        return r->result;
    }
    if (r->status == 304)
        return peer_unchanged(t, d->peer->id, peer_document_name(uri, d->list));
    return peer_document_received(t, d->peer->id, d->list, uri, buf_as_str(&r->body), err);
}

static void failed(struct document *d, const char *uri, const struct err *err)
{
    struct app_thread *t = d->peer->owner->thread;

    if (d->schedule.failures == 0)
        log_warn("%s: %s", uri, err->text);
    else
        log_debug("%s: %s (%u times in a row)", uri, err->text, d->schedule.failures + 1);
    if (peer_failed(t, d->peer->id, peer_document_name(uri, d->list), err->text) != 0)
        log_warn("%s: the failure could not be noted", uri);
    schedule_failed(&d->schedule, rule_of(d), loop_now_ms(), random_of(d->peer->owner));
}

static void on_fetched(void *arg, struct fetch_result *r)
{
    struct document *d = arg;
    struct peer *peer = d->peer;
    char uri[PEER_DOCUMENT_URI];
    struct err err = {0};

    d->busy = false;
    peer->busy--;
    if (peer->leaving) {
        peer_left(peer);
        return;
    }
    peer_document_uri(peer->id, d->list, uri);
    if (hand_over(d, uri, r, &err) != 0) {
        if (!err.text[0])
            err_set(&err, 0, "what came could not be kept");
        failed(d, uri, &err);
    } else {
        if (d->schedule.failures > 0)
            log_info("%s: good again", uri);
        if (r->status == 200)
            memcpy(d->etag, r->etag, sizeof(d->etag));
        schedule_succeeded(&d->schedule, rule_of(d), loop_now_ms(), random_of(peer->owner));
        if (d->list == PEER_CONFIGURATION && r->status == 200)
            status_lists_read(peer);
    }
    peer_timer(peer);
}

/* "Not modified" is of use only if what was not modified is still here. */
static bool is_held(const struct document *d, const char *uri)
{
    struct directory *directory = d->peer->owner->thread->app->directory;
    struct dir_status status;
    bool held;

    directory_read(directory);
    held = d->list == PEER_CONFIGURATION ? directory_find(directory, d->peer->id) != NULL
                                         : directory_status(directory, uri, &status) == 0;
    directory_done(directory);
    return held;
}

static int document_fetch(struct document *d)
{
    char uri[PEER_DOCUMENT_URI];
    struct fetch_request req;
    int r;

    peer_document_uri(d->peer->id, d->list, uri);
    req = peer_document_request(uri, d->list);
    if (is_held(d, uri))
        req.etag = d->etag;
    r = fetcher_start(d->peer->owner->fetcher, &req, on_fetched, d);
    if (r != 0)
        return r;
    d->busy = true;
    d->peer->busy++;
    return 0;
}

static void document_look(struct document *d, uint64_t now)
{
    if (d->busy)
        return;
    /* too many wait, or no memory: when some are done */
    if (d->schedule.due <= now && document_fetch(d) != 0)
        d->schedule.due = now + SCHEDULE_RETRY_MIN;
    timer_for(d->peer->owner, d);
}

static void on_timer(void *arg)
{
    struct peers *p = arg;
    uint64_t now = loop_now_ms();
    struct str key;
    void *value;
    size_t at = 0;

    p->next = UINT64_MAX;
    while (map_each(p->map, &at, &key, &value)) {
        struct peer *peer = value;

        for (unsigned i = 0; i <= peer->n_status; i++)
            document_look(document_at(peer, i), now);
    }
}

static int peer_add(struct peers *p, const struct peer_row *row, struct peer **out)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    int64_t now = app_now(p->thread->app);
    int r;

    if (!peer)
        return -ENOMEM;
    peer->owner = p;
    memcpy(peer->id, row->id, sizeof(peer->id));
    for (unsigned i = 0; i <= LIMIT_STATUS_LISTS; i++) {
        document_at(peer, i)->peer = peer;
        document_at(peer, i)->list = (int)i + PEER_CONFIGURATION;
    }
    r = map_put(p->map, str_of(peer->id), peer);
    if (r != 0) {
        free(peer);
        return r < 0 ? r : -ENOSPC;
    }
    document_begin(&peer->configuration, row->checked > 0 && row->checked <= now
                                             ? (uint64_t)(now - row->checked) * 1000
                                             : UINT64_MAX);
    *out = peer;
    return 0;
}

/* A space may be pinned by several of ours: one row each, one peer here. */
static int read_row(const struct peer_row *row, void *arg)
{
    struct peers *p = arg;
    struct peer *peer = map_get(p->map, str_of(row->id));
    int r = peer ? 0 : peer_add(p, row, &peer);

    if (r == 0)
        peer->pinned = true;
    return r;
}

static void remove_unpinned(struct peers *p)
{
    char id[LIMIT_ENTITY_ID + 1];
    struct str key;
    void *value;
    size_t at = 0;

    while (map_each(p->map, &at, &key, &value)) {
        const struct peer *peer = value;

        if (peer->pinned)
            continue;
        memcpy(id, peer->id, sizeof(id));
        map_remove(p->map, str_of(id));
    }
}

void peers_read(struct peers *p)
{
    struct str key;
    void *value;
    size_t at = 0;
    int r;

    while (map_each(p->map, &at, &key, &value))
        ((struct peer *)value)->pinned = false;
    r = store_peer_list(p->thread->directory_read, NULL, read_row, p);
    if (r == 0)
        remove_unpinned(p);
    else
        log_warn("the peers cannot be read: %s", r < 0 ? strerror(-r) : "unknown");
    for (at = 0; map_each(p->map, &at, &key, &value);) {
        status_lists_read(value);
        peer_timer(value);
    }
}

int peers_init(struct peers *p, struct loop *loop, struct app_thread *thread,
               struct fetcher *fetcher, unsigned status_poll)
{
    uint64_t seed = 0;
    int r;

    *p = (struct peers){.thread = thread, .fetcher = fetcher, .next = UINT64_MAX};
    schedule_configuration_rule(&p->configuration_rule);
    schedule_status_rule(&p->status_rule, status_poll);
    r = rand_fill(&thread->rand, &seed, sizeof(seed));
    if (r == 0)
        r = map_new(LIMIT_PEERS, seed, peer_release, &p->map);
    return r == 0 ? loop_timer_new(loop, on_timer, p, &p->timer) : r;
}

void peers_clear(struct peers *p)
{
    struct peer *peer;

    loop_timer_free(p->timer);
    map_free(p->map);
    while ((peer = p->leaving)) {
        p->leaving = peer->next;
        free(peer);
    }
}

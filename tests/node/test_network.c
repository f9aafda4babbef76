/*
 * The network thread against a peer on loopback. What lib/app would do with what it brings is noted
 * here instead: these functions stand in for those of app/peer.h, app/stamps.h and store/peers.h.
 */
#include "lib/base/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "app/peer.h"
#include "app/stamps.h"
#include "log.h"
#include "network.h"
#include "node/scratch.h"
#include "node/tls_peer.h"

#define PATIENCE 20 /* seconds for a condition */

/* ---- what happened ---- */

enum event { CONFIGURATION, STATUS, UNCHANGED, FAILED, COLLECTED, SKIPPED, DELIVERED, DEFERRED, N };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count[N];
    unsigned status_of[2]; /* by list */
    char body[64], why[256];
    unsigned due; /* deliveries that the outbox still has */
    unsigned n_rows;
    bool refuses; /* lib/app does not like the documents */
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct tls_peer *peer;
static char peer_id[64];
static struct directory *directory;

static void note_locked(enum event e)
{
    seen.count[e]++;
    pthread_cond_broadcast(&seen.changed);
}

static void note(enum event e)
{
    pthread_mutex_lock(&seen.lock);
    note_locked(e);
    pthread_mutex_unlock(&seen.lock);
}

static unsigned count(enum event e)
{
    unsigned n;

    pthread_mutex_lock(&seen.lock);
    n = seen.count[e];
    pthread_mutex_unlock(&seen.lock);
    return n;
}

/* Until e has happened n times in all. */
static void await(enum event e, unsigned n)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE;
    pthread_mutex_lock(&seen.lock);
    while (seen.count[e] < n && r == 0)
        r = pthread_cond_timedwait(&seen.changed, &seen.lock, &until);
    pthread_mutex_unlock(&seen.lock);
    if (r != 0)
        fail_msg("event %d: %u times instead of %u", (int)e, count(e), n);
}

/* ---- lib/app's part ---- */

int peer_configuration_received(struct app_thread *t, const char *id, struct str token,
                                struct err *err)
{
    if (strcmp(id, peer_id) != 0 || !str_eqz(token, "configuration") || seen.refuses)
        return err_set(err, APP_E_FORBIDDEN, "another key");
    note(CONFIGURATION);
    return 0;
}

/* A list such as the directory wants, so that it is held from here on. */
static void put_status(const char *uri)
{
    static const uint8_t bits[8];
    _cleanup_(json_freep) struct json *p =
        status_list_payload(peer_id, uri, 1790000000, 1790600000, 3600, 2, bits, sizeof(bits));
    struct jws jws = {0};
    struct status_list list = {0};

    if (json_write(p, &jws.payload) != 0 || status_list_read(&jws, &list, NULL) != 0)
        abort();
    (void)directory_put_status(directory, &list, 1790000000); /* not for a space it lost */
    status_list_clear(&list);
    jws_clear(&jws);
}

int peer_status_received(struct app_thread *t, const char *id, const char *uri, struct str token,
                         struct err *err)
{
    char want[2][96];

    if (!str_eqz(token, "status") || strcmp(id, peer_id) != 0)
        return err_set(err, APP_E_INVALID, "no such list");
    put_status(uri);
    pthread_mutex_lock(&seen.lock);
    for (int i = 0; i < 2; i++) {
        snprintf(want[i], sizeof(want[i]), "%s/status/%d", peer_id, i);
        seen.status_of[i] += strcmp(uri, want[i]) == 0;
    }
    note_locked(STATUS);
    pthread_mutex_unlock(&seen.lock);
    return 0;
}

int peer_unchanged(struct app_thread *t, const char *id, const char *uri)
{
    note(UNCHANGED);
    return 0;
}

int peer_failed(struct app_thread *t, const char *id, const char *uri, const char *why)
{
    pthread_mutex_lock(&seen.lock);
    snprintf(seen.why, sizeof(seen.why), "%s", why);
    note_locked(FAILED);
    pthread_mutex_unlock(&seen.lock);
    return 0;
}

int store_peer_list(struct store *s, const char *space, peer_each each, void *arg)
{
    struct peer_row row = {.pinned_at = 1};
    unsigned n;
    int r = 0;

    pthread_mutex_lock(&seen.lock);
    n = seen.n_rows;
    pthread_mutex_unlock(&seen.lock);
    snprintf(row.id, sizeof(row.id), "%s", peer_id);
    for (unsigned i = 0; i < n && r == 0; i++) { /* each for another of our spaces */
        snprintf(row.space, sizeof(row.space), "https://s%u.localhost", i);
        r = each(&row, arg);
    }
    return r;
}

int deliver_collect(struct app_thread *t, struct space *space, const char *const *skip,
                    size_t n_skip, struct delivery *out, size_t max, size_t *n, struct err *err)
{
    pthread_mutex_lock(&seen.lock);
    *n = 0;
    if (seen.due > 0 && n_skip == 0) {
        out[0] = (struct delivery){.n = 1};
        snprintf(out[0].home, sizeof(out[0].home), "%s", peer_id);
        buf_printf(&out[0].url, "%s" STAMPS_PATH, peer_id);
        buf_z(&out[0].body, "{\"stamps\":[]}");
        buf_z(&out[0].content_digest, "sha-256=:x:");
        buf_z(&out[0].signature_input, "sig1=()");
        buf_z(&out[0].signature, "sig1=:x:");
        *n = 1;
    }
    note_locked(n_skip > 0 ? SKIPPED : COLLECTED);
    pthread_mutex_unlock(&seen.lock);
    return 0;
}

int deliver_received(struct app_thread *t, struct space *space, const struct delivery *d,
                     struct str body, struct err *err)
{
    pthread_mutex_lock(&seen.lock);
    (void)str_copy(seen.body, sizeof(seen.body), body);
    seen.due--;
    note_locked(DELIVERED);
    pthread_mutex_unlock(&seen.lock);
    return 0;
}

int deliver_failed(struct app_thread *t, struct space *space, const struct delivery *d)
{
    pthread_mutex_lock(&seen.lock);
    seen.due--; /* put off */
    note_locked(DEFERRED);
    pthread_mutex_unlock(&seen.lock);
    return 0;
}

void delivery_clear(struct delivery *d)
{
    buf_clear(&d->url);
    buf_clear(&d->body);
    buf_clear(&d->content_digest);
    buf_clear(&d->signature_input);
    buf_clear(&d->signature);
}

int space_renew(struct app_thread *t, struct space *space, struct err *err)
{
    return 0;
}

/* ---- a node's network thread, and nothing else of the node ---- */

struct fixture {
    struct scratch scratch;
    struct app app;
    struct app_thread thread;
    struct fetch_rules rules;
    struct space *space;
    struct network *network;
};

static void know_peer(void)
{
    struct configuration c = {.name = "Peer", .iat = 1790000000, .exp = 1792592000};
    struct key_pair *federation, *pass;

    snprintf(c.id, sizeof(c.id), "%s", peer_id);
    c.status_lists = 2;
    c.n_federation = c.n_pass = 1;
    assert_int_equal(key_pair_generate(KEY_P256, &federation), 0);
    assert_int_equal(key_pair_generate(KEY_P256, &pass), 0);
    c.federation[0] = *key_pair_public(federation);
    c.pass[0] = *key_pair_public(pass);
    key_pair_free(federation);
    key_pair_free(pass);
    assert_int_equal(directory_new(&directory), 0);
    assert_int_equal(directory_put(directory, &c, DIR_RECOGNISED, 1790000000), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    signal(SIGPIPE, SIG_IGN);
    log_level_set(LOG_ERROR);
    scratch_init(&f->scratch);
    peer = tls_peer_start();
    snprintf(peer_id, sizeof(peer_id), "https://good.localhost:%u", peer->port);
    know_peer();
    memset(seen.count, 0, sizeof(seen.count));
    memset(seen.status_of, 0, sizeof(seen.status_of));
    seen.due = 0;
    seen.n_rows = 0;
    seen.refuses = false;
    f->space = calloc(1, sizeof(*f->space));
    f->app.clock = &f->scratch.clock;
    f->app.directory = directory;
    f->app.spaces[0] = f->space;
    atomic_store(&f->app.n_spaces, 1);
    f->thread.app = &f->app;
    rand_system(&f->thread.rand);
    f->rules.trial = true;
    snprintf(f->rules.tls_ca, sizeof(f->rules.tls_ca), "%s", peer->ca);
    *state = f;
    return 0;
}

static void start(struct fixture *f)
{
    const struct network_settings settings = {
        .thread = &f->thread, .rules = &f->rules, .status_poll = 1};

    assert_int_equal(network_new(&settings, &f->network), 0);
    assert_non_null(f->app.notify);
    assert_int_equal(network_start(f->network), 0);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    network_free(f->network);
    tls_peer_stop(peer);
    directory_free(directory);
    scratch_clear(&f->scratch);
    free(f->space);
    free(f);
    return 0;
}

static void pin(struct fixture *f, unsigned rows)
{
    pthread_mutex_lock(&seen.lock);
    seen.n_rows = rows;
    pthread_mutex_unlock(&seen.lock);
    if (f->network)
        f->app.notify(f->app.notify_ctx, NOTIFY_PEERS);
}

static void owe(struct fixture *f, unsigned n)
{
    pthread_mutex_lock(&seen.lock);
    seen.due += n;
    pthread_mutex_unlock(&seen.lock);
    f->app.notify(f->app.notify_ctx, NOTIFY_OUTBOX);
}

static void looks_at_all_documents_of_a_peer(void **state)
{
    struct fixture *f = *state;

    pin(f, 1);
    start(f);
    await(CONFIGURATION, 1);
    await(STATUS, 2);
    assert_int_equal(seen.status_of[0], 1);
    assert_int_equal(seen.status_of[1], 1);
    /* then it asks whether they have changed */
    await(UNCHANGED, 4);
    assert_int_equal(count(CONFIGURATION), 1);
    assert_int_equal(count(STATUS), 2);
    assert_int_equal(count(FAILED), 0);
}

static void looks_once_for_all_of_our_spaces(void **state)
{
    struct fixture *f = *state;

    pin(f, 5);
    start(f);
    await(UNCHANGED, 2);
    assert_int_equal(count(CONFIGURATION), 1);
    assert_int_equal(count(STATUS), 2);
}

static void learns_of_a_new_peer(void **state)
{
    struct fixture *f = *state;

    start(f);
    await(COLLECTED, 1); /* it is up, and knows nobody */
    assert_int_equal(atomic_load(&peer->requests), 0);
    pin(f, 1);
    await(CONFIGURATION, 1);
    await(STATUS, 2);
}

static void comes_back_after_failures(void **state)
{
    struct fixture *f = *state;

    atomic_store(&peer->mode, PEER_ILL);
    pin(f, 1);
    start(f);
    await(FAILED, 5);
    assert_non_null(strstr(seen.why, "503"));
    assert_int_equal(count(STATUS), 0);
    atomic_store(&peer->mode, PEER_FINE);
    await(STATUS, 2);
    await(UNCHANGED, 2);
}

static void notes_what_is_not_accepted(void **state)
{
    struct fixture *f = *state;

    seen.refuses = true;
    pin(f, 1);
    start(f);
    await(FAILED, 1);
    assert_string_equal(seen.why, "another key");
    await(STATUS, 2); /* each document for itself */
}

static void asks_in_full_for_what_is_lost(void **state)
{
    struct fixture *f = *state;

    pin(f, 1);
    start(f);
    await(UNCHANGED, 1);
    directory_remove(directory, peer_id); /* lists and all */
    await(STATUS, 3);
}

static void forgets_a_removed_peer_while_it_answers(void **state)
{
    struct fixture *f = *state;

    atomic_store(&peer->mode, PEER_HANGING);
    pin(f, 1);
    start(f);
    while (atomic_load(&peer->requests) < 3)
        sched_yield();
    pin(f, 0);
    owe(f, 0);
    await(COLLECTED, 2); /* behind the other notice */
    atomic_store(&peer->mode, PEER_FINE);
    owe(f, 1);
    await(DELIVERED, 1);
    assert_int_equal(count(STATUS) + count(CONFIGURATION) + count(FAILED), 0);
}

static void delivers_one_by_one(void **state)
{
    struct fixture *f = *state;

    atomic_store(&peer->mode, PEER_HANGING);
    start(f);
    await(COLLECTED, 1);
    owe(f, 2);
    while (atomic_load(&peer->requests) < 1)
        sched_yield();
    owe(f, 0);
    await(SKIPPED, 1); /* that home has one under way */
    assert_int_equal(atomic_load(&peer->requests), 1);
    atomic_store(&peer->mode, PEER_FINE);
    await(DELIVERED, 2); /* the second without being told to */
    assert_string_equal(seen.body, "{\"results\":[]}");
    assert_int_equal(count(DEFERRED), 0);
}

static void puts_off_what_was_not_delivered(void **state)
{
    struct fixture *f = *state;

    atomic_store(&peer->mode, PEER_ILL);
    start(f);
    owe(f, 1);
    await(DEFERRED, 1);
    assert_int_equal(count(DELIVERED), 0);
    atomic_store(&peer->mode, PEER_FINE);
    owe(f, 1);
    await(DELIVERED, 1);
}

static void stops_in_the_middle(void **state)
{
    struct fixture *f = *state;

    atomic_store(&peer->mode, PEER_HANGING);
    pin(f, 1);
    start(f);
    owe(f, 1);
    while (atomic_load(&peer->requests) < 4)
        sched_yield();
    pin(f, 0); /* maybe it looks at that, maybe not any more */
    network_stop(f->network);
    owe(f, 1); /* as the writer does with what it still commits */
    pin(f, 0);
    network_free(f->network);
    f->network = NULL;
    assert_null(f->app.notify);
    assert_int_equal(count(DELIVERED) + count(DEFERRED), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(looks_at_all_documents_of_a_peer),
        TEST(looks_once_for_all_of_our_spaces),
        TEST(learns_of_a_new_peer),
        TEST(comes_back_after_failures),
        TEST(notes_what_is_not_accepted),
        TEST(asks_in_full_for_what_is_lost),
        TEST(forgets_a_removed_peer_while_it_answers),
        TEST(delivers_one_by_one),
        TEST(puts_off_what_was_not_delivered),
        TEST(stops_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

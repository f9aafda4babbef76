/* Peers: nothing that is wrong, old or another's takes the place of the last good record. */
#include "lib/app/craft.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "cred/status_list.h"

static char *list_by(struct world *w, const struct key_pair *key, const char *iss, const char *uri,
                     int64_t iat)
{
    static uint8_t bits[LIMIT_STATUS_ENTRIES / 4];
    _cleanup_(json_freep) struct json *payload =
        status_list_payload(iss, uri, iat, iat + 86400, 3600, 2, bits, sizeof(bits));
    _cleanup_(buf_clear) struct buf text = {0};
    struct buf token = {0};

    if (!*iss)
        json_remove(payload, "iss");
    assert_int_equal(json_write(payload, &text), 0);
    assert_int_equal(jws_sign(key, STATUS_TYP, buf_as_str(&text), &token), 0);
    return buf_take(&token);
}

/* The home's configuration, signed anew with other keys or times. */
static char *configuration_by(struct world *w, const struct key_pair *federation, int64_t iat)
{
    _cleanup_(json_freep) struct json *payload =
        configuration_payload(&w->home.space->configuration);
    _cleanup_(buf_clear) struct buf text = {0};
    struct buf token = {0};

    assert_int_equal(json_put_int(payload, "iat", iat), 0);
    assert_int_equal(json_put_int(payload, "exp", iat + LIFETIME_CONFIGURATION), 0);
    assert_int_equal(json_put(payload, "jwks", jwks_write(key_pair_public(federation), 1)), 0);
    assert_int_equal(json_write(payload, &text), 0);
    assert_int_equal(jws_sign(federation, CONFIGURATION_TYP, buf_as_str(&text), &token), 0);
    return buf_take(&token);
}

static int received(struct world *w, const char *token)
{
    struct err err = {0};
    int r = peer_configuration_received(&w->host.thread, HOME, str_of(token), &err);

    assert_int_equal(r == 0, err.text[0] == '\0');
    return r;
}

static int received_status(struct world *w, const char *uri, const char *token)
{
    struct err err = {0};
    int r = peer_status_received(&w->host.thread, HOME, uri, str_of(token), &err);

    assert_int_equal(r == 0, err.text[0] == '\0');
    return r;
}

static int64_t held(struct world *w)
{
    struct directory *d = w->host.app.directory;
    const struct dir_issuer *issuer;
    int64_t iat = 0;

    directory_read(d);
    issuer = directory_find(d, HOME);
    if (issuer)
        iat = issuer->config_iat;
    directory_done(d);
    return iat;
}

static void test_configuration(void **state)
{
    struct world *w = *state;
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->home, "federation");
    _cleanup_(key_pair_freep) struct key_pair *stranger = NULL;
    _cleanup_(freep) char *pass = world_issue(w, NULL, NULL), *host = NULL;
    const int64_t iat = held(w);

    assert_int_equal(key_pair_generate(KEY_P256, &stranger), 0);
    host = side_published(&w->host, PUBLISHED_CONFIGURATION);
    struct {
        char *token;
        int result;
    } rows[] = {
        {text_of("garbage"), APP_E_INVALID},
        {text_of("%s", ""), APP_E_INVALID},
        {text_of("%s", host), APP_E_INVALID}, /* another space's */
        {configuration_by(w, stranger, iat + 10), APP_E_FORBIDDEN},
        {configuration_by(w, key, iat - 10), APP_E_INVALID},
        {configuration_by(w, key, iat + 3600), APP_E_INVALID}, /* from the future */
        {configuration_by(w, key, iat), 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (received(w, rows[i].token) != rows[i].result)
            fail_msg("row %zu", i);
        assert_int_equal(held(w), iat);
        assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_PRINTED_PASS);
        free(rows[i].token);
    }
    w->now += 60;
    _cleanup_(freep) char *newer = configuration_by(w, key, w->now);
    assert_int_equal(received(w, newer), 0);
    assert_int_equal(held(w), w->now);
    side_restart(&w->host);
    assert_int_equal(held(w), w->now);
}

static void test_status_lists(void **state)
{
    struct world *w = *state;
    const char *const uri = HOME "/status/0", *const theirs = HOST "/status/0";
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->home, "pass");
    _cleanup_(key_pair_freep) struct key_pair *federation = side_key(&w->home, "federation");
    _cleanup_(key_pair_freep) struct key_pair *host_key = side_key(&w->host, "pass");
    struct pass_row row;
    _cleanup_(freep) char *pass = world_issue(w, NULL, &row);
    struct err err;

    w->now += 60;
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, row.id, &row, &err), 0);
    side_fetch_status(&w->host, &w->home);
    const int64_t now = w->now;
    struct {
        const char *uri;
        char *token;
    } rows[] = {
        {uri, text_of("garbage")},
        {uri, list_by(w, federation, HOME, uri, now + 1)},       /* not the pass key */
        {uri, list_by(w, host_key, HOME, uri, now + 1)},         /* another space's key */
        {uri, list_by(w, key, HOME, HOME "/status/1", now + 1)}, /* another list */
        {uri, list_by(w, key, HOME, theirs, now + 1)},           /* another space's list */
        {uri, list_by(w, key, HOST, uri, now + 1)},              /* another issuer */
        {uri, list_by(w, key, HOME, uri, now - 100)},            /* older */
        {uri, list_by(w, key, HOME, uri, now + 500)},            /* from the future */
        {theirs, list_by(w, key, "", theirs, now + 1)},          /* in another space's name */
        {theirs, list_by(w, key, HOME, theirs, now + 1)},
        {HOME "/status/1", list_by(w, key, HOME, HOME "/status/1", now + 1)}, /* not named */
        {HOME "/list", list_by(w, key, HOME, HOME "/list", now + 1)},
        {HOME ".evil.example/status/0",
         list_by(w, key, "", HOME ".evil.example/status/0", now + 1)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (received_status(w, rows[i].uri, rows[i].token) != APP_E_INVALID)
            fail_msg("row %zu", i);
        assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_REVOKED);
        free(rows[i].token);
    }
    _cleanup_(freep) char *good = list_by(w, key, HOME, uri, now + 1);
    assert_int_equal(received_status(w, uri, good), 0);
    assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_PRINTED_PASS);
}

/* What was good when it came is loaded, and judged by the time of now. */
static void test_restart(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL), *text = NULL, *late = NULL;
    const int64_t exp = w->home.space->configuration.exp;

    text = world_present(w, pass, "nonce-0001");
    side_restart(&w->host);
    assert_int_equal(world_ask(w, text, DESK, NULL), REASON_NONE);

    struct craft *c = craft_open(w);
    w->now = exp + 3600;
    side_restart(&w->host);
    late = craft_pass(c, NULL, NULL);
    assert_int_equal(world_ask(w, late, DESK, NULL), REASON_STALE_DIRECTORY);
    w->now = exp + STALE_DIRECTORY;
    side_restart(&w->host);
    free(late);
    late = craft_pass(c, NULL, NULL);
    assert_int_equal(world_ask(w, late, DESK, NULL), REASON_UNKNOWN_ISSUER);
    craft_close(c);
}

static void test_removed(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, NULL, NULL);
    _cleanup_(freep) char *token = side_published(&w->home, PUBLISHED_CONFIGURATION);
    _cleanup_(freep) char *list = side_published(&w->home, PUBLISHED_STATUS);
    struct err err;

    assert_int_equal(peer_remove(&w->host.thread, w->host.space, HOME, &err), 0);
    assert_int_equal(peer_remove(&w->host.thread, w->host.space, HOME, &err), APP_E_ABSENT);
    assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_UNKNOWN_ISSUER);
    /* refreshes that were under way */
    assert_int_equal(received(w, token), APP_E_ABSENT);
    assert_int_equal(held(w), 0);
    assert_int_equal(received_status(w, HOME "/status/0", list), APP_E_INVALID);
    side_restart(&w->host);
    assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_UNKNOWN_ISSUER);
    assert_int_equal(peer_unchanged(&w->host.thread, HOME, NULL), APP_E_ABSENT);
    assert_int_equal(peer_failed(&w->host.thread, HOME, NULL, "no answer"), APP_E_ABSENT);
    side_pin(&w->host, &w->home);
    side_fetch_status(&w->host, &w->home);
    assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_PRINTED_PASS);
}

static int pin(struct world *w, struct space *space, const char *token, struct err *err)
{
    struct peer_seen seen;

    assert_int_equal(peer_look(&w->host.thread, HOME, str_of(token), &seen, err), 0);
    return peer_pin(&w->host.thread, space, &seen, str_of(token), err);
}

/* One record serves all spaces of a node: what one pins may not change what another confirmed. */
static void test_pinned_by_two(void **state)
{
    struct world *w = *state;
    struct space *second = side_second_space(&w->host, "https://bonn.example");
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->home, "federation");
    _cleanup_(key_pair_freep) struct key_pair *stranger = NULL;
    _cleanup_(freep) char *older = NULL, *other = NULL, *same = NULL;
    const int64_t iat = held(w);
    struct err err = {0};

    assert_int_equal(key_pair_generate(KEY_P256, &stranger), 0);
    older = configuration_by(w, key, iat - 10);
    other = configuration_by(w, stranger, iat + 10);
    same = configuration_by(w, key, iat + 20);
    assert_int_equal(pin(w, second, older, &err), APP_E_INVALID);
    assert_non_null(strstr(err.text, "older"));
    assert_int_equal(pin(w, second, other, &err), APP_E_CONFLICT);
    assert_non_null(strstr(err.text, "another key"));
    assert_int_equal(held(w), iat);
    assert_false(space_recognises(second, HOME));
    assert_int_equal(pin(w, second, same, &err), 0);
    assert_true(space_recognises(second, HOME));
    /* for itself a space may confirm a new key, once no other stands in the way */
    assert_int_equal(peer_remove(&w->host.thread, second, HOME, &err), 0);
    free(other);
    other = configuration_by(w, stranger, iat + 30);
    assert_int_equal(pin(w, w->host.space, other, &err), 0);
    assert_int_equal(held(w), iat + 30);
}

static void test_not_itself(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *token = side_published(&w->host, PUBLISHED_CONFIGURATION);
    struct peer_seen seen;
    struct err err;

    assert_int_equal(peer_look(&w->host.thread, HOST, str_of(token), &seen, &err), 0);
    assert_int_equal(peer_pin(&w->host.thread, w->host.space, &seen, str_of(token), &err),
                     APP_E_INVALID);
    assert_int_equal(peer_look(&w->host.thread, HOME, str_of(token), &seen, &err), APP_E_INVALID);
}

static int remember(const struct peer_row *row, void *arg)
{
    *(struct peer_row *)arg = *row;
    return 0;
}

/* A failure is told, and is over when the peer answers: then its stamps are due at once. */
static void test_failing(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    struct store *directory = w->host.app.directory_store;
    struct delivery d;
    struct peer_row row;
    struct err err;
    size_t n = 0;
    char visit[32];

    world_visit(w, pass, "nonce-0001", visit);
    assert_int_equal(deliver_collect(&w->host.thread, w->host.space, NULL, 0, &d, 1, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(deliver_failed(&w->host.thread, w->host.space, &d), 0);
    delivery_clear(&d);
    assert_int_equal(peer_failed(&w->host.thread, HOME, NULL, "it did not answer"), 0);
    assert_int_equal(store_peer_list(directory, HOST, remember, &row), 0);
    assert_string_equal(row.failure, "it did not answer");
    assert_int_equal(deliver_collect(&w->host.thread, w->host.space, NULL, 0, &d, 1, &n, &err), 0);
    assert_int_equal(n, 0);

    assert_int_equal(peer_unchanged(&w->host.thread, HOME, NULL), 0);
    assert_int_equal(store_peer_list(directory, HOST, remember, &row), 0);
    assert_string_equal(row.failure, "");
    const char *const skip[] = {HOME};
    assert_int_equal(deliver_collect(&w->host.thread, w->host.space, skip, 1, &d, 1, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(deliver_collect(&w->host.thread, w->host.space, NULL, 0, &d, 1, &n, &err), 0);
    assert_int_equal(n, 1);
    delivery_clear(&d);
}

/* No file of this process grows any more: what is written to disk fails. */
static void disk_has_room(bool room)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = room ? limit.rlim_max : 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What the disk has not, memory has not either: else a restart would undo a revocation. */
static void test_disk_full(void **state)
{
    struct world *w = *state;
    const char *const uri = HOME "/status/0";
    _cleanup_(key_pair_freep) struct key_pair *federation = side_key(&w->home, "federation");
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->home, "pass");
    _cleanup_(freep) char *pass = NULL, *newer = NULL, *list = NULL;
    const int64_t iat = held(w);
    struct pass_row row;
    struct err err;
    int on_configuration, on_list, on_removal;

    w->now += 60;
    pass = world_issue(w, NULL, &row);
    newer = configuration_by(w, federation, w->now);
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, row.id, &row, &err), 0);
    list = side_published(&w->home, PUBLISHED_STATUS);
    signal(SIGXFSZ, SIG_IGN);
    disk_has_room(false);
    on_configuration = peer_configuration_received(&w->host.thread, HOME, str_of(newer), &err);
    on_list = peer_status_received(&w->host.thread, HOME, uri, str_of(list), &err);
    on_removal = peer_remove(&w->host.thread, w->host.space, HOME, &err);
    disk_has_room(true);
    assert_true(on_configuration < 0 && on_list < 0 && on_removal < 0);
    assert_int_equal(held(w), iat);
    assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_PRINTED_PASS);
    assert_int_equal(received(w, newer), 0);
    assert_int_equal(received_status(w, uri, list), 0);
    assert_int_equal(held(w), w->now);
    assert_int_equal(world_ask(w, pass, DESK, NULL), REASON_REVOKED);
}

static int64_t checked(struct world *w)
{
    struct directory *d = w->host.app.directory;
    int64_t at;

    directory_read(d);
    at = directory_find(d, HOME)->checked;
    directory_done(d);
    return at;
}

/* A peer that is asked every few seconds costs no write each time. */
static void test_unchanged(void **state)
{
    struct world *w = *state;
    struct store *s = w->host.app.directory_store;
    int64_t before = store_changes(s);

    for (int i = 0; i < 11; i++) {
        w->now += 5;
        assert_int_equal(peer_unchanged(&w->host.thread, HOME, NULL), 0);
        assert_int_equal(peer_unchanged(&w->host.thread, HOME, HOME "/status/0"), 0);
        assert_int_equal(checked(w), w->now);
    }
    assert_int_equal(store_changes(s), before);
    w->now += 5;
    assert_int_equal(peer_unchanged(&w->host.thread, HOME, NULL), 0);
    assert_true(store_changes(s) > before);
    before = store_changes(s);
    assert_int_equal(peer_unchanged(&w->host.thread, HOME, NULL), 0);
    assert_int_equal(store_changes(s), before);
}

/* A configuration that is well says nothing of a list that fails, nor is the home then back. */
static void test_failing_list(void **state)
{
    struct world *w = *state;
    const char *const uri = HOME "/status/0";
    _cleanup_(freep) char *pass = world_issue(w, w->device, NULL);
    struct store *directory = w->host.app.directory_store;
    struct delivery d;
    struct peer_row row;
    struct err err;
    size_t n = 0;
    char visit[32];

    world_visit(w, pass, "nonce-0001", visit);
    assert_int_equal(peer_failed(&w->host.thread, HOME, uri, "it is garbage"), 0);
    assert_int_equal(deliver_collect(&w->host.thread, w->host.space, NULL, 0, &d, 1, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(deliver_failed(&w->host.thread, w->host.space, &d), 0);
    delivery_clear(&d);
    assert_int_equal(peer_unchanged(&w->host.thread, HOME, NULL), 0);
    assert_int_equal(store_peer_list(directory, HOST, remember, &row), 0);
    assert_string_equal(row.failure, "it is garbage");
    assert_int_equal(deliver_collect(&w->host.thread, w->host.space, NULL, 0, &d, 1, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(peer_failed(&w->host.thread, HOME, uri, ""), 0);
    assert_int_equal(store_peer_list(directory, HOST, remember, &row), 0);
    assert_true(row.failure[0] != '\0');
    assert_int_equal(peer_unchanged(&w->host.thread, HOME, uri), 0);
    assert_int_equal(store_peer_list(directory, HOST, remember, &row), 0);
    assert_string_equal(row.failure, "");
    assert_int_equal(deliver_collect(&w->host.thread, w->host.space, NULL, 0, &d, 1, &n, &err), 0);
    assert_int_equal(n, 1);
    delivery_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_configuration), world_test(test_status_lists),  world_test(test_restart),
        world_test(test_removed),       world_test(test_pinned_by_two), world_test(test_not_itself),
        world_test(test_failing),       world_test(test_disk_full),     world_test(test_unchanged),
        world_test(test_failing_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

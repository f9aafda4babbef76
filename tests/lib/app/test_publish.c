/* What a space signs about itself: made when due, kept over restarts, never behind its store. */
#include "lib/app/fixture.h"

#include <errno.h>

#include "cred/status_list.h"

/* The status of that index in the list that the home publishes. */
static unsigned published_status(struct world *w, uint32_t idx)
{
    _cleanup_(freep) char *token = side_published(&w->home, PUBLISHED_STATUS);
    struct status_list list;
    unsigned value = 99;
    struct jws jws;

    assert_int_equal(jws_parse(str_of(token), STATUS_TYP, LIMIT_STATUS_TOKEN, &jws, NULL), 0);
    assert_int_equal(status_list_read(&jws, &list, NULL), 0);
    assert_int_equal(status_list_get(&list, idx, &value), 0);
    status_list_clear(&list);
    jws_clear(&jws);
    return value;
}

static int renew(struct world *w)
{
    struct err err = {0};

    return space_renew(&w->home.thread, w->home.space, &err);
}

static void test_restart_keeps(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *configuration = side_published(&w->home, PUBLISHED_CONFIGURATION);
    _cleanup_(freep) char *status = side_published(&w->home, PUBLISHED_STATUS);
    _cleanup_(freep) char *issuer = side_published(&w->home, PUBLISHED_ISSUER);
    _cleanup_(freep) char *configuration_after = NULL, *status_after = NULL, *issuer_after = NULL;

    w->now += 3600;
    side_restart(&w->home);
    configuration_after = side_published(&w->home, PUBLISHED_CONFIGURATION);
    status_after = side_published(&w->home, PUBLISHED_STATUS);
    issuer_after = side_published(&w->home, PUBLISHED_ISSUER);
    assert_string_equal(configuration, configuration_after);
    assert_string_equal(status, status_after);
    assert_string_equal(issuer, issuer_after);
}

static void test_renewed_when_due(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *configuration = side_published(&w->home, PUBLISHED_CONFIGURATION);
    _cleanup_(freep) char *status = side_published(&w->home, PUBLISHED_STATUS);
    static const struct {
        int64_t later;
        bool configuration, status; /* whether they are the first ones still */
    } rows[] = {
        {RENEW_STATUS_LIST - 1, true, true},
        {RENEW_STATUS_LIST, true, false},
        {RENEW_CONFIGURATION - 1, true, false},
        {RENEW_CONFIGURATION, false, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(freep) char *c = NULL, *s = NULL;

        w->now = START + rows[i].later;
        assert_int_equal(renew(w), 0);
        c = side_published(&w->home, PUBLISHED_CONFIGURATION);
        s = side_published(&w->home, PUBLISHED_STATUS);
        assert_int_equal(strcmp(c, configuration) == 0, rows[i].configuration);
        assert_int_equal(strcmp(s, status) == 0, rows[i].status);
    }
    /* a peer takes the new ones */
    side_fetch_status(&w->host, &w->home);
    _cleanup_(freep) char *c = side_published(&w->home, PUBLISHED_CONFIGURATION);
    struct err err = {0};
    assert_int_equal(peer_configuration_received(&w->host.thread, HOME, str_of(c), &err), 0);
}

static void test_bits(void **state)
{
    struct world *w = *state;
    struct member_row member;
    struct pass_row kept, revoked, suspended, out;
    _cleanup_(freep) char *a = world_issue(w, NULL, &kept), *b = world_issue(w, NULL, &revoked);
    _cleanup_(freep) char *c = NULL;
    struct err err;

    world_member(w, "Eva", &member);
    c = world_issue_to(w, member.id, NULL, &suspended);
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, revoked.id, &out, &err), 0);
    assert_int_equal(member_set_state(&w->home.thread, w->home.space, member.id, MEMBER_SUSPENDED,
                                      &member, &err),
                     0);
    assert_int_equal(published_status(w, kept.idx), STATUS_VALID);
    assert_int_equal(published_status(w, revoked.idx), STATUS_INVALID);
    assert_int_equal(published_status(w, suspended.idx), STATUS_SUSPENDED);
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, revoked.id, &out, &err), 0);
    assert_int_equal(out.state, PASS_REVOKED);
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, "pas_none", &out, &err),
                     APP_E_ABSENT);
}

/* The process died after the revocation was stored and before its list was signed. */
static void test_dirty_after_crash(void **state)
{
    struct world *w = *state;
    struct store *store = w->home.space->store;
    struct pass_row pass;
    _cleanup_(freep) char *token = world_issue(w, NULL, &pass);
    bool dirty = false;

    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_pass_set_state(store, pass.id, PASS_REVOKED, w->now), 0);
    assert_int_equal(store_status_dirty(store, pass.list, true), 0);
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(published_status(w, pass.idx), STATUS_VALID);
    side_restart(&w->home);
    assert_int_equal(published_status(w, pass.idx), STATUS_INVALID);
    assert_int_equal(store_status_is_dirty(w->home.space->store, pass.list, &dirty), 0);
    assert_false(dirty);
    side_fetch_status(&w->host, &w->home);
    assert_int_equal(world_ask(w, token, DESK, NULL), REASON_REVOKED);
}

/* Hosts whose clocks are late accept a pass for a while after its end: so long its mark stays. */
static void test_mark_outlives_the_pass(void **state)
{
    struct world *w = *state;
    struct pass_row pass, other;
    _cleanup_(freep) char *token = world_issue(w, NULL, &pass);
    _cleanup_(freep) char *later = NULL;
    struct err err;

    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, pass.id, &pass, &err), 0);
    w->now = pass.exp + LIMIT_CLOCK_SKEW - 1;
    assert_int_equal(renew(w), 0);
    later = world_issue(w, NULL, &other);
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, other.id, &other, &err), 0);
    assert_int_equal(published_status(w, pass.idx), STATUS_INVALID);
    _cleanup_(freep) char *c = side_published(&w->home, PUBLISHED_CONFIGURATION);
    assert_int_equal(peer_configuration_received(&w->host.thread, HOME, str_of(c), &err), 0);
    side_fetch_status(&w->host, &w->home);
    assert_int_equal(world_ask(w, token, DESK, NULL), REASON_REVOKED);
    w->now = pass.exp + 2 * 86400;
    assert_int_equal(renew(w), 0);
    assert_int_equal(published_status(w, pass.idx), STATUS_VALID);
}

/* A second list, when it is needed: named by the configuration, and signed. */
static void test_second_list(void **state)
{
    struct world *w = *state;
    struct configuration c;
    struct buf token = {0};
    struct err err = {0};
    char etag[36];

    assert_int_equal(space_published(w->home.space, PUBLISHED_STATUS, 1, &token, etag),
                     APP_E_ABSENT);
    for (unsigned n = 2; n <= LIMIT_STATUS_LISTS; n++) {
        w->now++;
        assert_int_equal(space_add_status_list(&w->home.thread, w->home.space, &err), 0);
        assert_int_equal(space_published(w->home.space, PUBLISHED_STATUS, n - 1, &token, etag), 0);
        buf_clear(&token);
    }
    assert_int_equal(space_add_status_list(&w->home.thread, w->home.space, &err), APP_E_LIMIT);
    side_restart(&w->home);
    assert_int_equal(space_published(w->home.space, PUBLISHED_CONFIGURATION, 0, &token, etag), 0);
    assert_int_equal(
        configuration_verify(w->home.thread.verifier, buf_as_str(&token), HOME, w->now, &c, &err),
        0);
    assert_int_equal(c.status_lists, LIMIT_STATUS_LISTS);
    buf_clear(&token);
}

static int no_configuration(struct side *s, struct sign_request *req)
{
    return req->kind == SIGN_CONFIGURATION ? -EIO : 0;
}

static unsigned announced_lists(struct world *w)
{
    _cleanup_(freep) char *token = side_published(&w->home, PUBLISHED_CONFIGURATION);
    struct configuration c;
    struct err err = {0};

    assert_int_equal(
        configuration_verify(w->home.thread.verifier, str_of(token), HOME, w->now, &c, &err), 0);
    return c.status_lists;
}

/* It ended between the new list and the configuration that announces it: no index is given out of a
 * list that peers do not know, neither at once nor after a restart. */
static void test_second_list_half_done(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    w->now++;
    side_hook_signer(&w->home, no_configuration);
    assert_true(space_add_status_list(&w->home.thread, w->home.space, &err) < 0);
    assert_int_equal(space_status_lists(w->home.space), 1);
    side_restart(&w->home);
    assert_int_equal(space_status_lists(w->home.space), announced_lists(w));
    w->now++;
    assert_int_equal(space_add_status_list(&w->home.thread, w->home.space, &err), 0);
    assert_int_equal(space_status_lists(w->home.space), 2);
    assert_int_equal(announced_lists(w), 2);
    assert_int_equal(w->home.space->configuration.status_lists, 2);
}

/* Every minute only times and marks are compared: what is served does not pass through the store
 * again. */
static void test_nothing_due_reads_nothing(void **state)
{
    struct world *w = *state;
    struct store *store = w->home.space->store;
    _cleanup_(freep) char *before = side_published(&w->home, PUBLISHED_STATUS);
    _cleanup_(freep) char *after = NULL;

    assert_int_equal(store_published_put(store, "status/0", STR("garbage"), w->now, w->now + 9), 0);
    assert_int_equal(renew(w), 0);
    after = side_published(&w->home, PUBLISHED_STATUS);
    assert_string_equal(before, after);
}

/* Whoever asks with the tag of what they hold learns that it changed, and only then. */
static void test_etag(void **state)
{
    struct world *w = *state;
    struct pass_row pass;
    _cleanup_(freep) char *token = world_issue(w, NULL, &pass);
    _cleanup_(buf_clear) struct buf text = {0};
    char before[36], again[36], after[36];
    struct err err;

    assert_int_equal(space_published(w->home.space, PUBLISHED_STATUS, 0, &text, before), 0);
    assert_int_equal(space_published(w->home.space, PUBLISHED_STATUS, 0, &text, again), 0);
    assert_string_equal(before, again);
    assert_int_equal(strlen(before), 34);
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, pass.id, &pass, &err), 0);
    assert_int_equal(space_published(w->home.space, PUBLISHED_STATUS, 0, &text, after), 0);
    assert_string_not_equal(before, after);
}

/* Nothing of it is lost for people: why a database cannot be opened is in the words. */
static void test_opening_tells_why(void **state)
{
    struct world *w = *state;
    struct space *space = NULL;
    struct err err = {0};
    char path[512];

    assert_int_equal(space_open(&w->home.thread, "/nowhere/space.db", &space, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "/nowhere/space.db"));
    assert_int_equal(state_space_path(&w->home.state, "lisbon.example", "space.db", path), 0);
    assert_int_equal(store_setting_put(w->home.space->store, "timezone", "Mars/Olympus", 12), 0);
    assert_int_equal(space_open(&w->home.thread, path, &space, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "Mars/Olympus"));
    assert_null(space);
    assert_int_equal(store_setting_put(w->home.space->store, "timezone", "UTC", 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_restart_keeps),
        world_test(test_renewed_when_due),
        world_test(test_bits),
        world_test(test_dirty_after_crash),
        world_test(test_mark_outlives_the_pass),
        world_test(test_second_list),
        world_test(test_second_list_half_done),
        world_test(test_nothing_due_reads_nothing),
        world_test(test_etag),
        world_test(test_opening_tells_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

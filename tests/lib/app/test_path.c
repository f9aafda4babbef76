/* From a pass to a stamp that its home has receipted, and what hosts and homes may not do there. */
#include "lib/app/post.h"

#include <stdio.h>

#include "base/b64.h"
#include "base/clock.h"
#include "cred/keybind.h"

/* A stamp of the host, as it would be for a visit of that pass; tests change what they like. */
static struct stamp stamp_for(struct world *w, const char *sub, const struct pass_row *pass)
{
    struct stamp s = {.revision = 1, .iat = w->now, .checked_in = w->now};

    strcpy(s.id, "vis_0123456789abcdef");
    strcpy(s.host, HOST);
    strcpy(s.home, HOME);
    snprintf(s.sub, sizeof(s.sub), "%s", sub);
    snprintf(s.status_uri, sizeof(s.status_uri), "%s/status/%u", HOME, pass->list);
    s.status_idx = pass->idx;
    strcpy(s.day, "2026-09-21");
    strcpy(s.timezone, "Europe/Berlin");
    strcpy(s.tier, "member");
    strcpy(s.verdict, "ask");
    return s;
}

static char *stamp_sign(const struct key_pair *key, const struct stamp *s)
{
    _cleanup_(json_freep) struct json *payload = stamp_payload(s);
    _cleanup_(buf_clear) struct buf text = {0};
    struct buf token = {0};

    assert_int_equal(json_write(payload, &text), 0);
    assert_int_equal(jws_sign(key, STAMP_TYP, buf_as_str(&text), &token), 0);
    return buf_take(&token);
}

/* What the home says to that stamp from the host; "" is a receipt. */
static void expect_code(struct world *w, const char *token, const char *nonce, const char *code)
{
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    _cleanup_(freep) char *body = post_body(token), *said = NULL;
    struct accept_stamps a = {0};

    assert_int_equal(post_send(w, &(struct post){.key = key, .nonce = nonce, .body = body}, &a), 0);
    said = post_code(&a);
    assert_string_equal(said, code);
    accept_stamps_clear(&a);
}

struct issued_pass {
    struct member_row member;
    struct pass_row row;
    char *token;
};

static struct issued_pass issue(struct world *w)
{
    struct issued_pass p = {0};

    world_member(w, "Rui Costa", &p.member);
    p.token = world_issue_to(w, p.member.id, w->device, &p.row);
    return p;
}

static void test_whole_path(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    _cleanup_(buf_clear) struct buf token = {0}, receipt = {0};
    struct check_out out = {0};
    struct visit_row row;
    int64_t revision;
    struct err err;
    char visit[32];

    world_visit(w, p.token, "nonce-0001", visit);
    assert_int_equal(world_outbox(w), 1);
    post_all(w);
    assert_int_equal(world_outbox(w), 0);
    assert_int_equal(post_stored(w), 1);
    assert_int_equal(store_visit_get(w->host.space->store, visit, &row), 0);
    assert_string_equal(row.stamp_state, "receipted");
    assert_string_equal(row.name, "Rui Costa");
    assert_string_equal(row.verdict, "admit");
    assert_int_equal(store_stamp_of_visit(w->host.space->store, visit, &revision, &token, &receipt),
                     0);
    assert_int_equal(revision, 1);
    assert_true(receipt.n > 0);

    w->now += 3600;
    assert_int_equal(check_out_prepare(&w->host.thread, w->host.space, visit, &out, &err), 0);
    assert_int_equal(app_do(&w->host.app, &out.job), 0);
    check_out_clear(&out);
    post_all(w);
    assert_int_equal(post_stored(w), 2);
    buf_reset(&token);
    buf_reset(&receipt);
    assert_int_equal(store_stamp_of_visit(w->host.space->store, visit, &revision, &token, &receipt),
                     0);
    assert_int_equal(revision, 2);
    assert_true(receipt.n > 0);
    free(p.token);
}

static int remember(const struct home_stamp_row *row, void *arg)
{
    *(struct home_stamp_row *)arg = *row;
    return 1;
}

static void test_stored_with_the_member(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    struct home_stamp_row row = {0};
    char visit[32];

    world_visit(w, p.token, "nonce-0001", visit);
    post_all(w);
    assert_int_equal(store_home_stamp_list(w->home.space->store, p.member.id, 0, 1, remember, &row),
                     1);
    assert_string_equal(row.id, visit);
    assert_string_equal(row.host, HOST);
    assert_string_equal(row.pass, p.row.id);
    assert_true(row.proven);
    assert_int_equal(row.checked_in, START);
    free(p.token);
}

/* The answer was lost: the host sends the very same stamp again. */
static void test_sent_again(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    struct accept_stamps first = {0}, second = {0};
    struct delivery d, again;
    struct err err = {0};
    char visit[32];

    world_visit(w, p.token, "nonce-0001", visit);
    post_collect(w, &d);
    assert_int_equal(post_deliver(w, &d, &first), 0);
    assert_int_equal(deliver_failed(&w->host.thread, w->host.space, &d), 0);
    w->now += 3600;
    post_collect(w, &again);
    assert_int_equal(post_deliver(w, &again, &second), 0);
    {
        _cleanup_(freep) char *a = post_receipt(&first), *b = post_receipt(&second);
        assert_true(strlen(a) > 0);
        assert_string_equal(a, b);
    }
    assert_int_equal(post_stored(w), 1);
    assert_int_equal(
        deliver_received(&w->host.thread, w->host.space, &again, buf_as_str(&second.reply), &err),
        0);
    assert_int_equal(world_outbox(w), 0);
    accept_stamps_clear(&first);
    accept_stamps_clear(&second);
    delivery_clear(&d);
    delivery_clear(&again);
    free(p.token);
}

/* Signed anew under the same id: it says the same, and its receipt is for what was sent now. */
static void test_signed_anew(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    struct stamp s = stamp_for(w, p.member.sub, &p.row);
    _cleanup_(freep) char *token = stamp_sign(key, &s), *body = NULL, *receipt = NULL;
    struct accept_stamps a = {0};
    struct receipt read;
    struct jws jws;
    uint8_t digest[32];

    expect_code(w, token, "nonce-0000001", "");
    free(token);
    w->now += 86400;
    s.iat = w->now;
    token = stamp_sign(key, &s);
    body = post_body(token);
    assert_int_equal(post_send(w, &(struct post){.key = key, .body = body}, &a), 0);
    receipt = post_receipt(&a);
    assert_int_equal(jws_parse(str_of(receipt), RECEIPT_TYP, LIMIT_STAMP, &jws, NULL), 0);
    assert_int_equal(receipt_read(&jws, &read, NULL), 0);
    jws_clear(&jws);
    assert_int_equal(jws_parse(str_of(token), STAMP_TYP, LIMIT_STAMP, &jws, NULL), 0);
    assert_int_equal(jws_digest(&jws, digest), 0);
    jws_clear(&jws);
    assert_memory_equal(read.digest, digest, sizeof(digest));
    assert_int_equal(post_stored(w), 1);
    accept_stamps_clear(&a);
    free(p.token);
}

static void test_stamps_that_are_refused(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w), other = issue(w);
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    _cleanup_(key_pair_freep) struct key_pair *pass_key = side_key(&w->host, "pass");
    const struct stamp good = stamp_for(w, p.member.sub, &p.row);
    struct stamp bad[11];
    const struct {
        const char *code;
        const struct key_pair *key;
    } rows[ARRAY_SIZE(bad)] = {
        {"forged", pass_key},     /* not the federation key */
        {"forged", key},          /* in the name of another host */
        {"foreign", key},         /* for another home */
        {"never_issued", key},    /* a sub that nobody has */
        {"never_issued", key},    /* another member's index */
        {"never_issued", key},    /* of another space's list */
        {"from_the_future", key}, /* checked in in an hour */
        {"pass_expired", key},    /* the pass was over by then */
        {"foreign_claims", key},  /* not the tier of that pass */
        {"malformed", key},       /* two days before it came in */
        {"malformed", key},       /* two days after */
    };

    char time[RFC3339_LEN + 1];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        bad[i] = good;
    strcpy(bad[1].host, "https://other.example");
    strcpy(bad[2].home, "https://other.example");
    strcpy(bad[3].sub, "nobody");
    bad[4].status_idx = other.row.idx;
    strcpy(bad[5].status_uri, "https://other.example/status/0");
    bad[6].checked_in = w->now + 3600;
    bad[7].checked_in = p.row.exp + LIMIT_CLOCK_SKEW + 1;
    rfc3339_format(bad[7].checked_in, time);
    snprintf(bad[7].day, sizeof(bad[7].day), "%.10s", time);
    strcpy(bad[8].tier, "owner");
    strcpy(bad[9].day, "2026-09-19");
    strcpy(bad[10].day, "2026-09-23");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_(freep) char *token = NULL;
        char nonce[40];

        w->now = i == 7 ? bad[7].checked_in : START;
        bad[i].iat = w->now;
        token = stamp_sign(rows[i].key, &bad[i]);
        snprintf(nonce, sizeof(nonce), "nonce-number-%zu", i);
        expect_code(w, token, nonce, rows[i].code);
    }
    assert_int_equal(post_stored(w), 0);
    free(p.token);
    free(other.token);
}

/* Wherever the host is: its day may be the one before or after that of UTC. */
static void test_local_days(void **state)
{
    static const char *const days[] = {"2026-09-20", "2026-09-21", "2026-09-22"};
    struct world *w = *state;
    struct issued_pass p = issue(w);
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    struct stamp s = stamp_for(w, p.member.sub, &p.row);

    for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
        _cleanup_(freep) char *token = NULL;
        char nonce[40];

        snprintf(s.id, sizeof(s.id), "vis_%zu", i);
        strcpy(s.day, days[i]);
        token = stamp_sign(key, &s);
        snprintf(nonce, sizeof(nonce), "nonce-number-%zu", i);
        expect_code(w, token, nonce, "");
    }
    free(p.token);
}

static char *proof_of(const struct key_pair *key, const char *typ, const char *payload)
{
    struct buf token = {0};

    assert_int_equal(jws_sign(key, typ, str_of(payload), &token), 0);
    return buf_take(&token);
}

/* What the pass's row cannot back is not taken, let alone listed as proven. */
static void test_proofs(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    _cleanup_(key_pair_freep) struct key_pair *stranger = NULL;
    _cleanup_(freep) char *printed = NULL;
    struct member_row eva;
    struct pass_row unbound;
    char other_device[THUMBPRINT_LEN + 1];

    assert_int_equal(key_pair_generate(KEY_P256, &stranger), 0);
    assert_int_equal(jwk_thumbprint(key_pair_public(stranger), other_device), 0);
    world_member(w, "Eva Lima", &eva);
    printed = world_issue_to(w, eva.id, NULL, &unbound);
    const struct {
        const char *code, *typ, *aud;
        int64_t after;      /* iat - in */
        const char *device; /* NULL: the pass's */
        const char *proof;  /* instead of one that is made */
        bool printed;
    } rows[] = {
        {"", KEYBIND_TYP, HOST, 0, NULL, NULL, false},
        {"", KEYBIND_TYP, KEYBIND_ANY_DESK, 0, NULL, NULL, false},
        {"", KEYBIND_TYP, HOST, -900, NULL, NULL, false},
        {"", KEYBIND_TYP, HOST, 900, NULL, NULL, false},
        {"proof_mismatch", KEYBIND_TYP, HOST, -901, NULL, NULL, false},
        {"proof_mismatch", KEYBIND_TYP, HOST, 901, NULL, NULL, false},
        {"proof_mismatch", KEYBIND_TYP, HOME, 0, NULL, NULL, false},
        {"proof_mismatch", "jwt", HOST, 0, NULL, NULL, false},
        {"proof_mismatch", KEYBIND_TYP, HOST, 0, other_device, NULL, false},
        {"proof_mismatch", KEYBIND_TYP, HOST, 0, other_device, NULL, true},
        {"proof_mismatch", NULL, NULL, 0, NULL, "a.b.c", false},
        {"proof_mismatch", NULL, NULL, 0, NULL, "proof", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct stamp s =
            rows[i].printed ? stamp_for(w, eva.sub, &unbound) : stamp_for(w, p.member.sub, &p.row);
        _cleanup_(freep) char *proof = NULL, *token = NULL;
        char payload[512], nonce[40];

        snprintf(payload, sizeof(payload),
                 "{\"iat\":%lld,\"aud\":\"%s\",\"nonce\":\"nonce-0001\",\"sd_hash\":\"x\"}",
                 (long long)(s.checked_in + rows[i].after), rows[i].aud ? rows[i].aud : "");
        proof = rows[i].proof ? str_dup(str_of(rows[i].proof))
                              : proof_of(w->device, rows[i].typ, payload);
        snprintf(s.id, sizeof(s.id), "vis_%zu", i);
        s.proof = str_of(proof);
        strcpy(s.device, rows[i].device ? rows[i].device : p.row.device);
        token = stamp_sign(key, &s);
        snprintf(nonce, sizeof(nonce), "nonce-number-%zu", i);
        print_message("proof %zu\n", i);
        expect_code(w, token, nonce, rows[i].code);
    }
    assert_int_equal(post_stored(w), 4);
    free(p.token);
}

/* Payloads of a proof that are no claims. */
static void test_payloads_of_proofs(void **state)
{
    static const char *const payloads[] = {
        "",
        "[]",
        "{}",
        "{\"aud\":\"" HOST "\"}",
        "{\"aud\":\"" HOST "\",\"iat\":\"1790000000\"}",
        "{\"aud\":\"" HOST "\",\"iat\":-9007199254740991}",
        "{\"aud\":\"" HOST "\",\"iat\":9007199254740991}",
        "{\"aud\":[\"" HOST "\"],\"iat\":1790000000}",
        "{\"iat\":1790000000}",
    };
    struct world *w = *state;
    struct issued_pass p = issue(w);
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    struct stamp s = stamp_for(w, p.member.sub, &p.row);

    strcpy(s.device, p.row.device);
    for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
        _cleanup_(freep) char *proof = proof_of(w->device, KEYBIND_TYP, payloads[i]);
        _cleanup_(freep) char *token = NULL;
        char nonce[40];

        s.proof = str_of(proof);
        token = stamp_sign(key, &s);
        snprintf(nonce, sizeof(nonce), "nonce-number-%zu", i);
        expect_code(w, token, nonce, "proof_mismatch");
    }
    assert_int_equal(post_stored(w), 0);
    free(p.token);
}

static void test_dispute(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    struct stamp s = stamp_for(w, p.member.sub, &p.row);
    _cleanup_(freep) char *first = stamp_sign(key, &s), *second = NULL, *third = NULL;

    s.checked_in -= 60;
    second = stamp_sign(key, &s);
    s.revision = 2;
    third = stamp_sign(key, &s);
    expect_code(w, first, "nonce-0000001", "");
    expect_code(w, second, "nonce-0000002", "dispute");
    expect_code(w, third, "nonce-0000003", "");
    assert_int_equal(post_stored(w), 2);
    free(p.token);
}

/* One bad stamp spoils no other. */
static void test_mixed(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    struct stamp s = stamp_for(w, p.member.sub, &p.row);
    _cleanup_(freep) char *good = stamp_sign(key, &s), *foreign = NULL;
    struct accept_stamps a = {0};
    char body[8192];

    strcpy(s.home, "https://other.example");
    foreign = stamp_sign(key, &s);
    snprintf(body, sizeof(body), "{\"stamps\":[\"garbage\",\"%s\",\"%s\",\"%s\"]}", foreign, good,
             good);
    assert_int_equal(post_send(w, &(struct post){.key = key, .body = body}, &a), 0);
    assert_non_null(strstr(a.reply.p, "{\"id\":null,\"revision\":0,\"code\":\"malformed\"}"));
    assert_non_null(strstr(a.reply.p, "\"code\":\"foreign\""));
    assert_non_null(strstr(a.reply.p, "\"receipt\":\""));
    assert_int_equal(post_stored(w), 1);
    accept_stamps_clear(&a);
    free(p.token);
}

static void test_request_replayed(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    struct accept_stamps a = {0}, b = {0}, c = {0};
    struct delivery d;
    char visit[32];

    world_visit(w, p.token, "nonce-0001", visit);
    post_collect(w, &d);
    assert_int_equal(post_deliver(w, &d, &a), 0);
    assert_int_equal(post_deliver(w, &d, &b), APP_E_UNAUTHENTICATED);
    /* up to the last second at which its signature is good */
    w->now += LIMIT_REQUEST_SIGNATURE_TIME + LIMIT_CLOCK_SKEW;
    assert_int_equal(post_deliver(w, &d, &c), APP_E_UNAUTHENTICATED);
    accept_stamps_clear(&a);
    accept_stamps_clear(&b);
    accept_stamps_clear(&c);
    delivery_clear(&d);
    free(p.token);
}

static void expect_sender(struct world *w, const struct post *p, int result)
{
    struct accept_stamps a = {0};

    assert_int_equal(post_send(w, p, &a), result);
    accept_stamps_clear(&a);
}

static void test_senders(void **state)
{
    struct world *w = *state;
    _cleanup_(key_pair_freep) struct key_pair *key = side_key(&w->host, "federation");
    _cleanup_(key_pair_freep) struct key_pair *pass_key = side_key(&w->host, "pass");
    _cleanup_(key_pair_freep) struct key_pair *stranger = NULL;
    const char *kid = w->host.space->federation_kid, *body = "{\"stamps\":[\"x\"]}";

    assert_int_equal(key_pair_generate(KEY_P256, &stranger), 0);
    expect_sender(w, &(struct post){.key = stranger, .body = body}, APP_E_FORBIDDEN);
    expect_sender(w, &(struct post){.key = pass_key, .body = body}, APP_E_FORBIDDEN);
    expect_sender(w, &(struct post){.key = stranger, .keyid = kid, .body = body},
                  APP_E_UNAUTHENTICATED);
    expect_sender(w, &(struct post){.key = key, .body = body, .created = w->now - 500},
                  APP_E_UNAUTHENTICATED);
    expect_sender(w, &(struct post){.key = key, .body = body, .created = w->now + 500},
                  APP_E_UNAUTHENTICATED);
    expect_sender(w, &(struct post){.key = key, .body = body}, 0);
    /* a body that is none, behind a good signature */
    const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"stamps\":{}}",
        "{\"stamps\":[]}",
        "{\"stamps\":[1]}",
        "{\"stamps\":[\"\"]}",
        "{\"stamps\":[\"a\"],\"stamps\":[\"a\"]}",
        "{\"stamps\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\","
        "\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]}"};
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        char nonce[40];

        snprintf(nonce, sizeof(nonce), "nonce-of-body-%zu", i);
        expect_sender(w, &(struct post){.key = key, .body = bodies[i], .nonce = nonce},
                      APP_E_INVALID);
    }
    peer_remove(&w->home.thread, w->home.space, HOST, &(struct err){0});
    expect_sender(w, &(struct post){.key = key, .body = body, .nonce = "nonce-later"},
                  APP_E_FORBIDDEN);
}

static void test_changed_on_the_way(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    struct accept_stamps a = {0};
    struct delivery d;
    char visit[32];

    world_visit(w, p.token, "nonce-0001", visit);
    post_collect(w, &d);
    d.body.p[d.body.n - 1] = ' ';
    assert_int_equal(post_deliver(w, &d, &a), APP_E_UNAUTHENTICATED);
    d.body.p[d.body.n - 1] = '}';
    d.content_digest.p[12] ^= 1;
    assert_int_equal(post_deliver(w, &d, &a), APP_E_UNAUTHENTICATED);
    accept_stamps_clear(&a);
    delivery_clear(&d);
    free(p.token);
}

/* Whoever lists another's federation key beside its own must not come between them. */
static void test_key_listed_by_another(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    struct configuration c = w->host.space->configuration;
    char visit[32];

    strcpy(c.id, "https://aaa.example");
    c.iat = w->now;
    c.exp = w->now + LIFETIME_CONFIGURATION;
    assert_int_equal(directory_put(w->home.app.directory, &c, DIR_RECOGNISED, w->now), 0);
    world_visit(w, p.token, "nonce-0001", visit);
    post_all(w);
    assert_int_equal(post_stored(w), 1);

    assert_int_equal(space_recognise(w->home.space, c.id, true), 0);
    world_member(w, "Eva Lima", &p.member);
    free(p.token);
    p.token = world_issue_to(w, p.member.id, w->device, NULL);
    world_visit(w, p.token, "nonce-0002", visit);
    post_all(w);
    assert_int_equal(post_stored(w), 2);
    free(p.token);
}

/* The home's answers that settle nothing: the stamp stays due, and the visit pending. */
static void test_bad_answers(void **state)
{
    struct world *w = *state;
    struct issued_pass p = issue(w);
    struct accept_stamps a = {0};
    struct delivery d;
    struct err err;
    char visit[32];

    world_visit(w, p.token, "nonce-0001", visit);
    post_collect(w, &d);
    assert_int_equal(post_deliver(w, &d, &a), 0);
    a.reply.p[a.reply.n - 20] ^= 1; /* in the receipt's signature */
    const struct {
        const char *body;
        int result;
    } answers[] = {
        {"", APP_E_UPSTREAM},
        {"<html>", APP_E_UPSTREAM},
        {"{}", APP_E_UPSTREAM},
        {"{\"results\":[]}", APP_E_UPSTREAM},
        {"{\"results\":[{},{}]}", APP_E_UPSTREAM},
        {"{\"results\":[{}]}", 0},
        {"{\"results\":[7]}", 0},
        {"{\"results\":[{\"receipt\":\"x\"}]}", 0},
        {"{\"results\":[{\"receipt\":null}]}", 0},
        {"{\"results\":[{\"code\":\"\"}]}", 0},
        {a.reply.p, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        assert_int_equal(
            deliver_received(&w->host.thread, w->host.space, &d, str_of(answers[i].body), &err),
            answers[i].result);
        assert_int_equal(world_outbox(w), 1);
    }
    assert_int_equal(deliver_received(&w->host.thread, w->host.space, &d,
                                      STR("{\"results\":[{\"code\":\"never_issued\"}]}"), &err),
                     0);
    assert_int_equal(world_outbox(w), 0);
    accept_stamps_clear(&a);
    delivery_clear(&d);
    free(p.token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_whole_path),
        world_test(test_stored_with_the_member),
        world_test(test_sent_again),
        world_test(test_signed_anew),
        world_test(test_stamps_that_are_refused),
        world_test(test_local_days),
        world_test(test_proofs),
        world_test(test_payloads_of_proofs),
        world_test(test_dispute),
        world_test(test_mixed),
        world_test(test_request_replayed),
        world_test(test_senders),
        world_test(test_changed_on_the_way),
        world_test(test_key_listed_by_another),
        world_test(test_bad_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

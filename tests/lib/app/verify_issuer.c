/* Steps 3, 5 and 6: who vouches, the times, the status. */
#include "lib/app/craft.h"

#include <stdio.h>

#include "cred/status_list.h"

#define MISSING REASON_HOLDER_PROOF_MISSING /* what a good bound pass gets: its proof lacks */

static void expect_now(struct craft *c, const char *name, enum reason reason)
{
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL);

    craft_expect(c, name, pass, reason);
}

/* ---- step 3 ---- */

static void unknown(struct craft *c)
{
    const struct member change[] = {
        {"iss", "\"https://nobody.example\""},
        {"status", "{\"status_list\":{\"idx\":1,\"uri\":\"https://nobody.example/status/0\"}}"},
        {0},
    };
    _cleanup_(freep) char *pass = craft_pass(c, NULL, change);

    craft_expect(c, "a space that nobody knows", pass, REASON_UNKNOWN_ISSUER);
}

/* Two spaces of one node: what one has pinned the other has not. */
static void pinned_by_another(struct craft *c)
{
    struct side *host = &c->w->host;
    struct space *first = host->space, *second = side_second_space(host, "https://bonn.example");
    struct err err;

    host->space = second;
    expect_now(c, "pinned by another space of the node", REASON_NOT_RECOGNISED);
    side_pin(host, &c->w->home);
    expect_now(c, "pinned by both", MISSING);
    assert_int_equal(peer_remove(&host->thread, first, HOME, &err), 0);
    host->space = first;
    expect_now(c, "pinned by the other space only", REASON_NOT_RECOGNISED);
    side_pin(host, &c->w->home);
    expect_now(c, "pinned again", MISSING);
    assert_int_equal(peer_remove(&host->thread, second, HOME, &err), 0);
    expect_now(c, "no longer pinned by the other", MISSING);
}

static void states(struct craft *c)
{
    struct directory *d = c->w->host.app.directory;
    const struct configuration *home = &c->w->home.space->configuration;

    assert_int_equal(directory_put(d, home, DIR_SUSPENDED, c->w->now), 0);
    expect_now(c, "suspended", REASON_SUSPENDED);
    assert_int_equal(directory_put(d, home, DIR_UNRECOGNISED, c->w->now), 0);
    expect_now(c, "unrecognised", REASON_NOT_RECOGNISED);
    assert_int_equal(directory_put(d, home, DIR_RECOGNISED, c->w->now), 0);
    expect_now(c, "recognised", MISSING);
    /* nothing but gossip will find conflicts, so the mark is set by hand */
    ((struct dir_issuer *)directory_find(d, HOME))->conflict = true;
    expect_now(c, "conflict", REASON_CONFLICT);
    ((struct dir_issuer *)directory_find(d, HOME))->conflict = false;
}

/* The home's configuration ends, and nobody can fetch another. */
static void stale(struct craft *c)
{
    const int64_t start = c->w->now, exp = c->w->home.space->configuration.exp;
    const struct {
        const char *name;
        int64_t now;
        enum reason reason;
    } rows[] = {
        {"a second before its end", exp - 1, REASON_STATUS_STALE},
        {"at its end", exp, REASON_STALE_DIRECTORY},
        {"14 days later, less a second", exp + STALE_DIRECTORY - 1, REASON_STALE_DIRECTORY},
        {"14 days later", exp + STALE_DIRECTORY, REASON_UNKNOWN_ISSUER},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        c->w->now = rows[i].now;
        expect_now(c, rows[i].name, rows[i].reason);
    }
    c->w->now = exp;
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL);
    craft_flip(pass);
    pass[strlen(pass) - 20] = pass[strlen(pass) - 20] == 'A' ? 'B' : 'A';
    craft_expect(c, "a bad signature under a stale configuration", pass, REASON_BAD_SIGNATURE);
    c->w->now = start;
}

/* ---- step 5 ---- */

static void times(struct craft *c)
{
    const int64_t day = 86400;
    const struct {
        const char *name;
        int64_t iat, nbf, exp; /* from now; nbf 0: none */
        enum reason reason;
    } rows[] = {
        {"just issued", 0, 0, day, MISSING},
        {"issued by a clock that is 120 s ahead", 120, 0, day, MISSING},
        {"121 s ahead", 121, 0, day, REASON_NOT_YET_VALID},
        {"valid in 120 s", 0, 120, day, MISSING},
        {"valid in 121 s", 0, 121, day, REASON_NOT_YET_VALID},
        {"over 119 s ago", -day, 0, -119, MISSING},
        {"over 120 s ago", -day, 0, -120, REASON_EXPIRED},
        {"over a month ago", -45 * day, 0, -30 * day, REASON_EXPIRED},
        {"over before it begins", -day, -300, -200, REASON_EXPIRED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(freep) char *iat = text_of("%lld", (long long)(c->w->now + rows[i].iat));
        _cleanup_(freep) char *exp = text_of("%lld", (long long)(c->w->now + rows[i].exp));
        _cleanup_(freep) char *nbf = text_of("%lld", (long long)(c->w->now + rows[i].nbf));
        const struct member change[] = {
            {"iat", iat}, {"exp", exp}, {"nbf", rows[i].nbf ? nbf : NULL}, {0}};
        _cleanup_(freep) char *pass = craft_pass(c, NULL, change);

        craft_expect(c, rows[i].name, pass, rows[i].reason);
    }
}

/* ---- step 6 ---- */

/* A status list of the home, newer than any before; index 4711 has that value. */
static void put_list(struct craft *c, unsigned bits, unsigned value, size_t entries, int64_t exp)
{
    static uint8_t bytes[LIMIT_STATUS_ENTRIES / 4];
    size_t n = entries * bits / 8;
    _cleanup_(json_freep) struct json *payload = NULL;
    _cleanup_(buf_clear) struct buf text = {0}, token = {0};
    struct err err = {0};
    int r;

    c->w->now += 10;
    memset(bytes, 0, sizeof(bytes));
    if (entries > 4711)
        assert_int_equal(status_bits_set(bytes, n, bits, 4711, value), 0);
    payload = status_list_payload(HOME, HOME "/status/0", c->w->now, exp ? c->w->now + exp : 0, 0,
                                  bits, bytes, n);
    assert_int_equal(json_write(payload, &text), 0);
    assert_int_equal(jws_sign(c->pass, STATUS_TYP, buf_as_str(&text), &token), 0);
    r = peer_status_received(&c->w->host.thread, HOME, HOME "/status/0", buf_as_str(&token), &err);
    if (r != 0)
        fail_msg("peer_status_received: %d, %s", r, err.text);
}

static void status(struct craft *c)
{
    static const struct {
        const char *name;
        unsigned bits, value;
        size_t entries;
        int64_t exp, later; /* the list's end, and when it is looked at; from its iat */
        enum reason reason;
    } rows[] = {
        {"valid", 2, 0, 32768, 7 * 86400, 0, MISSING},
        {"revoked", 2, 1, 32768, 7 * 86400, 0, REASON_REVOKED},
        {"suspended", 2, 2, 32768, 7 * 86400, 0, REASON_MEMBER_SUSPENDED},
        {"a value that we do not know", 2, 3, 32768, 7 * 86400, 0, REASON_REVOKED},
        {"one bit: valid", 1, 0, 32768, 7 * 86400, 0, MISSING},
        {"one bit: revoked", 1, 1, 32768, 7 * 86400, 0, REASON_REVOKED},
        {"beyond the list", 2, 0, 4704, 7 * 86400, 0, REASON_STATUS_STALE},
        {"the last of the list", 2, 1, 4712, 7 * 86400, 0, REASON_REVOKED},
        {"an empty list", 2, 0, 0, 7 * 86400, 0, REASON_STATUS_STALE},
        {"no end", 2, 0, 32768, 0, 72 * 3600, MISSING},
        {"no end, too old", 2, 0, 32768, 0, 72 * 3600 + 1, REASON_STATUS_STALE},
        {"72 hours old", 2, 0, 32768, 7 * 86400, 72 * 3600, MISSING},
        {"older than 72 hours", 2, 0, 32768, 7 * 86400, 72 * 3600 + 1, REASON_STATUS_STALE},
        {"a second before its end", 2, 0, 32768, 3600, 3599, MISSING},
        {"at its end", 2, 0, 32768, 3600, 3600, REASON_STATUS_STALE},
        {"revoked, however old", 2, 1, 32768, 3600, 20 * 86400, REASON_REVOKED},
        {"suspended, however old", 2, 2, 32768, 3600, 5 * 86400, REASON_MEMBER_SUSPENDED},
    };
    const int64_t start = c->w->now;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t at;

        put_list(c, rows[i].bits, rows[i].value, rows[i].entries, rows[i].exp);
        at = c->w->now;
        c->w->now += rows[i].later;
        expect_now(c, rows[i].name, rows[i].reason);
        c->w->now = at;
    }
    put_list(c, 2, 0, 32768, 7 * 86400);
    assert_true(c->w->now < start + 3600);
}

/* A refusal goes before what asks, and an earlier step before a later one. */
static void order(struct craft *c)
{
    const int64_t start = c->w->now;
    _cleanup_(freep) char *old = craft_pass(c, NULL, NULL);

    put_list(c, 2, 1, 32768, 60);
    c->w->now += 40 * 86400; /* expired, revoked, stale list, stale configuration, no proof */
    craft_expect(c, "all at once", old, REASON_EXPIRED);
    expect_now(c, "revoked, and all that asks", REASON_REVOKED);
    c->w->now = start + 20;
    put_list(c, 2, 0, 32768, 7 * 86400);
}

void verify_issuer(struct craft *c)
{
    unknown(c);
    pinned_by_another(c);
    states(c);
    stale(c);
    times(c);
    status(c);
    order(c);
}

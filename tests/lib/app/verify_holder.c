/* Step 7: the holder's proof. */
#include "lib/app/craft.h"

#include <stdio.h>

#include "app/replay.h"

#define BAD REASON_HOLDER_PROOF_BAD
#define GOOD REASON_NONE

/* The claims and the header of a proof, in every wrong form. */
static const struct {
    bool header;
    const char *name, *value;
    enum reason reason;
} members[] = {
    {true, "alg", "\"ES256\"", GOOD},
    {true, "alg", "\"Ed25519\"", BAD},
    {true, "alg", "\"EdDSA\"", BAD},
    {true, "alg", "\"ES384\"", BAD},
    {true, "alg", "\"none\"", BAD},
    {true, "alg", "\"HS256\"", BAD},
    {true, "alg", "\"\"", BAD},
    {true, "alg", NULL, BAD},
    {true, "alg", "7", BAD},
    {true, "typ", "\"JWT\"", BAD},
    {true, "typ", "\"dc+sd-jwt\"", BAD},
    {true, "typ", "\"KB+JWT\"", BAD},
    {true, "typ", "\"\"", BAD},
    {true, "typ", NULL, BAD},
    {true, "typ", "1", BAD},
    {true, "typ", "\"kb+jwt\",\"typ\":\"kb+jwt\"", BAD},
    {true, "kid", "\"whatever\"", GOOD}, /* the key is the one in cnf, whatever it is called */
    {true, "kid", "1", BAD},
    {true, "crit", "[\"x\"]", BAD},
    {true, "b64", "false", BAD},
    {true, "jwk", "{}", BAD},
    {true, "jku", "\"https://evil.example\"", BAD},
    {true, "x5u", "\"https://evil.example\"", BAD},
    {true, "x5c", "[]", BAD},
    {false, "iat", NULL, BAD},
    {false, "iat", "null", BAD},
    {false, "iat", "true", BAD},
    {false, "iat", "\"1790000000\"", BAD},
    {false, "iat", "1790000000.5", BAD},
    {false, "iat", "[1790000000]", BAD},
    {false, "iat", "{}", BAD},
    {false, "iat", "-1", BAD},
    {false, "iat", "0", BAD},
    {false, "iat", "9007199254740991", BAD},
    {false, "iat", "9007199254740992", BAD},
    {false, "iat", "-9007199254740991", BAD},
    {false, "iat", "1e400", BAD},
    {false, "aud", "\"" HOST "\"", GOOD},
    {false, "aud", "\"urn:comity:any-desk\"", GOOD},
    {false, "aud", "\"" HOME "\"", BAD},
    {false, "aud", "\"" HOST "/\"", BAD},
    {false, "aud", "\"https://BERLIN.example\"", BAD},
    {false, "aud", "[\"" HOST "\"]", BAD},
    {false, "aud", "\"\"", BAD},
    {false, "aud", NULL, BAD},
    {false, "aud", "null", BAD},
    {false, "aud", "7", BAD},
    {false, "aud", "\"" HOST "\",\"aud\":\"" HOST "\"", BAD},
    {false, "nonce", "\"12345678\"", GOOD},
    {false, "nonce", "\"1234567\"", BAD},
    {false, "nonce", "\"0123456789012345678901234567890123456789012345678901234567890123\"", GOOD},
    {false, "nonce", "\"01234567890123456789012345678901234567890123456789012345678901234\"", BAD},
    {false, "nonce", "\"\"", BAD},
    {false, "nonce", "\"1234 5678\"", BAD},
    {false, "nonce", "\"1234\\u00005678\"", BAD},
    {false, "nonce",
     "\"1234\xc3\xa4"
     "5678\"",
     BAD},
    {false, "nonce", "12345678", BAD},
    {false, "nonce", "[\"12345678\"]", BAD},
    {false, "nonce", "null", BAD},
    {false, "nonce", NULL, BAD},
    {false, "sd_hash", "\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"", BAD},
    {false, "sd_hash", "\"\"", BAD},
    {false, "sd_hash", "7", BAD},
    {false, "sd_hash", "null", BAD},
    {false, "sd_hash", "{}", BAD},
    {false, "sd_hash", NULL, BAD},
    {false, "extra", "[[1]]", GOOD},
    {false, "extra", "[[[[[[[[[1]]]]]]]]]", BAD},
    {false, "extra", "{\"a\":1,\"a\":1}", BAD},
    {false, "extra", "\"\\u0000\"", BAD},
    {false, "extra", "1}{", BAD},
};

static void each_member(struct craft *c)
{
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const struct member change[] = {{members[i].name, members[i].value}, {0}};
        _cleanup_(freep) char *name =
            text_of("proof %s: %s", members[i].name, members[i].value ? members[i].value : "none");
        _cleanup_(freep) char *text =
            craft_proof(c, c->w->device, pass, members[i].header ? change : NULL,
                        members[i].header ? NULL : change);

        craft_expect(c, name, text, members[i].reason);
    }
}

static void keys(struct craft *c)
{
    const struct key_pair *const wrong[] = {c->pass, c->federation, c->other_pass, c->stranger};
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        _cleanup_(freep) char *text = craft_proof(c, wrong[i], pass, NULL, NULL);

        craft_expect(c, "proof by another key", text, BAD);
    }
}

static void moments(struct craft *c)
{
    static const struct {
        int64_t iat, started; /* from now; started 0: long ago */
        enum reason reason;
    } rows[] = {
        {0, 0, GOOD},    {-90, 0, GOOD},  {-91, 0, BAD},  {30, 0, GOOD},
        {31, 0, BAD},    {-3600, 0, BAD}, {3600, 0, BAD}, {-10, -10, GOOD},
        {-11, -10, BAD}, {0, 20, BAD},    {20, 20, GOOD},
    };
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(freep) char *iat = text_of("%lld", (long long)(c->w->now + rows[i].iat));
        _cleanup_(freep) char *name = text_of("proof of %lld, start %lld", (long long)rows[i].iat,
                                              (long long)rows[i].started);
        _cleanup_(freep) char *text =
            craft_proof(c, c->w->device, pass, NULL, (struct member[]){{"iat", iat}, {0}});

        c->w->host.app.started_at = rows[i].started ? c->w->now + rows[i].started : 0;
        craft_expect(c, name, text, rows[i].reason);
    }
    c->w->host.app.started_at = 0;
}

/* Whether a proof is needed follows from the pass, not from whether one is there. */
static void cut_off_and_moved(struct craft *c)
{
    char digest[44];
    _cleanup_(freep) char *disclosure = craft_disclosure("[\"s\",\"name\",\"Ana\"]", digest);
    _cleanup_(freep) char *sd = text_of("[\"%s\"]", digest);
    _cleanup_(freep) char *bare = craft_pass(c, NULL, (struct member[]){{"_sd", sd}, {0}});
    _cleanup_(freep) char *pass = text_of("%s%s~", bare, disclosure);
    _cleanup_(freep) char *other = craft_pass(c, NULL, (struct member[]){{"tier", "\"x\""}, {0}});
    _cleanup_(freep) char *printed = craft_pass(c, NULL, (struct member[]){{"cnf", NULL}, {0}});
    _cleanup_(freep) char *good = craft_proof(c, c->w->device, pass, NULL, NULL);
    const char *proof = good + strlen(pass);
    size_t sig = (size_t)(strrchr(proof, '.') - proof) + 1;
    struct {
        const char *name;
        char *text;
        enum reason reason;
    } rows[] = {
        {"as it is", text_of("%s", good), GOOD},
        {"proof cut off", text_of("%s", pass), REASON_HOLDER_PROOF_MISSING},
        {"proof and disclosure cut off", text_of("%s", bare), REASON_HOLDER_PROOF_MISSING},
        {"disclosure cut off", text_of("%s%s", bare, proof), BAD},
        {"on another pass", text_of("%s%s", other, proof), BAD},
        {"a printed pass", text_of("%s", printed), REASON_PRINTED_PASS},
        {"a proof with a printed pass", craft_proof(c, c->w->device, printed, NULL, NULL),
         REASON_PRINTED_PASS},
        {"two dots", text_of("%s..", pass), BAD},
        {"no signature", text_of("%s%.*s", pass, (int)sig, proof), BAD},
        {"half a signature", text_of("%s%.*s", pass, (int)sig + 43, proof), BAD},
        {"more signature", text_of("%sAA", good), BAD},
        {"signature of zeros",
         text_of(
             "%s%.*sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
             "AAAAAAAAAA",
             pass, (int)sig, proof),
         BAD},
        {"a tilde behind it", text_of("%s~", good), REASON_MALFORMED},
        {"two proofs", text_of("%s~%s", good, proof), REASON_MALFORMED},
        {"a dot too many", text_of("%s.", good), BAD},
        {"no dots", text_of("%sAAAA", pass), REASON_MALFORMED},
        {"the pass as its own proof", text_of("%s%.*s", pass, (int)strlen(bare) - 1, bare), BAD},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        craft_expect(c, rows[i].name, rows[i].text, rows[i].reason);
        free(rows[i].text);
    }
}

/* An Ed25519 device, under both names of its algorithm; and a device key that is no point. */
static void other_devices(struct craft *c)
{
    static const char no_point[] =
        "{\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYj"
        "KIWI5a0\",\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}}";
    static const struct {
        const char *alg;
        enum reason reason;
    } rows[] = {
        {"\"Ed25519\"", GOOD}, {"\"EdDSA\"", GOOD}, {"\"ES256\"", BAD}, {"\"ed25519\"", BAD}};
    _cleanup_(key_pair_freep) struct key_pair *device = NULL;
    _cleanup_(json_freep) struct json *jwk = NULL;
    _cleanup_(buf_clear) struct buf cnf = {0};
    _cleanup_(freep) char *pass = NULL, *off = NULL, *text = NULL;

    assert_int_equal(key_pair_generate(KEY_ED25519, &device), 0);
    jwk = jwk_bare(key_pair_public(device));
    buf_z(&cnf, "{\"jwk\":");
    json_write(jwk, &cnf);
    assert_int_equal(buf_z(&cnf, "}"), 0);
    pass = craft_pass(c, NULL, (struct member[]){{"cnf", cnf.p}, {0}});
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(freep) char *one =
            craft_proof(c, device, pass, (struct member[]){{"alg", rows[i].alg}, {0}}, NULL);

        craft_expect(c, "Ed25519 device", one, rows[i].reason);
    }
    off = craft_pass(c, NULL, (struct member[]){{"cnf", no_point}, {0}});
    text = craft_proof(c, c->w->device, off, NULL, NULL);
    craft_expect(c, "a device key that is no point", text, BAD);
}

struct elsewhere {
    struct world *w;
    const char *text, *desk;
    enum reason reason;
    enum verdict verdict;
};

/* Another loop: its own verifier, the space's one replay cache. */
static void *look_elsewhere(void *arg)
{
    struct elsewhere *e = arg;
    struct app_thread t = e->w->host.thread;
    const struct verify_request req = {.text = str_of(e->text), .desk = e->desk};
    struct verify_answer a;

    t.verifier = NULL;
    if (verifier_new(4, &t.verifier) != 0 ||
        verify_presentation(&t, e->w->host.space, &req, &a) != 0)
        return NULL;
    e->reason = a.verdict.n_reasons > 0 ? a.verdict.reasons[0].reason : REASON_NONE;
    e->verdict = a.verdict.verdict;
    verify_answer_clear(&a);
    verifier_free(t.verifier);
    return arg;
}

static enum reason on_another_thread(struct craft *c, const char *text, const char *desk)
{
    struct elsewhere e = {c->w, text, desk, REASON_COUNT, VERDICT_ADMIT};
    pthread_t thread;
    void *done;

    assert_int_equal(pthread_create(&thread, NULL, look_elsewhere, &e), 0);
    pthread_join(thread, &done);
    assert_ptr_equal(done, &e);
    if (e.reason == REASON_REPLAYED) {
        assert_int_equal(e.verdict, VERDICT_REFUSE);
        c->seen[e.reason] = true;
    }
    return e.reason;
}

static void replays(struct craft *c)
{
    const struct member nonce[] = {{"nonce", "\"shown-once\""}, {0}};
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL);
    _cleanup_(freep) char *text = craft_proof(c, c->w->device, pass, NULL, nonce);
    _cleanup_(freep) char *flipped = text_of("%s", text), *other = NULL;
    enum verdict verdict;

    craft_flip(flipped);
    assert_string_not_equal(text, flipped);
    craft_expect(c, "first shown", text, GOOD);
    craft_expect(c, "again at that desk", text, GOOD);
    craft_expect(c, "again at that desk, as (r, n - s)", flipped, GOOD);
    assert_int_equal(world_ask(c->w, text, OTHER_DESK, &verdict), REASON_REPLAYED);
    assert_int_equal(verdict, VERDICT_REFUSE);
    assert_int_equal(world_ask(c->w, flipped, OTHER_DESK, NULL), REASON_REPLAYED);
    assert_int_equal(on_another_thread(c, text, DESK), GOOD);
    assert_int_equal(on_another_thread(c, text, OTHER_DESK), REASON_REPLAYED);
    assert_int_equal(on_another_thread(c, flipped, OTHER_DESK), REASON_REPLAYED);

    /* an unseen proof whose other form is shown first */
    other = craft_proof(c, c->w->device, pass, NULL,
                        (struct member[]){{"nonce", "\"never-seen\""}, {0}});
    craft_flip(other);
    craft_expect(c, "(r, n - s) first", other, GOOD);
    craft_flip(other);
    assert_int_equal(world_ask(c->w, other, OTHER_DESK, NULL), REASON_REPLAYED);

    /* the last second at which it would be good still finds it */
    c->w->now += LIMIT_PROOF_AGE;
    assert_int_equal(world_ask(c->w, text, OTHER_DESK, NULL), REASON_REPLAYED);
    c->w->now++;
    assert_int_equal(world_ask(c->w, text, OTHER_DESK, NULL), BAD);
}

void verify_holder(struct craft *c)
{
    each_member(c);
    keys(c);
    moments(c);
    cut_off_and_moved(c);
    other_devices(c);
    replays(c);
}

#include "lib/app/craft.h"

#include <stdio.h>

#include "base/b64.h"
#include "crypto/digest.h"

char *text_of(const char *fmt, ...)
{
    struct buf out = {0};
    char text[16384];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    assert_in_range(n, 0, sizeof(text) - 1);
    assert_int_equal(buf_add(&out, text, (size_t)n), 0);
    return buf_take(&out);
}

struct craft *craft_open(struct world *w)
{
    struct craft *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->w = w;
    c->pass = side_key(&w->home, "pass");
    c->federation = side_key(&w->home, "federation");
    c->other_pass = side_key(&w->host, "pass");
    assert_int_equal(key_pair_generate(KEY_P256, &c->stranger), 0);
    assert_int_equal(jwk_thumbprint(key_pair_public(c->pass), c->kid), 0);
    return c;
}

void craft_close(struct craft *c)
{
    key_pair_free(c->pass);
    key_pair_free(c->federation);
    key_pair_free(c->other_pass);
    key_pair_free(c->stranger);
    free(c);
}

static void put(struct buf *out, const struct member *m)
{
    if (m->value)
        buf_printf(out, "%s\"%s\":%s", out->n > 1 ? "," : "", m->name, m->value);
}

static bool changes(const struct member *change, const char *name)
{
    for (; change && change->name; change++)
        if (strcmp(change->name, name) == 0)
            return true;
    return false;
}

char *craft_object(const struct member *members, const struct member *change)
{
    struct buf out = {0};

    buf_ch(&out, '{');
    for (; members->name; members++)
        if (!changes(change, members->name))
            put(&out, members);
    for (; change && change->name; change++)
        put(&out, change);
    assert_int_equal(buf_ch(&out, '}'), 0);
    return buf_take(&out);
}

char *craft_header(const struct craft *c, const struct member *change)
{
    char kid[64];

    snprintf(kid, sizeof(kid), "\"%s\"", c->kid);
    const struct member members[] = {
        {"alg", "\"ES256\""}, {"typ", "\"dc+sd-jwt\""}, {"kid", kid}, {0}};
    return craft_object(members, change);
}

char *craft_payload(const struct craft *c, const struct member *change)
{
    _cleanup_(json_freep) struct json *jwk = jwk_bare(key_pair_public(c->w->device));
    _cleanup_(buf_clear) struct buf cnf = {0};
    char iat[24], exp[24];

    buf_z(&cnf, "{\"jwk\":");
    json_write(jwk, &cnf);
    assert_int_equal(buf_z(&cnf, "}"), 0);
    snprintf(iat, sizeof(iat), "%lld", (long long)c->w->now);
    snprintf(exp, sizeof(exp), "%lld", (long long)c->w->now + 86400);
    const struct member members[] = {
        {"iss", "\"" HOME "\""},
        {"vct", "\"urn:coworking:pass:1\""},
        {"iat", iat},
        {"exp", exp},
        {"sub", "\"h7Jx2kQ9vT4mW1aZ\""},
        {"tier", "\"member\""},
        {"status", "{\"status_list\":{\"idx\":4711,\"uri\":\"" HOME "/status/0\"}}"},
        {"cnf", cnf.p},
        {0},
    };
    return craft_object(members, change);
}

static void b64_into(struct buf *out, const char *text)
{
    assert_int_equal(b64_append(out, text, strlen(text)), 0);
}

char *craft_b64(const char *text)
{
    struct buf out = {0};

    b64_into(&out, text);
    return buf_take(&out);
}

static void signing_input(struct buf *out, const char *header, const char *payload)
{
    b64_into(out, header);
    buf_ch(out, '.');
    b64_into(out, payload);
}

char *craft_with_signature(const char *header, const char *payload, const void *sig, size_t n)
{
    struct buf out = {0};

    signing_input(&out, header, payload);
    buf_ch(&out, '.');
    if (n > 0)
        b64_append(&out, sig, n);
    assert_int_equal(buf_error(&out), 0);
    return buf_take(&out);
}

char *craft_jws(const struct key_pair *key, const char *header, const char *payload)
{
    _cleanup_(buf_clear) struct buf input = {0};
    uint8_t sig[SIG_LEN];

    signing_input(&input, header, payload);
    assert_int_equal(sign_bytes(key, input.p, input.n, sig), 0);
    return craft_with_signature(header, payload, sig, sizeof(sig));
}

char *craft_pass(const struct craft *c, const struct member *header, const struct member *payload)
{
    _cleanup_(freep) char *h = craft_header(c, header), *p = craft_payload(c, payload);
    _cleanup_(freep) char *jws = craft_jws(c->pass, h, p);

    return text_of("%s~", jws);
}

char *craft_disclosure(const char *array, char digest[static 44])
{
    char *text = craft_b64(array);
    uint8_t hash[SHA256_LEN];

    assert_int_equal(sha256(text, strlen(text), hash), 0);
    b64_encode(hash, sizeof(hash), digest);
    digest[43] = '\0';
    return text;
}

char *craft_proof(const struct craft *c, const struct key_pair *key, const char *issued,
                  const struct member *header, const struct member *payload)
{
    uint8_t hash[SHA256_LEN];
    char digest[44] = "", iat[24], sd_hash[50];
    const struct member head[] = {{"alg", "\"ES256\""}, {"typ", "\"kb+jwt\""}, {0}};
    _cleanup_(freep) char *h = craft_object(head, header), *p = NULL, *jws = NULL;

    assert_int_equal(sha256(issued, strlen(issued), hash), 0);
    b64_encode(hash, sizeof(hash), digest);
    snprintf(sd_hash, sizeof(sd_hash), "\"%s\"", digest);
    snprintf(iat, sizeof(iat), "%lld", (long long)c->w->now);
    const struct member claims[] = {{"iat", iat},
                                    {"aud", "\"" HOST "\""},
                                    {"nonce", "\"nonce-0001\""},
                                    {"sd_hash", sd_hash},
                                    {0}};
    p = craft_object(claims, payload);
    jws = craft_jws(key, h, p);
    return text_of("%s%s", issued, jws);
}

/* n - s, big endian: FIPS 186-4 D.1.2.3 gives n. */
static void subtract_from_order(uint8_t s[static 32])
{
    static const uint8_t order[32] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
        0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    };
    int borrow = 0;

    for (int i = 31; i >= 0; i--) {
        int d = order[i] - s[i] - borrow;

        borrow = d < 0;
        s[i] = (uint8_t)(d & 0xFF);
    }
}

void craft_flip(char *text)
{
    char *at = strrchr(text, '.') + 1;
    uint8_t sig[SIG_LEN];
    size_t n = strcspn(at, "~");

    assert_int_equal(b64_decode_exact((struct str){at, n}, sig, sizeof(sig)), 0);
    subtract_from_order(sig + 32);
    b64_encode(sig, sizeof(sig), at);
}

void craft_expect_bytes(struct craft *c, const char *name, struct str text, enum reason reason)
{
    const struct verify_request req = {.text = text, .desk = DESK, .explain = true};
    enum verdict verdict = reason_info(reason)->verdict;
    struct verify_answer a;
    enum reason got;
    int r = verify_presentation(&c->w->host.thread, c->w->host.space, &req, &a);

    if (r != 0)
        fail_msg("%s: verify_presentation gave %d", name, r);
    got = a.verdict.n_reasons > 0 ? a.verdict.reasons[0].reason : REASON_NONE;
    if (got != reason || a.verdict.verdict != verdict) {
        print_error("%s: %s, %s (%s); expected %s, %s\n", name, verdict_name(a.verdict.verdict),
                    reason_info(got)->code, a.problem, verdict_name(verdict),
                    reason_info(reason)->code);
        c->failed++;
    }
    /* What the home did not sign is never shown as if it had. */
    if (reason == REASON_BAD_SIGNATURE || reason == REASON_MALFORMED)
        assert_false(a.genuine);
    c->seen[reason] = true;
    c->rows++;
    verify_answer_clear(&a);
}

void craft_expect(struct craft *c, const char *name, const char *text, enum reason reason)
{
    craft_expect_bytes(c, name, str_of(text), reason);
}

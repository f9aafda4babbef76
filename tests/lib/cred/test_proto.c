/* The examples of proto/pass.md, proto/status-list.md and proto/stamp.md are what they say. */
#include "lib/cred/fixture.h"

#include <stdio.h>

#include "cred/keybind.h"
#include "cred/qr.h"
#include "cred/stamp.h"
#include "cred/status_list.h"
#include "jose/jwk.h"

#define THEN 1790000000

static struct key_pair *pair_of(int byte)
{
    struct key_pair *pair = NULL;
    uint8_t secret[32];

    memset(secret, byte, sizeof(secret));
    assert_int_equal(key_pair_from_secret(KEY_P256, secret, &pair), 0);
    return pair;
}

static struct key key_of(int byte)
{
    _cleanup_(key_pair_freep) struct key_pair *pair = pair_of(byte);

    return *key_pair_public(pair);
}

static char *read_page(const char *page)
{
    struct buf text = {0};
    char path[512], chunk[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", COMITY_PROTO_DIR, page);
    f = fopen(path, "r");
    if (!f)
        fail_msg("%s cannot be read", path);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        assert_int_equal(buf_add(&text, chunk, n), 0);
    fclose(f);
    return buf_take(&text);
}

/* The content of the page's i-th block that is fenced as ```kind; tokens lose their line breaks. */
static char *block(const char *page, const char *kind, unsigned i)
{
    _cleanup_(freep) char *text = read_page(page);
    struct buf out = {0};
    char fence[32];
    const char *at = text, *end;

    snprintf(fence, sizeof(fence), "\n```%s\n", kind);
    for (unsigned k = 0; k <= i; k++) {
        at = strstr(at, fence);
        if (!at)
            fail_msg("%s has no block %s, number %u", page, kind, k);
        at += strlen(fence);
    }
    end = strstr(at, "\n```");
    assert_non_null(end);
    for (; at < end; at++)
        if (*at != '\n' || strcmp(kind, "json") == 0)
            buf_ch(&out, *at);
    return buf_take(&out);
}

static void assert_json(const char *page, unsigned i, const struct json *is)
{
    _cleanup_(freep) char *text = block(page, "json", i);
    _cleanup_(json_freep) struct json *want = fixture_json(text);

    if (!json_equal(want, is))
        fail_msg("%s: JSON block %u is not what the token holds", page, i);
}

static void test_pass(void **state)
{
    struct fixture *f = *state;
    struct key issuer = key_of(0x22), device = key_of(0x33);
    _cleanup_(freep) char *pass = block("pass.md", "pass", 0);
    _cleanup_(freep) char *shown = block("pass.md", "presentation", 0);
    _cleanup_(buf_clear) struct buf kept = {0};
    static const char *const keep[] = {"name"};
    struct keybind proof;
    struct sdjwt s;
    struct pass p;

    assert_int_equal(sdjwt_parse(str_of(pass), PASS_TYP, &s, NULL), 0);
    assert_int_equal(jws_check(f->verifier, &s.issuer, &issuer), 0);
    assert_int_equal(pass_read(&s, &p, NULL), 0);
    assert_json("pass.md", 1, s.payload);
    assert_int_equal(p.iat, THEN);
    assert_string_equal(p.name, "Ana Sousa");
    assert_true(p.bound && key_equal(&p.device, &device));
    sdjwt_clear(&s);

    assert_int_equal(sdjwt_present(str_of(pass), keep, 1, &kept, NULL), 0);
    assert_true(str_starts(str_of(shown), buf_as_str(&kept)));
    assert_int_equal(sdjwt_parse(str_of(shown), PASS_TYP, &s, NULL), 0);
    assert_int_equal(keybind_check(f->verifier, &s, &device, "https://berlin.example", THEN + 3600,
                                   0, &proof, NULL),
                     0);
    assert_null(sdjwt_disclosed(&s, "member_since"));
    sdjwt_clear(&s);
}

static void test_qr(void **state)
{
    _cleanup_(buf_clear) struct buf out = {0};
    _cleanup_(freep) char *text = read_page("pass.md");

    assert_int_equal(qr_text("https://lisbon.example", STR("eyJh"), &out), 0);
    assert_non_null(strstr(text, out.p));
}

static void test_status_list(void **state)
{
    struct fixture *f = *state;
    struct key issuer = key_of(0x22);
    _cleanup_(freep) char *token = block("status-list.md", "status-list", 0);
    _cleanup_(json_freep) struct json *payload = NULL;
    struct status_list l;
    unsigned value, seen[4] = {0};
    struct jws jws;

    assert_int_equal(jws_parse(str_of(token), STATUS_TYP, LIMIT_STATUS_TOKEN, &jws, NULL), 0);
    assert_int_equal(jws_check(f->verifier, &jws, &issuer), 0);
    payload = fixture_json(jws.payload.p);
    assert_json("status-list.md", 1, payload);
    assert_int_equal(status_list_read(&jws, &l, NULL), 0);
    for (uint32_t i = 0; i < LIMIT_STATUS_ENTRIES; i++) {
        assert_int_equal(status_list_get(&l, i, &value), 0);
        assert_int_equal(value, i == 4711 ? STATUS_INVALID : i == 12 ? STATUS_SUSPENDED : 0);
        seen[value]++;
    }
    assert_int_equal(seen[STATUS_VALID], LIMIT_STATUS_ENTRIES - 2);
    status_list_clear(&l);
    jws_clear(&jws);
}

static void test_stamp(void **state)
{
    struct fixture *f = *state;
    struct key host = key_of(0x44), home = key_of(0x11), device = key_of(0x33);
    _cleanup_(freep) char *text = block("stamp.md", "stamp", 0);
    _cleanup_(freep) char *receipt_text = block("stamp.md", "receipt", 0);
    _cleanup_(json_freep) struct json *backing = NULL, *payload = NULL;
    char thumbprint[THUMBPRINT_LEN + 1];
    struct jws stamp_jws, receipt_jws;
    struct receipt receipt;
    struct stamp stamp;
    uint8_t digest[32];

    assert_int_equal(jws_parse(str_of(text), STAMP_TYP, LIMIT_STAMP, &stamp_jws, NULL), 0);
    assert_int_equal(jws_check(f->verifier, &stamp_jws, &host), 0);
    assert_int_equal(stamp_read(&stamp_jws, &stamp, &backing, NULL), 0);
    assert_json("stamp.md", 1, backing);
    assert_int_equal(jwk_thumbprint(&device, thumbprint), 0);
    assert_string_equal(stamp.device, thumbprint);

    assert_int_equal(jws_parse(str_of(receipt_text), RECEIPT_TYP, LIMIT_STAMP, &receipt_jws, NULL),
                     0);
    assert_int_equal(jws_check(f->verifier, &receipt_jws, &home), 0);
    assert_int_equal(receipt_read(&receipt_jws, &receipt, NULL), 0);
    payload = fixture_json(receipt_jws.payload.p);
    assert_json("stamp.md", 3, payload);
    assert_int_equal(jws_digest(&stamp_jws, digest), 0);
    assert_memory_equal(receipt.digest, digest, sizeof(digest));
    jws_clear(&stamp_jws);
    jws_clear(&receipt_jws);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_pass),
        T(test_qr),
        T(test_status_list),
        T(test_stamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "lib/cred/fixture.h"

#include <errno.h>

#include "base/b64.h"
#include "cred/keybind.h"
#include "crypto/digest.h"

/* Checks `text` (a presentation) at NOW for HOST. */
static int check_as(struct fixture *f, const char *text, const struct key *device, int64_t now,
                    int64_t not_before, struct keybind *out, struct err *err)
{
    struct sdjwt s;
    int r;

    assert_int_equal(sdjwt_parse(str_of(text), PASS_TYP, &s, err), 0);
    r = keybind_check(f->verifier, &s, device, HOST, now, not_before, out, err);
    sdjwt_clear(&s);
    return r;
}

static char *pass_text(struct fixture *f)
{
    struct pass p = fixture_pass(f);

    return fixture_issue(f, &p, 0);
}

static char *present(const struct key_pair *device, const char *issued, const char *audience,
                     int64_t iat)
{
    struct buf out = {0};

    assert_int_equal(keybind_present(device, str_of(issued), audience, "nonce-1234", iat, &out), 0);
    return buf_take(&out);
}

static void test_good(void **state)
{
    struct fixture *f = *state;
    const struct key *device = key_pair_public(f->device), *other = key_pair_public(f->other);
    _cleanup_(freep) char *issued = pass_text(f), *a = NULL, *b = NULL, *c = NULL;
    struct keybind k;
    struct err err = {0};

    a = present(f->device, issued, HOST, NOW);
    assert_int_equal(check_as(f, a, device, NOW, 0, &k, &err), 0);
    assert_int_equal(k.iat, NOW);
    assert_string_equal(k.nonce, "nonce-1234");
    assert_false(k.any_desk);

    b = present(f->device, issued, KEYBIND_ANY_DESK, NOW);
    assert_int_equal(check_as(f, b, device, NOW, 0, &k, &err), 0);
    assert_true(k.any_desk);

    c = present(f->other, issued, HOST, NOW); /* an Ed25519 device */
    assert_int_equal(check_as(f, c, other, NOW, 0, &k, &err), 0);
    assert_int_equal(check_as(f, c, device, NOW, 0, &k, &err), KEYBIND_E_MALFORMED);
    assert_int_equal(check_as(f, a, other, NOW, 0, &k, &err), KEYBIND_E_MALFORMED);
    assert_non_null(strstr(err.text, "alg ES256"));
}

static void test_time(void **state)
{
    struct fixture *f = *state;
    const struct key *device = key_pair_public(f->device);
    _cleanup_(freep) char *issued = pass_text(f), *text = present(f->device, issued, HOST, NOW);
    struct keybind k;

    assert_int_equal(check_as(f, text, device, NOW + 90, 0, &k, NULL), 0);
    assert_int_equal(check_as(f, text, device, NOW + 91, 0, &k, NULL), KEYBIND_E_TIME);
    assert_int_equal(check_as(f, text, device, NOW - 30, 0, &k, NULL), 0);
    assert_int_equal(check_as(f, text, device, NOW - 31, 0, &k, NULL), KEYBIND_E_TIME);
    assert_int_equal(check_as(f, text, device, NOW, NOW, &k, NULL), 0);
    assert_int_equal(check_as(f, text, device, NOW, NOW + 1, &k, NULL), KEYBIND_E_TIME);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    const struct key *device = key_pair_public(f->device);
    _cleanup_(freep) char *issued = pass_text(f), *second = pass_text(f);
    _cleanup_(freep) char *foreign = NULL, *stolen = NULL, *text = NULL;
    _cleanup_(buf_clear) struct buf moved = {0}, fewer = {0};
    struct keybind k = {.iat = 42};
    struct err err = {0};

    assert_int_equal(check_as(f, issued, device, NOW, 0, &k, &err), KEYBIND_E_MALFORMED);
    assert_non_null(strstr(err.text, "no holder proof"));
    foreign = present(f->device, issued, "https://porto.example", NOW);
    assert_int_equal(check_as(f, foreign, device, NOW, 0, &k, &err), KEYBIND_E_AUDIENCE);
    stolen = present(f->issuer, issued, HOST, NOW);
    assert_int_equal(check_as(f, stolen, device, NOW, 0, &k, &err), KEYBIND_E_SIGNATURE);

    /* The proof of one pass under another, and under the same with a disclosure cut off. */
    text = present(f->device, issued, HOST, NOW);
    buf_z(&moved, second);
    buf_z(&moved, strrchr(text, '~') + 1);
    assert_int_equal(check_as(f, moved.p, device, NOW, 0, &k, &err), KEYBIND_E_HASH);
    buf_add(&fewer, text, (size_t)(strchr(text, '~') - text));
    buf_z(&fewer, strrchr(text, '~'));
    assert_int_equal(check_as(f, fewer.p, device, NOW, 0, &k, &err), KEYBIND_E_HASH);
    assert_int_equal(k.iat, 42); /* untouched */
}

/* A proof over `issued` whose payload is what the test wants; NULL leaves a member out. */
struct wanted {
    const char *iat, *aud, *nonce, *sd_hash, *more;
};

static char *forge(struct fixture *f, const char *issued, const char *typ, const struct wanted *w)
{
    struct buf payload = {0}, out = {0};
    uint8_t hash[SHA256_LEN];
    char right[B64_LEN(SHA256_LEN) + 3];

    assert_int_equal(sha256(issued, strlen(issued), hash), 0);
    right[0] = '"';
    b64_encode(hash, sizeof(hash), right + 1);
    strcpy(right + 44, "\"");
    buf_printf(&payload, "{\"x\":[1]");
    if (w->iat)
        buf_printf(&payload, ",\"iat\":%s", w->iat);
    if (w->aud)
        buf_printf(&payload, ",\"aud\":%s", w->aud);
    if (w->nonce)
        buf_printf(&payload, ",\"nonce\":%s", w->nonce);
    if (w->sd_hash)
        buf_printf(&payload, ",\"sd_hash\":%s", *w->sd_hash ? w->sd_hash : right);
    buf_printf(&payload, "%s}", w->more ? w->more : "");
    buf_z(&out, issued);
    assert_int_equal(jws_sign(f->device, typ, buf_as_str(&payload), &out), 0);
    buf_clear(&payload);
    return buf_take(&out);
}

#define IAT "1795000000"
#define AUD "\"" HOST "\""
#define NONCE "\"12345678\""

static void test_claims(void **state)
{
    static const struct {
        struct wanted w;
        int want;
        const char *word;
    } rows[] = {
        {{IAT, AUD, NONCE, "", NULL}, 0, ""},
        {{IAT, AUD, NONCE, "", ",\"exp\":1,\"y\":null"}, 0, ""}, /* not ours to judge */
        {{NULL, AUD, NONCE, "", NULL}, KEYBIND_E_MALFORMED, "iat"},
        {{"\"1\"", AUD, NONCE, "", NULL}, KEYBIND_E_MALFORMED, "iat"},
        {{"1.5", AUD, NONCE, "", NULL}, KEYBIND_E_MALFORMED, "iat"},
        {{"-1", AUD, NONCE, "", NULL}, KEYBIND_E_MALFORMED, "iat"},
        {{"9007199254740993", AUD, NONCE, "", NULL}, KEYBIND_E_MALFORMED, ""},
        {{IAT, NULL, NONCE, "", NULL}, KEYBIND_E_MALFORMED, "aud"},
        {{IAT, "[" AUD "]", NONCE, "", NULL}, KEYBIND_E_MALFORMED, "aud"},
        {{IAT, "\"\"", NONCE, "", NULL}, KEYBIND_E_MALFORMED, "aud"},
        {{IAT, AUD, NULL, "", NULL}, KEYBIND_E_MALFORMED, "nonce"},
        {{IAT, AUD, "12345678", "", NULL}, KEYBIND_E_MALFORMED, "nonce"},
        {{IAT, AUD, "\"1234567\"", "", NULL}, KEYBIND_E_MALFORMED, "nonce"},
        {{IAT, AUD, "\"1234 678\"", "", NULL}, KEYBIND_E_MALFORMED, "nonce"},
        {{IAT, AUD, "\"1234567\\n\"", "", NULL}, KEYBIND_E_MALFORMED, "nonce"},
        {{IAT, AUD, "\"1234567é\"", "", NULL}, KEYBIND_E_MALFORMED, "nonce"},
        {{IAT, AUD, "\"0123456789012345678901234567890123456789012345678901234567890123\"", "",
          NULL},
         0,
         ""},
        {{IAT, AUD, "\"01234567890123456789012345678901234567890123456789012345678901234\"", "",
          NULL},
         KEYBIND_E_MALFORMED,
         "nonce"},
        {{IAT, AUD, NONCE, NULL, NULL}, KEYBIND_E_MALFORMED, "sd_hash"},
        {{IAT, AUD, NONCE, "1", NULL}, KEYBIND_E_MALFORMED, "sd_hash"},
        {{IAT, AUD, NONCE, "\"x\"", NULL}, KEYBIND_E_HASH, "another presentation"},
        {{IAT, AUD, NONCE, "", ",\"iat\":" IAT}, KEYBIND_E_MALFORMED, ""}, /* twice */
    };
    struct fixture *f = *state;
    _cleanup_(freep) char *issued = pass_text(f);
    struct keybind k;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(freep) char *text = forge(f, issued, KEYBIND_TYP, &rows[i].w);
        struct err err = {0};
        int r = check_as(f, text, key_pair_public(f->device), NOW, 0, &k, &err);

        if (r != rows[i].want || !strstr(err.text, rows[i].word))
            fail_msg("row %zu gives %d, \"%s\"", i, r, err.text);
    }
}

static void test_form(void **state)
{
    static const char *const proofs[] = {"a.b.c", "..", "a.b.c.d", "e30.e30.", "e30.e30.e30"};
    struct fixture *f = *state;
    _cleanup_(freep) char *issued = pass_text(f), *other_typ = NULL;
    struct wanted good = {IAT, AUD, NONCE, "", NULL};
    struct keybind k;
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_SIZE(proofs); i++) {
        _cleanup_(buf_clear) struct buf text = {0};

        buf_z(&text, issued);
        buf_z(&text, proofs[i]);
        assert_int_equal(check_as(f, text.p, key_pair_public(f->device), NOW, 0, &k, &err),
                         KEYBIND_E_MALFORMED);
    }
    other_typ = forge(f, issued, "JWT", &good);
    assert_int_equal(check_as(f, other_typ, key_pair_public(f->device), NOW, 0, &k, &err),
                     KEYBIND_E_MALFORMED);
}

static void test_present_refuses(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buf_clear) struct buf out = {0};

    assert_int_equal(keybind_present(f->device, STR("a.b.c"), HOST, "nonce-1234", NOW, &out),
                     -EINVAL);
    assert_int_equal(keybind_present(f->device, STR("a.b.c~"), HOST, "short", NOW, &out), -EINVAL);
    assert_int_equal(keybind_present(f->device, (struct str){0}, HOST, "nonce-1234", NOW, &out),
                     -EINVAL);
    assert_int_equal(out.n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_good),   T(test_time), T(test_refused),
        T(test_claims), T(test_form), T(test_present_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

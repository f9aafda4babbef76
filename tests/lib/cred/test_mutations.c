/* A presentation with one to four changes is read or refused, and never does anything else. */
#include "lib/cred/fixture.h"

#include "cred/keybind.h"
#include "cred/qr.h"

#define CASES 20000

static size_t mutate(struct rand *r, char *text, size_t n, size_t cap)
{
    static const char likely[] = "~.\"{}[]:,\\=-_0A\n\xff";
    uint32_t at, what, c;

    if (n == 0) /* truncated and cut: nothing is left to change */
        return 0;
    rand_below(r, (uint32_t)n, &at);
    rand_below(r, 5, &what);
    rand_below(r, sizeof(likely), &c);
    switch (what) {
    case 0:
        text[at] = likely[c];
        return n;
    case 1: /* one bit */
        text[at] = (char)(text[at] ^ 1 << c % 8);
        return n;
    case 2: /* cut */
        memmove(text + at, text + at + 1, n - at - 1);
        return n - 1;
    case 3: /* insert */
        if (n == cap)
            return n;
        memmove(text + at + 1, text + at, n - at);
        text[at] = likely[c];
        return n + 1;
    default: /* truncate */
        return at + 1;
    }
}

/* Changes inside a part that is signed over, made by re-signing: the payload's JSON. */
static char *resigned(struct fixture *f, struct rand *r, struct str payload, struct str tail)
{
    char text[2048];
    size_t n = payload.n;

    memcpy(text, payload.p, n);
    n = mutate(r, text, n, sizeof(text));
    return fixture_sign(f, PASS_TYP, (struct str){text, n}, tail);
}

static bool try(struct fixture *f, struct str text)
{
    _cleanup_(buf_clear) struct buf token = {0};
    _cleanup_(json_freep) struct json *claims = NULL;
    struct keybind k;
    struct pass p = {0};
    struct err err;
    struct sdjwt s;
    int r;

    qr_read(text, &token, &err);
    r = sdjwt_parse(text, PASS_TYP, &s, &err);
    assert_true(r >= 0);
    if (r)
        return false;
    claims = sdjwt_claims(&s);
    assert_non_null(claims);
    r = pass_read(&s, &p, &err);
    assert_true(r >= 0);
    if (s.proof.n && p.bound)
        assert_true(keybind_check(f->verifier, &s, &p.device, HOST, NOW, 0, &k, &err) >= 0);
    sdjwt_clear(&s);
    return r == 0;
}

static void test_text(void **state)
{
    struct fixture *f = *state;
    struct pass p = fixture_pass(f);
    _cleanup_(freep) char *issued = fixture_issue(f, &p, 1700000000);
    _cleanup_(buf_clear) struct buf whole = {0};
    uint32_t changes;
    struct rand r;
    char text[4096];

    rand_seeded(&r, fixture_seed("mutations of the text"));
    assert_int_equal(keybind_present(f->device, str_of(issued), HOST, "nonce-1234", NOW, &whole),
                     0);
    assert_true(try(f, buf_as_str(&whole)));
    for (unsigned i = 0; i < CASES; i++) {
        size_t n = whole.n;

        memcpy(text, whole.p, n);
        rand_below(&r, 4, &changes);
        for (uint32_t k = 0; k <= changes; k++)
            n = mutate(&r, text, n, sizeof(text));
        try(f, (struct str){text, n});
    }
}

static void test_payload(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *payload = NULL;
    _cleanup_(buf_clear) struct buf tail = {0}, text = {0};
    struct rand r;

    rand_seeded(&r, fixture_seed("mutations of the payload"));
    payload = fixture_payload(f, &tail);
    json_write(payload, &text);
    for (unsigned i = 0; i < CASES / 10; i++) {
        _cleanup_(freep) char *token = resigned(f, &r, buf_as_str(&text), buf_as_str(&tail));

        try(f, str_of(token));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_payload, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Whatever happens to the text of a presentation: what is not refused is a presentation that was
 * really made, with nothing but whole disclosures or the whole proof left out.
 */
#include "lib/app/fixture.h"

#include <stdio.h>

#include "base/b64.h"
#include "cred/keybind.h"
#include "cred/qr.h"

#define CASES 20000
#define TEXT_MAX 9000

/* What was made: each is "<JWT>~<disclosures>~<proof or nothing>". */
struct made {
    char *texts[4];
    size_t n;
    struct rand rand;
    unsigned refused, asked, admitted;
};

static uint32_t below(struct made *m, size_t bound)
{
    uint32_t n = 0;

    if (bound > 1)
        rand_below(&m->rand, (uint32_t)bound, &n);
    return n;
}

static const char *any(struct made *m)
{
    return m->texts[below(m, m->n)];
}

/* A place to cut at: anywhere, or before or behind a '~' or a '.'. */
static size_t place(struct made *m, const char *text, size_t n)
{
    size_t at = below(m, n + 1);

    if (below(m, 2) == 0)
        return at;
    while (at < n && text[at] != '~' && text[at] != '.')
        at++;
    return at < n ? at + below(m, 2) : at;
}

struct text {
    char p[TEXT_MAX];
    size_t n;
};

static void put(struct text *t, size_t at, size_t drop, const char *with, size_t n)
{
    if (t->n - drop + n > sizeof(t->p))
        return;
    memmove(t->p + at + n, t->p + at + drop, t->n - at - drop);
    memcpy(t->p + at, with, n);
    t->n = t->n - drop + n;
}

static void change(struct made *m, struct text *t)
{
    static const char likely[] = "~.-_=+/ \nAZaz09\xff";
    size_t at = place(m, t->p, t->n), to = place(m, t->p, t->n);
    const char *other = any(m);
    size_t n = strlen(other), from = place(m, other, n), end = place(m, other, n);
    char c = likely[below(m, sizeof(likely))]; /* its NUL too */

    if (to < at) {
        size_t swap = at;
        at = to;
        to = swap;
    }
    if (end < from)
        end = from;
    switch (below(m, 7)) {
    case 0: /* one bit */
        if (at < t->n)
            t->p[at] = (char)(t->p[at] ^ 1 << below(m, 8));
        break;
    case 1:
        put(t, at, at < t->n, &c, 1);
        break;
    case 2:
        put(t, at, 0, &c, 1);
        break;
    case 3: /* cut out */
        put(t, at, to - at, "", 0);
        break;
    case 4: /* cut off */
        t->n = at;
        break;
    case 5: /* a piece of another in place of one of this */
        put(t, at, to - at, other + from, end - from);
        break;
    default: /* the head of this, the tail of another */
        t->n = at;
        put(t, at, 0, other + from, n - from);
        break;
    }
}

static bool same(struct str a, struct str b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* Whether every disclosure of `s` is one of `of`. */
static bool discloses_no_more(const struct sdjwt *s, const struct sdjwt *of)
{
    for (size_t i = 0; i < s->n_disclosures; i++) {
        bool found = false;

        for (size_t k = 0; k < of->n_disclosures; k++)
            found |= same(s->disclosures[i].text, of->disclosures[k].text);
        if (!found)
            return false;
    }
    return true;
}

/* The JWT with its signature is the very one; a proof that counts stands behind the very text that
 * it was made for. */
static bool is_of(const struct verify_answer *a, struct str text, const char *made)
{
    struct sdjwt s, base;
    bool yes;

    assert_int_equal(sdjwt_parse(text, PASS_TYP, &s, NULL), 0);
    assert_int_equal(sdjwt_parse(str_of(made), PASS_TYP, &base, NULL), 0);
    yes = same(s.issuer.signing_input, base.issuer.signing_input) &&
          memcmp(s.issuer.sig, base.issuer.sig, SIG_LEN) == 0 && discloses_no_more(&s, &base);
    if (a->verdict.verdict == VERDICT_ADMIT)
        yes = yes && a->pass.bound && a->proven && same(text, str_of(made));
    else if (a->pass.bound)
        yes = yes && s.proof.n == 0;
    sdjwt_clear(&s);
    sdjwt_clear(&base);
    return yes;
}

static void judge(struct world *w, struct made *m, struct str text)
{
    const struct verify_request req = {.text = text, .desk = DESK, .explain = true};
    struct verify_answer a;
    bool known = false;

    assert_int_equal(verify_presentation(&w->host.thread, w->host.space, &req, &a), 0);
    if (a.verdict.verdict == VERDICT_REFUSE) {
        m->refused++;
    } else {
        for (size_t i = 0; i < m->n && !known; i++)
            known = is_of(&a, buf_as_str(&a.token), m->texts[i]);
        if (!known)
            fail_msg("%s: %.*s", verdict_name(a.verdict.verdict), STR_ARG(text));
        ++*(a.verdict.verdict == VERDICT_ASK ? &m->asked : &m->admitted);
    }
    verify_answer_clear(&a);
}

/* The token as it is, as a link, or as digits. */
static void dress(struct made *m, struct text *t, const char *token)
{
    _cleanup_(buf_clear) struct buf link = {0};
    const char *text = token;

    if (below(m, 4) == 0) {
        assert_int_equal(qr_text(HOME, str_of(token), &link), 0);
        text = below(m, 2) ? link.p : strchr(link.p, '#') + 1;
    }
    t->n = strlen(text);
    memcpy(t->p, text, t->n);
}

static void test_mutations(void **state)
{
    struct world *w = *state;
    _cleanup_(freep) char *first = world_issue(w, w->device, NULL);
    _cleanup_(freep) char *second = world_issue(w, w->device, NULL);
    struct made m = {.n = 4};
    struct text *t = malloc(sizeof(*t));

    assert_non_null(t);
    m.texts[0] = world_present(w, first, "nonce-0001");
    m.texts[1] = world_present(w, second, "nonce-0002");
    m.texts[2] = world_issue(w, NULL, NULL);
    m.texts[3] = world_present(w, first, "nonce-0003");
    rand_seeded(&m.rand, world_seed("mutations of presentations"));
    for (size_t i = 0; i < m.n; i++)
        judge(w, &m, str_of(m.texts[i]));
    assert_int_equal(m.admitted, 3);
    assert_int_equal(m.asked, 1);

    for (unsigned i = 0; i < CASES; i++) {
        dress(&m, t, any(&m));
        for (uint32_t k = 0, n = 1 + below(&m, 3); k < n; k++)
            change(&m, t);
        judge(w, &m, (struct str){t->p, t->n});
    }
    printf("%u refused, %u asked, %u admitted\n", m.refused, m.asked, m.admitted);
    assert_true(m.asked > 1); /* a proof or a disclosure was cut off as a whole */
    for (size_t i = 0; i < m.n; i++)
        free(m.texts[i]);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {world_test(test_mutations)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Random facts: what holds for all of them. COMITY_SEED replays a run; the seed is printed.
 */
#include "lib/base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/visit/facts.h"

#include "base/rand.h"

#define CASES 100000

static struct rand source;

static uint32_t below(uint32_t bound)
{
    uint32_t x;

    assert_int_equal(rand_below(&source, bound, &x), 0);
    return x;
}

/* Mostly good, so that late steps are reached. */
static bool rarely(void)
{
    return below(8) == 0;
}

/* A time that is near an edge: now and the given span, give or take two seconds. */
static int64_t near(int64_t span)
{
    return NOW + span + (int64_t)below(5) - 2;
}

static int64_t some_time(void)
{
    static const int64_t spans[] = {
        0,
        LIMIT_CLOCK_SKEW,
        -LIMIT_CLOCK_SKEW,
        -FRESH_REQUIRED,
        -FRESH_PREFERRED,
        -86400,
        86400,
        -LIFETIME_STATUS_LIST,
        -60,
        30 * 86400,
        -STALE_DIRECTORY,
    };

    return near(spans[below(sizeof(spans) / sizeof(spans[0]))]);
}

static struct facts some_facts(void)
{
    struct facts f = good_facts();

    f.malformed = below(40) == 0;
    f.unsupported = below(40) == 0;
    if (rarely())
        f.issuer = (enum issuer_state)below(4);
    f.conflict = rarely();
    f.directory_stale = rarely();
    f.directory_dead = below(40) == 0;
    f.signature_good = !rarely();
    if (rarely())
        f.iat = some_time();
    if (rarely())
        f.nbf = some_time();
    if (rarely())
        f.exp = some_time();
    f.status = below(3) ? STATUS_STATE_VALID : (enum status_state)below(4);
    f.status_checked = some_time();
    f.status_exp = below(4) ? NOW + 86400 : below(2) ? some_time() : 0;
    f.freshness = (enum freshness)below(3);
    f.bound = below(2);
    f.proof = (enum proof_state)below(4);
    f.accept_printed = below(2);
    return f;
}

/* Makes one fact worse than it is, by an order that does not come from the code under test. */
static void worsen(struct facts *f)
{
    static const enum proof_state proofs[] = {PROOF_GOOD, PROOF_ABSENT, PROOF_BAD};

    switch (below(15)) {
    case 0:
        f->malformed = true;
        break;
    case 1:
        f->unsupported = true;
        break;
    case 2:
        f->issuer = (enum issuer_state)below((uint32_t)f->issuer + 1);
        break;
    case 3:
        f->conflict = true;
        break;
    case 4:
        f->directory_stale = true;
        break;
    case 5:
        f->directory_dead = true;
        break;
    case 6:
        f->signature_good = false;
        break;
    case 7:
        f->iat += 1 + below(400);
        break;
    case 8:
        f->nbf = (f->nbf ? f->nbf : NOW - 1000) + 1 + below(2000);
        break;
    case 9:
        f->exp -= 1 + below(100000);
        break;
    case 10:
        if (f->status == STATUS_STATE_VALID)
            f->status = below(2) ? STATUS_STATE_UNKNOWN : STATUS_STATE_SUSPENDED;
        else
            f->status = STATUS_STATE_REVOKED;
        break;
    case 11:
        f->status_checked -= 1 + below(300000);
        break;
    case 12:
        f->status_exp = f->status_exp ? f->status_exp - 1 - below(200000) : NOW;
        break;
    case 13:
        if (f->freshness == FRESHNESS_OFFLINE_OK)
            f->freshness = FRESHNESS_PREFERRED;
        else
            f->freshness = FRESHNESS_REQUIRED;
        break;
    case 14:
        for (size_t i = 0; i + 1 < 3; i++) {
            if (f->proof == proofs[i]) {
                f->proof = proofs[i + 1];
                return;
            }
        }
        f->accept_printed = false;
        break;
    }
}

static void check_shape(const struct verdict_result *v)
{
    enum verdict join = VERDICT_ADMIT, before = VERDICT_REFUSE;

    assert_in_range(v->last_step, 1, 7);
    assert_true(v->n_reasons <= VERDICT_REASONS_MAX);
    assert_true(v->data_age_s >= -1);
    for (size_t i = 0; i < v->n_reasons; i++) {
        const struct reason_info *info = reason_info(v->reasons[i].reason);

        assert_true(info->verdict <= before);
        before = info->verdict;
        if (info->verdict > join)
            join = info->verdict;
        assert_true(info->step <= v->last_step);
        for (size_t j = 0; j < REASON_PARAMS_MAX; j++) {
            assert_int_equal(j < v->reasons[i].n_params, info->params[j] != NULL);
            if (info->params[j])
                assert_string_equal(v->reasons[i].params[j].name, info->params[j]);
        }
    }
    assert_int_equal(v->verdict, join);
    assert_true(v->verdict == VERDICT_REFUSE || v->last_step == 7);
}

static bool same(const struct verdict_result *a, const struct verdict_result *b)
{
    if (a->verdict != b->verdict || a->n_reasons != b->n_reasons ||
        a->data_age_s != b->data_age_s || a->refresh_needed != b->refresh_needed ||
        a->last_step != b->last_step)
        return false;
    for (size_t i = 0; i < a->n_reasons; i++) {
        if (a->reasons[i].reason != b->reasons[i].reason ||
            a->reasons[i].params[0].value != b->reasons[i].params[0].value)
            return false;
    }
    return true;
}

/* An admit needs every one of these, whatever else is said. */
static void check_admit(const struct facts *f)
{
    assert_true(!f->malformed && !f->unsupported && f->issuer == ISSUER_RECOGNISED);
    assert_true(f->signature_good && f->exp > NOW - LIMIT_CLOCK_SKEW);
    assert_int_equal(f->status, STATUS_STATE_VALID);
    assert_true(f->status_exp == 0 || f->status_exp > NOW);
    assert_true(f->bound ? f->proof == PROOF_GOOD : f->accept_printed);
    assert_false(f->conflict || f->directory_stale || f->directory_dead);
}

static void what_holds_for_all_facts(void **state)
{
    unsigned seen[3] = {0};

    for (int i = 0; i < CASES; i++) {
        struct facts f = some_facts(), g = f;
        struct verdict_result v, again, worse;

        memset(&again, 0xff, sizeof(again));
        verdict_evaluate(&f, &v);
        verdict_evaluate(&g, &again);
        check_shape(&v);
        assert_true(same(&v, &again));
        seen[v.verdict]++;
        if (v.verdict == VERDICT_ADMIT)
            check_admit(&f);
        worsen(&g);
        verdict_evaluate(&g, &worse);
        check_shape(&worse);
        if (worse.verdict < v.verdict)
            fail_msg("case %d: a worse fact made %s of %s", i, verdict_name(worse.verdict),
                     verdict_name(v.verdict));
    }
    /* The generator must reach all three, or the above says little. */
    for (int i = 0; i < 3; i++)
        assert_true(seen[i] > CASES / 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_holds_for_all_facts)};
    const char *given = getenv("COMITY_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

    printf("COMITY_SEED=%llu\n", (unsigned long long)seed);
    rand_seeded(&source, seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

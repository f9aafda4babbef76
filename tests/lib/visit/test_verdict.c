#include "lib/base/unit.h"

#include "lib/visit/facts.h"

#include "base/cleanup.h"

/* One row: the good facts, changed by `worsen`, give these reasons in this order. */
struct row {
    const char *name;
    void (*worsen)(struct facts *f);
    const char *codes; /* joined by ' '; "" is an admit */
    unsigned last_step;
    bool refresh;
};

static void check_row(const struct row *row)
{
    struct facts f = good_facts();
    struct verdict_result v;
    char codes[256] = "";
    enum verdict join = VERDICT_ADMIT;

    row->worsen(&f);
    verdict_evaluate(&f, &v);
    for (size_t i = 0; i < v.n_reasons; i++) {
        const struct reason_info *info = reason_info(v.reasons[i].reason);
        if (i)
            strcat(codes, " ");
        strcat(codes, info->code);
        if (info->verdict > join)
            join = info->verdict;
    }
    if (strcmp(codes, row->codes) != 0 || v.verdict != join || v.last_step != row->last_step ||
        v.refresh_needed != row->refresh)
        fail_msg("%s: got [%s], %s, step %u, refresh %d; want [%s], step %u, refresh %d", row->name,
                 codes, verdict_name(v.verdict), v.last_step, v.refresh_needed, row->codes,
                 row->last_step, row->refresh);
}

#define CHANGE(name, ...)                                                                          \
    static void name(struct facts *f)                                                              \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }

CHANGE(nothing, (void)f)
/* 1, 2 */
CHANGE(malformed, f->malformed = true)
CHANGE(malformed_and_more, f->malformed = f->unsupported = true; f->issuer = ISSUER_UNKNOWN)
CHANGE(unsupported, f->unsupported = true)
CHANGE(unsupported_unknown, f->unsupported = true; f->issuer = ISSUER_UNKNOWN)
/* 3 */
CHANGE(unknown, f->issuer = ISSUER_UNKNOWN)
CHANGE(unknown_and_dead, f->issuer = ISSUER_UNKNOWN; f->directory_dead = true)
CHANGE(strange_issuer, f->issuer = (enum issuer_state)99)
CHANGE(unrecognised, f->issuer = ISSUER_UNRECOGNISED)
CHANGE(suspended, f->issuer = ISSUER_SUSPENDED; f->signature_good = false)
CHANGE(conflict, f->conflict = true)
CHANGE(config_fresh, facts_set_configuration_exp(f, NOW + 1))
CHANGE(config_at_exp, facts_set_configuration_exp(f, NOW))
CHANGE(config_13_days, facts_set_configuration_exp(f, NOW - STALE_DIRECTORY + 1))
CHANGE(config_14_days, facts_set_configuration_exp(f, NOW - STALE_DIRECTORY))
CHANGE(stale_and_conflict, f->directory_stale = f->conflict = true)
CHANGE(dead_and_conflict, f->directory_dead = f->conflict = true)
CHANGE(stale_and_expired, f->directory_stale = true; f->exp = 0)
CHANGE(stale_and_forged, f->directory_stale = true; f->signature_good = false)
/* 4 */
CHANGE(forged, f->signature_good = false; f->exp = 0)
/* 5 */
CHANGE(exp_within_skew, f->exp = NOW - LIMIT_CLOCK_SKEW + 1)
CHANGE(exp_at_skew, f->exp = NOW - LIMIT_CLOCK_SKEW)
CHANGE(exp_now, f->exp = NOW)
CHANGE(iat_within_skew, f->iat = NOW + LIMIT_CLOCK_SKEW)
CHANGE(iat_beyond_skew, f->iat = NOW + LIMIT_CLOCK_SKEW + 1)
CHANGE(nbf_within_skew, f->nbf = NOW + LIMIT_CLOCK_SKEW)
CHANGE(nbf_beyond_skew, f->nbf = NOW + LIMIT_CLOCK_SKEW + 1)
CHANGE(nbf_past, f->nbf = NOW - 1)
CHANGE(never_valid, f->iat = NOW + 3600; f->exp = NOW - 3600)
/* 6 */
#define AGE(s) f->status_checked = NOW - (s)
CHANGE(no_list, f->status = STATUS_STATE_UNKNOWN)
CHANGE(no_list_offline, f->status = STATUS_STATE_UNKNOWN; f->freshness = FRESHNESS_OFFLINE_OK)
CHANGE(revoked, f->status = STATUS_STATE_REVOKED)
CHANGE(revoked_stale, f->status = STATUS_STATE_REVOKED; f->status_exp = 1; f->status_checked = 0)
CHANGE(strange_status, f->status = (enum status_state)42)
CHANGE(paused, f->status = STATUS_STATE_SUSPENDED)
CHANGE(paused_stale, f->status = STATUS_STATE_SUSPENDED; f->status_exp = NOW - 1)
CHANGE(list_before_exp, f->status_exp = NOW + 1)
CHANGE(list_at_exp, f->status_exp = NOW)
CHANGE(list_after_exp, f->status_exp = NOW - 1)
CHANGE(list_after_exp_offline, f->status_exp = NOW - 1; f->freshness = FRESHNESS_OFFLINE_OK)
CHANGE(preferred_at_limit, AGE(FRESH_PREFERRED))
CHANGE(preferred_beyond, AGE(FRESH_PREFERRED + 1))
CHANGE(required_at_limit, f->freshness = FRESHNESS_REQUIRED; AGE(FRESH_REQUIRED))
CHANGE(required_beyond, f->freshness = FRESHNESS_REQUIRED; AGE(FRESH_REQUIRED + 1))
CHANGE(strange_freshness, f->freshness = (enum freshness)9; AGE(FRESH_REQUIRED + 1))
CHANGE(offline_old, f->freshness = FRESHNESS_OFFLINE_OK; AGE(100 * 86400))
CHANGE(offline_no_exp, f->freshness = FRESHNESS_OFFLINE_OK; f->status_exp = 0;
       AGE(LIFETIME_STATUS_LIST))
CHANGE(offline_no_exp_old, f->freshness = FRESHNESS_OFFLINE_OK; f->status_exp = 0;
       AGE(LIFETIME_STATUS_LIST + 1))
CHANGE(checked_in_future, AGE(-500))
/* 7 */
CHANGE(no_proof, f->proof = PROOF_ABSENT)
CHANGE(no_proof_printed_ok, f->proof = PROOF_ABSENT; f->accept_printed = true)
CHANGE(bad_proof, f->proof = PROOF_BAD)
CHANGE(strange_proof, f->proof = (enum proof_state) - 3)
CHANGE(replayed, f->proof = PROOF_REPLAYED)
CHANGE(printed, f->bound = false; f->proof = PROOF_ABSENT)
CHANGE(printed_accepted, f->bound = false; f->proof = PROOF_ABSENT; f->accept_printed = true)
CHANGE(printed_bad_proof, f->bound = false; f->proof = PROOF_BAD; f->accept_printed = true)
/* all that asks; and a refusal after it */
CHANGE(all_asks, f->directory_stale = f->conflict = true; f->status_exp = 1; f->bound = false;
       f->proof = PROOF_ABSENT)
CHANGE(asks_then_refusal, all_asks(f); f->proof = PROOF_REPLAYED)

static const struct row rows[] = {
    {"nothing wrong", nothing, "", 7, false},

    {"malformed", malformed, "malformed", 1, false},
    {"malformed stops", malformed_and_more, "malformed", 1, false},
    {"unsupported", unsupported, "unsupported", 2, false},
    {"unsupported stops", unsupported_unknown, "unsupported", 2, false},

    {"unknown issuer", unknown, "unknown_issuer", 3, false},
    {"unknown issuers are not fetched", unknown_and_dead, "unknown_issuer", 3, false},
    {"impossible issuer state", strange_issuer, "unknown_issuer", 3, false},
    {"not recognised", unrecognised, "not_recognised", 3, false},
    {"suspended before signature", suspended, "suspended", 3, false},
    {"conflict", conflict, "conflict", 7, false},
    {"configuration one second before exp", config_fresh, "", 7, false},
    {"configuration at exp", config_at_exp, "stale_directory", 7, true},
    {"configuration just short of 14 days", config_13_days, "stale_directory", 7, true},
    {"configuration at 14 days", config_14_days, "unknown_issuer", 3, true},
    {"both asks of step 3", stale_and_conflict, "conflict stale_directory", 7, true},
    {"dead alone", dead_and_conflict, "unknown_issuer", 3, true},
    {"an expired pass stays so", stale_and_expired, "expired stale_directory", 5, false},
    {"new keys may help", stale_and_forged, "bad_signature stale_directory", 4, true},

    {"bad signature", forged, "bad_signature", 4, false},

    {"exp within skew", exp_within_skew, "", 7, false},
    {"exp now", exp_now, "", 7, false},
    {"exp at skew", exp_at_skew, "expired", 5, false},
    {"iat at skew", iat_within_skew, "", 7, false},
    {"iat beyond skew", iat_beyond_skew, "not_yet_valid", 5, false},
    {"nbf at skew", nbf_within_skew, "", 7, false},
    {"nbf beyond skew", nbf_beyond_skew, "not_yet_valid", 5, false},
    {"nbf in the past", nbf_past, "", 7, false},
    {"never valid", never_valid, "expired", 5, false},

    {"no list", no_list, "status_stale", 7, true},
    {"no list, offline", no_list_offline, "status_stale", 7, true},
    {"revoked", revoked, "revoked", 6, false},
    {"revoked by an old list", revoked_stale, "revoked", 6, false},
    {"impossible status", strange_status, "revoked", 6, false},
    {"member suspended", paused, "member_suspended", 6, false},
    {"member suspended by an old list", paused_stale, "member_suspended", 6, true},
    {"list before exp", list_before_exp, "", 7, false},
    {"list at exp", list_at_exp, "status_stale", 7, true},
    {"list after exp", list_after_exp, "status_stale", 7, true},
    {"list after exp, offline", list_after_exp_offline, "status_stale", 7, true},
    {"preferred at 72 h", preferred_at_limit, "", 7, false},
    {"preferred beyond 72 h", preferred_beyond, "status_stale", 7, true},
    {"required at 10 min", required_at_limit, "", 7, false},
    {"required beyond 10 min", required_beyond, "status_stale", 7, true},
    {"impossible freshness is the strictest", strange_freshness, "status_stale", 7, true},
    {"offline until exp", offline_old, "", 7, false},
    {"offline without exp", offline_no_exp, "", 7, false},
    {"offline without exp, too old", offline_no_exp_old, "status_stale", 7, true},
    {"checked in the future", checked_in_future, "", 7, false},

    {"proof cut off", no_proof, "holder_proof_missing", 7, false},
    {"printed passes accepted help no bound one", no_proof_printed_ok, "holder_proof_missing", 7,
     false},
    {"bad proof", bad_proof, "holder_proof_bad", 7, false},
    {"impossible proof state", strange_proof, "holder_proof_bad", 7, false},
    {"replayed", replayed, "replayed", 7, false},
    {"printed", printed, "printed_pass", 7, false},
    {"printed and accepted", printed_accepted, "", 7, false},
    {"printed with a bad proof", printed_bad_proof, "holder_proof_bad", 7, false},

    {"asks add up", all_asks, "conflict stale_directory status_stale printed_pass", 7, true},
    {"a refusal goes first", asks_then_refusal, "replayed conflict stale_directory status_stale", 7,
     false},
};

static void each_rule_at_its_edge(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check_row(&rows[i]);
}

/* Every code of steps 1 to 7 is reached by the rows above. */
static void every_code_is_reached(void **state)
{
    bool seen[REASON_COUNT] = {false};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct facts f = good_facts();
        struct verdict_result v;

        rows[i].worsen(&f);
        verdict_evaluate(&f, &v);
        for (size_t j = 0; j < v.n_reasons; j++)
            seen[v.reasons[j].reason] = true;
    }
    for (int i = 1; i < REASON_COUNT; i++) {
        if (reason_info((enum reason)i)->step <= 7 && !seen[i])
            fail_msg("%s is never reached", reason_info((enum reason)i)->code);
    }
}

static void check_param(void (*worsen)(struct facts *), const char *name, int64_t value)
{
    struct facts f = good_facts();
    struct verdict_result v;

    worsen(&f);
    verdict_evaluate(&f, &v);
    assert_int_equal(v.reasons[0].n_params, 1);
    assert_string_equal(v.reasons[0].params[0].name, name);
    assert_true(v.reasons[0].params[0].value == value);
}

static void reasons_carry_their_numbers(void **state)
{
    check_param(exp_at_skew, "exp", NOW - LIMIT_CLOCK_SKEW);
    check_param(iat_beyond_skew, "valid_from", NOW + LIMIT_CLOCK_SKEW + 1);
    check_param(nbf_beyond_skew, "valid_from", NOW + LIMIT_CLOCK_SKEW + 1);
    check_param(no_list, "age_s", -1);
    check_param(preferred_beyond, "age_s", FRESH_PREFERRED + 1);
    check_param(revoked, "age_s", 60);
    check_param(paused, "age_s", 60);
}

static void age_of(void (*worsen)(struct facts *), int64_t want)
{
    struct facts f = good_facts();
    struct verdict_result v;

    worsen(&f);
    verdict_evaluate(&f, &v);
    if (v.data_age_s != want)
        fail_msg("age %lld, want %lld", (long long)v.data_age_s, (long long)want);
}

static void age_of_the_data_is_told(void **state)
{
    age_of(nothing, 60);
    age_of(printed, 60);
    age_of(revoked, 60);
    age_of(checked_in_future, 0);
    age_of(no_list, -1);
    age_of(forged, -1);
    age_of(malformed, -1);
}

static void later_reasons_join(void **state)
{
    const struct reason_param since = {"since", NOW - 30};
    struct facts f = good_facts();
    struct verdict_result v;

    printed(&f);
    verdict_evaluate(&f, &v);
    verdict_add(&v, REASON_ALREADY_CHECKED_IN, &since, 1);
    assert_int_equal(v.verdict, VERDICT_ASK);
    assert_int_equal(v.n_reasons, 2);
    assert_int_equal(v.reasons[1].reason, REASON_ALREADY_CHECKED_IN);
    assert_true(v.reasons[1].params[0].value == NOW - 30);

    verdict_add(&v, REASON_BLOCKED, NULL, 0);
    assert_int_equal(v.verdict, VERDICT_REFUSE);
    assert_int_equal(v.reasons[0].reason, REASON_BLOCKED);
    assert_int_equal(v.reasons[1].reason, REASON_PRINTED_PASS);

    verdict_add(&v, REASON_PRINTED_PASS, NULL, 0);
    verdict_add(&v, REASON_NONE, NULL, 0);
    assert_int_equal(v.n_reasons, 3);

    verdict_add(&v, REASON_ID_REQUIRED, NULL, 0);
    assert_int_equal(v.n_reasons, 4);
    assert_int_equal(v.verdict, VERDICT_REFUSE);
}

static void more_reasons_than_slots(void **state)
{
    struct verdict_result v = {.verdict = VERDICT_ADMIT};

    for (int i = REASON_STATUS_STALE; i < REASON_COUNT; i++)
        verdict_add(&v, (enum reason)i, NULL, 0);
    assert_int_equal(v.n_reasons, VERDICT_REASONS_MAX);
    assert_int_equal(v.verdict, VERDICT_ASK);
    assert_int_equal(v.reasons[0].reason, REASON_STATUS_STALE);

    verdict_add(&v, REASON_CLOSED, NULL, 0);
    assert_int_equal(v.n_reasons, VERDICT_REASONS_MAX);
    assert_int_equal(v.verdict, VERDICT_REFUSE);
    assert_int_equal(v.reasons[0].reason, REASON_CLOSED);
    assert_int_equal(v.reasons[1].reason, REASON_STATUS_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_at_its_edge),       cmocka_unit_test(every_code_is_reached),
        cmocka_unit_test(reasons_carry_their_numbers), cmocka_unit_test(age_of_the_data_is_told),
        cmocka_unit_test(later_reasons_join),          cmocka_unit_test(more_reasons_than_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

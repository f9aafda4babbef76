#include "visit/verdict.h"

#include "base/limits.h"

static void add(struct verdict_result *v, enum reason reason)
{
    verdict_add(v, reason, NULL, 0);
}

static void add_with(struct verdict_result *v, enum reason reason, int64_t value)
{
    const struct reason_param param = {reason_info(reason)->params[0], value};

    verdict_add(v, reason, &param, 1);
}

static void step_1_form(const struct facts *f, struct verdict_result *v)
{
    if (f->malformed)
        add(v, REASON_MALFORMED);
}

static void step_2_kind(const struct facts *f, struct verdict_result *v)
{
    if (f->unsupported)
        add(v, REASON_UNSUPPORTED);
}

/* A configuration that has been dead for long vouches for nobody: its space is as good as unknown,
 * until a fresh one comes. A space that we never knew is not asked for one: whoever writes a pass
 * could make us call any address. */
static void step_3_issuer(const struct facts *f, struct verdict_result *v)
{
    switch (f->issuer) {
    case ISSUER_RECOGNISED:
        break;
    case ISSUER_SUSPENDED:
        add(v, REASON_SUSPENDED);
        return;
    case ISSUER_UNRECOGNISED:
        add(v, REASON_NOT_RECOGNISED);
        return;
    case ISSUER_UNKNOWN:
    default:
        add(v, REASON_UNKNOWN_ISSUER);
        return;
    }
    v->refresh_needed = f->directory_dead || f->directory_stale;
    if (f->directory_dead) {
        add(v, REASON_UNKNOWN_ISSUER);
        return;
    }
    if (f->conflict)
        add(v, REASON_CONFLICT);
    if (f->directory_stale)
        add(v, REASON_STALE_DIRECTORY);
}

static void step_4_signature(const struct facts *f, struct verdict_result *v)
{
    if (!f->signature_good)
        add(v, REASON_BAD_SIGNATURE);
}

/* RFC 7519 sections 4.1.4 to 4.1.6, with the leeway that they allow. */
static void step_5_times(const struct facts *f, struct verdict_result *v)
{
    int64_t valid_from = f->iat > f->nbf ? f->iat : f->nbf;

    if (f->now - LIMIT_CLOCK_SKEW >= f->exp)
        add_with(v, REASON_EXPIRED, f->exp);
    else if (valid_from > f->now + LIMIT_CLOCK_SKEW)
        add_with(v, REASON_NOT_YET_VALID, valid_from);
}

static int64_t status_age(const struct facts *f)
{
    if (f->status == STATUS_STATE_UNKNOWN)
        return -1;
    return f->now > f->status_checked ? f->now - f->status_checked : 0;
}

/* Whether the list is too old for the terms. No skew: its exp is the home's own word on how long
 * it stands behind it, and asking costs little. A list that says no exp gets the usual lifetime. */
static bool status_is_stale(const struct facts *f, int64_t age)
{
    if (f->status_exp ? f->now >= f->status_exp : age > LIFETIME_STATUS_LIST)
        return true;
    switch (f->freshness) {
    case FRESHNESS_OFFLINE_OK:
        return false;
    case FRESHNESS_PREFERRED:
        return age > FRESH_PREFERRED;
    case FRESHNESS_REQUIRED:
    default:
        return age > FRESH_REQUIRED;
    }
}

/* What was withdrawn stays so, whatever the age of that news; a pause may be over by now. */
static void step_6_status(const struct facts *f, struct verdict_result *v)
{
    int64_t age = status_age(f);
    bool stale = age < 0 || status_is_stale(f, age);

    v->data_age_s = age;
    switch (f->status) {
    case STATUS_STATE_VALID:
    case STATUS_STATE_UNKNOWN:
        if (stale)
            add_with(v, REASON_STATUS_STALE, age);
        break;
    case STATUS_STATE_SUSPENDED:
        add_with(v, REASON_MEMBER_SUSPENDED, age);
        break;
    case STATUS_STATE_REVOKED:
    default:
        add_with(v, REASON_REVOKED, age);
        return;
    }
    v->refresh_needed = v->refresh_needed || stale;
}

/* Whether a proof is needed follows from the pass, never from whether one came with it: else a
 * photograph with the proof cut off would do. */
static void step_7_holder(const struct facts *f, struct verdict_result *v)
{
    switch (f->proof) {
    case PROOF_REPLAYED:
        add(v, REASON_REPLAYED);
        return;
    case PROOF_ABSENT:
        if (f->bound)
            add(v, REASON_HOLDER_PROOF_MISSING);
        break;
    case PROOF_GOOD:
        break;
    case PROOF_BAD:
    default:
        add(v, REASON_HOLDER_PROOF_BAD);
        return;
    }
    if (!f->bound && !f->accept_printed)
        add(v, REASON_PRINTED_PASS);
}

/* Refusals that fresher records might lift: new keys of the home, a pause that is over. */
static bool refresh_may_lift(enum reason refusal)
{
    return refusal == REASON_UNKNOWN_ISSUER || refusal == REASON_BAD_SIGNATURE ||
           refusal == REASON_MEMBER_SUSPENDED;
}

void verdict_evaluate(const struct facts *facts, struct verdict_result *out)
{
    static void (*const steps[])(const struct facts *, struct verdict_result *) = {
        step_1_form,  step_2_kind,   step_3_issuer, step_4_signature,
        step_5_times, step_6_status, step_7_holder,
    };
    struct verdict_result v = {.verdict = VERDICT_ADMIT, .data_age_s = -1};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && v.verdict != VERDICT_REFUSE; i++) {
        v.last_step = (unsigned)i + 1;
        steps[i](facts, &v);
    }
    if (v.verdict == VERDICT_REFUSE && !refresh_may_lift(v.reasons[0].reason))
        v.refresh_needed = false;
    *out = v;
}

void facts_set_configuration_exp(struct facts *facts, int64_t exp)
{
    bool expired = facts->now >= exp;

    facts->directory_dead = expired && facts->now - STALE_DIRECTORY >= exp;
    facts->directory_stale = expired && !facts->directory_dead;
}

static bool holds(const struct verdict_result *v, enum reason reason)
{
    for (size_t i = 0; i < v->n_reasons; i++) {
        if (v->reasons[i].reason == reason)
            return true;
    }
    return false;
}

void verdict_add(struct verdict_result *v, enum reason reason, const struct reason_param *params,
                 size_t n_params)
{
    enum verdict verdict = reason_info(reason)->verdict;
    struct verdict_reason added = {.reason = reason};
    size_t at = v->n_reasons;

    if (verdict == VERDICT_ADMIT || holds(v, reason))
        return;
    for (size_t i = 0; i < n_params && i < REASON_PARAMS_MAX; i++)
        added.params[added.n_params++] = params[i];
    while (at > 0 && reason_info(v->reasons[at - 1].reason)->verdict < verdict)
        at--;
    if (at == VERDICT_REASONS_MAX)
        return;
    if (v->n_reasons < VERDICT_REASONS_MAX)
        v->n_reasons++;
    for (size_t i = v->n_reasons - 1; i > at; i--)
        v->reasons[i] = v->reasons[i - 1];
    v->reasons[at] = added;
    if (verdict > v->verdict)
        v->verdict = verdict;
}

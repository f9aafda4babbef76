/*
 * From scan to verdict, steps 1 to 7: a pure function of facts. It touches no network, no clock, no
 * store. Where fresher data could change the answer it says so in .refresh_needed, and the caller
 * may fetch once and evaluate again. See proto/verdict.md.
 */
#pragma once

#include <stdbool.h>

#include "visit/reason.h"

#define VERDICT_REASONS_MAX 8

enum freshness { FRESHNESS_PREFERRED = 0, FRESHNESS_REQUIRED, FRESHNESS_OFFLINE_OK };
enum proof_state { PROOF_ABSENT = 0, PROOF_GOOD, PROOF_BAD, PROOF_REPLAYED };
enum issuer_state { ISSUER_UNKNOWN = 0, ISSUER_UNRECOGNISED, ISSUER_SUSPENDED, ISSUER_RECOGNISED };
enum status_state {
    STATUS_STATE_UNKNOWN = 0, /* we hold no such list, or the index is not in it */
    STATUS_STATE_VALID,
    STATUS_STATE_REVOKED, /* also every status value that is neither valid nor suspended */
    STATUS_STATE_SUSPENDED,
};

/* What steps 1 to 7 found. A field after the first failed step is not looked at. Times are Unix
 * seconds within +-2^62, so that adding a skew cannot overflow. */
struct facts {
    int64_t now;
    /* 1, 2 */
    bool malformed, unsupported;
    /* 3 */
    enum issuer_state issuer;
    bool conflict;
    bool directory_stale; /* the issuer's configuration has expired, but less than 14 days ago */
    bool directory_dead;  /* longer ago than that */
    /* 4 */
    bool signature_good;
    /* 5 */
    int64_t iat, nbf, exp; /* nbf 0: it says none */
    /* 6 */
    enum status_state status;
    int64_t status_checked; /* when the list was last known to be current */
    int64_t status_exp;     /* 0: it says none */
    enum freshness freshness;
    /* 7 */
    bool bound; /* the pass names a device key */
    enum proof_state proof;
    bool accept_printed;
};

/* Sets directory_stale and directory_dead from .now and the configuration's exp. */
void facts_set_configuration_exp(struct facts *facts, int64_t exp);

/* Params are for the texts and for programs: {"age_s": 25200}. */
struct reason_param {
    const char *name; /* static */
    int64_t value;
};

struct verdict_reason {
    enum reason reason;
    struct reason_param params[REASON_PARAMS_MAX];
    size_t n_params;
};

struct verdict_result {
    enum verdict verdict;
    struct verdict_reason reasons[VERDICT_REASONS_MAX]; /* the deciding one first */
    size_t n_reasons;
    int64_t data_age_s; /* of the revocation data; -1 if there is none */
    bool refresh_needed;
    unsigned last_step; /* the last step that was looked at */
};

void verdict_evaluate(const struct facts *facts, struct verdict_result *out);

/* Adds a reason of a later step (such as already_checked_in) and joins the verdicts: a refusal goes
 * before what asks. A reason that is there already, or is none, adds nothing; where all slots are
 * taken a refusal takes the place of what asks. `params` are copied, their names borrowed. */
void verdict_add(struct verdict_result *v, enum reason reason, const struct reason_param *params,
                 size_t n_params);

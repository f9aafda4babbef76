/*
 * Facts of a pass that is admitted; each test worsens what it is about.
 */
#pragma once

#include "base/limits.h"
#include "visit/verdict.h"

#define NOW INT64_C(1790000000)

static inline struct facts good_facts(void)
{
    return (struct facts){
        .now = NOW,
        .issuer = ISSUER_RECOGNISED,
        .signature_good = true,
        .iat = NOW - 86400,
        .exp = NOW + 86400,
        .status = STATUS_STATE_VALID,
        .status_checked = NOW - 60,
        .status_exp = NOW + 6 * 86400,
        .bound = true,
        .proof = PROOF_GOOD,
    };
}

/* Sound rows to begin from; a test changes what it is about. */
#pragma once

#include "store/members.h"
#include "store/passes.h"
#include "store/visits.h"

#define T0 1763712000 /* 2025-11-21T08:00:00Z */
#define HOME "https://lisbon.example"

static inline struct member_row member_row_of(const char *id)
{
    struct member_row row = {.name = "Ana Sousa",
                             .tier = "full",
                             .email = "ana@lisbon.example",
                             .language = "pt-PT",
                             .state = MEMBER_ACTIVE,
                             .created_at = T0,
                             .changed_at = T0};

    snprintf(row.id, sizeof(row.id), "%s", id);
    snprintf(row.sub, sizeof(row.sub), "sub-%.20s", id);
    return row;
}

static inline struct pass_row pass_row_of(const char *id, const char *member, uint32_t idx)
{
    struct pass_row row = {.tier = "full",
                           .list = 0,
                           .idx = idx,
                           .iat = T0,
                           .exp = T0 + 30 * 86400,
                           .device = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"};

    snprintf(row.id, sizeof(row.id), "%s", id);
    snprintf(row.member, sizeof(row.member), "%s", member);
    return row;
}

/* Each id is a person of its own. */
static inline struct visit_row visit_row_of(const char *id)
{
    struct visit_row row = {.home = HOME,
                            .sub = "sub-1",
                            .name = "Ana Sousa",
                            .tier = "full",
                            .status_uri = HOME "/status/0",
                            .status_idx = 4711,
                            .device = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
                            .verdict = "admit",
                            .data_age_s = 60,
                            .day = "2025-11-21",
                            .checked_in = T0,
                            .desk = "tok_1",
                            .stamp_state = "pending"};

    snprintf(row.id, sizeof(row.id), "%s", id);
    snprintf((char *)row.person, sizeof(row.person), "person of %.20s", id);
    snprintf(row.nonce, sizeof(row.nonce), "nonce of %.20s", id);
    return row;
}

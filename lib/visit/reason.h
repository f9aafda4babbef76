/*
 * Reason codes: one table, the same as proto/reasons.json (a test holds them together). A code is
 * stable; its text may be translated; its verdict never depends on where it arises.
 * This floor is pure: no JSON, no OpenSSL, no libc time; it also compiles to WebAssembly.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum verdict { VERDICT_ADMIT = 0, VERDICT_ASK = 1, VERDICT_REFUSE = 2 };

enum reason {
    REASON_NONE = 0,
    /* refuse */
    REASON_MALFORMED,
    REASON_UNSUPPORTED,
    REASON_UNKNOWN_ISSUER,
    REASON_NOT_RECOGNISED,
    REASON_SUSPENDED,
    REASON_BAD_SIGNATURE,
    REASON_NOT_YET_VALID,
    REASON_EXPIRED,
    REASON_REVOKED,
    REASON_MEMBER_SUSPENDED,
    REASON_HOLDER_PROOF_BAD,
    REASON_REPLAYED,
    REASON_BLOCKED,
    REASON_TOO_NEAR,
    REASON_CLOSED,
    REASON_BLACKOUT,
    /* ask */
    REASON_STATUS_STALE,
    REASON_STALE_DIRECTORY,
    REASON_CONFLICT,
    REASON_UNKNOWN_TERM,
    REASON_HOLDER_PROOF_MISSING,
    REASON_PRINTED_PASS,
    REASON_ALLOWANCE_USED,
    REASON_FULL,
    REASON_NOTICE_REQUIRED,
    REASON_APPROVAL_REQUIRED,
    REASON_ID_REQUIRED,
    REASON_ALREADY_CHECKED_IN,
    REASON_COUNT
};

#define REASON_PARAMS_MAX 2

struct reason_info {
    const char *code;                      /* "holder_proof_bad" */
    enum verdict verdict;                  /* what it leads to */
    unsigned step;                         /* 1 to 9 of "from scan to verdict" */
    const char *text;                      /* one or two sentences in English for the desk */
    const char *next;                      /* what the desk does now */
    const char *params[REASON_PARAMS_MAX]; /* names of what comes with it; NULL after the last */
};

/* Static, never NULL. What is no reason gives the entry of REASON_NONE: texts "", VERDICT_ADMIT. */
const struct reason_info *reason_info(enum reason r);
const char *verdict_name(enum verdict v); /* "admit", "ask", "refuse" */

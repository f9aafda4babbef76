/*
 * From scan to verdict: gathers the facts of steps 1 to 7 from memory (no network, no store) and
 * has visit/verdict.h judge them.
 */
#pragma once

#include "app/space.h"
#include "cred/keybind.h"
#include "cred/pass.h"
#include "visit/verdict.h"

struct verify_request {
    struct str text;  /* token, URL or digits */
    const char *desk; /* who asks: token id, or "cli" */
    bool explain;     /* fill in steps */
    bool promise;     /* make a verification id */
    int64_t seen_at;  /* a redeemed verification: when its proof was looked at; else 0 */
};

struct verify_step {
    unsigned step;
    const char *what;    /* static: "signature" */
    const char *section; /* static: "RFC 7515 section 5.2" */
    char found[160];
    uint64_t micros;
};
#define VERIFY_STEPS_MAX 12

struct verify_answer {
    struct verdict_result verdict;
    int64_t now;
    bool parsed;  /* pass is filled in (its signature may still be bad) */
    bool genuine; /* the home space did sign it: only then names and tiers are shown */
    struct pass pass;
    char home_name[LIMIT_NAME + 1];
    char home_country[3];
    char device[44];                   /* thumbprint, "" if not bound */
    char nonce[KEYBIND_NONCE_MAX + 1]; /* of a good proof */
    bool proven;
    char problem[ERR_TEXT_MAX]; /* words about the deciding reason ("claim exp is missing") */
    char verification[32];      /* "ver_..." or "" */
    struct buf token;           /* owned: the presented token, without QR dressing */
    size_t proof_at;            /* where in token the proof starts; token.n if none */
    struct verify_step steps[VERIFY_STEPS_MAX];
    size_t n_steps;
};

/* 0 with a verdict (also for garbage: refuse, malformed); negative errno if it cannot tell;
 * APP_E_BUSY if the replay cache is full. */
int verify_presentation(struct app_thread *t, struct space *space, const struct verify_request *req,
                        struct verify_answer *out);
void verify_answer_clear(struct verify_answer *a);

/* The JSON of proto/schemas/verdict.json, the same for the command line and the API. */
int verify_answer_write(const struct verify_answer *a, struct buf *out);

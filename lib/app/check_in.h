/*
 * Check-in and check-out: one transaction for visit, stamp and outbox row, behind an idempotency
 * key.
 */
#pragma once

#include "app/verify.h"
#include "store/visits.h"

struct check_in {
    struct app_job job; /* first */
    /* asked */
    char desk[32];
    char key[LIMIT_IDEMPOTENCY_KEY + 1]; /* "" if none */
    uint8_t body_digest[32];             /* what the key is bound to */
    bool confirm;
    struct verify_answer answer; /* owned; filled in by check_in_prepare() */
    /* found */
    struct sign_request stamp;
    struct visit_row visit;
    struct buf reply;  /* owned: JSON of the visit, or of the verdict that prevents it */
    bool replayed_key; /* the answer is that of an earlier request with this key */
    bool already_in;
    int outcome; /* what ends it before the transaction, unless the key has an answer; else 0 */
};

/* Verifies `text` (a token, QR text, or a "ver_" id) on the calling thread and readies the job:
 * then app_do() or app_submit(). Result of the job: 0 (reply is the visit), APP_E_REFUSED or
 * APP_E_CONFIRM (reply is the verdict), APP_E_CONFLICT (key with another body), APP_E_ABSENT (no
 * such verification), ... */
int check_in_prepare(struct app_thread *t, struct space *space, struct str text, struct check_in *c,
                     struct err *err);
void check_in_clear(struct check_in *c);

struct check_out {
    struct app_job job;
    char visit_id[32];
    struct sign_request stamp;
    struct buf earlier; /* owned: the stamp's earlier revision */
    int64_t revision;
    struct visit_row visit;
    struct buf reply;
};
/* Result: 0; APP_E_ABSENT; APP_E_STATE (is out already: reply is the visit as it is). */
int check_out_prepare(struct app_thread *t, struct space *space, const char *visit,
                      struct check_out *c, struct err *err);
void check_out_clear(struct check_out *c);

/* The claims of a visit's stamp, readied for the signer. `proof` is the holder's kb+jwt or empty.
 */
int visit_stamp(const struct space *space, const struct visit_row *v, int64_t revision, int64_t now,
                struct str proof, struct sign_request *out);

int visit_write(const struct visit_row *v, struct buf *out); /* JSON of proto/schemas/visit.json */

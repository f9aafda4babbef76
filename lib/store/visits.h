/* Visits at a host, the stamps that go home, and stamps that came home (space.db). */
#pragma once

#include "store/store.h"

struct visit_row {
    char id[32]; /* vis_...; also the stamp's id */
    char home[LIMIT_ENTITY_ID + 1];
    uint8_t person[32];        /* HMAC(count_key, home, sub) */
    char sub[65];              /* until the stamp is receipted and retention passes */
    char name[LIMIT_NAME + 1]; /* as disclosed, "" if not; falls to retention */
    char tier[LIMIT_TIER + 1];
    char status_uri[LIMIT_ENTITY_ID + 65];
    uint32_t status_idx;
    char device[44];   /* thumbprint of the device key, "" if unproven */
    char nonce[65];    /* of the holder proof: (device, nonce) is unique among visits */
    char verdict[8];   /* "admit" or "ask" */
    char reasons[256]; /* codes, comma separated */
    bool confirmed;    /* staff settled an ask */
    int64_t data_age_s;
    char day[11];                    /* local day */
    int64_t checked_in, checked_out; /* checked_out 0 while on site */
    char desk[32];                   /* token id, or "cli" */
    char stamp_state[12];            /* "pending", "receipted", "refused" */
};

typedef int (*visit_each)(const struct visit_row *row, void *arg);

/* STORE_E_EXISTS: the id; STORE_E_CONFLICT: another visit used this (device, nonce). That a person
 * has one open visit at most is the caller's to see to, in the same transaction. */
int store_visit_add(struct store *s, const struct visit_row *row);
int store_visit_get(struct store *s, const char *id, struct visit_row *out);
/* The visit of this person that is not checked out yet. STORE_E_ABSENT. */
int store_visit_open(struct store *s, const uint8_t person[static 32], struct visit_row *out);
int store_visit_check_out(struct store *s, const char *id, int64_t at); /* STORE_E_STATE: is out */
int store_visit_list(struct store *s, const char *after, size_t max, bool on_site_only,
                     visit_each each, void *arg); /* last recorded first */
int store_visit_count(struct store *s, bool on_site_only, int64_t *n);

/* Idempotency: (desk, key) -> digest of the request's body, and the answer that it got. */
int store_idempotency_get(struct store *s, const char *desk, const char *key,
                          uint8_t body_digest[static 32], struct buf *answer); /* STORE_E_ABSENT */
int store_idempotency_put(struct store *s, const char *desk, const char *key,
                          const uint8_t body_digest[static 32], struct str answer,
                          int64_t at); /* STORE_E_EXISTS */
/* Those that were put before that time. At most STORE_PRUNE_AT_ONCE rows, the oldest, so that no
 * check-in waits long behind it; what is left is the next call's. */
int store_idempotency_prune(struct store *s, int64_t before);
#define STORE_PRUNE_AT_ONCE 2000

/* What `verify` promised to `checkin` (for verbs without a running node, and across restarts). */
int store_verification_put(struct store *s, const char *id, const char *desk, struct str body,
                           int64_t expires); /* STORE_E_EXISTS */
/* STORE_E_ABSENT also if it expired or is another desk's. */
int store_verification_get(struct store *s, const char *id, const char *desk, int64_t now,
                           struct buf *body);
int store_verification_prune(struct store *s, int64_t now); /* expired ones; bounded likewise */

/* Outbox: stamps on their way home, until they are receipted or refused. Their rows stay after
 * that, since token and receipt prove the visit, but are no longer due. */
struct outbox_row {
    int64_t seq;
    char visit[32];
    int64_t revision;
    char home[LIMIT_ENTITY_ID + 1];
    struct str token; /* the signed stamp; borrowed for the call of each */
    int64_t due;      /* not before */
    unsigned attempts;
};
typedef int (*outbox_each)(const struct outbox_row *row, void *arg);
/*
 * Puts a newer revision, or the same one signed anew, in place of an undelivered one of the same
 * visit; the row then has a new seq, so that an answer to the earlier one settles nothing.
 * STORE_E_ABSENT: no such visit; STORE_E_EXISTS: this revision is settled; STORE_E_STATE: a newer
 * one is there.
 */
int store_outbox_put(struct store *s, const char *visit, int64_t revision, const char *home,
                     struct str token, int64_t due);
struct outbox_home {
    char id[LIMIT_ENTITY_ID + 1];
    unsigned attempts; /* the most of what is due there */
};
typedef int (*outbox_home_each)(const struct outbox_home *home, void *arg);
/* The homes that something is due for; the one that has waited longest comes first. */
int store_outbox_homes(struct store *s, int64_t now, outbox_home_each each, void *arg);
/* What is due for one home; what was tried least comes first, then what is oldest. */
int store_outbox_due(struct store *s, const char *home, int64_t now, size_t max, outbox_each each,
                     void *arg);
/* Of a seq that is no longer in the outbox: STORE_E_ABSENT, here and below. */
int store_outbox_defer(struct store *s, int64_t seq, int64_t due); /* counts an attempt */
/* That home does not answer: whatever is due for it at `now` is so at `due`. Counts no attempt. */
int store_outbox_defer_home(struct store *s, const char *home, int64_t now, int64_t due);
/* That home answers again: what waits for it is due now. */
int store_outbox_hasten(struct store *s, const char *home, int64_t now);
/* Delivered: keeps the receipt with the visit and takes the row out of the outbox. */
int store_outbox_receipted(struct store *s, int64_t seq, struct str receipt, int64_t at);
int store_outbox_refused(struct store *s, int64_t seq, const char *code, int64_t at);
int store_outbox_count(struct store *s, int64_t *n);
/* The stamp's revision that a visit has reached, its token and its receipt ("" if none yet). */
int store_stamp_of_visit(struct store *s, const char *visit, int64_t *revision, struct buf *token,
                         struct buf *receipt);

/* At home: stamps that hosts sent. Unique by (host, id, revision). */
struct home_stamp_row {
    char host[LIMIT_ENTITY_ID + 1];
    char id[41];
    int64_t revision;
    char member[32];
    char pass[32];      /* pas_..., by index */
    uint8_t digest[32]; /* of the stamp's claims without iat: same id, other claims is a dispute */
    int64_t checked_in, checked_out;
    char day[11];
    int64_t received_at;
    bool proven;
};
typedef int (*home_stamp_each)(const struct home_stamp_row *row, void *arg);
/* 0 new; STORE_E_EXISTS: this very stamp is there already (its receipt is then appended to
 * *earlier_receipt); STORE_E_CONFLICT: same key, other digest; STORE_E_ABSENT: no such member. */
int store_home_stamp_add(struct store *s, const struct home_stamp_row *row, struct str token,
                         struct str receipt, struct buf *earlier_receipt);
/* Newest first, received before that time (0: all). The rows of one second are never torn apart, so
 * a page may go beyond `max` to the end of its last second. */
int store_home_stamp_list(struct store *s, const char *member /* or NULL */, int64_t before,
                          size_t max, home_stamp_each each, void *arg);
/* The same, with the latest revision of each stamp only. */
int store_home_stamp_latest(struct store *s, const char *member /* or NULL */, int64_t before,
                            size_t max, home_stamp_each each, void *arg);

/*
 * Stamps between nodes. Host: what to send (deliver_*). Home: what to accept (accept_*).
 */
#pragma once

#include "app/space.h"
#include "cred/stamp.h"
#include "store/visits.h"

#define STAMPS_PATH "/node/v1/stamps"

/*
 * At home. The request is a signed POST {"stamps":["<jwt>", ...]}.
 *
 * A stamp is the host's word, and is taken only so far as the pass's row backs it: the tier is the
 * pass's, the day that of the check-in. "Proven" means that the stamp names the device that the
 * pass is bound to and brings a kb+jwt of the form, the audience and the time of that check-in. It
 * does not mean that the device signed it: of the device's key the home keeps the thumbprint alone.
 */
struct accept_stamps {
    struct app_job job;             /* first */
    char keyid[THUMBPRINT_LEN + 1]; /* who signed the request */
    size_t n;
    struct accepted {
        struct stamp stamp;          /* borrows its proof from backing */
        struct json *backing;        /* owned: the stamp's payload; NULL if it is malformed */
        struct buf token;            /* owned */
        uint8_t digest[32];          /* of the signing input, for the receipt */
        uint8_t claims_digest[32];   /* for telling a re-signed stamp from a changed one */
        const char *problem;         /* static code if refused: those of proto/stamp.md */
        struct sign_request receipt; /* owned */
        struct home_stamp_row row;
        struct buf answer; /* owned: the receipt's token */
    } * items;             /* owned, n of them */
    struct buf
        reply; /* owned: {"results":[{"id","revision","receipt"}|{"id","revision","code"}]} */
};
/* Checks the request's signature, sender, replay and every stamp's signature on the calling thread;
 * then app_submit(). A stamp that is not good spoils no other: its item has a problem. *a is zeroed
 * before, and cleared afterwards whatever the result is. APP_E_UNAUTHENTICATED: no signature, a bad
 * one, or a request that was seen before; APP_E_FORBIDDEN: not the key of a space that this one
 * recognises; APP_E_INVALID: the body is no list of 1 to LIMIT_STAMPS_PER_POST stamps; APP_E_BUSY:
 * the sender's share of the replay cache is full. */
int accept_stamps_prepare(struct app_thread *t, struct space *space,
                          const struct httpsig_request *req, const struct httpsig_header *headers,
                          size_t n_headers, struct accept_stamps *a, struct err *err);
void accept_stamps_clear(struct accept_stamps *a);

/* At the host, driven by the network thread (or by a verb). One delivery goes to one home. */
struct delivery {
    char home[LIMIT_ENTITY_ID + 1];
    size_t n;
    int64_t seq[LIMIT_STAMPS_PER_POST];
    char visit[LIMIT_STAMPS_PER_POST][32];
    int64_t revision[LIMIT_STAMPS_PER_POST];
    unsigned attempts;                                     /* the most of all that is due there */
    struct buf tokens[LIMIT_STAMPS_PER_POST];              /* owned */
    struct buf url, body;                                  /* owned */
    struct buf content_digest, signature_input, signature; /* owned: header values */
};

/*
 * Takes what is due from the outbox, for at most max homes that are not in skip[] (deliveries under
 * way); the home that has waited longest comes first. The requests are signed now, by t->signer;
 * stamps older than a day are still sent as they are. *n deliveries are written, each of them
 * owned: delivery_clear().
 *
 * A delivery whose request the signer refuses is deferred as by deliver_failed(), and the others
 * are given: then err says why, although the result is 0. -EIO: the store cannot be read; else the
 * failure of the store, of the signer or of the deferring; nothing is given then.
 */
int deliver_collect(struct app_thread *t, struct space *space, const char *const *skip,
                    size_t n_skip, struct delivery *out, size_t max, size_t *n, struct err *err);

/*
 * The home answered 200 with that body: verifies each receipt and keeps it with its stamp; the code
 * of a refusal likewise. Such stamps stay as rows, and leave the outbox. What got neither a receipt
 * that is good nor a code is tried again in an hour. APP_E_UPSTREAM: the answer is not one result
 * for each stamp, and all were deferred as by deliver_failed(); APP_E_BUSY; or a failure, and then
 * nothing is settled.
 */
int deliver_received(struct app_thread *t, struct space *space, const struct delivery *d,
                     struct str body, struct err *err);

/* No answer, or not a good one: the state is unknown, never failed. Whatever is due for that home
 * is tried again later (within 30 s * 2^attempts, full jitter, at most 1 h). APP_E_BUSY; or the
 * failure of the store. */
int deliver_failed(struct app_thread *t, struct space *space, const struct delivery *d);
void delivery_clear(struct delivery *d);

/* Issuing and revoking passes. */
#pragma once

#include "app/space.h"
#include "cred/pass.h"
#include "store/members.h"
#include "store/passes.h"

struct issue_request {
    const char *member;       /* mem_... */
    int days;                 /* 1 to LIMIT_PASS_DAYS; 0: that limit */
    const struct key *device; /* NULL: a pass without holder key */
};
struct issued {
    struct pass_row row;
    struct buf token; /* owned */
    struct buf qr;    /* owned: QR text */
};
/* *out is owned: issued_clear(). APP_E_INVALID: days, a holder key that is no point of its curve,
 * or what the signer refuses (its words are in err); APP_E_ABSENT: no such member; APP_E_STATE: the
 * member is not active; APP_E_LIMIT: every status list is full; APP_E_BUSY. A new status list is
 * made, signed and published on the way when the last one has few free indices left. */
int pass_issue(struct app_thread *t, struct space *space, const struct issue_request *req,
               struct issued *out, struct err *err);
void issued_clear(struct issued *i);

/* Returns once the new status list is signed and served. Revoking twice is success. APP_E_ABSENT:
 * no such pass; APP_E_BUSY. A failure of the signer leaves the pass revoked and the list dirty:
 * then space_renew() publishes it. *out is the pass as it is then. */
int pass_revoke(struct app_thread *t, struct space *space, const char *id, struct pass_row *out,
                struct err *err);
struct json *pass_json(const struct pass_row *p);

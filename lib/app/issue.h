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
int pass_issue(struct app_thread *t, struct space *space, const struct issue_request *req,
               struct issued *out, struct err *err);
void issued_clear(struct issued *i);

/* Returns once the new status list is signed and served. Revoking twice is success. */
int pass_revoke(struct app_thread *t, struct space *space, const char *id, struct pass_row *out,
                struct err *err);
struct json *pass_json(const struct pass_row *p);

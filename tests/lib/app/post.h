/* Stamps on their way from the host to the home of a world, without a network in between. */
#pragma once

#include "lib/app/fixture.h"

/* What the host would send now: one delivery. Clear it with delivery_clear(). */
void post_collect(struct world *w, struct delivery *d);

/* The home's answer to it: the result of preparing, or of the job; a->reply is the body. */
int post_deliver(struct world *w, const struct delivery *d, struct accept_stamps *a);

/* Sends whatever is due and hands the answer to the host. */
void post_all(struct world *w);

/* A request with these stamps, signed by any key as any keyid (NULL: the key's own). */
struct post {
    const struct key_pair *key;
    const char *keyid;
    const char *nonce; /* NULL: "nonce-0123456789" */
    int64_t created;   /* 0: now */
    const char *body;
    const char *authority; /* NULL: the home's */
};
int post_send(struct world *w, const struct post *p, struct accept_stamps *a);

/* {"stamps":["<token>"]}; owned. */
char *post_body(const char *token);

/* The code that the only result of a reply carries; "" if it is a receipt. Owned. */
char *post_code(const struct accept_stamps *a);
/* The receipt of the only result. Owned. */
char *post_receipt(const struct accept_stamps *a);

/* Stamps that the home has stored. */
size_t post_stored(struct world *w);

/*
 * Passes and proofs made by hand, so that any part of them may be wrong: a header and a payload are
 * JSON text, members are replaced, left out or written twice, and whatever comes out is signed.
 */
#pragma once

#include "lib/app/fixture.h"

/* A member of a JSON object as text: {"exp", "1"}. With a NULL value it is left out. */
struct member {
    const char *name, *value;
};

/* The home's side of a world, and what a pass of it is made of. */
struct craft {
    struct world *w;
    struct key_pair *pass, *federation; /* of the home */
    struct key_pair *other_pass;        /* of the host: another space's */
    struct key_pair *stranger;          /* nobody lists it */
    char kid[THUMBPRINT_LEN + 1];       /* of .pass */
    bool seen[REASON_COUNT];            /* every reason that any row expected and got */
    unsigned rows, failed;
};
struct craft *craft_open(struct world *w);
void craft_close(struct craft *c);

/* A good pass of the home: bound to the world's device, tier "member". `change` replaces members of
 * the payload; NULL: none. Owned texts. */
char *craft_header(const struct craft *c, const struct member *change);
char *craft_payload(const struct craft *c, const struct member *change);
/* The members in order, `change` applied: the new ones go last. Several with one name in `change`
 * are all written. `change` ends with an entry without a name. */
char *craft_object(const struct member *members, const struct member *change);

/* header.payload.signature, ES256 or Ed25519 as the key is. */
char *craft_jws(const struct key_pair *key, const char *header, const char *payload);
/* header.payload, and a signature of any bytes. */
char *craft_with_signature(const char *header, const char *payload, const void *sig, size_t n);
/* jws "~" tail: a pass without proof; tail holds disclosures, each with its '~'. */
char *craft_pass(const struct craft *c, const struct member *header, const struct member *payload);

/* base64url of text. */
char *craft_b64(const char *text);
/* A disclosure of that JSON text, and the digest that names it. */
char *craft_disclosure(const char *array, char digest[static 44]);

/* The proof for `issued` ("...~"), with changed header or payload, by any key. Owned: issued+proof.
 */
char *craft_proof(const struct craft *c, const struct key_pair *key, const char *issued,
                  const struct member *header, const struct member *payload);

/* s = n - s in the signature that ends the text: it verifies as well as before. */
void craft_flip(char *text);

/* Judges the text at the host's desk and compares: REASON_NONE is an admit. A difference is printed
 * and counted. */
void craft_expect(struct craft *c, const char *name, const char *text, enum reason reason);
/* The same with bytes that may hold a NUL. */
void craft_expect_bytes(struct craft *c, const char *name, struct str text, enum reason reason);

/* printf into a new text; owned. */
char *text_of(const char *fmt, ...) _printf_(1, 2);

void verify_form(struct craft *c);   /* steps 1, 2 and 4: keys, algorithms, typ, encoding */
void verify_claims(struct craft *c); /* steps 1 and 2: every claim */
void verify_issuer(struct craft *c); /* steps 3, 5 and 6 */
void verify_holder(struct craft *c); /* step 7 */

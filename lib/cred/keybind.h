/*
 * Key-binding JWT, RFC 9901 section 4.3: the holder's device says "now, for this host".
 */
#pragma once

#include "cred/sdjwt.h"

#define KEYBIND_TYP "kb+jwt"
#define KEYBIND_ANY_DESK "urn:comity:any-desk"
#define KEYBIND_NONCE_MIN 8
#define KEYBIND_NONCE_MAX 64

enum {
    KEYBIND_E_MALFORMED = 1, /* form, typ, alg, claims */
    KEYBIND_E_SIGNATURE,     /* not the device key of cnf */
    KEYBIND_E_HASH,          /* sd_hash is not of this presentation */
    KEYBIND_E_AUDIENCE,      /* neither us nor any desk */
    KEYBIND_E_TIME,          /* outside now - 90 s .. now + 30 s, or before not_before */
};

struct keybind {
    int64_t iat;
    char nonce[KEYBIND_NONCE_MAX + 1];
    bool any_desk;
};

/* `audience` is the verifying space's entity id; `not_before` the start of the verifying process.
 * Checked in the order of the conditions above; *out is only written on 0. Replay is the caller's
 * to find, by (device key, nonce). */
int keybind_check(struct verifier *v, const struct sdjwt *presented, const struct key *device,
                  const char *audience, int64_t now, int64_t not_before, struct keybind *out,
                  struct err *err);

/* Appends issued + proof. `issued` ends in '~' (-EINVAL if not), nonce is 8 to 64 visible ASCII
 * characters. */
int keybind_present(const struct key_pair *device, struct str issued, const char *audience,
                    const char *nonce, int64_t now, struct buf *out);

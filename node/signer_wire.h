/*
 * What goes over a channel between the node and its signer process: frames, in order, each answered
 * by one. Both ends are the same program, so numbers are in the machine's own order. Private to
 * node/signer*.
 */
#pragma once

#include "app/signer.h"
#include "base/limits.h"
#include "vault_check.h"

#define WIRE_FRAME_MAX (64 * 1024) /* bytes, head included */
#define WIRE_IN_FLIGHT 32          /* requests that are sent before the first answer is read */

enum wire_op { WIRE_SIGN = 1, WIRE_CREATE, WIRE_KEYS };

/* Followed by the space's id and the payload. */
struct wire_request {
    uint32_t n; /* bytes of the frame */
    uint16_t op, kind;
    uint32_t n_space, n_payload;
};

/* Followed by what was made (a token, or two struct key), the error's text and what to do next. */
struct wire_answer {
    uint32_t n;
    int32_t result;
    int64_t iat;
    uint32_t n_made, n_text, n_next;
    uint32_t spare; /* 0 */
};

/* Takes a whole frame from the beginning of buf: its bytes, 0 if more must come, -EPROTO if that is
 * no frame. `head` is the size of its head, which is copied to *out. */
int wire_frame(struct str buf, size_t head, void *out);

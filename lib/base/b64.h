/*
 * base64url without padding, RFC 4648 section 5 and RFC 7515 section 2. Decoding is canonical: no
 * padding, no white space, unused trailing bits zero; so one byte string has one text.
 */
#pragma once

#include "base/buf.h"

#define B64_LEN(n) (((n)*4 + 2) / 3)   /* characters for n bytes */
#define B64_DECODED_LEN(n) ((n)*3 / 4) /* bytes from n characters */

/* Writes B64_LEN(n) characters, no NUL. */
void b64_encode(const void *p, size_t n, char *out);
int b64_append(struct buf *b, const void *p, size_t n);

/* Decodes into out, which holds B64_DECODED_LEN(text.n) bytes; *n is set to that length.
 * 0, or -EINVAL if the text is not canonical base64url (out's content is then undefined). */
int b64_decode(struct str text, void *out, size_t *n);

/* As above, but exactly want bytes. */
int b64_decode_exact(struct str text, void *out, size_t want);

/* Standard base64 with padding (RFC 4648 section 4), for HTTP structured fields only. Decoding is
 * as canonical: -EINVAL; -ENOSPC if it is more than cap bytes. */
int b64std_append(struct buf *b, const void *p, size_t n);
int b64std_decode(struct str text, void *out, size_t cap, size_t *n);

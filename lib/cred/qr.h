/*
 * QR text of a pass, and its pictures. The text is https://<home>/p#<digits>: each character of the
 * token as two decimal digits, code - 45, so that encoders use numeric segments.
 * <qrencode.h> is included by cred/qr_symbol.c only.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum {
    QR_E_MALFORMED = 1, /* neither digits, nor such a URL, nor a token */
    QR_E_TOO_LONG,      /* does not fit in a QR symbol */
};

/* Appends the URL. `home` is an entity id. 0; -EINVAL if the token is empty, longer than
 * LIMIT_PRESENTATION or has a character that no SD-JWT has; the buffer's error. */
int qr_text(const char *home, struct str token, struct buf *out);

/* The three forms that readers accept: digits, the URL, the raw token (surrounding white space is
 * dropped). Appends the token, at most LIMIT_PRESENTATION characters; err says what was seen
 * instead. QR_E_MALFORMED, or the buffer's error. */
int qr_read(struct str text, struct buf *token, struct err *err);

struct qr; /* a symbol: a square of modules */

/* Digits at the end of the text become a numeric segment, what precedes them a byte segment; the
 * smallest version that holds it, error correction level L. *out is owned. 0, QR_E_TOO_LONG,
 * -EINVAL if empty, -ENOMEM. */
int qr_encode(struct str text, struct qr **out);
void qr_free(struct qr *qr);
DEFINE_CLEANUP(struct qr *, qr_free)
unsigned qr_width(const struct qr *qr); /* modules, without quiet zone */
bool qr_dark(const struct qr *qr, unsigned x, unsigned y);

/* Half blocks, two modules a line, light on dark ground with `quiet` modules around it; with colour
 * escapes only if `colour`. Columns needed: qr_width() + 2 * quiet. */
int qr_terminal(const struct qr *qr, unsigned quiet, bool colour, struct buf *out);

/* A picture without script or style that scales: one path, viewBox in modules, quiet zone of 4. */
int qr_svg(const struct qr *qr, struct buf *out);

/* 1 bit grey, quiet zone of 4; scale is 1 to 32 pixels a module (-EINVAL). */
int qr_png(const struct qr *qr, unsigned scale, struct buf *out);

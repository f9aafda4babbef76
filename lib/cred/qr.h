/*
 * QR text of a pass, and its pictures. The text is https://<home>/p#<digits>: each character of the
 * token as two decimal digits, code - 45, so that encoders use numeric segments.
 * This is the only room of <qrencode.h>.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum {
    QR_E_MALFORMED = 1, /* neither digits, nor such a URL, nor a token */
    QR_E_TOO_LONG,      /* does not fit in a QR symbol */
};

int qr_text(const char *home, struct str token, struct buf *out);

/* The three forms that readers accept: digits, the URL, the raw token (surrounding white space is
 * dropped). Writes the token; err says what was seen instead. */
int qr_read(struct str text, struct buf *token, struct err *err);

struct qr; /* a symbol: a square of modules */
int qr_encode(struct str text, struct qr **out);
void qr_free(struct qr *qr);
DEFINE_CLEANUP(struct qr *, qr_free)
unsigned qr_width(const struct qr *qr); /* modules, without quiet zone */
bool qr_dark(const struct qr *qr, unsigned x, unsigned y);

/* Half blocks, two modules a line, light on dark ground with `quiet` modules around it; with colour
 * escapes only if `colour`. Columns needed: qr_width() + 2 * quiet. */
int qr_terminal(const struct qr *qr, unsigned quiet, bool colour, struct buf *out);
int qr_svg(const struct qr *qr, struct buf *out);
int qr_png(const struct qr *qr, unsigned scale, struct buf *out); /* 1 bit grey, quiet zone of 4 */

/*
 * Pictures of a pass, and holders' key files: for `pass issue` and `holder`.
 */
#pragma once

#include "cli.h"
#include "crypto/key.h"

/* Shows the QR code of `qr` if the terminal is wide enough; else that of the pass without its
 * disclosures; else says how many columns it takes. */
void qr_show(const struct show *how, const char *token, const char *qr);

int qr_write_svg(const char *path, struct str qr, struct err *err); /* NULL path: 0 */
int qr_write_png(const char *path, struct str qr, struct err *err);

/* A file with a JWK. *pair (may be NULL) wants the private part; owned. APP_E_INVALID, -errno. */
int holder_key_read(const char *path, struct key *key, struct key_pair **pair, struct err *err);

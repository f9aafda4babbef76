/*
 * A growing byte buffer with a hard bound. Zero-initialise it (struct buf b = {0}; unbounded up to
 * BUF_MAX) or set .max. Owned by its holder; release with buf_clear().
 *
 * An append that fails sets a sticky error, so that a chain of appends is checked once, by
 * buf_error(): 0, -ENOMEM or -ENOSPC (the bound).
 */
#pragma once

#include "base/cleanup.h"
#include "base/str.h"

#define BUF_MAX ((size_t)64 << 20)

struct buf {
    char *p;
    size_t n, cap;
    size_t max; /* bytes; 0 means BUF_MAX */
    int error;
};

void buf_clear(struct buf *b); /* frees; the buffer is as new but keeps .max */
void buf_reset(struct buf *b); /* empties but keeps the memory */
int buf_reserve(struct buf *b, size_t more);
int buf_add(struct buf *b, const void *p, size_t n);
int buf_str(struct buf *b, struct str s);
int buf_z(struct buf *b, const char *z);
int buf_ch(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
int buf_error(const struct buf *b);
struct str buf_as_str(const struct buf *b); /* borrowed; NUL follows the last byte if b->p */

/* Hands the bytes over as an owned, NUL-terminated string and leaves b empty. NULL on error. */
char *buf_take(struct buf *b);

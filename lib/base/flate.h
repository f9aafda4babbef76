/*
 * zlib (RFC 1950), bounded both ways. This is the only room of <zlib.h>.
 */
#pragma once

#include "base/buf.h"

enum {
    FLATE_E_CORRUPT = 1, /* not a zlib stream, or its check value is wrong */
    FLATE_E_BOMB,        /* would give more bytes than the bound */
    FLATE_E_TRAILING,    /* bytes after the end of the stream, or the end missing */
};

int flate_deflate(const void *p, size_t n, struct buf *out); /* best compression */

/* Inflates exactly one stream that ends at the end of the input, to at most max bytes. */
int flate_inflate(const void *p, size_t n, size_t max, struct buf *out);

uint32_t flate_crc32(uint32_t crc, const void *p, size_t n); /* for PNG chunks */

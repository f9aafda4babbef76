#include "base/flate.h"

#include <errno.h>
#include <zlib.h>

#define STEP 4096 /* bytes of output taken at once */

int flate_deflate(const void *p, size_t n, struct buf *out)
{
    uLongf len;
    int r;

    if (n > BUF_MAX)
        return -EINVAL;
    len = compressBound(n);
    r = buf_reserve(out, len);
    if (r)
        return r;
    r = compress2((Bytef *)out->p + out->n, &len, p, n, Z_BEST_COMPRESSION);
    if (r != Z_OK)
        return -ENOMEM;
    out->n += len;
    out->p[out->n] = '\0';
    return 0;
}

/* Inflates into out until the stream ends or gives more than max bytes. */
static int inflate_all(z_stream *z, size_t max, struct buf *out)
{
    Bytef step[STEP];
    size_t got, total = 0;
    int r, rc;

    do {
        z->next_out = step;
        z->avail_out = sizeof(step);
        r = inflate(z, Z_NO_FLUSH);
        got = sizeof(step) - z->avail_out;
        if (got > max - total)
            return FLATE_E_BOMB;
        total += got;
        rc = buf_add(out, step, got);
        if (rc)
            return rc;
    } while (r == Z_OK && (z->avail_in || !z->avail_out));
    if (r == Z_STREAM_END)
        return z->avail_in ? FLATE_E_TRAILING : 0;
    if (r == Z_MEM_ERROR)
        return -ENOMEM;
    return r == Z_OK || r == Z_BUF_ERROR ? FLATE_E_TRAILING : FLATE_E_CORRUPT;
}

int flate_inflate(const void *p, size_t n, size_t max, struct buf *out)
{
    z_stream z = {.next_in = (Bytef *)p, .avail_in = (uInt)n};
    size_t start = out->n;
    int r;

    if (n > BUF_MAX)
        return -EINVAL;
    if (inflateInit(&z) != Z_OK)
        return -ENOMEM;
    r = inflate_all(&z, max, out);
    inflateEnd(&z);
    if (r) {
        out->n = start;
        if (out->p)
            out->p[start] = '\0';
    }
    return r;
}

uint32_t flate_crc32(uint32_t crc, const void *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
}

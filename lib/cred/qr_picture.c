#include <errno.h>

#include "base/flate.h"
#include "cred/qr.h"

#define QUIET 4 /* modules around the symbol: ISO/IEC 18004 section 9.1 */
#define SCALE_MAX 32

/* Light, in the frame of `quiet` modules around the symbol; outside of that nothing is drawn. */
static bool is_light(const struct qr *qr, unsigned quiet, unsigned x, unsigned y)
{
    if (y >= qr_width(qr) + 2 * quiet)
        return false;
    return x < quiet || y < quiet || !qr_dark(qr, x - quiet, y - quiet);
}

int qr_terminal(const struct qr *qr, unsigned quiet, bool colour, struct buf *out)
{
    static const char *const glyph[4] = {" ", "▀", "▄", "█"};
    unsigned side = qr_width(qr) + 2 * quiet;

    for (unsigned y = 0; y < side; y += 2) {
        if (colour)
            buf_z(out, "\x1b[97;40m");
        for (unsigned x = 0; x < side; x++)
            buf_z(out, glyph[is_light(qr, quiet, x, y) + 2 * is_light(qr, quiet, x, y + 1)]);
        buf_z(out, colour ? "\x1b[0m\n" : "\n");
    }
    return buf_error(out);
}

/* One path: a rectangle for each run of dark modules in a row. */
int qr_svg(const struct qr *qr, struct buf *out)
{
    unsigned width = qr_width(qr), side = width + 2 * QUIET, end;

    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" "
               "shape-rendering=\"crispEdges\">"
               "<rect width=\"%u\" height=\"%u\" fill=\"#fff\"/><path d=\"",
               side, side, side, side);
    for (unsigned y = 0; y < width; y++)
        for (unsigned x = 0; x < width; x = end + 1) {
            for (end = x; qr_dark(qr, end, y); end++)
                ;
            if (end > x)
                buf_printf(out, "M%u %uh%uv1h-%uz", x + QUIET, y + QUIET, end - x, end - x);
        }
    buf_z(out, "\"/></svg>\n");
    return buf_error(out);
}

static void put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* PNG (ISO/IEC 15948) section 5.3: length, type, data, CRC of type and data. */
static int png_chunk(struct buf *out, const char *type, const void *p, size_t n)
{
    uint8_t length[4], check[4];

    put_u32(length, (uint32_t)n);
    put_u32(check, flate_crc32(flate_crc32(0, type, 4), p, n));
    buf_add(out, length, 4);
    buf_add(out, type, 4);
    buf_add(out, p, n);
    buf_add(out, check, 4);
    return buf_error(out);
}

/* Section 7.2: rows of packed pixels, most significant bit first, each after a filter byte of 0. */
static int png_rows(const struct qr *qr, unsigned scale, struct buf *rows)
{
    unsigned side = qr_width(qr) + 2 * QUIET;
    size_t n = ((size_t)side * scale + 7) / 8 + 1;
    _cleanup_(freep) uint8_t *row = malloc(n);

    if (!row)
        return -ENOMEM;
    for (unsigned y = 0; y < side; y++) {
        memset(row, 0, n);
        for (unsigned x = 0; x < side * scale; x++)
            if (is_light(qr, QUIET, x / scale, y))
                row[1 + x / 8] |= (uint8_t)(0x80 >> x % 8);
        for (unsigned i = 0; i < scale; i++)
            buf_add(rows, row, n);
    }
    return buf_error(rows);
}

int qr_png(const struct qr *qr, unsigned scale, struct buf *out)
{
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    _cleanup_(buf_clear) struct buf rows = {0}, packed = {0};
    uint8_t header[13] = {[8] =
                              1}; /* width, height, 1 bit, grey, deflate, adaptive, no interlace */
    int r;

    if (scale < 1 || scale > SCALE_MAX)
        return -EINVAL;
    r = png_rows(qr, scale, &rows);
    if (!r)
        r = flate_deflate(rows.p, rows.n, &packed);
    if (r)
        return r;
    put_u32(header, (qr_width(qr) + 2 * QUIET) * scale);
    put_u32(header + 4, (qr_width(qr) + 2 * QUIET) * scale);
    buf_add(out, signature, sizeof(signature));
    png_chunk(out, "IHDR", header, sizeof(header));
    png_chunk(out, "IDAT", packed.p, packed.n);
    return png_chunk(out, "IEND", "", 0);
}

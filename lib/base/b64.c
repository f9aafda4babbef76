#include "base/b64.h"

#include <errno.h>

static const char url_alphabet[64] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char std_alphabet[64] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Value + 1 of each character, so that what is not named is 0, which is no value. */
#define COMMON_VALUES                                                                              \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,        \
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, \
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23,            \
    ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,            \
    ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,            \
    ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44,            \
    ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51,            \
    ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58,            \
    ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62

static const uint8_t url_values[256] = {COMMON_VALUES, ['-'] = 63, ['_'] = 64};
static const uint8_t std_values[256] = {COMMON_VALUES, ['+'] = 63, ['/'] = 64};

static void encode(const uint8_t *p, size_t n, const char alphabet[static 64], char *out)
{
    uint32_t x;

    for (; n >= 3; n -= 3, p += 3) {
        x = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        *out++ = alphabet[x >> 18];
        *out++ = alphabet[x >> 12 & 63];
        *out++ = alphabet[x >> 6 & 63];
        *out++ = alphabet[x & 63];
    }
    if (n == 0)
        return;
    x = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
    *out++ = alphabet[x >> 18];
    *out++ = alphabet[x >> 12 & 63];
    if (n == 2)
        *out = alphabet[x >> 6 & 63];
}

/* RFC 4648 section 3.5: the unused bits of the last character must be zero. */
static int decode(const uint8_t *s, size_t n, const uint8_t values[static 256], uint8_t *out)
{
    uint8_t a, b, c = 1, d;

    for (; n >= 4; n -= 4, s += 4) {
        a = (uint8_t)(values[s[0]] - 1);
        b = (uint8_t)(values[s[1]] - 1);
        c = (uint8_t)(values[s[2]] - 1);
        d = (uint8_t)(values[s[3]] - 1);
        if ((a | b | c | d) & 0xC0)
            return -EINVAL;
        *out++ = (uint8_t)(a << 2 | b >> 4);
        *out++ = (uint8_t)(b << 4 | c >> 2);
        *out++ = (uint8_t)(c << 6 | d);
    }
    if (n == 0)
        return 0;
    if (n == 1)
        return -EINVAL;
    a = (uint8_t)(values[s[0]] - 1);
    b = (uint8_t)(values[s[1]] - 1);
    c = n == 3 ? (uint8_t)(values[s[2]] - 1) : 0;
    if ((a | b | c) & 0xC0 || (n == 2 ? b & 15 : c & 3))
        return -EINVAL;
    *out++ = (uint8_t)(a << 2 | b >> 4);
    if (n == 3)
        *out = (uint8_t)(b << 4 | c >> 2);
    return 0;
}

void b64_encode(const void *p, size_t n, char *out)
{
    encode(p, n, url_alphabet, out);
}

int b64_append(struct buf *b, const void *p, size_t n)
{
    int r = buf_reserve(b, B64_LEN(n));

    if (r)
        return r;
    encode(p, n, url_alphabet, b->p + b->n);
    b->n += B64_LEN(n);
    b->p[b->n] = '\0';
    return 0;
}

int b64_decode(struct str text, void *out, size_t *n)
{
    int r = decode((const uint8_t *)text.p, text.n, url_values, out);

    if (r)
        return r;
    *n = B64_DECODED_LEN(text.n);
    return 0;
}

int b64_decode_exact(struct str text, void *out, size_t want)
{
    if (text.n != B64_LEN(want))
        return -EINVAL;
    return decode((const uint8_t *)text.p, text.n, url_values, out);
}

int b64std_append(struct buf *b, const void *p, size_t n)
{
    static const char padding[3] = "==";
    int r = buf_reserve(b, (n + 2) / 3 * 4);

    if (r)
        return r;
    encode(p, n, std_alphabet, b->p + b->n);
    b->n += B64_LEN(n);
    b->p[b->n] = '\0';
    return n % 3 ? buf_add(b, padding, 3 - n % 3) : 0;
}

int b64std_decode(struct str text, void *out, size_t cap, size_t *n)
{
    int r;

    if (text.n % 4)
        return -EINVAL;
    for (int i = 0; i < 2 && text.n && text.p[text.n - 1] == '='; i++)
        text.n--;
    if (B64_DECODED_LEN(text.n) > cap)
        return -ENOSPC;
    r = decode((const uint8_t *)text.p, text.n, std_values, out);
    if (r)
        return r;
    *n = B64_DECODED_LEN(text.n);
    return 0;
}

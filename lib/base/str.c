#include "base/str.h"

#include <errno.h>
#include <stdlib.h>

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq((struct str){s.p + (s.n - suffix.n), suffix.n}, suffix);
}

bool str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
    const char *at = s.n ? memchr(s.p, sep, s.n) : NULL;
    size_t n = at ? (size_t)(at - s.p) : s.n;

    *head = (struct str){s.p, n};
    *tail = at ? (struct str){at + 1, s.n - n - 1} : (struct str){NULL, 0};
    return at != NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

int str_copy(char *dst, size_t cap, struct str s)
{
    if (s.n >= cap)
        return -ENOSPC;
    if (s.n && memchr(s.p, '\0', s.n))
        return -EINVAL;
    if (s.n)
        memcpy(dst, s.p, s.n);
    dst[s.n] = '\0';
    return 0;
}

char *str_dup(struct str s)
{
    char *z = malloc(s.n + 1);

    if (!z)
        return NULL;
    if (s.n)
        memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    return z;
}

/* Digits without a leading zero, at most max of them. The number of digits taken, 0 if none. */
static size_t take_digits(struct str s, size_t max, uint64_t *out)
{
    uint64_t x = 0;
    size_t i = 0;

    while (i < s.n && i <= max && s.p[i] >= '0' && s.p[i] <= '9')
        x = x * 10 + (uint64_t)(s.p[i++] - '0');
    if (i > max || (i > 1 && s.p[0] == '0'))
        return 0;
    *out = x;
    return i;
}

int str_to_int(struct str s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = s.n && s.p[0] == '-';
    struct str digits = {s.p + negative, s.n - negative};
    uint64_t x, limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    int64_t value;

    if (digits.n == 0 || (digits.n > 1 && digits.p[0] == '0') || (negative && digits.p[0] == '0'))
        return -EINVAL;
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return -EINVAL;
    /* 19 digits fit into 64 unsigned bits without wrapping */
    if (take_digits(digits, 19, &x) != digits.n || x > limit)
        return -ERANGE;
    value = negative ? (int64_t)(0 - x) : (int64_t)x;
    if (value < min || value > max)
        return -ERANGE;
    *out = value;
    return 0;
}

int str_to_real(struct str s, double min, double max, double *out)
{
    bool negative = s.n && s.p[0] == '-';
    struct str rest = {s.p + negative, s.n - negative};
    uint64_t mantissa = 0;
    double scale = 1, value;
    size_t whole, i;

    if (rest.n > 12)
        return -EINVAL;
    whole = take_digits(rest, 12, &mantissa);
    if (!whole)
        return -EINVAL;
    if (whole < rest.n && (rest.p[whole] != '.' || whole + 1 == rest.n))
        return -EINVAL;
    for (i = whole + 1; i < rest.n; i++) {
        if (rest.p[i] < '0' || rest.p[i] > '9')
            return -EINVAL;
        mantissa = mantissa * 10 + (uint64_t)(rest.p[i] - '0');
        scale *= 10;
    }
    /* both are exact in a double, so the quotient is the nearest one to the decimal */
    value = (double)mantissa / scale;
    if (negative)
        value = -value;
    if (!(value >= min && value <= max))
        return -ERANGE;
    *out = value;
    return 0;
}

/* RFC 3629 section 4, the table of well-formed sequences. */
size_t str_utf8_len(const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text;
    uint8_t low = 0x80, high = 0xBF;
    size_t len;

    if (n == 0)
        return 0;
    if (p[0] < 0x80)
        return p[0] != 0;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        len = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        len = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        len = 4;
    else
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    if (n < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0, len; i < s.n; i += len) {
        len = str_utf8_len(s.p + i, s.n - i);
        if (!len)
            return false;
    }
    return true;
}

/* C0, DEL, C1, the line separators and what reverses the direction of the text around it. */
static bool is_control(const uint8_t *p, size_t len)
{
    if (len == 1)
        return p[0] < 0x20 || p[0] == 0x7F;
    if (len == 2)
        return p[0] == 0xC2 && p[1] < 0xA0;
    if (len == 3 && p[0] == 0xE2 && p[1] == 0x80)
        return p[2] == 0x8E || p[2] == 0x8F || (p[2] >= 0xA8 && p[2] <= 0xAE);
    return len == 3 && p[0] == 0xE2 && p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;
}

bool str_is_printable(struct str s)
{
    for (size_t i = 0, len; i < s.n; i += len) {
        len = str_utf8_len(s.p + i, s.n - i);
        if (!len || is_control((const uint8_t *)s.p + i, len))
            return false;
    }
    return true;
}

#include "base/json_scan.h"

#include <endian.h>

struct scan {
    const char *p, *end;
    const struct json_bounds *bounds;
    unsigned depth;
};

static int scan_value(struct scan *s);

static void skip_space(struct scan *s)
{
    while (s->p < s->end && json_is_space(*s->p))
        s->p++;
}

static bool is_digit(const struct scan *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

int json_hex4(const char *p)
{
    int x = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            x = x << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            x = x << 4 | (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            x = x << 4 | (c - 'A' + 10);
        else
            return -1;
    }
    return x;
}

/* After "\u". RFC 8259 section 7: a surrogate only as the first of a pair. */
static int scan_unicode(struct scan *s)
{
    int high, low;

    if (s->end - s->p < 4)
        return JSON_E_SYNTAX;
    high = json_hex4(s->p);
    if (high < 0)
        return JSON_E_SYNTAX;
    if (high == 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return JSON_E_UTF8;
    s->p += 4;
    if (high < 0xD800 || high > 0xDBFF)
        return 0;
    if (s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u')
        return JSON_E_UTF8;
    low = json_hex4(s->p + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return JSON_E_UTF8;
    s->p += 6;
    return 0;
}

static int scan_escape(struct scan *s)
{
    if (++s->p == s->end)
        return JSON_E_SYNTAX;
    switch (*s->p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->p++;
        return 0;
    case 'u':
        s->p++;
        return scan_unicode(s);
    default:
        return JSON_E_SYNTAX;
    }
}

#define EACH_BYTE(x) (UINT64_C(0x0101010101010101) * (x))

/* Eight bytes at once: subtracting n sets the highest bit of each byte below n. A borrow may set it
 * also in bytes that follow such a one, so only the first that is marked is meant. */
static uint64_t mark_special(uint64_t w)
{
    uint64_t control = w - EACH_BYTE(0x20);
    uint64_t quote = (w ^ EACH_BYTE('"')) - EACH_BYTE(1);
    uint64_t backslash = (w ^ EACH_BYTE('\\')) - EACH_BYTE(1);

    return (w | control | quote | backslash) & EACH_BYTE(0x80);
}

const char *json_plain_end(const char *p, const char *end)
{
    uint64_t w;

    for (; end - p >= 8; p += 8) {
        memcpy(&w, p, sizeof(w));
        w = mark_special(le64toh(w));
        if (w)
            return p + __builtin_ctzll(w) / 8;
    }
    while (p < end && (uint8_t)*p >= 0x20 && (uint8_t)*p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static int scan_string(struct scan *s)
{
    size_t len;
    int r;

    for (s->p++;;) {
        s->p = json_plain_end(s->p, s->end);
        if (s->p == s->end)
            return JSON_E_SYNTAX;
        if (*s->p == '"') {
            s->p++;
            return 0;
        }
        if (*s->p == '\\') {
            r = scan_escape(s);
            if (r)
                return r;
        } else if ((uint8_t)*s->p < 0x20) {
            return *s->p ? JSON_E_SYNTAX : JSON_E_UTF8;
        } else {
            len = str_utf8_len(s->p, (size_t)(s->end - s->p));
            if (!len)
                return JSON_E_UTF8;
            s->p += len;
        }
    }
}

#define EXPONENT_MAX 100000 /* far beyond what a double holds; larger ones count as this */

/* A number in parts: digits from first to last without the point, and where the point stands. */
struct number {
    const char *digits, *end; /* of the text, without sign and exponent */
    int exponent;
};

/*
 * Whether |x| <= 2^53 - 1, judged on the decimal text, since a double would round: every larger
 * double is an integer, so 9007199254740992.0 and 1e400 are integers out of range too.
 */
static bool number_in_range(const struct number *x)
{
    static const char top[] = "9007199254740991";
    const int places = sizeof(top) - 1;
    const char *p = x->digits, *point = NULL;
    char seen[sizeof(top)];
    int n = 0, before = 0;
    bool more = false;

    for (; p < x->end; p++) {
        if (*p == '.') {
            point = p;
            continue;
        }
        if (!n && *p == '0') {
            before -= point != NULL; /* a zero behind the point moves the first digit down */
            continue;
        }
        before += point == NULL;
        if (n < places)
            seen[n++] = *p;
        else
            more |= *p != '0';
    }
    if (!n)
        return true;
    if (before + x->exponent != places)
        return before + x->exponent < places;
    while (n < places)
        seen[n++] = '0';
    n = memcmp(seen, top, (size_t)places);
    return n < 0 || (n == 0 && !more);
}

static int scan_exponent(struct scan *s, int *out)
{
    bool negative;
    int x = 0;

    s->p++;
    negative = s->p < s->end && *s->p == '-';
    if (s->p < s->end && (*s->p == '-' || *s->p == '+'))
        s->p++;
    if (!is_digit(s))
        return JSON_E_SYNTAX;
    for (; is_digit(s); s->p++)
        if (x < EXPONENT_MAX)
            x = x * 10 + (*s->p - '0');
    *out = negative ? -x : x;
    return 0;
}

/* RFC 8259 section 6. */
static int scan_number(struct scan *s)
{
    struct number x = {0};
    int r;

    if (*s->p == '-')
        s->p++;
    x.digits = s->p;
    if (!is_digit(s))
        return JSON_E_SYNTAX;
    if (*s->p == '0')
        s->p++;
    else
        while (is_digit(s))
            s->p++;
    x.end = s->p;
    if (is_digit(s))
        return JSON_E_SYNTAX;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!is_digit(s))
            return JSON_E_SYNTAX;
        while (is_digit(s))
            s->p++;
        x.end = s->p;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        r = scan_exponent(s, &x.exponent);
        if (r)
            return r;
    }
    if (s->p - x.digits < 16 && x.exponent <= 0) /* too short to be too large */
        return 0;
    return number_in_range(&x) ? 0 : JSON_E_NUMBER;
}

static int scan_word(struct scan *s, struct str word)
{
    if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0)
        return JSON_E_SYNTAX;
    s->p += word.n;
    return 0;
}

static int scan_name(struct scan *s)
{
    int r;

    if (s->p == s->end || *s->p != '"')
        return JSON_E_SYNTAX;
    r = scan_string(s);
    if (r)
        return r;
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return JSON_E_SYNTAX;
    s->p++;
    return 0;
}

/* Members of an object (close is '}') or items of an array (']'), up to max of them. */
static int scan_container(struct scan *s, char close, unsigned max)
{
    unsigned n = 0;
    int r;

    if (s->depth == s->bounds->depth)
        return JSON_E_DEPTH;
    s->depth++;
    s->p++;
    skip_space(s);
    if (s->p < s->end && *s->p == close) {
        s->p++;
        s->depth--;
        return 0;
    }
    for (;;) {
        if (n++ == max)
            return JSON_E_MEMBERS;
        if (close == '}') {
            skip_space(s);
            r = scan_name(s);
            if (r)
                return r;
        }
        r = scan_value(s);
        if (r)
            return r;
        skip_space(s);
        if (s->p == s->end || (*s->p != ',' && *s->p != close))
            return JSON_E_SYNTAX;
        if (*s->p++ == close)
            break;
    }
    s->depth--;
    return 0;
}

static int scan_value(struct scan *s)
{
    skip_space(s);
    if (s->p == s->end)
        return JSON_E_SYNTAX;
    switch (*s->p) {
    case '{':
        return scan_container(s, '}', s->bounds->members);
    case '[':
        return scan_container(s, ']', s->bounds->items);
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, STR("true"));
    case 'f':
        return scan_word(s, STR("false"));
    case 'n':
        return scan_word(s, STR("null"));
    default:
        return scan_number(s);
    }
}

int json_scan(struct str text, const struct json_bounds *bounds, size_t *at)
{
    struct scan s = {.p = text.p, .end = text.p + text.n, .bounds = bounds};
    int r = 0;

    if (text.n > bounds->bytes) {
        *at = bounds->bytes;
        return JSON_E_SIZE;
    }
    if (text.n == 0) {
        *at = 0;
        return JSON_E_SYNTAX;
    }
    r = scan_value(&s);
    if (!r) {
        skip_space(&s);
        r = s.p == s.end ? 0 : JSON_E_SYNTAX;
    }
    *at = (size_t)(s.p - text.p);
    return r;
}

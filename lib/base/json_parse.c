#include "base/json_value.h"

#include <errno.h>

#include "base/json_scan.h"
#include "base/limits.h"

const struct json_bounds json_bounds_wire = {
    .bytes = LIMIT_JSON,
    .depth = LIMIT_JSON_DEPTH,
    .members = LIMIT_JSON_MEMBERS,
    .items = LIMIT_JSON_ITEMS,
};

/* Building: `at` moves over text that json_scan() has accepted. */

static int build_value(const char **at, const char *end, struct json **out);

static void skip_space(const char **at)
{
    while (json_is_space(**at)) /* never at the end: a bracket or quote is still to come */
        (*at)++;
}

/* Writes code as UTF-8; returns the number of bytes. */
static size_t put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 63));
        out[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63));
    out[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* One escape at p (the backslash), written to out. Returns what follows it. */
static const char *unescape(const char *p, char *out, size_t *n)
{
    static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    uint32_t code, low;

    if (p[1] != 'u') {
        out[(*n)++] = plain[(uint8_t)p[1]];
        return p + 2;
    }
    code = (uint32_t)json_hex4(p + 2);
    p += 6;
    if (code >= 0xD800 && code <= 0xDBFF) {
        low = (uint32_t)json_hex4(p + 2);
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        p += 6;
    }
    *n += put_utf8(code, out + *n);
    return p;
}

/* The string at *at: a slice of the text itself, or, if it has escapes, of *copy, which is owned.
 */
static int take_string(const char **at, const char *end, char **copy, struct str *out)
{
    const char *start = ++(*at), *p = json_plain_end(start, end);
    bool escaped = false;
    size_t n = 0;

    while (*p != '"') {
        escaped |= *p == '\\';
        p = json_plain_end(p + (*p == '\\' ? 2 : 1), end);
    }
    *at = p + 1;
    *out = (struct str){start, (size_t)(p - start)};
    if (!escaped)
        return 0;
    *copy = malloc(out->n);
    if (!*copy)
        return -ENOMEM;
    for (p = start; p < start + out->n;) {
        if (*p == '\\')
            p = unescape(p, *copy, &n);
        else
            (*copy)[n++] = *p++;
    }
    *out = (struct str){*copy, n};
    return 0;
}

static int build_string(const char **at, const char *end, struct json **out)
{
    _cleanup_(freep) char *copy = NULL;
    struct str s;
    int r = take_string(at, end, &copy, &s);

    if (r)
        return r;
    *out = json_value_string(s);
    return *out ? 0 : -ENOMEM;
}

static int build_number(const char **at, const char *end, struct json **out)
{
    const char *start = *at, *p = start;
    bool negative = *p == '-';
    int64_t x = 0;

    for (p += negative; p < end && *p >= '0' && *p <= '9'; p++)
        x = x * 10 + (*p - '0');
    if (p < end && (*p == '.' || *p == 'e' || *p == 'E')) {
        while (p < end && strchr("0123456789.eE+-", *p))
            p++;
        *out = json_value_real((struct str){start, (size_t)(p - start)});
    } else {
        *out = json_int(negative ? -x : x);
    }
    *at = p;
    return *out ? 0 : -ENOMEM;
}

static int build_array(const char **at, const char *end, struct json *arr)
{
    struct json *item = NULL;
    int r;

    (*at)++;
    skip_space(at);
    if (**at == ']') {
        (*at)++;
        return 0;
    }
    do {
        r = build_value(at, end, &item);
        if (r)
            return r;
        if (json_append(arr, item))
            return -ENOMEM;
        skip_space(at);
    } while (*(*at)++ == ',');
    return 0;
}

static int build_member(const char **at, const char *end, struct json *obj)
{
    _cleanup_(freep) char *copy = NULL;
    struct json *value = NULL;
    size_t before = json_count(obj);
    struct str key;
    int r;

    skip_space(at);
    r = take_string(at, end, &copy, &key);
    if (r)
        return r;
    skip_space(at);
    (*at)++; /* the colon */
    r = build_value(at, end, &value);
    if (r)
        return r;
    r = json_value_put(obj, key, value);
    return r ? r : json_count(obj) == before ? JSON_E_DUPLICATE : 0;
}

static int build_object(const char **at, const char *end, struct json *obj)
{
    int r;

    (*at)++;
    skip_space(at);
    if (**at == '}') {
        (*at)++;
        return 0;
    }
    do {
        r = build_member(at, end, obj);
        if (r)
            return r;
        skip_space(at);
    } while (*(*at)++ == ',');
    return 0;
}

static int build_container(const char **at, const char *end, struct json **out)
{
    bool object = **at == '{';
    struct json *v = object ? json_object() : json_array();
    int r;

    if (!v)
        return -ENOMEM;
    r = object ? build_object(at, end, v) : build_array(at, end, v);
    if (r) {
        json_free(v);
        return r;
    }
    *out = v;
    return 0;
}

static int build_value(const char **at, const char *end, struct json **out)
{
    skip_space(at);
    switch (**at) {
    case '{':
    case '[':
        return build_container(at, end, out);
    case '"':
        return build_string(at, end, out);
    case 't':
        *at += 4;
        *out = json_bool(true);
        return 0;
    case 'f':
        *at += 5;
        *out = json_bool(false);
        return 0;
    case 'n':
        *at += 4;
        *out = json_null();
        return 0;
    default:
        return build_number(at, end, out);
    }
}

static const char *describe(int code)
{
    switch (code) {
    case JSON_E_DEPTH:
        return "it is nested too deeply";
    case JSON_E_MEMBERS:
        return "an object or array has too many members";
    case JSON_E_DUPLICATE:
        return "a member name stands twice in one object";
    case JSON_E_NUMBER:
        return "a number is beyond 2^53 - 1";
    case JSON_E_UTF8:
        return "text is not UTF-8, or has a U+0000";
    case JSON_E_SIZE:
        return "it is too long";
    default:
        return "it is not well-formed";
    }
}

int json_parse(struct str text, const struct json_bounds *bounds, struct json **out,
               struct err *err)
{
    const char *at = text.p;
    struct json *v = NULL;
    size_t offset;
    int r;

    r = json_scan(text, bounds, &offset);
    if (!r) {
        r = build_value(&at, text.p + text.n, &v);
        offset = (size_t)(at - text.p);
    }
    if (r > 0)
        return err_set(err, r, "JSON refused at byte %zu: %s", offset, describe(r));
    if (r)
        return r;
    *out = v;
    return 0;
}

#include "base/json_text.h"

#include "base/clock.h"

static int escape(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        return buf_z(out, "\\\"");
    case '\\':
        return buf_z(out, "\\\\");
    case '\n':
        return buf_z(out, "\\n");
    case '\r':
        return buf_z(out, "\\r");
    case '\t':
        return buf_z(out, "\\t");
    default:
        return buf_printf(out, "\\u%04x", c);
    }
}

int json_text_string(struct buf *out, struct str s)
{
    buf_ch(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buf_add(out, s.p + from, i - from);
        escape(out, c);
        from = i + 1;
    }
    buf_add(out, s.p + from, s.n - from);
    return buf_ch(out, '"');
}

int json_text_name(struct buf *out, const char *name)
{
    if (out->n > 0 && out->p[out->n - 1] != '{' && out->p[out->n - 1] != '[')
        buf_ch(out, ',');
    buf_ch(out, '"');
    buf_z(out, name);
    return buf_add(out, "\":", 2);
}

int json_text_member(struct buf *out, const char *name, const char *z)
{
    json_text_name(out, name);
    return z ? json_text_string(out, str_of(z)) : buf_z(out, "null");
}

int json_text_member_int(struct buf *out, const char *name, int64_t n)
{
    json_text_name(out, name);
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do
        digits[--at] = (char)('0' + u % 10);
    while (u /= 10);
    if (n < 0)
        digits[--at] = '-';
    return buf_add(out, digits + at, sizeof(digits) - at);
}

int json_text_member_bool(struct buf *out, const char *name, bool b)
{
    json_text_name(out, name);
    return buf_z(out, b ? "true" : "false");
}

int json_text_member_time(struct buf *out, const char *name, const char *at, int64_t t)
{
    char text[RFC3339_LEN + 1];
    rfc3339_format(t, text);
    json_text_member_int(out, name, t);
    return json_text_member(out, at, text);
}

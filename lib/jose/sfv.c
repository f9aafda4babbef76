#include "jose/sfv.h"

#define INT_DIGITS 15
#define DECIMAL_DIGITS 12
#define FRACTION_DIGITS 3

/* ASCII only, whatever the locale says. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static char peek(const struct sfv *s)
{
    return s->p < s->end ? *s->p : '\0';
}

static bool take(struct sfv *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static void skip_spaces(struct sfv *s)
{
    while (take(s, ' '))
        ;
}

static void skip_ows(struct sfv *s)
{
    while (take(s, ' ') || take(s, '\t'))
        ;
}

void sfv_begin(struct sfv *s, struct str field)
{
    s->p = field.p;
    s->end = field.p + field.n;
    skip_spaces(s);
    while (s->end > s->p && s->end[-1] == ' ')
        s->end--;
}

/* RFC 9651 section 4.2.3.3. */
static bool read_key(struct sfv *s, struct str *out)
{
    const char *start = s->p;

    if (!is_lower(peek(s)) && peek(s) != '*')
        return false;
    while (is_lower(peek(s)) || is_digit(peek(s)) || is_one_of(peek(s), "_-.*"))
        s->p++;
    *out = (struct str){start, (size_t)(s->p - start)};
    return true;
}

static size_t digits(struct sfv *s, int64_t *n)
{
    const char *start = s->p;

    for (; is_digit(peek(s)) && s->p - start <= INT_DIGITS; s->p++)
        *n = *n * 10 + (*s->p - '0');
    return (size_t)(s->p - start);
}

/* Section 4.2.4, canonical forms only. */
static bool read_number(struct sfv *s, struct sfv_bare *out)
{
    bool negative = take(s, '-');
    const char *first = s->p;
    int64_t n = 0, fraction = 0;
    size_t whole = digits(s, &n), places;

    if (whole == 0 || whole > INT_DIGITS || (whole > 1 && *first == '0'))
        return false;
    out->kind = SFV_INT;
    out->n = negative ? -n : n;
    if (!take(s, '.'))
        return !(negative && n == 0);
    places = digits(s, &fraction);
    out->kind = SFV_DECIMAL;
    return whole <= DECIMAL_DIGITS && places >= 1 && places <= FRACTION_DIGITS &&
           (places == 1 || s->p[-1] != '0') && !(negative && n == 0 && fraction == 0);
}

/* Section 4.2.5. */
static bool read_string(struct sfv *s, struct sfv_bare *out)
{
    const char *start = ++s->p;

    out->kind = SFV_STRING;
    for (; s->p < s->end; s->p++) {
        if (*s->p == '"') {
            out->value = (struct str){start, (size_t)(s->p - start)};
            s->p++;
            return true;
        }
        if (*s->p == '\\') {
            s->p++;
            if (!is_one_of(peek(s), "\"\\"))
                return false;
        } else if (*s->p < 0x20 || *s->p > 0x7E) {
            return false;
        }
    }
    return false;
}

/* Section 4.2.6. */
static bool read_token(struct sfv *s, struct sfv_bare *out)
{
    out->kind = SFV_TOKEN;
    while (is_alpha(peek(s)) || is_digit(peek(s)) || is_one_of(peek(s), "!#$%&'*+-.^_`|~:/"))
        s->p++;
    return true;
}

/* Section 4.2.7; whether the base64 is canonical shows when it is decoded. */
static bool read_bytes(struct sfv *s, struct sfv_bare *out)
{
    const char *start = ++s->p;

    out->kind = SFV_BYTES;
    while (is_alpha(peek(s)) || is_digit(peek(s)) || is_one_of(peek(s), "+/="))
        s->p++;
    out->value = (struct str){start, (size_t)(s->p - start)};
    return out->value.n % 4 == 0 && take(s, ':');
}

/* Section 4.2.8. */
static bool read_bool(struct sfv *s, struct sfv_bare *out)
{
    s->p++;
    out->kind = SFV_BOOL;
    out->n = peek(s) == '1';
    return take(s, '0') || take(s, '1');
}

/* Section 4.2.9. */
static bool read_date(struct sfv *s, struct sfv_bare *out)
{
    s->p++;
    if (!read_number(s, out) || out->kind != SFV_INT)
        return false;
    out->kind = SFV_DATE;
    return true;
}

/* Section 4.2.3.1. Display strings (section 4.2.10) have no place in what we read. */
static bool read_bare(struct sfv *s, struct sfv_bare *out)
{
    const char *start = s->p;
    bool ok = false;
    char c = peek(s);

    *out = (struct sfv_bare){0};
    if (c == '-' || is_digit(c))
        ok = read_number(s, out);
    else if (c == '"')
        ok = read_string(s, out);
    else if (c == ':')
        ok = read_bytes(s, out);
    else if (c == '?')
        ok = read_bool(s, out);
    else if (c == '@')
        ok = read_date(s, out);
    else if (is_alpha(c) || c == '*')
        ok = read_token(s, out);
    out->text = (struct str){start, (size_t)(s->p - start)};
    if (out->kind != SFV_STRING && out->kind != SFV_BYTES)
        out->value = out->text;
    return ok;
}

const struct sfv_bare *sfv_param(const struct sfv_param *params, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eqz(params[i].key, key))
            return &params[i].value;
    return NULL;
}

static bool has_key(const struct sfv_param *params, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(params[i].key, key))
            return true;
    return false;
}

/* Section 4.2.3.2; a key twice, where the last would win, is refused. */
static int read_params(struct sfv *s, struct sfv_param *out, size_t max, size_t *n)
{
    *n = 0;
    while (take(s, ';')) {
        struct sfv_param p = {.value = {.kind = SFV_BOOL, .n = 1}};

        skip_spaces(s);
        if (!read_key(s, &p.key) || has_key(out, *n, p.key))
            return SFV_E_MALFORMED;
        if (take(s, '=') && !read_bare(s, &p.value))
            return SFV_E_MALFORMED;
        if (*n == max)
            return SFV_E_TOO_MANY;
        out[(*n)++] = p;
    }
    return 0;
}

int sfv_item(struct sfv *s, struct sfv_item *out)
{
    if (!read_bare(s, &out->value))
        return SFV_E_MALFORMED;
    return read_params(s, out->params, SFV_ITEM_PARAMS, &out->n_params);
}

/* Section 4.2.1.2. */
int sfv_inner_list(struct sfv *s, struct sfv_inner_list *out)
{
    int r;

    out->n_items = 0;
    if (!take(s, '('))
        return SFV_E_MALFORMED;
    for (;;) {
        skip_spaces(s);
        if (take(s, ')'))
            break;
        if (out->n_items == SFV_LIST_ITEMS)
            return SFV_E_TOO_MANY;
        r = sfv_item(s, &out->items[out->n_items++]);
        if (r)
            return r;
        if (peek(s) != ' ' && peek(s) != ')')
            return SFV_E_MALFORMED;
    }
    return read_params(s, out->params, SFV_LIST_PARAMS, &out->n_params);
}

/* Section 4.2.2. A member without a value, which would be true, is none that we look for. */
int sfv_key(struct sfv *s, struct str *key)
{
    if (s->p == s->end)
        return 0;
    return read_key(s, key) && take(s, '=') ? 1 : -1;
}

int sfv_end_member(struct sfv *s)
{
    skip_ows(s);
    if (s->p == s->end)
        return 0;
    if (!take(s, ','))
        return SFV_E_MALFORMED;
    skip_ows(s);
    return s->p < s->end ? 0 : SFV_E_MALFORMED;
}

/* Section 4.1.1.2. */
void sfv_write_params(const struct sfv_param *params, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        buf_ch(out, ';');
        buf_str(out, params[i].key);
        if (params[i].value.kind == SFV_BOOL && params[i].value.n)
            continue;
        buf_ch(out, '=');
        buf_str(out, params[i].value.text);
    }
}

/* Section 4.1.1.1. */
void sfv_write_inner_list(const struct sfv_inner_list *list, struct buf *out)
{
    buf_ch(out, '(');
    for (size_t i = 0; i < list->n_items; i++) {
        if (i)
            buf_ch(out, ' ');
        buf_str(out, list->items[i].value.text);
        sfv_write_params(list->items[i].params, list->items[i].n_params, out);
    }
    buf_ch(out, ')');
    sfv_write_params(list->params, list->n_params, out);
}

bool sfv_is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7E || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return true;
}

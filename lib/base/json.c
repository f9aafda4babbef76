/*
 * The one room of jansson: it keeps the values and writes the text. Reading is done here in two
 * passes over the text: json_scan() judges it, then build_*() makes jansson values of what is by
 * then known to be well-formed. jansson's own reader takes each byte through three function calls
 * and knows no bound that we could set, and this is on the path of every verification.
 *
 * jansson keys its hash tables with 64 random bits from the system at first use.
 */

/* Ours of these names are known to the rest of the tree, jansson's only here. */
#define json_copy our_copy
#define json_object our_object
#define json_array our_array
#define json_string our_string
#define json_real our_real
#define json_null our_null
#define json_equal our_equal
#define JSON_NULL OUR_NULL
#define JSON_REAL OUR_REAL
#define JSON_STRING OUR_STRING
#define JSON_ARRAY OUR_ARRAY
#define JSON_OBJECT OUR_OBJECT
#include "base/json.h"
#include "base/json_scan.h"
#undef json_copy
#undef json_object
#undef json_array
#undef json_string
#undef json_real
#undef json_null
#undef json_equal
#undef JSON_NULL
#undef JSON_REAL
#undef JSON_STRING
#undef JSON_ARRAY
#undef JSON_OBJECT

#include <assert.h>
#include <errno.h>
#include <jansson.h>

#include "base/limits.h"

const struct json_bounds json_bounds_wire = {
    .bytes = LIMIT_FETCH_BYTES,
    .depth = LIMIT_JSON_DEPTH,
    .members = LIMIT_JSON_MEMBERS,
    .items = LIMIT_JSON_ITEMS,
};

static json_t *theirs(const struct json *v)
{
    return (json_t *)v;
}

static struct json *ours(json_t *v)
{
    return (struct json *)v;
}

/* Building: `at` moves over text that json_scan() has accepted. */

static int build_value(const char **at, const char *end, json_t **out);

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

static int build_string(const char **at, const char *end, json_t **out)
{
    _cleanup_(freep) char *copy = NULL;
    struct str s;
    int r = take_string(at, end, &copy, &s);

    if (r)
        return r;
    *out = json_stringn_nocheck(s.p, s.n);
    return *out ? 0 : -ENOMEM;
}

/* jansson reads reals: they are rare, and it knows about the locale's decimal point. */
static int build_real(const char *start, const char *end, json_t **out)
{
    *out = json_loadb(start, (size_t)(end - start), JSON_DECODE_ANY, NULL);
    return *out ? 0 : -ENOMEM;
}

static int build_number(const char **at, const char *end, json_t **out)
{
    const char *start = *at, *p = start;
    bool negative = *p == '-';
    int64_t x = 0;

    for (p += negative; p < end && *p >= '0' && *p <= '9'; p++)
        x = x * 10 + (*p - '0');
    if (p < end && (*p == '.' || *p == 'e' || *p == 'E')) {
        while (p < end && strchr("0123456789.eE+-", *p))
            p++;
        *at = p;
        return build_real(start, p, out);
    }
    *at = p;
    *out = json_integer(negative ? -x : x);
    return *out ? 0 : -ENOMEM;
}

static int build_array(const char **at, const char *end, json_t *arr)
{
    json_t *item = NULL;
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
        if (json_array_append_new(arr, item))
            return -ENOMEM;
        skip_space(at);
    } while (*(*at)++ == ',');
    return 0;
}

static int build_member(const char **at, const char *end, json_t *obj)
{
    _cleanup_(freep) char *copy = NULL;
    json_t *value = NULL;
    size_t before = json_object_size(obj);
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
    if (json_object_setn_new_nocheck(obj, key.p, key.n, value))
        return -ENOMEM;
    return json_object_size(obj) == before ? JSON_E_DUPLICATE : 0;
}

static int build_object(const char **at, const char *end, json_t *obj)
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

static int build_container(const char **at, const char *end, json_t **out)
{
    bool object = **at == '{';
    json_t *v = object ? json_object() : json_array();
    int r;

    if (!v)
        return -ENOMEM;
    r = object ? build_object(at, end, v) : build_array(at, end, v);
    if (r) {
        json_decref(v);
        return r;
    }
    *out = v;
    return 0;
}

static int build_value(const char **at, const char *end, json_t **out)
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
        *out = json_true();
        return 0;
    case 'f':
        *at += 5;
        *out = json_false();
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
    json_t *v = NULL;
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
    *out = ours(v);
    return 0;
}

void json_free(struct json *v)
{
    json_decref(theirs(v));
}

struct json *json_ref(const struct json *v)
{
    return ours(json_incref(theirs(v)));
}

struct json *our_copy(const struct json *v)
{
    return ours(json_deep_copy(theirs(v)));
}

struct json *our_object(void)
{
    return ours(json_object());
}

struct json *our_array(void)
{
    return ours(json_array());
}

struct json *our_string(struct str s)
{
    return ours(json_stringn(s.p ? s.p : "", s.n));
}

struct json *json_int(int64_t n)
{
    return ours(json_integer(n));
}

struct json *our_real(double x)
{
    return ours(json_real(x));
}

struct json *json_bool(bool b)
{
    return ours(json_boolean(b));
}

struct json *our_null(void)
{
    return ours(json_null());
}

int json_put(struct json *obj, const char *key, struct json *value)
{
    assert(json_is_object(theirs(obj)));
    return json_object_set_new(theirs(obj), key, theirs(value)) ? -ENOMEM : 0;
}

int json_put_str(struct json *obj, const char *key, struct str s)
{
    return json_put(obj, key, our_string(s));
}

int json_put_z(struct json *obj, const char *key, const char *z)
{
    return z ? json_put(obj, key, our_string(str_of(z))) : 0;
}

int json_put_int(struct json *obj, const char *key, int64_t n)
{
    return json_put(obj, key, json_int(n));
}

int json_put_bool(struct json *obj, const char *key, bool b)
{
    return json_put(obj, key, json_bool(b));
}

int json_append(struct json *arr, struct json *value)
{
    assert(json_is_array(theirs(arr)));
    return json_array_append_new(theirs(arr), theirs(value)) ? -ENOMEM : 0;
}

int json_append_z(struct json *arr, const char *z)
{
    return json_append(arr, our_string(str_of(z)));
}

void json_remove(struct json *obj, const char *key)
{
    json_object_del(theirs(obj), key);
}

enum json_kind json_kind(const struct json *v)
{
    if (!v)
        return OUR_NULL;
    switch (json_typeof(theirs(v))) {
    case JSON_OBJECT:
        return OUR_OBJECT;
    case JSON_ARRAY:
        return OUR_ARRAY;
    case JSON_STRING:
        return OUR_STRING;
    case JSON_INTEGER:
        return JSON_INT;
    case JSON_REAL:
        return OUR_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return OUR_NULL;
}

const struct json *json_get(const struct json *obj, const char *key)
{
    return ours(json_object_get(theirs(obj), key));
}

size_t json_count(const struct json *v)
{
    return json_is_object(theirs(v)) ? json_object_size(theirs(v)) : json_array_size(theirs(v));
}

const struct json *json_at(const struct json *arr, size_t i)
{
    return ours(json_array_get(theirs(arr), i));
}

struct str json_as_str(const struct json *v)
{
    return (struct str){json_string_value(theirs(v)), json_string_length(theirs(v))};
}

int json_as_int(const struct json *v, int64_t *out)
{
    if (!json_is_integer(theirs(v)))
        return JSON_E_TYPE;
    *out = json_integer_value(theirs(v));
    return 0;
}

int json_as_real(const struct json *v, double *out)
{
    if (!json_is_number(theirs(v)))
        return JSON_E_TYPE;
    *out = json_number_value(theirs(v));
    return 0;
}

int json_get_str(const struct json *obj, const char *key, struct str *out)
{
    const struct json *v = json_get(obj, key);

    if (!v)
        return JSON_E_ABSENT;
    if (!json_is_string(theirs(v)))
        return JSON_E_TYPE;
    *out = json_as_str(v);
    return 0;
}

int json_get_int(const struct json *obj, const char *key, int64_t *out)
{
    const struct json *v = json_get(obj, key);

    return v ? json_as_int(v, out) : JSON_E_ABSENT;
}

int json_get_real(const struct json *obj, const char *key, double *out)
{
    const struct json *v = json_get(obj, key);

    return v ? json_as_real(v, out) : JSON_E_ABSENT;
}

int json_get_bool(const struct json *obj, const char *key, bool *out)
{
    const struct json *v = json_get(obj, key);

    if (!v)
        return JSON_E_ABSENT;
    if (!json_is_boolean(theirs(v)))
        return JSON_E_TYPE;
    *out = json_is_true(theirs(v));
    return 0;
}

const char *json_z(const struct json *obj, const char *key)
{
    return json_string_value(theirs(json_get(obj, key)));
}

bool json_next(const struct json *obj, struct json_iter *it)
{
    json_t *o = theirs(obj);

    it->at = it->at ? json_object_iter_next(o, it->at) : json_object_iter(o);
    if (!it->at)
        return false;
    it->key = (struct str){json_object_iter_key(it->at), json_object_iter_key_len(it->at)};
    it->value = ours(json_object_iter_value(it->at));
    return true;
}

bool our_equal(const struct json *a, const struct json *b)
{
    return json_equal(theirs(a), theirs(b));
}

static int append_chunk(const char *p, size_t n, void *out)
{
    return buf_add(out, p, n) ? -1 : 0;
}

static int write_text(const struct json *v, size_t flags, struct buf *out)
{
    int r = json_dump_callback(theirs(v), append_chunk, out, flags | JSON_ENCODE_ANY);

    if (buf_error(out))
        return buf_error(out);
    return r ? -ENOMEM : 0;
}

int json_write(const struct json *v, struct buf *out)
{
    return write_text(v, JSON_COMPACT, out);
}

int json_write_pretty(const struct json *v, struct buf *out)
{
    return write_text(v, JSON_INDENT(2), out);
}

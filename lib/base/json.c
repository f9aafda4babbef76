/*
 * The one room of jansson: it keeps the values and writes the text. Reading is json_parse.c's,
 * since jansson's own reader takes each byte through three function calls and knows no bound that
 * we could set, and this is on the path of every verification.
 *
 * jansson keys its hash tables with random bits from the system at first use.
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
#include "base/json_value.h"
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

static json_t *theirs(const struct json *v)
{
    return (json_t *)v;
}

static struct json *ours(json_t *v)
{
    return (struct json *)v;
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

struct json *json_value_string(struct str s)
{
    return ours(json_stringn_nocheck(s.p, s.n));
}

struct json *json_value_real(struct str text)
{
    return ours(json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL));
}

int json_value_put(struct json *obj, struct str key, struct json *value)
{
    return json_object_setn_new_nocheck(theirs(obj), key.p, key.n, theirs(value)) ? -ENOMEM : 0;
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

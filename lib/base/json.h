/*
 * JSON values (RFC 8259) with the limits that wire data needs. This is the only room of jansson.
 *
 * A `struct json *` from a function said to return an *owned* value is released with json_free();
 * a `const struct json *` is *borrowed* and lives as long as the value it is part of.
 *
 * Parsing is strict: UTF-8 without U+0000, no duplicate member names, depth and member count
 * bounded before anything is built, integers within +-(2^53 - 1), one value and nothing after it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json;

/* jansson has functions of some of these names. Only json.c sees its header, but the linker sees
 * its symbols everywhere: these get a symbol of their own. */
#define JSON_SYMBOL(name) __asm__("comity_" #name)

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum {
    JSON_E_SYNTAX = 1, /* not JSON, or more than one value */
    JSON_E_DEPTH,      /* deeper than the bound */
    JSON_E_MEMBERS,   /* an object with more members, or an array with more items, than the bound */
    JSON_E_DUPLICATE, /* a member name twice in one object */
    JSON_E_NUMBER,    /* an integer beyond +-(2^53 - 1), or a real that is not finite */
    JSON_E_UTF8,      /* not UTF-8, or U+0000 */
    JSON_E_SIZE,      /* longer than the bound */
    JSON_E_ABSENT,    /* json_get_*: no such member */
    JSON_E_TYPE,      /* json_get_*: the member has another type */
};

struct json_bounds {
    size_t bytes;     /* of text */
    unsigned depth;   /* nesting of arrays and objects */
    unsigned members; /* of one object */
    unsigned items;   /* of one array */
};

/* For everything that comes from outside: LIMIT_JSON_* of base/limits.h. */
extern const struct json_bounds json_bounds_wire;

/* *out is owned. err says where (byte offset) and what. */
int json_parse(struct str text, const struct json_bounds *bounds, struct json **out,
               struct err *err);
void json_free(struct json *v);
DEFINE_CLEANUP(struct json *, json_free)
struct json *json_ref(const struct json *v); /* owned, shares the value */

/* Owned, deep; NULL if memory is out. */
struct json *json_copy(const struct json *v) JSON_SYMBOL(json_copy);

/* New values, owned; NULL if memory is out. Text must be UTF-8: NULL for other bytes too, and for a
 * real that is not finite. */
struct json *json_object(void) JSON_SYMBOL(json_object);
struct json *json_array(void) JSON_SYMBOL(json_array);
struct json *json_string(struct str s) JSON_SYMBOL(json_string);
struct json *json_int(int64_t n);
struct json *json_real(double x) JSON_SYMBOL(json_real);
struct json *json_bool(bool b);
struct json *json_null(void) JSON_SYMBOL(json_null);

/* Adding. `value` is consumed, also on failure and when NULL (then -ENOMEM). Replaces a member of
 * that name. Members keep their order of insertion. 0 or -ENOMEM. */
int json_put(struct json *obj, const char *key, struct json *value);
int json_put_str(struct json *obj, const char *key, struct str s);
int json_put_z(struct json *obj, const char *key, const char *z); /* NULL z: member left out */
int json_put_int(struct json *obj, const char *key, int64_t n);
int json_put_bool(struct json *obj, const char *key, bool b);
int json_append(struct json *arr, struct json *value);
int json_append_z(struct json *arr, const char *z);
void json_remove(struct json *obj, const char *key);

/* Reading; everything borrowed. */
enum json_kind json_kind(const struct json *v); /* of NULL: JSON_NULL */
const struct json *json_get(const struct json *obj,
                            const char *key);                 /* NULL if absent, or no object */
size_t json_count(const struct json *v);                      /* members or items, else 0 */
const struct json *json_at(const struct json *arr, size_t i); /* NULL beyond the end */
struct str json_as_str(const struct json *v);                 /* {NULL, 0} if no string */
int json_as_int(const struct json *v, int64_t *out);          /* JSON_E_TYPE */
int json_as_real(const struct json *v, double *out);          /* an integer too; JSON_E_TYPE */

/* 0, JSON_E_ABSENT or JSON_E_TYPE. */
int json_get_str(const struct json *obj, const char *key, struct str *out);
int json_get_int(const struct json *obj, const char *key, int64_t *out);
int json_get_real(const struct json *obj, const char *key, double *out);
int json_get_bool(const struct json *obj, const char *key, bool *out);

/* For reading what we wrote ourselves: the string, or NULL if absent or of another type. */
const char *json_z(const struct json *obj, const char *key);

/* Iterates over an object: struct json_iter it = {0}; while (json_next(obj, &it)) it.key, it.value
 */
struct json_iter {
    void *at;
    struct str key;
    const struct json *value;
};
bool json_next(const struct json *obj, struct json_iter *it);

bool json_equal(const struct json *a, const struct json *b) JSON_SYMBOL(json_equal);

/* Appends the text: compact, or indented by two for people. 0 or the buffer's error. */
int json_write(const struct json *v, struct buf *out);
int json_write_pretty(const struct json *v, struct buf *out);

/*
 * The strict reading of JSON text before anything is built from it. Internal to base/json.
 */
#pragma once

#include "base/json.h"

/* Whether text is one JSON value within bounds; all but duplicate names is judged here. 0 or one of
 * JSON_E_*; then *at is the byte offset where it went wrong. Nothing is allocated. */
int json_scan(struct str text, const struct json_bounds *bounds, size_t *at);

static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The first byte in [p, end) that is not plain inside a string: a quote, a backslash, a control
 * character or a byte of a longer UTF-8 character; else end. */
const char *json_plain_end(const char *p, const char *end);

/* The four hexadecimal digits at p, or -1. */
int json_hex4(const char *p);

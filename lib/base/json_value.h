/*
 * Making values of text that json_scan() has accepted. Internal to base/json.
 */
#pragma once

#include "base/json.h"

/* Owned; NULL if memory is out. s is known to be UTF-8 without U+0000. */
struct json *json_value_string(struct str s);

/* Of a number with a fraction or an exponent. jansson reads it: such numbers are rare, and it knows
 * about the decimal point of the locale. */
struct json *json_value_real(struct str text);

/* As json_put(); the key is known to be UTF-8, and need not end with a NUL. */
int json_value_put(struct json *obj, struct str key, struct json *value);

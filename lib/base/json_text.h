/*
 * Writing JSON text straight into a buffer, for answers on the desk's path that would otherwise be
 * built as values only to be written and freed.
 */
#pragma once

#include "base/buf.h"

/* Appends s as a JSON string with quotes. s is UTF-8; control characters are escaped. */
int json_text_string(struct buf *out, struct str s);

/* Appends "name": (a comma first, unless it follows '{' or '['). name needs no escaping. */
int json_text_name(struct buf *out, const char *name);

/* Whole members. A NULL z is null. */
int json_text_member(struct buf *out, const char *name, const char *z);
int json_text_member_int(struct buf *out, const char *name, int64_t n);
int json_text_member_bool(struct buf *out, const char *name, bool b);

/* "exp": N, "expires_at": "2026-..."; at is the second member's name. */
int json_text_member_time(struct buf *out, const char *name, const char *at, int64_t t);

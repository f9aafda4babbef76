/*
 * CSV as RFC 4180 has it: fields separated by commas, quoted where they hold commas, quotes or line
 * ends; lines end in LF or CRLF. A UTF-8 byte order mark at the start is skipped.
 */
#pragma once

#include "base/buf.h"

#define CSV_FIELDS_MAX 64

struct csv {
    struct str rest;
    size_t line; /* where the record read last began, from 1 */
    size_t next_line;
    struct buf text;              /* owned: the record's fields, unquoted, NUL-separated */
    size_t at[CSV_FIELDS_MAX], n; /* where each field begins in text */
};

enum { CSV_E_END = 1, CSV_E_QUOTES, CSV_E_FIELDS };

void csv_start(struct csv *c, struct str text);
int csv_next(struct csv *c); /* 0: a record; CSV_E_*; -ENOMEM */
struct str csv_field(const struct csv *c, size_t i);
void csv_clear(struct csv *c);

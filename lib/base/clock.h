/*
 * Times are Unix seconds in an int64_t, always a parameter: no library reads the clock. This module
 * only converts between seconds, civil dates (proleptic Gregorian, UTC) and RFC 3339 text.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define RFC3339_LEN 20 /* 2026-11-21T09:00:00Z */

struct civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int weekday; /* 0 is Monday, as ISO 8601 orders them */
};

void civil_from_time(int64_t t, struct civil *out);
int64_t civil_to_time(const struct civil *c); /* fields need not be normalised by day */
void rfc3339_format(int64_t t, char out[static RFC3339_LEN + 1]);

/* "2026-11-21T09:00:00Z" or with an offset, or "2026-11-21" (midnight UTC). 0 or -EINVAL. */
int rfc3339_parse(struct str s, int64_t *out);

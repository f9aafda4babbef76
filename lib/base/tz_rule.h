/*
 * POSIX TZ strings ("WET0WEST,M3.5.0/1,M10.5.0"): POSIX.1-2017 chapter 8.3 with the extension of
 * RFC 8536 section 3.3.1 (hours from -167 to 167). Internal to base/tz.
 */
#pragma once

#include "base/clock.h"

struct tz_date {
    enum { TZ_JULIAN, TZ_DAY_OF_YEAR, TZ_WEEKDAY } kind; /* Jn, n, Mm.w.d */
    int day;         /* 1 to 365 without 29 February, or 0 to 365 */
    int month, week; /* week 5 is the last */
    int weekday;     /* 0 is Sunday */
    int32_t time;    /* seconds after local midnight, may be negative */
};

struct tz_rule {
    int32_t standard, daylight; /* seconds east of UTC */
    bool has_daylight;
    struct tz_date start, end; /* of daylight saving time */
};

int tz_rule_parse(struct str s, struct tz_rule *out); /* 0 or -EINVAL */
int32_t tz_rule_offset(const struct tz_rule *rule, int64_t t);

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

#define DAY 86400
#define ERA_DAYS 146097  /* 400 Gregorian years */
#define ERA_START 719468 /* days from 0000-03-01 to 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years are counted from March here, so that the leap day is the last of a year. */
static int64_t days_of_date(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year + day - 1 -
           ERA_START;
}

static void date_of_days(int64_t days, struct civil *out)
{
    int64_t z = days + ERA_START;
    int64_t era = floor_div(z, ERA_DAYS);
    int64_t of_era = z - era * ERA_DAYS;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;

    out->day = (int)(of_year - (153 * m + 2) / 5 + 1);
    out->month = (int)(m < 10 ? m + 3 : m - 9);
    out->year = (int)(y + era * 400 + (out->month <= 2));
    out->weekday = (int)((days % 7 + 7 + 3) % 7); /* 1970-01-01 was a Thursday */
}

void civil_from_time(int64_t t, struct civil *out)
{
    int64_t days = floor_div(t, DAY);
    int rest = (int)(t - days * DAY);

    date_of_days(days, out);
    out->hour = rest / 3600;
    out->minute = rest / 60 % 60;
    out->second = rest % 60;
}

int64_t civil_to_time(const struct civil *c)
{
    int64_t year = c->year + floor_div((int64_t)c->month - 1, 12);
    int month = (int)((c->month - 1) - floor_div((int64_t)c->month - 1, 12) * 12) + 1;

    /* the day may lie outside its month: counted on from the first */
    return (days_of_date(year, month, 1) + c->day - 1) * DAY + (int64_t)c->hour * 3600 +
           (int64_t)c->minute * 60 + c->second;
}

void rfc3339_format(int64_t t, char out[static RFC3339_LEN + 1])
{
    static const int64_t first = -62167219200, last = 253402300799; /* years 0000 to 9999 */
    struct civil c;

    civil_from_time(t < first ? first : t > last ? last : t, &c);
    snprintf(out, RFC3339_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000,
             (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100,
             (unsigned)c.minute % 100, (unsigned)c.second % 100);
}

/* n digits at s, advancing it; -1 if they are not there. */
static int digits(struct str *s, size_t n)
{
    int x = 0;

    if (s->n < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return -1;
        x = x * 10 + (s->p[i] - '0');
    }
    s->p += n;
    s->n -= n;
    return x;
}

static bool take(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool parse_date(struct str *s, struct civil *c)
{
    struct civil back;

    c->year = digits(s, 4);
    if (c->year < 0 || !take(s, '-'))
        return false;
    c->month = digits(s, 2);
    if (c->month < 1 || c->month > 12 || !take(s, '-'))
        return false;
    c->day = digits(s, 2);
    if (c->day < 1)
        return false;
    date_of_days(days_of_date(c->year, c->month, c->day), &back);
    return back.day == c->day && back.month == c->month;
}

static bool parse_time(struct str *s, struct civil *c)
{
    c->hour = digits(s, 2);
    if (c->hour < 0 || c->hour > 23 || !take(s, ':'))
        return false;
    c->minute = digits(s, 2);
    if (c->minute < 0 || c->minute > 59 || !take(s, ':'))
        return false;
    c->second = digits(s, 2);
    if (c->second < 0 || c->second > 59)
        return false;
    if (!take(s, '.'))
        return true;
    if (digits(s, 1) < 0) /* a fraction is read and dropped: times here are whole seconds */
        return false;
    while (digits(s, 1) >= 0)
        ;
    return true;
}

/* "Z" or +hh:mm; seconds east of UTC. */
static bool parse_offset(struct str *s, int *out)
{
    int sign, hours, minutes;

    if (take(s, 'Z')) {
        *out = 0;
        return true;
    }
    if (take(s, '+'))
        sign = 1;
    else if (take(s, '-'))
        sign = -1;
    else
        return false;
    hours = digits(s, 2);
    if (hours < 0 || hours > 23 || !take(s, ':'))
        return false;
    minutes = digits(s, 2);
    if (minutes < 0 || minutes > 59)
        return false;
    *out = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* RFC 3339 section 5.6, upper case only. */
int rfc3339_parse(struct str s, int64_t *out)
{
    struct civil c = {0};
    int offset = 0;

    if (!parse_date(&s, &c))
        return -EINVAL;
    if (s.n && (!take(&s, 'T') || !parse_time(&s, &c) || !parse_offset(&s, &offset)))
        return -EINVAL;
    if (s.n)
        return -EINVAL;
    *out = civil_to_time(&c) - offset;
    return 0;
}

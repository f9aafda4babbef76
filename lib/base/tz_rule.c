#include "base/tz_rule.h"

#include <errno.h>

#define DAY 86400

static bool take(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One to three digits, in [min, max]. */
static bool number(struct str *s, int min, int max, int *out)
{
    int x = 0, n = 0;

    while (s->n && is_digit(s->p[0]) && n++ < 3) {
        x = x * 10 + (s->p[0] - '0');
        s->p++;
        s->n--;
    }
    *out = x;
    return n && x >= min && x <= max;
}

/* "WET" or "<+0330>"; the name itself is not kept. */
static bool skip_name(struct str *s)
{
    bool quoted = take(s, '<');
    size_t n = 0;

    while (s->n && (is_alpha(s->p[0]) ||
                    (quoted && (is_digit(s->p[0]) || s->p[0] == '+' || s->p[0] == '-')))) {
        s->p++;
        s->n--;
        n++;
    }
    return n >= 3 && (!quoted || take(s, '>'));
}

/* [+-]h[:m[:s]] in seconds. */
static bool duration(struct str *s, int max_hours, int32_t *out)
{
    int sign = take(s, '-') ? -1 : 1;
    int h, m = 0, sec = 0;

    if (sign == 1)
        take(s, '+');
    if (!number(s, 0, max_hours, &h))
        return false;
    if (take(s, ':')) {
        if (!number(s, 0, 59, &m))
            return false;
        if (take(s, ':') && !number(s, 0, 59, &sec))
            return false;
    }
    *out = sign * (h * 3600 + m * 60 + sec);
    return true;
}

static bool weekday_date(struct str *s, struct tz_date *d)
{
    d->kind = TZ_WEEKDAY;
    return number(s, 1, 12, &d->month) && take(s, '.') && number(s, 1, 5, &d->week) &&
           take(s, '.') && number(s, 0, 6, &d->weekday);
}

static bool date(struct str *s, struct tz_date *d)
{
    bool ok;

    *d = (struct tz_date){.time = 2 * 3600};
    if (take(s, 'M')) {
        ok = weekday_date(s, d);
    } else if (take(s, 'J')) {
        d->kind = TZ_JULIAN;
        ok = number(s, 1, 365, &d->day);
    } else {
        d->kind = TZ_DAY_OF_YEAR;
        ok = number(s, 0, 365, &d->day);
    }
    return ok && (!take(s, '/') || duration(s, 167, &d->time));
}

int tz_rule_parse(struct str s, struct tz_rule *out)
{
    struct tz_rule r = {0};

    if (!skip_name(&s) || !duration(&s, 24, &r.standard))
        return -EINVAL;
    r.standard = -r.standard; /* POSIX counts west of Greenwich */
    r.daylight = r.standard + 3600;
    r.has_daylight = s.n > 0;
    if (r.has_daylight) {
        if (!skip_name(&s))
            return -EINVAL;
        if (s.n && s.p[0] != ',') {
            if (!duration(&s, 24, &r.daylight))
                return -EINVAL;
            r.daylight = -r.daylight;
        }
        if (!take(&s, ',') || !date(&s, &r.start) || !take(&s, ',') || !date(&s, &r.end))
            return -EINVAL;
    }
    if (s.n)
        return -EINVAL;
    *out = r;
    return 0;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Midnight, as if of UTC, of the week's weekday in that month. */
static int64_t weekday_in_month(int year, const struct tz_date *d)
{
    struct civil first = {.year = year, .month = d->month, .day = 1}, c;
    struct civil next = {.year = year, .month = d->month + 1, .day = 1};
    int64_t t = civil_to_time(&first), end = civil_to_time(&next);
    int sunday_based;

    civil_from_time(t, &c);
    sunday_based = (c.weekday + 1) % 7;
    t += (int64_t)((d->weekday - sunday_based + 7) % 7) * DAY;
    for (int week = 1; week < d->week && t + 7 * DAY < end; week++)
        t += 7 * DAY;
    return t;
}

/* When that change happens in that year, on the clock that shows `offset`. */
static int64_t change(int year, const struct tz_date *d, int32_t offset)
{
    struct civil first = {.year = year, .month = 1, .day = 1};
    int64_t t = civil_to_time(&first);

    switch (d->kind) {
    case TZ_WEEKDAY:
        t = weekday_in_month(year, d);
        break;
    case TZ_JULIAN: /* 29 February is never counted: day 60 is 1 March */
        t += (int64_t)(d->day - 1 + (is_leap(year) && d->day >= 60)) * DAY;
        break;
    case TZ_DAY_OF_YEAR:
        t += (int64_t)d->day * DAY;
        break;
    }
    return t + d->time - offset;
}

int32_t tz_rule_offset(const struct tz_rule *rule, int64_t t)
{
    int64_t best = INT64_MIN;
    int32_t offset = rule->standard;
    struct civil c;

    if (!rule->has_daylight)
        return rule->standard;
    civil_from_time(t + rule->standard, &c);
    /* The newest change at or before t decides. Times of up to a week off midnight may move one
     * into the neighbouring year. At the same instant daylight saving time goes on. */
    for (int year = c.year - 1; year <= c.year + 1; year++) {
        int64_t end = change(year, &rule->end, rule->daylight);
        int64_t start = change(year, &rule->start, rule->standard);

        if (end <= t && end > best) {
            best = end;
            offset = rule->standard;
        }
        if (start <= t && start >= best) {
            best = start;
            offset = rule->daylight;
        }
    }
    return offset;
}

#include "clock.h"

#include <time.h>

#define OFFSET_MAX ((int64_t)10 * 366 * 86400)

static int64_t now(const struct app_clock *self)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec + self->offset;
}

static uint64_t micros(const struct app_clock *self)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int clock_real(bool trial, struct app_clock *out, struct err *err)
{
    struct app_clock clock = {.now = now, .micros = micros};
    const char *moved = getenv("COMITY_TRIAL_CLOCK");

    if (moved && *moved) {
        if (!trial) {
            err_set(err, 0, "COMITY_TRIAL_CLOCK is set, but this state is no trial");
            return err_next(err, APP_E_INVALID, "Unset it: only trials may run on a moved clock.");
        }
        struct str s = str_of(moved);
        if (s.p[0] == '+') {
            s.p++;
            s.n--;
        }
        if (str_to_int(s, -OFFSET_MAX, OFFSET_MAX, &clock.offset) < 0) {
            err_set(err, 0, "COMITY_TRIAL_CLOCK is no number of seconds: \"%.40s\"", moved);
            return err_next(err, APP_E_INVALID, "Write it like +864000 or -3600, or unset it.");
        }
    }
    *out = clock;
    return 0;
}

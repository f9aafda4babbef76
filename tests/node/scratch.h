/* A folder for one test, removed with all that is in it; and a clock that tests turn. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "state.h"
#include "temporary.h"

struct scratch {
    struct state state;
    struct app_clock clock;
    int64_t now;
};

static inline int64_t scratch_now(const struct app_clock *clock)
{
    return ((const struct scratch *)((const char *)clock - offsetof(struct scratch, clock)))->now;
}

static inline uint64_t scratch_micros(const struct app_clock *clock)
{
    return 0;
}

static inline void scratch_init(struct scratch *s)
{
    char dir[256], path[512];

    *s = (struct scratch){.state = {.lock = -1}, .now = 1790000000};
    s->clock = (struct app_clock){.now = scratch_now, .micros = scratch_micros};
    assert_non_null(mkdtemp(temporary(dir, sizeof(dir), "comity-test-XXXXXX")));
    snprintf(s->state.dir, sizeof(s->state.dir), "%s", dir);
    snprintf(path, sizeof(path), "%s/spaces", dir);
    assert_int_equal(mkdir(path, 0700), 0);
}

static inline int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline void scratch_clear(struct scratch *s)
{
    nftw(s->state.dir, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

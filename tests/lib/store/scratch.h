/*
 * A folder for one test, with a database of each kind in it. setup and teardown are cmocka's; a
 * test begins with `struct scratch *t = *state;`.
 */
#pragma once

#include "lib/base/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "temporary.h"

struct scratch {
    char folder[256];
    char path[300], directory_path[300]; /* of the two databases */
    struct store *space, *directory;
};

static inline struct store *scratch_open(const char *path, enum store_kind kind)
{
    struct store *s = NULL;
    struct err err = {0};
    int r = store_open(path, kind, true, &s, &err);

    if (r)
        fail_msg("store_open: %d, %s", r, err.text);
    return s;
}

static inline int scratch_setup(void **state)
{
    struct scratch *t = calloc(1, sizeof(*t));

    if (!mkdtemp(temporary(t->folder, sizeof(t->folder), "comity-store-XXXXXX")))
        return -1;
    snprintf(t->path, sizeof(t->path), "%s/space.db", t->folder);
    snprintf(t->directory_path, sizeof(t->directory_path), "%s/directory.db", t->folder);
    t->space = scratch_open(t->path, STORE_SPACE);
    t->directory = scratch_open(t->directory_path, STORE_DIRECTORY);
    *state = t;
    return 0;
}

static inline int scratch_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

static inline int scratch_teardown(void **state)
{
    struct scratch *t = *state;

    store_close(t->space);
    store_close(t->directory);
    nftw(t->folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(t);
    return 0;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

/* Callbacks that gather ids into one text: "a b c ". */
struct gathered {
    char text[4096];
    size_t n, stop_at; /* stop_at 0: never */
};

static inline int gather(struct gathered *g, const char *id)
{
    size_t len = strlen(g->text);

    snprintf(g->text + len, sizeof(g->text) - len, "%s ", id);
    g->n++;
    return g->n == g->stop_at ? 77 : 0;
}

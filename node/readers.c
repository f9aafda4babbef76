#include "readers.h"

#include <errno.h>

#include "app/space.h"

struct readers {
    struct store *directory;
    struct {
        const struct space *space;
        struct store *store;
    } spaces[LIMIT_SPACES];
    size_t n;
};

static struct store *reads(struct app_thread *t, struct space *space)
{
    struct readers *r = t->reads_ctx;
    for (size_t i = 0; i < r->n; i++) {
        if (r->spaces[i].space == space)
            return r->spaces[i].store;
    }
    struct store *store = NULL;
    if (r->n == LIMIT_SPACES || store_open(space->path, STORE_SPACE, false, &store, NULL) != 0)
        return NULL;
    r->spaces[r->n].space = space;
    r->spaces[r->n++].store = store;
    return store;
}

int readers_open(const char *directory_path, struct app_thread *t, struct readers **out,
                 struct err *err)
{
    struct readers *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    int result = store_open(directory_path, STORE_DIRECTORY, false, &r->directory, err);
    if (result != 0) {
        free(r);
        return result;
    }
    t->directory_read = r->directory;
    t->reads = reads;
    t->reads_ctx = r;
    *out = r;
    return 0;
}

void readers_close(struct readers *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        store_close(r->spaces[i].store);
    store_close(r->directory);
    free(r);
}

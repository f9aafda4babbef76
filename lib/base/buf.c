#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int fail(struct buf *b, int r)
{
    if (!b->error)
        b->error = r;
    return b->error;
}

void buf_clear(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->error = 0;
    if (b->p)
        b->p[0] = '\0';
}

int buf_reserve(struct buf *b, size_t more)
{
    size_t max = b->max ? b->max : BUF_MAX;
    size_t need, cap;
    char *p;

    if (b->error)
        return b->error;
    if (more > max || b->n > max - more)
        return fail(b, -ENOSPC);
    need = b->n + more + 1; /* the final NUL is not counted in .n nor in .max */
    if (need <= b->cap)
        return 0;
    cap = b->cap ? b->cap * 2 : 64;
    if (cap < need)
        cap = need;
    if (cap > max + 1)
        cap = max + 1;
    p = realloc(b->p, cap);
    if (!p)
        return fail(b, -ENOMEM);
    b->p = p;
    b->cap = cap;
    b->p[b->n] = '\0';
    return 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
    int r = buf_reserve(b, n);

    if (r)
        return r;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
    return 0;
}

int buf_str(struct buf *b, struct str s)
{
    return buf_add(b, s.p, s.n);
}

int buf_z(struct buf *b, const char *z)
{
    return buf_add(b, z, strlen(z));
}

int buf_ch(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n, r;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    r = buf_reserve(b, (size_t)n);
    if (!r) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    return r;
}

int buf_error(const struct buf *b)
{
    return b->error;
}

struct str buf_as_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

char *buf_take(struct buf *b)
{
    char *p = NULL;

    if (!buf_reserve(b, 0)) {
        p = b->p;
        b->p = NULL;
    }
    buf_clear(b);
    return p;
}

/*
 * Ownership made visible: a variable marked _cleanup_(f) owns what it holds and releases it when
 * the scope ends; it is handed over by `*out = x; x = NULL;`. It never holds a borrowed reference.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Defines f##p(T *), the form that _cleanup_() calls, for a destructor f(T) that accepts NULL. */
#define DEFINE_CLEANUP(type, f)                                                                    \
    static inline void f##p(type *slot)                                                            \
    {                                                                                              \
        if (*slot)                                                                                 \
            f(*slot);                                                                              \
    }

static inline void freep(void *slot)
{
    free(*(void **)slot);
}

static inline void closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

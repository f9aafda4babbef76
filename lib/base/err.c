#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    err->next[0] = '\0';
    return code;
}

int err_next(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    va_start(ap, fmt);
    vsnprintf(err->next, sizeof(err->next), fmt, ap);
    va_end(ap);
    return code;
}

int err_prefix(struct err *err, int code, const char *fmt, ...)
{
    char old[ERR_TEXT_MAX];
    va_list ap;
    int n;

    if (!err)
        return code;
    memcpy(old, err->text, sizeof(old));
    old[sizeof(old) - 1] = '\0';
    va_start(ap, fmt);
    n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    if (n >= 0 && n < ERR_TEXT_MAX - 2)
        snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %.*s", ERR_TEXT_MAX - n - 3, old);
    return code;
}

#include "log.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define LOG_LINE_MAX 1024

static enum log_level log_level_now = LOG_INFO; /* set before any thread, then constant */

void log_level_set(enum log_level level)
{
    log_level_now = level;
}

/* What came from outside may be part of the words: nothing in them may look like another line, or
 * speak to a terminal. */
static void make_one_line(char *p)
{
    for (; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char line[LOG_LINE_MAX], when[RFC3339_LEN + 1];
    size_t n;
    va_list ap;

    if (level > log_level_now)
        return;
    rfc3339_format((int64_t)time(NULL), when);
    n = (size_t)snprintf(line, sizeof(line), "%s %-5s ", when, names[level]);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap); /* one byte is kept for the newline */
    va_end(ap);
    make_one_line(line);
    n = strlen(line);
    line[n++] = '\n';
    /* One write a line, so that lines of several threads do not mix. Nobody can be told of a
     * failure. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}

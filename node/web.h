/*
 * Pages that are part of the program: web/ as web/embed.py puts them in.
 */
#pragma once

#include <stddef.h>

struct web_file {
    const char *text;
    size_t n;
    const char *etag; /* quoted */
};

extern const struct web_file web_pass_html; /* with {{name}} and {{authority}} */
extern const struct web_file web_pass_css;
extern const struct web_file web_pass_js;

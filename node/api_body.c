#include "api.h"

#include <stdarg.h>
#include <stdio.h>

struct json *api_body(struct http_request *r)
{
    _cleanup_(json_freep) struct json *body = NULL;
    struct err err = {0};
    struct json *out;

    if (json_parse(r->body, &json_bounds_wire, &body, &err)) {
        err_prefix(&err, 0, "the body is not acceptable JSON");
        http_problem(r, 400, "invalid", "Not acceptable", &err);
        return NULL;
    }
    if (json_kind(body) != JSON_OBJECT) {
        api_invalid(r, "the body is not a JSON object");
        return NULL;
    }
    out = body;
    body = NULL;
    return out;
}

void api_invalid(struct http_request *r, const char *fmt, ...)
{
    struct err err = {0};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err.text, sizeof(err.text), fmt, ap);
    va_end(ap);
    http_problem(r, 400, "invalid", "Not acceptable", &err);
}

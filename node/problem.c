/* Problems: RFC 9457. */
#include "httpd.h"
#include "log.h"

#include "base/json_text.h"

#include <string.h>

/* Words may quote what came from outside, and may have been cut in the middle of a character. */
static void add_text(struct buf *out, const char *name, const char *text)
{
    size_t n = strlen(text);

    if (n == 0)
        return;
    while (n > 0 && !str_is_utf8((struct str){text, n}))
        n--;
    json_text_name(out, name);
    json_text_string(out, (struct str){text, n});
}

void http_problem_answer(struct http_request *r, const struct http_problem *p)
{
    _cleanup_(buf_clear) struct buf b = {0};

    buf_printf(&b, "{\"type\":\"urn:comity:problem:%s\"", p->code);
    json_text_member(&b, "title", p->title);
    json_text_member_int(&b, "status", p->status);
    json_text_member(&b, "code", p->code);
    if (p->err) {
        add_text(&b, "detail", p->err->text);
        add_text(&b, "next", p->err->next);
    }
    if (p->members.n) {
        buf_ch(&b, ',');
        buf_str(&b, p->members);
    }
    buf_ch(&b, '}');
    http_answer(r, &(struct http_reply){
                       .status = buf_error(&b) ? 500 : p->status,
                       .content_type = buf_error(&b) ? NULL : "application/problem+json",
                       .body = buf_as_str(&b),
                       .extra = p->extra,
                   });
}

void http_problem(struct http_request *r, int status, const char *code, const char *title,
                  const struct err *err)
{
    http_problem_answer(
        r, &(struct http_problem){.status = status, .code = code, .title = title, .err = err});
}

static const struct err no_room = {
    .text = "the disk of this node is full or read-only: nothing was changed",
    .next = "make room on it, then try again",
};

void http_app_problem_with(struct http_request *r, int result, const struct err *err,
                           struct str members)
{
    const struct app_failure_info *info = app_failure_info(result);
    struct http_problem p = {.status = info->status,
                             .code = info->code,
                             .title = info->title,
                             .err = err,
                             .members = members};

    if (result < 0) {
        log_error("%.*s %.*s: %s (%s)", STR_ARG(r->method_name), STR_ARG(r->path),
                  err && err->text[0] ? err->text : "failed", strerror(-result));
        p.err = info->status == 503 ? &no_room : NULL; /* the words may hold paths */
    } else if (result == APP_E_BUSY) {
        p.extra = "Retry-After: 1\r\n";
    }
    http_problem_answer(r, &p);
}

void http_app_problem(struct http_request *r, int result, const struct err *err)
{
    http_app_problem_with(r, result, err, STR(""));
}

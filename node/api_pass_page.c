/* What any phone's camera opens when it sees a pass. It never shows a verdict: the page is the
 * issuer's, and a forger would paint it green. */
#include "api.h"
#include "app/space.h"
#include "web.h"

/* Nothing but what this origin serves: no inline script, no frames, no forms. */
#define PAGE_HEADERS                                                                               \
    "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; "           \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"                              \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                                  \
    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"

static void add_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buf_z(out, "&amp;");
            break;
        case '<':
            buf_z(out, "&lt;");
            break;
        case '>':
            buf_z(out, "&gt;");
            break;
        case '"':
            buf_z(out, "&quot;");
            break;
        case '\'':
            buf_z(out, "&#39;");
            break;
        default:
            buf_ch(out, *text);
        }
    }
}

/* Replaces each {{name}} in the template. */
static void fill_in(struct str rest, const struct space *space, struct buf *out)
{
    while (rest.n) {
        const char *open = memmem(rest.p, rest.n, "{{", 2);
        const char *close = open ? memmem(open, rest.n - (size_t)(open - rest.p), "}}", 2) : NULL;
        struct str name;

        if (!close) {
            buf_str(out, rest);
            return;
        }
        buf_add(out, rest.p, (size_t)(open - rest.p));
        name = (struct str){open + 2, (size_t)(close - open) - 2};
        if (str_eq(name, STR("name")))
            add_escaped(out, space->configuration.name);
        else if (str_eq(name, STR("authority")))
            add_escaped(out, space->authority);
        rest.n -= (size_t)(close + 2 - rest.p);
        rest.p = close + 2;
    }
}

void api_pass_page(struct http_request *r)
{
    _cleanup_(buf_clear) struct buf page = {0};

    fill_in((struct str){web_pass_html.text, web_pass_html.n}, r->space, &page);
    if (buf_error(&page)) {
        http_app_problem(r, buf_error(&page), NULL);
        return;
    }
    http_answer(r, &(struct http_reply){
                       .status = 200,
                       .content_type = "text/html; charset=utf-8",
                       .body = buf_as_str(&page),
                       .extra = PAGE_HEADERS,
                   });
}

static void serve_file(struct http_request *r, const struct web_file *file,
                       const char *content_type)
{
    http_answer(r, &(struct http_reply){
                       .status = 200,
                       .content_type = content_type,
                       .body = {file->text, file->n},
                       .etag = file->etag,
                       .cache_control = "public, max-age=300",
                   });
}

void api_pass_style(struct http_request *r)
{
    serve_file(r, &web_pass_css, "text/css; charset=utf-8");
}

void api_pass_script(struct http_request *r)
{
    serve_file(r, &web_pass_js, "text/javascript; charset=utf-8");
}

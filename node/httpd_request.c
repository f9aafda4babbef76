/* One request: from the bytes at hand to its handler. */
#include "httpd_conn.h"

#include <assert.h>

static void refuse(struct http_conn *c, const struct http_fault *fault)
{
    struct http_request *r = &c->request;
    struct err err = {0};

    r->method = HTTP_OTHER;
    r->n_headers = 0;
    c->request_size = SIZE_MAX; /* where the next one would begin nobody can tell */
    c->close_after = true;
    c->state = CONN_HANDLING;
    err_set(&err, 0, "%s", fault->text);
    http_problem(r, fault->status, fault->code, "Not a request that is understood here", &err);
}

/* From the parsed head, whose slices point into the buffer. */
static void request_fill(struct http_conn *c, const struct http_head *head)
{
    struct http_request *r = &c->request;

    r->method = head->method;
    r->method_name = head->method_name;
    r->path = head->path;
    r->query = head->query;
    r->host = head->host;
    r->n_headers = head->n_headers;
    memcpy(r->headers, head->headers, head->n_headers * sizeof(head->headers[0]));
    r->body = (struct str){NULL, 0};
}

static void find_client(struct http_conn *c)
{
    const struct config *config = c->httpd->set.config;

    if (!c->proxied)
        return; /* known since the connection was opened */
    c->client = c->peer;
    client_forwarded(c->request.headers, c->request.n_headers, config->trusted_proxies,
                     config->n_trusted_proxies, &c->client);
    client_text(&c->client, c->request.client);
}

/* RFC 9110 section 7.4: a request is answered only for a host that is served on this connection. */
static bool find_space(struct http_conn *c)
{
    struct http_request *r = &c->request;
    const char *name = c->tls ? tls_server_name(c->tls) : NULL;

    if (name) {
        size_t n = strlen(name);

        if (r->host.n < n || memcmp(r->host.p, name, n) != 0 ||
            (r->host.n > n && r->host.p[n] != ':'))
            return false;
    }
    if (!c->space || !str_eqz(r->host, c->space->authority))
        c->space = app_space(r->thread->app, r->host);
    r->space = c->space;
    return r->space != NULL;
}

static void handle(struct http_conn *c)
{
    struct http_request *r = &c->request;

    r->body = (struct str){c->in + c->from + c->head_size, c->request_size - c->head_size};
    c->state = CONN_HANDLING;
    c->deadline_ms = c->httpd->now_ms + c->httpd->set.times.handle;
    c->route->handle(r);
    assert(c->state != CONN_HANDLING || c->deferred || c->dead);
}

static void await_body(struct http_conn *c, bool expect_continue)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct http_fault *fault;
    struct http_head head;

    c->state = CONN_BODY;
    c->deadline_ms = c->httpd->now_ms + c->httpd->set.times.body;
    if (conn_room(c, c->request_size)) {
        c->dead = true;
        return;
    }
    /* The buffer may have moved: the same bytes give the same slices at their new place. */
    if (http_head_parse(c->in, c->head_size, &head, &fault)) {
        c->dead = true;
        return;
    }
    request_fill(c, &head);
    if (expect_continue && c->to == c->head_size &&
        conn_write(c, go_on, sizeof(go_on) - 1) != sizeof(go_on) - 1)
        c->dead = true;
}

static void begin(struct http_conn *c, size_t head_size, const struct http_head *head)
{
    struct http_request *r = &c->request;

    request_fill(c, head);
    r->param = c->param; /* the route's: it is not the head's, which may be filled in twice */
    c->param[0] = '\0';
    find_client(c);
    c->head_size = head_size;
    c->request_size = head->content_length > SIZE_MAX - head_size
                          ? SIZE_MAX
                          : head_size + (size_t)head->content_length;
    c->close_after = !head->keep_alive || c->httpd->draining;
    c->keep_alive_1_0 = head->minor == 0;
    c->state = CONN_HANDLING;
    if (!find_space(c)) {
        struct err err = {0};

        err_set(&err, 0, "this connection does not serve %.*s", STR_ARG(r->host));
        http_problem(r, 421, "misdirected_request", "Not a host that is served here", &err);
        return;
    }
    c->route = router_admit(c->httpd->set.routes, r, head->content_length);
    if (!c->route)
        return;
    if (c->to - c->from >= c->request_size)
        handle(c);
    else
        await_body(c, head->expect_continue);
}

/* RFC 9112 section 2.2: one empty line before a request is forgiven. True if more must be read to
 * know. */
static bool skip_empty_line(struct http_conn *c)
{
    if (c->scanned > 0 || c->skipped || c->in[c->from] != '\r')
        return false;
    if (c->to - c->from == 1)
        return true;
    if (c->in[c->from + 1] == '\n') {
        c->from += 2;
        c->skipped = true;
    }
    return c->from == c->to;
}

static bool take_head(struct http_conn *c)
{
    const struct http_fault *fault;
    struct http_head head;
    size_t size = 0;
    int r = HTTP_HEAD_MORE;

    if (c->from == c->to)
        return false;
    if (!skip_empty_line(c))
        r = http_head_end(c->in + c->from, c->to - c->from, &c->scanned, &size, &fault);
    if (r == HTTP_HEAD_MORE) {
        if (!c->started)
            c->deadline_ms = c->httpd->now_ms + c->httpd->set.times.header;
        c->started = true;
        return false;
    }
    if (r || http_head_parse(c->in + c->from, size, &head, &fault))
        refuse(c, fault);
    else
        begin(c, size, &head);
    return true;
}

bool conn_take(struct http_conn *c)
{
    if (c->state == CONN_HEAD)
        return take_head(c);
    if (c->state != CONN_BODY || c->to - c->from < c->request_size)
        return false;
    handle(c);
    return true;
}

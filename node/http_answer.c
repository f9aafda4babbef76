#include "httpd_conn.h"

#include "log.h"

#include <assert.h>

struct http_deferred {
    struct http_conn *conn; /* NULL once the client has left */
    struct loop *loop;
};

struct str http_header_get(const struct http_request *r, const char *name)
{
    return http_headers_get(r->headers, r->n_headers, str_of(name));
}

/* RFC 9110 section 15, RFC 6585: the ones that are used. */
static const char *reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Status";
}

static void add_number(struct buf *out, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    buf_add(out, digits + at, sizeof(digits) - at);
}

static void add_header(struct buf *out, struct str name, const char *value)
{
    buf_str(out, name);
    buf_z(out, value);
    buf_str(out, STR("\r\n"));
}

static void write_head(struct http_conn *c, const struct http_reply *reply, int status,
                       struct buf *out)
{
    buf_str(out, STR("HTTP/1.1 "));
    add_number(out, (uint64_t)status);
    buf_ch(out, ' ');
    add_header(out, STR(""), reason_phrase(status));
    add_header(out, STR("Date: "), httpd_date(c->httpd));
    if (status != 304) {
        if (reply->content_type)
            add_header(out, STR("Content-Type: "), reply->content_type);
        buf_str(out, STR("X-Content-Type-Options: nosniff\r\nContent-Length: "));
        add_number(out, reply->content_type ? reply->body.n : 0);
        buf_str(out, STR("\r\n"));
    }
    if (reply->etag)
        add_header(out, STR("ETag: "), reply->etag);
    add_header(out, STR("Cache-Control: "),
               reply->cache_control ? reply->cache_control : "no-store");
    if (reply->extra)
        buf_z(out, reply->extra);
    if (c->close_after)
        buf_str(out, STR("Connection: close\r\n"));
    else if (c->keep_alive_1_0)
        buf_str(out, STR("Connection: keep-alive\r\n"));
    buf_str(out, STR("\r\n"));
}

void http_answer(struct http_request *r, const struct http_reply *reply)
{
    struct http_conn *c = r->conn;
    struct buf *out = &c->httpd->out;
    int status = reply->status;

    assert(c->state == CONN_HANDLING && !c->deferred);
    if (reply->etag && status == 200 && (r->method == HTTP_GET || r->method == HTTP_HEAD) &&
        http_etag_listed(http_header_get(r, "if-none-match"), str_of(reply->etag)))
        status = 304;
    /* Refused before the body was read: unless all of it is here, the rest is not worth reading. */
    if (c->httpd->draining || c->to - c->from < c->request_size)
        c->close_after = true;
    buf_reset(out);
    write_head(c, reply, status, out);
    if (reply->content_type && status != 304 && r->method != HTTP_HEAD)
        buf_str(out, reply->body);
    if (buf_error(out)) {
        c->dead = true;
        buf_clear(out);
    }
    conn_send(c, out->p, out->n);
}

void http_answer_json(struct http_request *r, int status, struct str body)
{
    http_answer(r, &(struct http_reply){
                       .status = status, .content_type = "application/json", .body = body});
}

unsigned http_auth_failed(struct http_request *r)
{
    struct httpd *h = r->conn->httpd;

    return throttle_failed(&h->throttle, &r->conn->client, h->now_ms);
}

struct http_deferred *http_defer(struct http_request *r)
{
    struct http_deferred *d = malloc(sizeof(*d));

    if (!d)
        return NULL;
    d->conn = r->conn;
    d->loop = r->conn->httpd->loop;
    r->conn->deferred = d;
    return d;
}

struct loop *http_deferred_loop(const struct http_deferred *d)
{
    return d->loop;
}

struct http_request *http_resume(struct http_deferred *d)
{
    struct http_conn *c = d->conn;

    free(d);
    if (!c)
        return NULL;
    c->deferred = NULL;
    c->httpd->now_ms = loop_now_ms();
    return &c->request;
}

void http_deferred_orphan(struct http_deferred *d)
{
    d->conn = NULL;
}

/*
 * HTTP/1.1 over TLS (or plain, behind a proxy) for one loop: RFC 9110 and 9112, the part that a
 * node needs: Content-Length bodies, keep-alive, no upgrades, no chunked requests (411).
 *
 * Absolute deadlines by own timers (header 5 s, body 10 s, write 10 s, idle 60 s), a connection
 * cap, header and body bounds. Sockets and TLS are driven directly with libevent's events, since a
 * bufferevent would cost two reads a record (see docs/decisions).
 *
 * A handler gets a request and must answer it exactly once, at once or later, on the loop's thread.
 */
#pragma once

#include "app/app.h"
#include "app/token.h"
#include "base/json.h"
#include "config.h"
#include "http_parse.h"
#include "loop.h"

struct tls_server; /* tls.h: certificates by SNI */
struct httpd;
struct http_conn;

/* Borrowed from the connection; valid until the answer is sent. */
struct http_request {
    enum http_method method;
    struct str method_name, path, query; /* path as sent, undecoded, without query */
    struct str host;                     /* authority, lower case, default port left out */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t n_headers;
    struct str body;
    char
        client[46]; /* real client address: trusted_proxies are believed; "unix" on a Unix socket */
    bool tls;
    struct space *space; /* whom the Host names; never NULL in a handler */
    struct app_thread *thread;
    const char *param;          /* what a route's wildcard matched, NUL-terminated, "" if none */
    struct token_holder holder; /* on routes that need a role */
    struct http_conn *conn;
};

struct str http_header_get(const struct http_request *r, const char *name); /* {NULL,0} if absent */

struct http_reply {
    int status;
    const char *content_type;  /* NULL: no body */
    struct str body;           /* copied before http_answer() returns */
    const char *etag;          /* quoted, or NULL; a matching If-None-Match makes it a 304 */
    const char *cache_control; /* default "no-store" */
    const char *extra;         /* further header lines, each ending in CRLF; or NULL */
};

/* Answers; the request is gone afterwards. */
void http_answer(struct http_request *r, const struct http_reply *reply);
void http_answer_json(struct http_request *r, int status, struct str body);

/* RFC 9457: {"type","title","status","code","detail","next"}. `members` is further members as JSON
 * text without braces ("" for none); `extra` is header lines or NULL. */
struct http_problem {
    int status;
    const char *code, *title;
    const struct err *err; /* detail and next; may be NULL */
    struct str members;
    const char *extra;
};
void http_problem_answer(struct http_request *r, const struct http_problem *p);
void http_problem(struct http_request *r, int status, const char *code, const char *title,
                  const struct err *err);
/* APP_E_*, or a negative errno: that is logged, and the client is told no more than "internal". */
void http_app_problem(struct http_request *r, int result, const struct err *err);
void http_app_problem_with(struct http_request *r, int result, const struct err *err,
                           struct str members);

/* Answering later: http_defer() keeps the request alive and returns a handle that outlives the
 * connection; http_resume() on the loop's thread gives the request back, or NULL if the client left
 * (the handle is freed either way). Another thread first posts to http_deferred_loop(). NULL if
 * memory is out: then answer at once. */
struct http_deferred;
struct http_deferred *http_defer(struct http_request *r);
struct loop *http_deferred_loop(const struct http_deferred *d);
struct http_request *http_resume(struct http_deferred *d);

struct route {
    enum http_method method; /* GET serves HEAD too */
    const char *path;        /* exact, or ending in "*" (one segment -> param) */
    unsigned roles;          /* bit set 1 << TOKEN_*; 0: anyone */
    size_t body_max;         /* bytes of JSON; 0: no body expected */
    void (*handle)(struct http_request *r);
};
extern const struct route routes[]; /* routes.c; ends with path NULL */

/* Looks at a request whose body has not been read yet: the route whose handler is to be called once
 * it has, or NULL: then it was refused and is answered (404, 405 with Allow, 401, 403, 429, 413,
 * 415). */
const struct route *router_admit(const struct route *table, struct http_request *r,
                                 uint64_t content_length);

/* Notes that this request's sender failed to authenticate. Seconds to wait when it did so too often
 * within a minute; else 0. */
unsigned http_auth_failed(struct http_request *r);

struct httpd_times { /* milliseconds; 0: that of base/limits.h */
    unsigned header, body, handle, write, idle, sweep;
};
struct httpd_settings {
    struct app_thread *thread;   /* this loop's */
    struct tls_server *tls;      /* NULL: plain only */
    const struct config *config; /* for trusted_proxies; borrowed */
    const struct route *routes;  /* normally `routes`; borrowed */
    unsigned max_connections;    /* 0: LIMIT_HTTP_CONNECTIONS */
    unsigned max_per_client;     /* of one address (IPv6: one /64); 0: a quarter of that */
    struct httpd_times times;
};

/* A listening socket, SO_REUSEPORT, so that each loop has one of its own for one address:
 * "127.0.0.1:8441", "[::1]:8441", "unix:/p" (mode 0660, opened once: other loops get a dup()).
 * Returns the fd, owned by the caller, or -EINVAL, -EADDRINUSE ... with err. */
int listen_open(const char *address, struct err *err);
/* Once before the first listen_open() of an address: whether it is free of other programs, which
 * SO_REUSEPORT would not notice. 0 or as above. */
int listen_check(const char *address, struct err *err);
int listen_port(int fd); /* what port 0 became */

int httpd_new(struct loop *loop, const struct httpd_settings *s, struct httpd **out);
int httpd_listen(struct httpd *h, int fd, bool tls); /* takes the fd over, also on failure */

/* Stops accepting, finishes the requests that are under way, closes idle connections; then calls
 * empty(arg) on the loop's thread, from where httpd_free() may be called. */
void httpd_drain(struct httpd *h, void (*empty)(void *arg), void *arg);
void httpd_free(struct httpd *h); /* closes what is still open; deferred requests resume as NULL */
size_t httpd_connections(const struct httpd *h);

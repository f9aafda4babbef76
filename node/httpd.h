/*
 * HTTP/1.1 over TLS (or plain, behind a proxy) for one loop: RFC 9110 and 9112, the part that a node
 * needs: Content-Length bodies, keep-alive, no upgrades, no chunked requests (411).
 *
 * Absolute deadlines by own timers (header 5 s, body 10 s, write 10 s, idle 60 s), a connection cap,
 * header and body bounds. Sockets and TLS are driven directly with libevent's events, since a
 * bufferevent would cost two reads a record (see docs/decisions).
 *
 * A handler gets a request and must answer it exactly once, at once or later, on the loop's thread.
 */
#pragma once

#include "app/app.h"
#include "app/token.h"
#include "base/json.h"
#include "loop.h"

struct tls_server; /* tls.h: certificates by SNI */
struct httpd;
struct http_conn;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

#define HTTP_HEADERS_MAX 48

struct http_header {
    struct str name; /* lower case */
    struct str value;
};

/* Borrowed from the connection; valid until the answer is sent. */
struct http_request {
    enum http_method method;
    struct str method_name, path, query; /* path as sent, undecoded, without query */
    struct str host;                     /* authority, lower case, default port left out */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t n_headers;
    struct str body;
    char client[46];  /* real client address: trusted_proxies are believed */
    bool tls;
    struct space *space; /* whom the Host names; never NULL in a handler */
    struct app_thread *thread;
    const char *param;   /* what a route's wildcard matched, NUL-terminated, "" if none */
    struct token_holder holder; /* on routes that need a role */
    struct http_conn *conn;
};

struct str http_header_get(const struct http_request *r, const char *name); /* {NULL,0} if absent */

struct http_reply {
    int status;
    const char *content_type; /* NULL: no body */
    struct str body;          /* copied before http_answer() returns */
    const char *etag;         /* quoted, or NULL; a matching If-None-Match makes it a 304 */
    const char *cache_control; /* default "no-store" */
    const char *extra;        /* further header lines, each ending in CRLF; or NULL */
};

/* Answers; the request is gone afterwards. */
void http_answer(struct http_request *r, const struct http_reply *reply);
void http_answer_json(struct http_request *r, int status, struct str body);
/* RFC 9457: {"type","title","status","code","detail","next"}. */
void http_problem(struct http_request *r, int status, const char *code, const char *title,
                  const struct err *err);
void http_app_problem(struct http_request *r, int result, const struct err *err); /* APP_E_* */

/* Answering later: http_defer() keeps the request alive and returns a handle that outlives the
 * connection; http_resume() on the loop's thread gives the request back, or NULL if the client left
 * (the handle is freed either way). Another thread first loop_post()s to http_deferred_loop(). */
struct http_deferred;
struct http_deferred *http_defer(struct http_request *r);
struct loop *http_deferred_loop(const struct http_deferred *d);
struct http_request *http_resume(struct http_deferred *d);

struct route {
    enum http_method method;   /* GET serves HEAD too */
    const char *path;          /* exact, or ending in "*" (one segment -> param) */
    unsigned roles;            /* bit set 1 << TOKEN_*; 0: anyone */
    size_t body_max;           /* bytes; 0: no body expected */
    void (*handle)(struct http_request *r);
};
extern const struct route routes[]; /* router.c; ends with path NULL */
void router_dispatch(struct http_request *r); /* 404, 405 with Allow, 401, 403, 413, 415, 421 */

struct httpd_settings {
    struct app_thread *thread;    /* this loop's */
    struct tls_server *tls;       /* NULL: plain */
    const struct config *config;
    unsigned max_connections;
};
/* Listeners: fds are made with listen_open() (SO_REUSEPORT) and owned by the httpd. */
int listen_open(const char *address, struct err *err); /* "127.0.0.1:8441", "[::1]:8441", "unix:/p" */
int httpd_new(struct loop *loop, const struct httpd_settings *s, struct httpd **out);
int httpd_listen(struct httpd *h, int fd, bool tls);
void httpd_drain(struct httpd *h, void (*empty)(void *arg), void *arg); /* finish requests, then tell */
void httpd_free(struct httpd *h);

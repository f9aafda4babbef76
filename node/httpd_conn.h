/*
 * Internal to httpd: one connection, and the loop's server that it belongs to.
 */
#pragma once

#include "base/buf.h"
#include "client.h"
#include "httpd.h"
#include "tls.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#define HTTPD_LISTENERS_MAX (2 * CONFIG_LISTEN_MAX)

struct listener {
    struct httpd *httpd;
    int fd;
    bool tls;
    struct event event;
};

struct httpd {
    struct loop *loop;
    struct httpd_settings set; /* times and caps filled in */
    struct listener listeners[HTTPD_LISTENERS_MAX];
    size_t n_listeners;
    struct http_conn *first;
    size_t n_connections;
    uint64_t now_ms;    /* of the event that is being handled */
    struct event sweep; /* armed while there is something to look after */
    bool paused;        /* not accepting: at the cap, or out of descriptors */
    bool draining;
    void (*empty)(void *arg);
    void *empty_arg;
    struct buf out; /* an answer on its way; the same memory for all */
    int64_t date_at;
    char date[30]; /* RFC 9110 section 5.6.7 */
    struct throttle throttle;
};

enum conn_state {
    CONN_HANDSHAKE,
    CONN_HEAD,
    CONN_BODY,
    CONN_HANDLING, /* a handler has it, now or later */
    CONN_WRITING,  /* the socket did not take the whole answer */
    CONN_LINGER,   /* answered and shut; what the client still sends is thrown away */
};

struct http_conn {
    struct httpd *httpd;
    struct http_conn *next, *prev;
    int fd;
    struct tls *tls; /* NULL: plain */
    struct event read_event, write_event;
    enum conn_state state;
    uint64_t deadline_ms;
    bool dead;           /* to be destroyed by whoever is outermost */
    bool pumping;        /* conn_pump() is on the stack */
    bool read_off;       /* the read event is not armed: bytes arrived that nobody wants yet */
    bool more;           /* TLS holds bytes that the socket will not announce */
    bool resting;        /* has no buffers: nothing was said for a while */
    bool started;        /* the header deadline runs */
    bool close_after;    /* this answer is the last */
    bool keep_alive_1_0; /* an HTTP/1.0 client that wants to stay must be told */
    bool skipped;        /* an empty line before this request */
    struct client peer, client; /* at the socket; behind the proxy */
    bool proxied;               /* the peer may say who the client is */
    char *in;                   /* owned; what was read: in[from..to) */
    size_t cap, from, to;
    size_t scanned;      /* of the head, for http_head_end() */
    size_t head_size;    /* of the request in hand */
    size_t request_size; /* head and body; SIZE_MAX if nobody knows */
    struct buf out;      /* what the socket did not take yet */
    size_t out_at;
    struct space *space; /* of the last request: mostly that of the next */
    const struct route *route;
    struct http_deferred *deferred;
    char param[64];
    size_t linger_bytes;
    struct http_request request;
};

/* Takes the socket over. */
void conn_open(struct httpd *h, int fd, bool tls, const struct client *peer);
void conn_destroy(struct http_conn *c);
/* Goes on with what has been read; destroys a connection that is done. */
void conn_pump(struct http_conn *c);
void conn_drain(struct http_conn *c);
void conn_rest(struct http_conn *c); /* gives back its buffers, if it waits for a request */

/* Makes the buffer hold at least `need` bytes, the first at in[0]. Slices into it are void
 * afterwards. 0 or -ENOMEM. */
int conn_room(struct http_conn *c, size_t need);
/* Writes what the socket takes of n bytes. Returns how many; c->dead on failure. */
size_t conn_write(struct http_conn *c, const char *p, size_t n);
/* httpd_request.c: true if something was done with the bytes at hand. */
bool conn_take(struct http_conn *c);

/* Sends an answer and goes on to the next request, or closes. */
void conn_send(struct http_conn *c, const char *p, size_t n);

/* After a connection is gone: may accept again, may be empty. */
void httpd_conn_gone(struct httpd *h);
void httpd_sweep_arm(struct httpd *h);
const char *httpd_date(struct httpd *h);

/* The request is deferred to a handle; the connection is going away. */
void http_deferred_orphan(struct http_deferred *d);

/*
 * A real httpd on a loop in a thread of the test, on loopback, for two spaces with two certificates
 * and routes that the test can see through; and a client that says exactly what it is told to.
 *
 *   GET /hello    "hello from <authority>"
 *   GET /who      the client's address
 *   GET /tag      a text with ETag "v1"
 *   GET /item/...  the wildcard's match
 *   GET /big      1,000,000 bytes
 *   GET /later    answered when server_release() is called
 *   GET /locked   needs a token
 *   POST /box/...  the wildcard's match
 *   POST /echo    the body, up to 65,536 bytes of JSON
 */
#pragma once

#include "app/space.h"
#include "httpd.h"
#include "tls.h"

#include <pthread.h>
#include <stdatomic.h>

#define BIG 1000000

struct server {
    struct app app;
    struct app_clock clock;
    struct app_thread app_thread;
    struct space a, b; /* a.localhost, b.localhost */
    struct config config;
    struct config_space certificates[2];
    struct tls_server *tls;
    struct loop *loop;
    struct httpd *httpd;
    pthread_t thread;
    int plain_port, tls_port;
    char unix_path[100], folder[256];
    pthread_mutex_t lock;
    struct http_deferred *waiting[8]; /* of /later */
    size_t n_waiting;
    atomic_int gone;    /* deferred requests whose client had left */
    atomic_int drained; /* the drain has ended */
    atomic_int handled;
};

/* settings: times and caps only; NULL for defaults. Fails the test if it cannot. */
struct server *server_start(const struct httpd_settings *settings);
void server_stop(struct server *s);
void server_drain(struct server *s);   /* begins it, and returns once it has begun */
void server_release(struct server *s); /* answers all of /later */
void server_await_waiting(struct server *s, size_t n);
size_t server_connections(struct server *s); /* now */
void server_await_connections(struct server *s, size_t n);
void server_certificate(struct server *s, const char *host, struct config_space *out);

struct answer {
    int status;
    char head[4096];
    char *body; /* owned, NUL-terminated */
    size_t n;
};
void answer_clear(struct answer *a);
const char *answer_header(const struct answer *a,
                          const char *name); /* line from the value on; NULL */

struct peer;
/* sni NULL: plain. "": TLS without a name. NULL if the handshake fails. */
struct peer *peer_open(struct server *s, const char *sni);
struct peer *peer_open_unix(struct server *s);
/* The same, with the session of another one; *resumed tells whether it was taken up. */
struct peer *peer_resume(struct server *s, const char *sni, struct peer *earlier, bool *resumed);
void peer_send(struct peer *p, const char *bytes, size_t n);
void peer_say(struct peer *p, const char *text);
void peer_get(struct peer *p, const char *path, const char *host);
void peer_answer(struct peer *p, struct answer *out);      /* fails the test if none comes */
void peer_answer_head(struct peer *p, struct answer *out); /* to a HEAD: no body follows */
bool peer_closed(struct peer *p); /* waits for the end; false if bytes come */
void peer_half_close(struct peer *p);
int peer_fd(const struct peer *p);
void peer_close(struct peer *p);

uint64_t now_ms(void);

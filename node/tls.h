/*
 * TLS 1.2+ for servers: OpenSSL contexts by SNI, reloaded as a whole on SIGHUP, and a socket that
 * reads and writes without blocking. With node/tls*.c the only <openssl/ssl.h>.
 */
#pragma once

#include "base/err.h"
#include "config.h"

struct tls_server;

/* Loads every space's certificate and key. A failed reload keeps what was there. Thread-safe. */
int tls_server_new(const struct config *c, struct tls_server **out, struct err *err);
int tls_server_reload(struct tls_server *s, const struct config *c, struct err *err);
void tls_server_free(struct tls_server *s);

struct tls; /* one connection */
enum { TLS_WANT_READ = 1, TLS_WANT_WRITE, TLS_CLOSED };

int tls_accept(struct tls_server *s, int fd, struct tls **out);
int tls_handshake(struct tls *t);                          /* 0 done; TLS_WANT_*; TLS_CLOSED */
int tls_read(struct tls *t, void *p, size_t cap, size_t *n);  /* likewise; reads all that is pending */
int tls_write(struct tls *t, const void *p, size_t len, size_t *n);
void tls_shutdown(struct tls *t); /* close_notify, best effort, no waiting */
void tls_free(struct tls *t);
const char *tls_server_name(const struct tls *t); /* SNI as sent, lower case; NULL if none */

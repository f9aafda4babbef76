/*
 * TLS 1.2+ for servers: OpenSSL contexts by SNI, reloaded as a whole on SIGHUP, and a socket that
 * reads and writes without blocking. With node/tls*.c the only <openssl/ssl.h>.
 *
 * A client that names a host that is not served, or none while several are, gets the alert
 * unrecognized_name: the certificate of one space is never shown to who asked for another.
 */
#pragma once

#include "base/err.h"
#include "config.h"

struct tls_server;

/* Loads the certificate and key of every space that has them. -EINVAL with err: a file cannot be
 * read, certificate and key do not fit, or the certificate is not for the space's host. A failed
 * reload keeps what was there. Thread-safe. */
int tls_server_new(const struct config *c, struct tls_server **out, struct err *err);
int tls_server_reload(struct tls_server *s, const struct config *c, struct err *err);
/* The same for one space, which has a certificate: whether a server would take it. */
int tls_check(const struct config_space *space, struct err *err);
void tls_server_free(struct tls_server *s); /* after all its connections */

struct tls; /* one connection */
enum { TLS_WANT_READ = 1, TLS_WANT_WRITE, TLS_CLOSED };

/* The socket stays the caller's. */
int tls_accept(struct tls_server *s, int fd, struct tls **out);
int tls_handshake(struct tls *t); /* 0 done; TLS_WANT_*; TLS_CLOSED */

/* Reads at most cap bytes, all that is there; 0 if at least one. TLS_WANT_*; TLS_CLOSED. */
int tls_read(struct tls *t, void *p, size_t cap, size_t *n);

/* Bytes are left inside after a read that filled its buffer: the socket will not tell, so the
 * caller reads again when there is room. */
bool tls_pending(const struct tls *t);
/* Writes what goes; 0 if at least one byte was taken. A write that wants the socket is repeated
 * with the same bytes, which may have moved. */
int tls_write(struct tls *t, const void *p, size_t len, size_t *n);
void tls_rest(struct tls *t);     /* gives back the memory of its buffers until the next byte */
void tls_shutdown(struct tls *t); /* close_notify, best effort, no waiting */
void tls_free(struct tls *t);
const char *tls_server_name(const struct tls *t); /* SNI as sent, lower case; NULL if none */

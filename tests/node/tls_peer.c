#include "tls_peer.h"

#include "temporary.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEED(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "tls_peer: %s\n", #x);                                                 \
            exit(2);                                                                               \
        }                                                                                          \
    } while (0)

struct peer {
    struct tls_peer shown; /* first */
    SSL_CTX *ctx;
    int fd;
    pthread_t thread;
    atomic_bool stop;
    atomic_int open;
};

struct client {
    struct peer *peer;
    SSL *ssl;
    char request[16384];
};

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    NEED((ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) != NULL);
    NEED(X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

static void make_certificate(struct peer *p)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    FILE *file;
    int fd;

    NEED(key && cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, "DNS:good.localhost");
    NEED(X509_sign(cert, key, EVP_sha256()) > 0);
    temporary(p->shown.ca, sizeof(p->shown.ca), "comity-test-ca-XXXXXX");
    fd = mkstemp(p->shown.ca);
    NEED(fd >= 0 && (file = fdopen(fd, "w")));
    NEED(PEM_write_X509(file, cert) == 1);
    fclose(file);
    p->ctx = SSL_CTX_new(TLS_server_method());
    NEED(p->ctx && SSL_CTX_use_certificate(p->ctx, cert) == 1 &&
         SSL_CTX_use_PrivateKey(p->ctx, key) == 1);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static bool put(struct client *c, const void *p, size_t n)
{
    return !atomic_load(&c->peer->stop) && SSL_write(c->ssl, p, (int)n) == (int)n;
}

static bool say(struct client *c, const char *text)
{
    return put(c, text, strlen(text));
}

/* Waits until the client closes, or ms are over; true: it is still there. */
static bool linger(struct client *c, int ms)
{
    struct pollfd p = {.fd = SSL_get_fd(c->ssl), .events = POLLIN};
    char byte;

    return !atomic_load(&c->peer->stop) &&
           (poll(&p, 1, ms) == 0 || SSL_peek(c->ssl, &byte, 1) == 1);
}

static bool say_ok(struct client *c)
{
    if (strstr(c->request, "If-None-Match: \"v1\"\r\n"))
        return say(c, "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n");
    return say(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
                  "ETag: \"v1\"\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
}

static bool say_back(struct client *c)
{
    char head[128];

    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
             "Content-Length: %zu\r\n\r\n",
             strlen(c->request));
    return say(c, head) && say(c, c->request);
}

static bool say_redirect(struct client *c)
{
    return say(c, "HTTP/1.1 302 Found\r\nLocation: https://good.localhost/ok\r\n"
                  "Content-Length: 0\r\n\r\n");
}

static bool say_problem(struct client *c)
{
    return say(c, "HTTP/1.1 422 Unprocessable\r\nContent-Type: application/problem+json\r\n"
                  "Content-Length: 14\r\n\r\n{\"code\":\"bad\"}");
}

static bool repeat(struct client *c, const char *head, const char *part, size_t times)
{
    bool ok = say(c, head);

    for (size_t i = 0; ok && i < times; i++)
        ok = say(c, part);
    return ok;
}

static const char kilobyte[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static bool say_long_problem(struct client *c)
{
    return repeat(c, "HTTP/1.1 500 Oh\r\nContent-Length: 2097152\r\n\r\n", kilobyte, 16384);
}

static bool say_exact(struct client *c)
{
    return repeat(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "0123456789", 10);
}

static bool say_endless(struct client *c)
{
    return repeat(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", kilobyte, 1 << 24) && false;
}

static bool say_liar(struct client *c)
{
    return repeat(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", kilobyte, 1) && false;
}

static bool say_cut(struct client *c)
{
    return say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789") && false;
}

static bool say_drip(struct client *c)
{
    bool ok = say(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");

    while (ok && linger(c, 100))
        ok = say(c, "x");
    return false;
}

static bool say_nothing(struct client *c)
{
    while (linger(c, 100))
        ;
    return false;
}

static bool say_headers(struct client *c)
{
    return repeat(c, "HTTP/1.1 200 OK\r\n", "X-More: 0123456789012345678901234567890\r\n",
                  1 << 24) &&
           false;
}

static bool say_interim(struct client *c)
{
    return repeat(c, "", "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", 1 << 24) && false;
}

static bool say_garbage(struct client *c)
{
    return say(c, "%PDF-1.7 \x01\x02\x03 this is no HTTP at all\r\n\r\n") && false;
}

static bool say_bye(struct client *c)
{
    return false;
}

/* A document of a node, unless the mode says otherwise. */
static bool say_document(struct client *c, const char *type, const char *etag, const char *body)
{
    char head[256], condition[64];

    while (atomic_load(&c->peer->shown.mode) == PEER_HANGING && linger(c, 20))
        ;
    if (atomic_load(&c->peer->shown.mode) != PEER_FINE)
        return say(c, "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n");
    snprintf(condition, sizeof(condition), "If-None-Match: \"%s\"\r\n", etag);
    if (strstr(c->request, condition))
        return say(c, "HTTP/1.1 304 Not Modified\r\n\r\n");
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nETag: \"%s\"\r\n"
             "Content-Length: %zu\r\n\r\n",
             type, etag, strlen(body));
    return say(c, head) && say(c, body);
}

static bool say_configuration(struct client *c)
{
    return say_document(c, "application/entity-statement+jwt", "c1", "configuration");
}

static bool say_status(struct client *c)
{
    return say_document(c, "application/statuslist+jwt", "s1", "status");
}

static bool say_results(struct client *c)
{
    return say_document(c, "application/json", "-", "{\"results\":[]}");
}

/* Each returns whether the connection stays open. */
static const struct {
    const char *path;
    bool (*say)(struct client *c);
} paths[] = {
    {"/ok", say_ok},
    {"/post", say_back},
    {"/redirect", say_redirect},
    {"/problem", say_problem},
    {"/problem/long", say_long_problem},
    {"/exact", say_exact},
    {"/endless", say_endless},
    {"/liar", say_liar},
    {"/cut", say_cut},
    {"/drip", say_drip},
    {"/silent", say_nothing},
    {"/headers", say_headers},
    {"/interim", say_interim},
    {"/garbage", say_garbage},
    {"/empty", say_bye},
    {"/.well-known/openid-federation", say_configuration},
    {"/status/0", say_status},
    {"/status/1", say_status},
    {"/node/v1/stamps", say_results},
};

/* A whole request, with the body that its Content-Length says. */
static bool read_request(struct client *c)
{
    size_t n = 0;

    for (;;) {
        int got = SSL_read(c->ssl, c->request + n, (int)(sizeof(c->request) - 1 - n));
        const char *end, *length;

        if (got <= 0)
            return false;
        n += (size_t)got;
        c->request[n] = '\0';
        end = strstr(c->request, "\r\n\r\n");
        length = strstr(c->request, "Content-Length: ");
        if (end && n >= (size_t)(end + 4 - c->request) +
                            (length && length < end ? strtoul(length + 16, NULL, 10) : 0))
            return true;
    }
}

static bool answer(struct client *c)
{
    struct pollfd p = {.fd = SSL_get_fd(c->ssl), .events = POLLIN};
    char path[64] = "";

    while (!SSL_has_pending(c->ssl) && poll(&p, 1, 20) == 0)
        if (atomic_load(&c->peer->stop))
            return false;
    if (!read_request(c) || sscanf(c->request, "%*s %63s", path) != 1)
        return false;
    atomic_fetch_add(&c->peer->shown.requests, 1);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(paths[i].path, path) == 0)
            return paths[i].say(c);
    return say(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static void *serve_client(void *arg)
{
    struct client *c = arg;
    struct peer *p = c->peer;
    int fd = SSL_get_fd(c->ssl);

    if (SSL_accept(c->ssl) == 1) {
        while (!atomic_load(&p->stop) && answer(c))
            ;
        SSL_shutdown(c->ssl);
    }
    SSL_free(c->ssl);
    close(fd);
    free(c);
    atomic_fetch_sub(&p->open, 1);
    return NULL;
}

static void accept_client(struct peer *p)
{
    const struct timeval patience = {.tv_sec = 10}; /* so that no thread stays for ever */
    struct client *c = calloc(1, sizeof(*c));
    pthread_t thread;
    int fd = accept(p->fd, NULL, NULL);

    NEED(c && fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    atomic_fetch_add(&p->shown.connections, 1);
    atomic_fetch_add(&p->open, 1);
    c->peer = p;
    c->ssl = SSL_new(p->ctx);
    NEED(c->ssl && SSL_set_fd(c->ssl, fd) == 1);
    NEED(pthread_create(&thread, NULL, serve_client, c) == 0);
    pthread_detach(thread);
}

static void *serve(void *arg)
{
    struct peer *p = arg;
    struct pollfd poller = {.fd = p->fd, .events = POLLIN};

    while (!atomic_load(&p->stop) || atomic_load(&p->open) > 0)
        if (poll(&poller, 1, 20) == 1)
            accept_client(p);
    return NULL;
}

struct tls_peer *tls_peer_start(void)
{
    struct peer *p = calloc(1, sizeof(*p));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(address);

    NEED(p);
    make_certificate(p);
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    NEED(p->fd >= 0 && bind(p->fd, (struct sockaddr *)&address, n) == 0 && listen(p->fd, 64) == 0);
    NEED(getsockname(p->fd, (struct sockaddr *)&address, &n) == 0);
    p->shown.port = ntohs(address.sin_port);
    NEED(pthread_create(&p->thread, NULL, serve, p) == 0);
    return &p->shown;
}

void tls_peer_stop(struct tls_peer *shown)
{
    struct peer *p = (struct peer *)shown;

    atomic_store(&p->stop, true);
    pthread_join(p->thread, NULL);
    close(p->fd);
    unlink(p->shown.ca);
    SSL_CTX_free(p->ctx);
    free(p);
}

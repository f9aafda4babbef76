#include "lib/base/unit.h"

#include "http_fixture.h"

#include "temporary.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define PATIENCE_MS 10000

static struct server *the_server; /* handlers get no argument of their own */

uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- routes ---- */

static void text(struct http_request *r, struct str body)
{
    atomic_fetch_add(&the_server->handled, 1);
    http_answer(r, &(struct http_reply){.status = 200, .content_type = "text/plain", .body = body});
}

static void get_hello(struct http_request *r)
{
    char body[200];
    int n = snprintf(body, sizeof(body), "hello from %s", r->space->authority);

    text(r, (struct str){body, (size_t)n});
}

static void get_who(struct http_request *r)
{
    text(r, str_of(r->client));
}

static void get_item(struct http_request *r)
{
    text(r, str_of(r->param));
}

static void get_tag(struct http_request *r)
{
    http_answer(r, &(struct http_reply){.status = 200,
                                        .content_type = "text/plain",
                                        .body = STR("tagged"),
                                        .etag = "\"v1\"",
                                        .cache_control = "max-age=60"});
}

static void get_big(struct http_request *r)
{
    static char big[BIG];

    memset(big, 'x', sizeof(big));
    text(r, (struct str){big, sizeof(big)});
}

static void post_echo(struct http_request *r)
{
    atomic_fetch_add(&the_server->handled, 1);
    http_answer_json(r, 200, r->body);
}

static void get_later(struct http_request *r)
{
    struct server *s = the_server;

    pthread_mutex_lock(&s->lock);
    s->waiting[s->n_waiting++] = http_defer(r);
    pthread_mutex_unlock(&s->lock);
}

static const struct route test_routes[] = {
    {HTTP_GET, "/hello", 0, 0, get_hello},
    {HTTP_GET, "/who", 0, 0, get_who},
    {HTTP_GET, "/tag", 0, 0, get_tag},
    {HTTP_GET, "/item/*", 0, 0, get_item},
    {HTTP_GET, "/big", 0, 0, get_big},
    {HTTP_GET, "/later", 0, 0, get_later},
    {HTTP_GET, "/locked", 1u << TOKEN_DESK, 0, get_hello},
    {HTTP_POST, "/echo", 0, LIMIT_HTTP_BODY, post_echo},
    {HTTP_POST, "/box/*", 0, LIMIT_HTTP_BODY, get_item},
    {0},
};

/* ---- the server ---- */

static int64_t clock_now(const struct app_clock *c)
{
    (void)c;
    return (int64_t)time(NULL);
}

static void write_pem(const char *path, X509 *certificate, EVP_PKEY *key)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    if (certificate)
        assert_int_equal(PEM_write_X509(f, certificate), 1);
    if (key)
        assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

void server_certificate(struct server *s, const char *host, struct config_space *out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    char san[300];

    snprintf(san, sizeof(san), "DNS:%s", host);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    snprintf(out->tls_cert, sizeof(out->tls_cert), "%s/%s.pem", s->folder, host);
    snprintf(out->tls_key, sizeof(out->tls_key), "%s/%s.key", s->folder, host);
    snprintf(out->authority, sizeof(out->authority), "%s", host);
    write_pem(out->tls_cert, x, NULL);
    write_pem(out->tls_key, NULL, key);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void *run(void *arg)
{
    struct server *s = arg;

    loop_run(s->loop);
    return NULL;
}

/* Runs fn(arg) on the loop's thread and waits for it. */
struct call {
    void (*fn)(void *arg);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool ran;
};

static void do_call(void *arg)
{
    struct call *c = arg;

    c->fn(c->arg);
    pthread_mutex_lock(&c->lock);
    c->ran = true;
    pthread_cond_signal(&c->done);
    pthread_mutex_unlock(&c->lock);
}

static void on_loop(struct server *s, void (*fn)(void *arg), void *arg)
{
    struct call c = {fn, arg, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

    assert_int_equal(loop_post(s->loop, do_call, &c), 0);
    pthread_mutex_lock(&c.lock);
    while (!c.ran)
        pthread_cond_wait(&c.done, &c.lock);
    pthread_mutex_unlock(&c.lock);
}

static void listen_on(struct server *s, const char *address, bool tls, int *port)
{
    struct err err = {0};
    int fd = listen_open(address, &err);

    if (fd < 0)
        fail_msg("%s", err.text);
    if (port)
        *port = listen_port(fd);
    assert_int_equal(httpd_listen(s->httpd, fd, tls), 0);
}

struct server *server_start(const struct httpd_settings *settings)
{
    struct server *s = calloc(1, sizeof(*s));
    struct httpd_settings set = settings ? *settings : (struct httpd_settings){0};
    struct err err = {0};
    char address[120];

    signal(SIGPIPE, SIG_IGN);
    the_server = s;
    pthread_mutex_init(&s->lock, NULL);
    assert_non_null(mkdtemp(temporary(s->folder, sizeof(s->folder), "comity-http-XXXXXX")));
    strcpy(s->a.authority, "a.localhost");
    strcpy(s->b.authority, "b.localhost");
    s->clock.now = clock_now;
    s->app.clock = &s->clock;
    s->app.spaces[0] = &s->a;
    s->app.spaces[1] = &s->b;
    atomic_store(&s->app.n_spaces, 2);
    s->app_thread.app = &s->app;
    server_certificate(s, "a.localhost", &s->certificates[0]);
    server_certificate(s, "b.localhost", &s->certificates[1]);
    s->config.spaces = s->certificates;
    s->config.n_spaces = 2;
    if (tls_server_new(&s->config, &s->tls, &err))
        fail_msg("%s", err.text);
    assert_int_equal(loop_new(&s->loop), 0);
    set.thread = &s->app_thread;
    set.tls = s->tls;
    set.config = &s->config;
    set.routes = test_routes;
    assert_int_equal(httpd_new(s->loop, &set, &s->httpd), 0);
    listen_on(s, "127.0.0.1:0", false, &s->plain_port);
    listen_on(s, "127.0.0.1:0", true, &s->tls_port);
    assert_true(strlen(s->folder) < 90); /* a socket's path has 107 bytes: build in a shorter one */
    snprintf(s->unix_path, sizeof(s->unix_path), "%.90s/socket", s->folder);
    snprintf(address, sizeof(address), "unix:%s", s->unix_path);
    listen_on(s, address, false, NULL);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
    return s;
}

void server_stop(struct server *s)
{
    loop_stop(s->loop);
    pthread_join(s->thread, NULL);
    httpd_free(s->httpd);
    loop_free(s->loop);
    tls_server_free(s->tls);
    for (size_t i = 0; i < 2; i++) {
        unlink(s->certificates[i].tls_cert);
        unlink(s->certificates[i].tls_key);
    }
    unlink(s->unix_path);
    rmdir(s->folder);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void on_drained(void *arg)
{
    struct server *s = arg;

    httpd_free(s->httpd); /* from within, as the node does */
    s->httpd = NULL;
    atomic_store(&s->drained, 1);
}

static void do_drain(void *arg)
{
    struct server *s = arg;

    httpd_drain(s->httpd, on_drained, s);
}

void server_drain(struct server *s)
{
    on_loop(s, do_drain, s);
}

static void do_release(void *arg)
{
    struct server *s = arg;

    pthread_mutex_lock(&s->lock);
    while (s->n_waiting > 0) {
        struct http_request *r = http_resume(s->waiting[--s->n_waiting]);

        if (r)
            text(r, STR("at last"));
        else
            atomic_fetch_add(&s->gone, 1);
    }
    pthread_mutex_unlock(&s->lock);
}

void server_release(struct server *s)
{
    on_loop(s, do_release, s);
}

static void pause_a_little(void)
{
    poll(NULL, 0, 2);
}

void server_await_waiting(struct server *s, size_t n)
{
    uint64_t until = now_ms() + PATIENCE_MS;
    size_t have = 0;

    do {
        pause_a_little();
        pthread_mutex_lock(&s->lock);
        have = s->n_waiting;
        pthread_mutex_unlock(&s->lock);
    } while (have < n && now_ms() < until);
    assert_int_equal(have, n);
}

struct count {
    struct server *s;
    size_t n;
};

static void do_count(void *arg)
{
    struct count *c = arg;

    c->n = c->s->httpd ? httpd_connections(c->s->httpd) : 0;
}

size_t server_connections(struct server *s)
{
    struct count c = {s, 0};

    on_loop(s, do_count, &c);
    return c.n;
}

void server_await_connections(struct server *s, size_t n)
{
    uint64_t until = now_ms() + PATIENCE_MS;

    while (server_connections(s) != n) {
        if (now_ms() >= until)
            fail_msg("%zu connections, not %zu", server_connections(s), n);
        pause_a_little();
    }
}

/* ---- the client ---- */

struct peer {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
    char *in; /* what was read and not yet used */
    size_t n, cap;
};

static int connect_to(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval tv = {.tv_sec = PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

struct peer *peer_resume(struct server *s, const char *sni, struct peer *earlier, bool *resumed)
{
    static const unsigned char alpn[] = "\x08http/1.1";
    struct peer *p = calloc(1, sizeof(*p));

    p->fd = connect_to(sni ? s->tls_port : s->plain_port);
    if (!sni)
        return p;
    p->ctx = SSL_CTX_new(TLS_client_method());
    p->ssl = SSL_new(p->ctx);
    SSL_set_fd(p->ssl, p->fd);
    SSL_set_alpn_protos(p->ssl, alpn, sizeof(alpn) - 1);
    if (sni[0])
        SSL_set_tlsext_host_name(p->ssl, sni);
    if (earlier) {
        SSL_SESSION *session = SSL_get1_session(earlier->ssl);

        SSL_set_session(p->ssl, session);
        SSL_SESSION_free(session);
    }
    if (SSL_connect(p->ssl) != 1) {
        peer_close(p);
        return NULL;
    }
    if (resumed)
        *resumed = SSL_session_reused(p->ssl);
    return p;
}

struct peer *peer_open(struct server *s, const char *sni)
{
    return peer_resume(s, sni, NULL, NULL);
}

struct peer *peer_open_unix(struct server *s)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct peer *p = calloc(1, sizeof(*p));

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", s->unix_path);
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(p->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return p;
}

/* Bytes that cannot be sent any more are no failure: the server may have said enough. */
void peer_send(struct peer *p, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t k = p->ssl ? SSL_write(p->ssl, bytes, (int)n) : send(p->fd, bytes, n, MSG_NOSIGNAL);

        if (k <= 0)
            return;
        bytes += k;
        n -= (size_t)k;
    }
}

void peer_say(struct peer *p, const char *words)
{
    peer_send(p, words, strlen(words));
}

void peer_get(struct peer *p, const char *path, const char *host)
{
    char request[300];

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
    peer_say(p, request);
}

/* False at the end, or when nothing comes for too long. */
static bool more(struct peer *p)
{
    ssize_t k;

    if (p->cap - p->n < 16384) {
        p->cap = p->cap * 2 + 65536;
        p->in = realloc(p->in, p->cap);
    }
    k = p->ssl ? SSL_read(p->ssl, p->in + p->n, (int)(p->cap - p->n - 1))
               : recv(p->fd, p->in + p->n, p->cap - p->n - 1, 0);
    if (k <= 0)
        return false;
    p->n += (size_t)k;
    p->in[p->n] = '\0';
    return true;
}

static void use(struct peer *p, size_t n)
{
    memmove(p->in, p->in + n, p->n - n);
    p->n -= n;
    p->in[p->n] = '\0';
}

const char *answer_header(const struct answer *a, const char *name)
{
    char line[100];
    const char *at;

    snprintf(line, sizeof(line), "\r\n%s: ", name);
    at = strcasestr(a->head, line);
    return at ? at + strlen(line) : NULL;
}

void peer_answer_head(struct peer *p, struct answer *out)
{
    const char *end;
    size_t n;

    *out = (struct answer){0};
    while (!p->n || !(end = strstr(p->in, "\r\n\r\n")))
        if (!more(p))
            fail_msg("no answer, only \"%s\"", p->n ? p->in : "");
    n = (size_t)(end - p->in) + 4;
    assert_true(n < sizeof(out->head));
    memcpy(out->head, p->in, n);
    assert_int_equal(sscanf(out->head, "HTTP/1.1 %d ", &out->status), 1);
    use(p, n);
}

void peer_answer(struct peer *p, struct answer *out)
{
    const char *length;

    peer_answer_head(p, out);
    length = answer_header(out, "Content-Length");
    out->n = length ? strtoul(length, NULL, 10) : 0;
    while (p->n < out->n)
        if (!more(p))
            fail_msg("the answer ends after %zu of %zu bytes", p->n, out->n);
    out->body = calloc(1, out->n + 1);
    memcpy(out->body, p->in, out->n);
    use(p, out->n);
}

void answer_clear(struct answer *a)
{
    free(a->body);
    *a = (struct answer){0};
}

bool peer_closed(struct peer *p)
{
    struct pollfd wait = {.fd = p->fd, .events = POLLIN};

    if (p->n > 0)
        return false;
    return poll(&wait, 1, PATIENCE_MS) == 1 && !more(p);
}

void peer_half_close(struct peer *p)
{
    shutdown(p->fd, SHUT_WR);
}

int peer_fd(const struct peer *p)
{
    return p->fd;
}

void peer_close(struct peer *p)
{
    if (!p)
        return;
    SSL_free(p->ssl);
    SSL_CTX_free(p->ctx);
    close(p->fd);
    free(p->in);
    free(p);
}

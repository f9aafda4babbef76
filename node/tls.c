#include "tls.h"

#include "log.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>

/* A certificate and who it is for. */
struct tls_host {
    char name[LIMIT_ENTITY_ID + 1]; /* of the host, without port */
    SSL_CTX *ctx;
};

struct tls_set {
    struct tls_host *hosts; /* owned */
    size_t n;
};

struct tls_server {
    /* Every connection starts here; its ticket keys serve all spaces and survive a reload. The
     * session id context, which is that of the space, keeps a ticket from being good at another. */
    SSL_CTX *front;
    pthread_rwlock_t lock;
    struct tls_set set;
};

struct tls {
    SSL *ssl;
    char name[LIMIT_ENTITY_ID + 1]; /* SNI, "" if none */
};

/* Adds what OpenSSL says to an error. */
static int because(struct err *err)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;

    err_next(err, 0, "%s%sGive PEM files: the certificate first, then its chain.",
             reason ? reason : "", reason ? ". " : "");
    ERR_clear_error();
    return -EINVAL;
}

static void set_clear(struct tls_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        SSL_CTX_free(set->hosts[i].ctx);
    free(set->hosts);
    *set = (struct tls_set){0};
}

/* RFC 7301: who offers protocols and not this one cannot be served. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
                       const unsigned char *in, unsigned in_n, void *arg)
{
    static const unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto((unsigned char **)out, n, ours, sizeof(ours), in, in_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *context_new(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx)
        return NULL;
    if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
        /* AEAD with forward secrecy only; the cheaper AES first, for both sides' processors. */
        !SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") ||
        !SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                       "TLS_CHACHA20_POLY1305_SHA256")) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Not SSL_MODE_RELEASE_BUFFERS: 16 KiB twice a request make malloc() tidy up each time. */
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1); /* one read() a record instead of two */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    return ctx;
}

/* "host[:port]" without the port. */
static int host_of(const char *authority, char out[static LIMIT_ENTITY_ID + 1])
{
    struct str host = str_of(authority);
    const char *colon = strrchr(authority, ':');

    if (colon && authority[0] != '[')
        host.n = (size_t)(colon - authority);
    return str_copy(out, LIMIT_ENTITY_ID + 1, host);
}

static int check_certificate(SSL_CTX *ctx, const struct config_space *space, const char *host,
                             struct err *err)
{
    X509 *certificate = SSL_CTX_get0_certificate(ctx);

    if (!certificate || X509_check_host(certificate, host, 0, 0, NULL) != 1) {
        err_set(err, -EINVAL, "%s is not a certificate for %s", space->tls_cert, host);
        return err_next(err, -EINVAL, "Get a certificate that names the space's host.");
    }
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        log_warn("the certificate of %s has expired: %s", host, space->tls_cert);
    return 0;
}

static int load_files(SSL_CTX *ctx, const struct config_space *space, const char *host,
                      struct err *err)
{
    unsigned char id[SSL_MAX_SID_CTX_LENGTH];
    unsigned n = 0;

    if (SSL_CTX_use_certificate_chain_file(ctx, space->tls_cert) != 1) {
        err_set(err, 0, "cannot read the certificate %s of %s", space->tls_cert, host);
        return because(err);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, space->tls_key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        err_set(err, 0, "%s is not the key of the certificate of %s", space->tls_key, host);
        return because(err);
    }
    if (!EVP_Digest(host, strlen(host), id, &n, EVP_sha256(), NULL) ||
        !SSL_CTX_set_session_id_context(ctx, id, n))
        return -EIO;
    return check_certificate(ctx, space, host, err);
}

static int load_host(const struct config_space *space, struct tls_host *out, struct err *err)
{
    SSL_CTX *ctx = context_new();
    int r = ctx ? host_of(space->authority, out->name) : -ENOMEM;

    if (!r)
        r = load_files(ctx, space, out->name, err);
    if (r) {
        SSL_CTX_free(ctx);
        return r;
    }
    out->ctx = ctx;
    return 0;
}

int tls_check(const struct config_space *space, struct err *err)
{
    struct tls_host host;
    int r = load_host(space, &host, err);

    if (r == 0)
        SSL_CTX_free(host.ctx);
    return r;
}

static int load_set(const struct config *c, struct tls_set *out, struct err *err)
{
    struct tls_set set = {0};
    int r = 0;

    set.hosts = calloc(c->n_spaces ? c->n_spaces : 1, sizeof(*set.hosts));
    if (!set.hosts)
        return -ENOMEM;
    for (size_t i = 0; !r && i < c->n_spaces; i++) {
        if (!c->spaces[i].tls_cert[0])
            continue; /* served behind a proxy only */
        r = load_host(&c->spaces[i], &set.hosts[set.n], err);
        if (!r)
            set.n++;
    }
    if (!r && set.n == 0) {
        r = err_set(err, -EINVAL, "no space has a TLS certificate");
        err_next(err, r, "Set tls_cert and tls_key of a space in comity.ini.");
    }
    if (r) {
        set_clear(&set);
        return r;
    }
    *out = set;
    return 0;
}

/* The host name in the extension server_name: RFC 6066 section 3. False if it is malformed; an
 * absent one is "". */
static bool read_server_name(SSL *ssl, char out[static LIMIT_ENTITY_ID + 1])
{
    const unsigned char *p;
    size_t n, len;

    out[0] = '\0';
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n))
        return true;
    /* A list of 2 bytes' length with one entry: type 0, a length of 2 bytes, the name. */
    if (n < 5 || (size_t)(p[0] << 8 | p[1]) != n - 2 || p[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    len = (size_t)(p[3] << 8 | p[4]);
    if (len != n - 5 || len == 0 || len > LIMIT_ENTITY_ID)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = (char)p[5 + i];

        if (c <= 0x20 || c > 0x7e)
            return false;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    out[len] = '\0';
    return true;
}

/* Before anything of the handshake is decided, so that a session of one space is never resumed at
 * another. */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls_server *s = arg;
    struct tls *t = SSL_get_app_data(ssl);
    SSL_CTX *ctx = NULL;

    if (!read_server_name(ssl, t->name)) {
        *alert = SSL_AD_DECODE_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    pthread_rwlock_rdlock(&s->lock);
    if (!t->name[0] && s->set.n == 1)
        ctx = s->set.hosts[0].ctx;
    for (size_t i = 0; !ctx && t->name[0] && i < s->set.n; i++)
        if (strcmp(s->set.hosts[i].name, t->name) == 0)
            ctx = s->set.hosts[i].ctx;
    /* Takes a reference, and the session id context with it, since the front's is unchanged. */
    if (ctx && !SSL_set_SSL_CTX(ssl, ctx))
        ctx = NULL;
    pthread_rwlock_unlock(&s->lock);
    if (!ctx) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

int tls_server_new(const struct config *c, struct tls_server **out, struct err *err)
{
    struct tls_server *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    pthread_rwlock_init(&s->lock, NULL);
    s->front = context_new();
    r = s->front ? load_set(c, &s->set, err) : -ENOMEM;
    if (r) {
        tls_server_free(s);
        return r;
    }
    SSL_CTX_set_client_hello_cb(s->front, on_client_hello, s);
    *out = s;
    return 0;
}

int tls_server_reload(struct tls_server *s, const struct config *c, struct err *err)
{
    struct tls_set set, old;
    int r = load_set(c, &set, err);

    if (r)
        return r;
    pthread_rwlock_wrlock(&s->lock);
    old = s->set;
    s->set = set;
    pthread_rwlock_unlock(&s->lock);
    set_clear(&old);
    return 0;
}

void tls_server_free(struct tls_server *s)
{
    if (!s)
        return;
    set_clear(&s->set);
    SSL_CTX_free(s->front);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

int tls_accept(struct tls_server *s, int fd, struct tls **out)
{
    struct tls *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->ssl = SSL_new(s->front);
    if (!t->ssl || !SSL_set_fd(t->ssl, fd)) {
        tls_free(t);
        return -ENOMEM;
    }
    SSL_set_app_data(t->ssl, t);
    SSL_set_accept_state(t->ssl);
    *out = t;
    return 0;
}

/* SSL_get_error() looks at this thread's error queue, where a refused signature may have left
 * something. */
static void forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

static int wanted(const struct tls *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    default:
        forget_errors();
        return TLS_CLOSED;
    }
}

int tls_handshake(struct tls *t)
{
    int r;

    forget_errors();
    r = SSL_do_handshake(t->ssl);
    return r == 1 ? 0 : wanted(t, r);
}

int tls_read(struct tls *t, void *p, size_t cap, size_t *n)
{
    size_t total = 0, got;
    int r;

    forget_errors();
    do {
        r = SSL_read_ex(t->ssl, (char *)p + total, cap - total, &got);
        if (r <= 0)
            break;
        total += got;
    } while (total < cap && SSL_has_pending(t->ssl));
    if (total == 0)
        return wanted(t, r);
    if (r <= 0)
        forget_errors();
    *n = total;
    return 0;
}

bool tls_pending(const struct tls *t)
{
    return SSL_has_pending(t->ssl);
}

int tls_write(struct tls *t, const void *p, size_t len, size_t *n)
{
    int r;

    forget_errors();
    r = SSL_write_ex(t->ssl, p, len, n);
    return r == 1 ? 0 : wanted(t, r);
}

void tls_rest(struct tls *t)
{
    SSL_free_buffers(t->ssl); /* unless they hold something */
}

void tls_shutdown(struct tls *t)
{
    forget_errors();
    if (SSL_is_init_finished(t->ssl) && SSL_shutdown(t->ssl) < 0)
        forget_errors();
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

const char *tls_server_name(const struct tls *t)
{
    return t->name[0] ? t->name : NULL;
}

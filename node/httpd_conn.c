#include "httpd_conn.h"

#include "log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define IN_FIRST 4096       /* most requests fit */
#define IN_HEAD (16 * 1024) /* a head of 8 KiB, and what is pipelined behind it */
#define IN_KEPT IN_HEAD     /* larger buffers go between requests */
#define ROOM_MIN 1024       /* a read into less is not worth it */
#define TURNS 16            /* requests of one connection before others have theirs */
#define LINGER_MS 2000
#define LINGER_BYTES (256 * 1024)

/* ---- the socket ---- */

/* Reads once into the free part of the buffer. True if bytes came. */
static bool conn_fill(struct http_conn *c)
{
    size_t room = c->cap - c->to, n = 0;
    ssize_t got;

    if (!c->tls) {
        got = recv(c->fd, c->in + c->to, room, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            c->dead = true;
        if (got <= 0)
            return false;
        c->to += (size_t)got;
        return true;
    }
    c->more = false;
    switch (tls_read(c->tls, c->in + c->to, room, &n)) {
    case 0:
        c->to += n;
        c->more = n == room && tls_pending(c->tls);
        return true;
    case TLS_WANT_READ:
        return false;
    case TLS_WANT_WRITE: /* a key update: TLS 1.3, RFC 8446 section 4.6.3 */
        event_add(&c->write_event, NULL);
        return false;
    default:
        c->dead = true;
        return false;
    }
}

size_t conn_write(struct http_conn *c, const char *p, size_t n)
{
    size_t done = 0;

    while (done < n) {
        size_t k = 0;

        if (c->tls) {
            int r = tls_write(c->tls, p + done, n - done, &k);

            if (r == TLS_WANT_WRITE)
                break;
            if (r)
                c->dead = true;
        } else {
            ssize_t sent = send(c->fd, p + done, n - done, MSG_NOSIGNAL);

            if (sent < 0 && errno == EINTR)
                continue;
            if (sent < 0 && errno == EAGAIN)
                break;
            if (sent < 0)
                c->dead = true;
            else
                k = (size_t)sent;
        }
        if (c->dead)
            break;
        done += k;
    }
    return done;
}

/* ---- the buffer ---- */

int conn_room(struct http_conn *c, size_t need)
{
    char *p;

    if (c->from > 0) {
        memmove(c->in, c->in + c->from, c->to - c->from);
        c->to -= c->from;
        c->from = 0;
    }
    if (need <= c->cap)
        return 0;
    p = realloc(c->in, need);
    if (!p)
        return -ENOMEM;
    c->in = p;
    c->cap = need;
    return 0;
}

void conn_rest(struct http_conn *c)
{
    if (c->resting || c->state != CONN_HEAD || c->started || c->from < c->to)
        return;
    free(c->in);
    c->in = NULL;
    c->cap = c->from = c->to = 0;
    if (c->tls)
        tls_rest(c->tls);
    c->resting = true;
}

/* Room for one more read, between requests or in a head. */
static void conn_room_for_head(struct http_conn *c)
{
    size_t have = c->to - c->from, need = c->cap;

    c->resting = false;
    if (c->cap - c->to >= ROOM_MIN)
        return;
    if (c->cap == 0)
        need = IN_FIRST;
    else if (c->cap - have < ROOM_MIN && c->cap < IN_HEAD)
        need = IN_HEAD;
    if (conn_room(c, need))
        c->dead = true;
}

/* ---- from event to event ---- */

static void stop_reading(struct http_conn *c)
{
    event_del(&c->read_event);
    c->read_off = true;
}

/* The answer is out: on to the next request, or to the end. */
static void answered(struct http_conn *c)
{
    size_t had = c->to - c->from;

    c->head_size = c->scanned = 0;
    c->started = c->skipped = false;
    if (c->close_after) {
        c->state = CONN_LINGER;
        c->deadline_ms = c->httpd->now_ms + LINGER_MS;
        if (c->tls)
            tls_shutdown(c->tls);
        /* Closing a socket that still gets bytes resets it, and the client may never see the
         * answer: so shut, and let it finish (RFC 9112 section 9.6). */
        c->dead = had == c->request_size;
        if (!c->dead)
            shutdown(c->fd, SHUT_WR);
    } else {
        c->state = CONN_HEAD;
        c->deadline_ms = c->httpd->now_ms + c->httpd->set.times.idle;
        c->from += c->request_size;
        if (c->from == c->to) {
            c->from = c->to = 0;
            if (c->cap > IN_KEPT) {
                free(c->in);
                c->in = NULL;
                c->cap = 0;
            }
        }
    }
    if (c->read_off) {
        event_add(&c->read_event, NULL);
        c->read_off = false;
    }
}

void conn_send(struct http_conn *c, const char *p, size_t n)
{
    size_t done = conn_write(c, p, n);

    if (done == n && !c->dead) {
        answered(c);
    } else if (!c->dead) {
        buf_reset(&c->out);
        c->out_at = 0;
        c->state = CONN_WRITING;
        c->deadline_ms = c->httpd->now_ms + c->httpd->set.times.write;
        if (buf_add(&c->out, p + done, n - done) || event_add(&c->write_event, NULL))
            c->dead = true;
    }
    if (!c->pumping)
        conn_pump(c); /* answered later: nobody else goes on */
}

void conn_pump(struct http_conn *c)
{
    unsigned turns = 0;

    c->pumping = true;
    while (!c->dead && (c->state == CONN_HEAD || c->state == CONN_BODY)) {
        if (conn_take(c)) {
            if (++turns < TURNS || c->state != CONN_HEAD || (c->from == c->to && !c->more))
                continue;
            event_active(&c->read_event, EV_READ, 1); /* others first */
            break;
        }
        if (!c->more)
            break;
        if (c->state == CONN_HEAD)
            conn_room_for_head(c);
        if (c->dead || !conn_fill(c))
            break;
    }
    c->pumping = false;
    if (c->dead)
        conn_destroy(c);
}

static void go_on_writing(struct http_conn *c)
{
    c->out_at += conn_write(c, c->out.p + c->out_at, c->out.n - c->out_at);
    if (c->dead || c->out_at < c->out.n)
        return;
    event_del(&c->write_event);
    buf_clear(&c->out);
    answered(c);
}

static void discard(struct http_conn *c)
{
    char waste[4096];
    ssize_t n = recv(c->fd, waste, sizeof(waste), 0);

    if (n > 0)
        c->linger_bytes += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || c->linger_bytes > LINGER_BYTES)
        c->dead = true;
}

static void shake_hands(struct http_conn *c)
{
    switch (tls_handshake(c->tls)) {
    case 0:
        c->state = CONN_HEAD;
        c->more = tls_pending(c->tls);
        break;
    case TLS_WANT_READ:
        break;
    case TLS_WANT_WRITE:
        event_add(&c->write_event, NULL);
        break;
    default:
        c->dead = true;
    }
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *c = arg;

    (void)fd;
    c->httpd->now_ms = loop_now_ms();
    switch (c->state) {
    case CONN_HANDSHAKE:
        shake_hands(c);
        break;
    case CONN_HEAD:
        conn_room_for_head(c);
        if (!c->dead && c->cap > c->to)
            conn_fill(c);
        break;
    case CONN_BODY:
        conn_fill(c);
        break;
    case CONN_HANDLING:
        stop_reading(c);
        break;
    case CONN_WRITING:
        if (what & EV_WRITE)
            go_on_writing(c);
        else
            stop_reading(c);
        break;
    case CONN_LINGER:
        discard(c);
        break;
    }
    conn_pump(c);
}

void conn_open(struct httpd *h, int fd, bool tls, const struct client *peer)
{
    struct http_conn *c = calloc(1, sizeof(*c));

    if (!c || (tls && tls_accept(h->set.tls, fd, &c->tls))) {
        free(c);
        close(fd);
        return;
    }
    c->httpd = h;
    c->fd = fd;
    c->state = tls ? CONN_HANDSHAKE : CONN_HEAD;
    c->started = true; /* the first header deadline has begun: it covers the handshake */
    c->deadline_ms = h->now_ms + h->set.times.header;
    c->peer = c->client = *peer;
    c->proxied = !tls && client_trusted(peer, h->set.config->trusted_proxies,
                                        h->set.config->n_trusted_proxies);
    client_text(peer, c->request.client);
    c->request.conn = c;
    c->request.tls = tls;
    c->request.thread = h->set.thread;
    c->request.param = c->param;
    c->out.max = BUF_MAX;
    event_assign(&c->read_event, loop_base(h->loop), fd, EV_READ | EV_PERSIST, on_event, c);
    event_assign(&c->write_event, loop_base(h->loop), fd, EV_WRITE, on_event, c);
    c->next = h->first;
    if (h->first)
        h->first->prev = c;
    h->first = c;
    h->n_connections++;
    httpd_sweep_arm(h);
    if (event_add(&c->read_event, NULL))
        conn_destroy(c);
}

void conn_destroy(struct http_conn *c)
{
    struct httpd *h = c->httpd;

    if (c->deferred)
        http_deferred_orphan(c->deferred);
    event_del(&c->read_event);
    event_del(&c->write_event);
    if (c->next)
        c->next->prev = c->prev;
    if (c->prev)
        c->prev->next = c->next;
    else
        h->first = c->next;
    h->n_connections--;
    if (c->tls && c->state != CONN_LINGER)
        tls_shutdown(c->tls);
    tls_free(c->tls);
    close(c->fd);
    buf_clear(&c->out);
    free(c->in);
    free(c);
    httpd_conn_gone(h);
}

void conn_drain(struct http_conn *c)
{
    c->close_after = true;
    if (c->state == CONN_HANDSHAKE) {
        conn_destroy(c);
        return;
    }
    if (c->state != CONN_HEAD || c->from < c->to)
        return; /* begin() will see that the httpd is draining */
    /* What has arrived already is a request in flight. */
    conn_room_for_head(c);
    if (!c->dead && conn_fill(c)) {
        conn_pump(c);
        return;
    }
    conn_destroy(c);
}

#include "httpd_conn.h"

#include "base/clock.h"
#include "log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#define ACCEPT_BATCH 16
#define HANDLE_TIME_MS 30000
#define SWEEP_MS 250
#define REST_SWEEPS 4 /* so many of silence, and the buffers go */

const char *httpd_date(struct httpd *h)
{
    static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t now = app_now(h->set.thread->app);
    struct civil c;

    if (now != h->date_at) {
        char text[64];

        civil_from_time(now, &c);
        snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[c.weekday], c.day,
                 months[c.month - 1], c.year, c.hour, c.minute, c.second);
        memcpy(h->date, text, sizeof(h->date) - 1);
        h->date_at = now;
    }
    return h->date;
}

void httpd_sweep_arm(struct httpd *h)
{
    struct timeval tv = {.tv_sec = h->set.times.sweep / 1000,
                         .tv_usec = (suseconds_t)(h->set.times.sweep % 1000) * 1000};

    if (!event_pending(&h->sweep, EV_TIMEOUT, NULL))
        event_add(&h->sweep, &tv);
}

static void pause_accepting(struct httpd *h)
{
    if (h->paused)
        return;
    h->paused = true;
    for (size_t i = 0; i < h->n_listeners; i++)
        event_del(&h->listeners[i].event);
}

static void resume_accepting(struct httpd *h)
{
    if (!h->paused || h->draining || h->n_connections >= h->set.max_connections)
        return;
    h->paused = false;
    for (size_t i = 0; i < h->n_listeners; i++)
        event_add(&h->listeners[i].event, NULL);
}

void httpd_conn_gone(struct httpd *h)
{
    resume_accepting(h);
    if (h->draining && h->n_connections == 0)
        event_active(&h->sweep, EV_TIMEOUT, 1); /* says so from there, with nothing on the stack */
}

/* Nobody takes all the connections: not one address, and not those that say nothing. */
static bool may_open(const struct httpd *h, const struct client *peer)
{
    unsigned same = 0;

    if (client_trusted(peer, h->set.config->trusted_proxies, h->set.config->n_trusted_proxies))
        return true;
    for (const struct http_conn *c = h->first; c; c = c->next)
        same += client_same(&c->peer, peer);
    return same < h->set.max_per_client;
}

static void on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
    struct listener *l = arg;
    struct httpd *h = l->httpd;

    (void)what;
    h->now_ms = loop_now_ms();
    for (int i = 0; i < ACCEPT_BATCH && h->n_connections < h->set.max_connections; i++) {
        struct sockaddr_storage sa = {0};
        socklen_t n = sizeof(sa);
        struct client peer;
        int one = 1;
        int fd = accept4(listen_fd, (struct sockaddr *)&sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                log_warn("cannot accept a connection: %s", strerror(errno));
                pause_accepting(h); /* the next sweep tries again */
                httpd_sweep_arm(h);
            }
            return; /* EAGAIN, or a client that has left already */
        }
        client_from_socket(&sa, &peer);
        if (!may_open(h, &peer)) {
            close(fd);
            continue;
        }
        if (peer.family != AF_UNIX)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        conn_open(h, fd, l->tls, &peer);
    }
    if (h->n_connections >= h->set.max_connections)
        pause_accepting(h);
}

/* Milliseconds since the last answer of a connection that waits for a request; else 0. */
static uint64_t silent_for(const struct http_conn *c)
{
    const struct httpd *h = c->httpd;

    if (c->state != CONN_HEAD || c->started || c->from < c->to)
        return 0;
    return h->now_ms + h->set.times.idle - c->deadline_ms;
}

/* At the cap, whoever has been silent for longer than a header may take makes room. */
static bool makes_room(const struct httpd *h, const struct http_conn *c)
{
    return h->n_connections >= h->set.max_connections && silent_for(c) > h->set.times.header;
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct httpd *h = arg;
    struct http_conn *c, *next;

    (void)fd;
    (void)what;
    h->now_ms = loop_now_ms();
    for (c = h->first; c; c = next) {
        next = c->next;
        if (h->now_ms >= c->deadline_ms || makes_room(h, c))
            conn_destroy(c);
        else if (silent_for(c) > REST_SWEEPS * h->set.times.sweep)
            conn_rest(c);
    }
    resume_accepting(h);
    if (h->n_connections > 0 || (h->paused && !h->draining))
        httpd_sweep_arm(h);
    if (h->draining && h->n_connections == 0 && h->empty) {
        void (*empty)(void *arg) = h->empty;

        event_del(&h->sweep);
        h->empty = NULL;
        empty(h->empty_arg); /* h may be gone from here on */
    }
}

static void default_to(unsigned *value, unsigned otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

int httpd_new(struct loop *loop, const struct httpd_settings *s, struct httpd **out)
{
    struct httpd *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->loop = loop;
    h->set = *s;
    default_to(&h->set.max_connections, LIMIT_HTTP_CONNECTIONS);
    default_to(&h->set.max_per_client, (h->set.max_connections + 3) / 4);
    default_to(&h->set.times.header, LIMIT_HTTP_HEADER_TIME * 1000);
    default_to(&h->set.times.body, LIMIT_HTTP_BODY_TIME * 1000);
    default_to(&h->set.times.handle, HANDLE_TIME_MS);
    default_to(&h->set.times.write, LIMIT_HTTP_WRITE_TIME * 1000);
    default_to(&h->set.times.idle, LIMIT_HTTP_IDLE_TIME * 1000);
    default_to(&h->set.times.sweep, SWEEP_MS);
    h->date_at = -1;
    event_assign(&h->sweep, loop_base(loop), -1, 0, on_sweep, h);
    *out = h;
    return 0;
}

int httpd_listen(struct httpd *h, int fd, bool tls)
{
    struct listener *l = &h->listeners[h->n_listeners];

    if (h->n_listeners == HTTPD_LISTENERS_MAX || (tls && !h->set.tls)) {
        close(fd);
        return h->n_listeners == HTTPD_LISTENERS_MAX ? -ENOSPC : -EINVAL;
    }
    *l = (struct listener){.httpd = h, .fd = fd, .tls = tls};
    event_assign(&l->event, loop_base(h->loop), fd, EV_READ | EV_PERSIST, on_accept, l);
    if (!h->paused && event_add(&l->event, NULL)) {
        close(fd);
        return -ENOMEM;
    }
    h->n_listeners++;
    return 0;
}

static void close_listeners(struct httpd *h)
{
    for (size_t i = 0; i < h->n_listeners; i++) {
        event_del(&h->listeners[i].event);
        close(h->listeners[i].fd);
    }
    h->n_listeners = 0;
}

void httpd_drain(struct httpd *h, void (*empty)(void *arg), void *arg)
{
    struct http_conn *c, *next;

    h->now_ms = loop_now_ms();
    h->draining = true;
    h->empty = empty;
    h->empty_arg = arg;
    close_listeners(h);
    for (c = h->first; c; c = next) {
        next = c->next;
        conn_drain(c);
    }
    if (h->n_connections == 0)
        event_active(&h->sweep, EV_TIMEOUT, 1);
}

void httpd_free(struct httpd *h)
{
    if (!h)
        return;
    h->draining = true;
    h->empty = NULL;
    close_listeners(h);
    while (h->first)
        conn_destroy(h->first);
    event_del(&h->sweep);
    buf_clear(&h->out);
    free(h);
}

size_t httpd_connections(const struct httpd *h)
{
    return h->n_connections;
}

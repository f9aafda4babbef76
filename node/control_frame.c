#include "control_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define SOCKET_NAME "comity.sock"

const struct json_bounds control_bounds = {
    .bytes = CONTROL_BYTES, .depth = 16, .members = 256, .items = 65536};

/* ---- address ---- */

/* A Unix socket's path has 107 bytes at most (unix(7)), a state folder's 399: so the folder is
 * named by a descriptor. *dir is owned by the caller. */
static int address(const struct state *state, struct sockaddr_un *out, int *dir)
{
    int fd = open(state->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/" SOCKET_NAME, fd);
    *dir = fd;
    return 0;
}

int control_unlink(const struct state *state)
{
    char path[512];
    int r = state_path(state, SOCKET_NAME, path);
    return r < 0 ? r : unlink(path) < 0 ? -errno : 0;
}

int control_bind(const struct state *state)
{
    _cleanup_(closep) int dir = -1;
    struct sockaddr_un a;
    int r = address(state, &a, &dir);
    if (r < 0)
        return r;
    _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* the mode of the socket becomes that of the file, without a moment in between */
    if (fd < 0 || fchmod(fd, 0600) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0)
        return -errno;
    int bound = fd;
    fd = -1;
    return bound;
}

int control_connect(const struct state *state)
{
    _cleanup_(closep) int dir = -1;
    struct sockaddr_un a;
    int r = address(state, &a, &dir);
    if (r < 0)
        return r;
    _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        return -errno;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    int connected = fd;
    fd = -1;
    return connected;
}

/* ---- messages ---- */

struct wait {
    int fd, stop;
    int64_t end_ms;
};

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for(const struct wait *w, short events)
{
    for (;;) {
        struct pollfd p[2] = {{.fd = w->fd, .events = events}, {.fd = w->stop, .events = POLLIN}};
        int64_t left = w->end_ms - monotonic_ms();
        int n = left <= 0 ? 0 : poll(p, 2, (int)left);
        if (n == 0)
            return -ETIMEDOUT;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0 && p[1].revents)
            return -ECANCELED;
        if (n > 0)
            return 0;
    }
}

static int send_all(const struct wait *w, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t sent = send(w->fd, at, n, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
            continue;
        }
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        int r = wait_for(w, POLLOUT);
        if (r < 0)
            return r;
    }
    return 0;
}

static int receive_all(const struct wait *w, void *p, size_t n)
{
    char *at = p;
    while (n > 0) {
        ssize_t got = recv(w->fd, at, n, 0);
        if (got > 0) {
            at += got;
            n -= (size_t)got;
            continue;
        }
        if (got == 0)
            return -ECONNRESET;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        int r = wait_for(w, POLLIN);
        if (r < 0)
            return r;
    }
    return 0;
}

int control_send(int fd, const struct json *v, int stop, int time_ms)
{
    struct wait w = {fd, stop, monotonic_ms() + time_ms};
    _cleanup_(buf_clear) struct buf text = {.max = CONTROL_BYTES};
    int r = json_write(v, &text);
    if (r < 0)
        return r == -ENOSPC ? -EMSGSIZE : r;
    uint8_t head[4] = {(uint8_t)(text.n >> 24), (uint8_t)(text.n >> 16), (uint8_t)(text.n >> 8),
                       (uint8_t)text.n};
    r = send_all(&w, head, sizeof(head));
    return r < 0 ? r : send_all(&w, text.p, text.n);
}

int control_receive(int fd, struct json **out, int stop, int time_ms)
{
    struct wait w = {fd, stop, monotonic_ms() + time_ms};
    _cleanup_(buf_clear) struct buf text = {.max = CONTROL_BYTES};
    uint8_t head[4];
    int r = receive_all(&w, head, sizeof(head));
    if (r < 0)
        return r;
    size_t n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (n > CONTROL_BYTES)
        return -EMSGSIZE;

    /* Grows with what has come: a length alone takes no memory. */
    while (n > 0) {
        char chunk[16384];
        size_t part = n < sizeof(chunk) ? n : sizeof(chunk);
        r = receive_all(&w, chunk, part);
        if (r < 0 || (r = buf_add(&text, chunk, part)) < 0)
            return r;
        n -= part;
    }
    r = json_parse(buf_as_str(&text), &control_bounds, out, NULL);
    return r > 0 ? -EBADMSG : r;
}

#include "httpd.h"

#include "base/str.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 511

/* "127.0.0.1:8441" or "[::1]:8441" to a socket address: numbers only, since a name could mean
 * another address tomorrow. */
static int address_parse(const char *address, struct sockaddr_storage *out, socklen_t *n,
                         struct err *err)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(address, ':');
    char host[64];
    struct addrinfo *found;
    struct str h;
    int64_t port;

    if (!colon || str_to_int(str_of(colon + 1), 0, 65535, &port))
        goto bad;
    h = (struct str){address, (size_t)(colon - address)};
    if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = (struct str){h.p + 1, h.n - 2};
    else if (memchr(h.p, ':', h.n))
        goto bad;
    if (h.n == 0 || str_copy(host, sizeof(host), h) || getaddrinfo(host, colon + 1, &hints, &found))
        goto bad;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *n = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
bad:
    err_set(err, -EINVAL, "%s is not an address to listen on", address);
    return err_next(err, -EINVAL,
                    "Give a numeric address and a port, such as 127.0.0.1:8441 or [::]:443.");
}

static int fail(struct err *err, int code, const char *address)
{
    err_set(err, code, "cannot listen on %s: %s", address, strerror(-code));
    if (code == -EADDRINUSE)
        err_next(err, code, "Another program listens there: stop it, or choose another port.");
    else if (code == -EACCES)
        err_next(err, code, "Ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher one.");
    return code;
}

static int open_inet(const char *address, bool share, struct err *err)
{
    struct sockaddr_storage sa;
    socklen_t n;
    int fd, one = 1, r;

    r = address_parse(address, &sa, &n, err);
    if (r)
        return r;
    fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(err, -errno, address);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        (share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one))) ||
        (sa.ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
        bind(fd, (struct sockaddr *)&sa, n) || listen(fd, BACKLOG)) {
        r = -errno;
        close(fd);
        return fail(err, r, address);
    }
    return fd;
}

/* A socket file that nobody answers on is left over from a crash and goes; anything else stays. */
static int remove_stale(const struct sockaddr_un *sa)
{
    struct stat st;
    int fd, r = 0;

    if (lstat(sa->sun_path, &st))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0)
        r = -EADDRINUSE;
    else if (errno != ECONNREFUSED)
        r = -errno;
    close(fd);
    if (!r && unlink(sa->sun_path))
        r = -errno;
    return r;
}

static int open_unix(const char *address, struct err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd, r;

    if (str_copy(sa.sun_path, sizeof(sa.sun_path), str_of(address + 5)) || !sa.sun_path[0])
        return fail(err, -ENAMETOOLONG, address);
    r = remove_stale(&sa);
    if (r)
        return fail(err, r, address);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(err, -errno, address);
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || chmod(sa.sun_path, 0660) ||
        listen(fd, BACKLOG)) {
        r = -errno;
        close(fd);
        return fail(err, r, address);
    }
    return fd;
}

int listen_open(const char *address, struct err *err)
{
    if (str_starts(str_of(address), STR("unix:")))
        return open_unix(address, err);
    return open_inet(address, true, err);
}

int listen_check(const char *address, struct err *err)
{
    int fd;

    if (str_starts(str_of(address), STR("unix:")))
        return 0; /* listen_open() finds out by itself */
    fd = open_inet(address, false, err);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

int listen_port(int fd)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)&sa, &n))
        return -errno;
    if (sa.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&sa)->sin_port);
    if (sa.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&sa)->sin6_port);
    return 0;
}

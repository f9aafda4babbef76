#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>

#include <arpa/inet.h>

#include "base/buf.h"
#include "config.h"

static int write_whole(int fd, struct str s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        s.p += n;
        s.n -= (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int sync_folder(const char *path)
{
    char copy[512];
    if (str_copy(copy, sizeof(copy), str_of(path)) < 0)
        return -ENAMETOOLONG;
    _cleanup_(closep) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static void put_cidrs(struct buf *b, const char *name, const struct cidr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char z[INET6_ADDRSTRLEN] = "";
        inet_ntop(list[i].family, list[i].address, z, sizeof(z));
        buf_printf(b, "%s = %s/%u\n", name, z, list[i].bits);
    }
}

static void put_space(struct buf *b, const struct config_space *s)
{
    buf_printf(b, "\n[space %s]\ntls_cert = %s\ntls_key = %s\n", s->authority, s->tls_cert,
               s->tls_key);
}

/* What would be read back as something else is not written. */
static int check_value(const char *value, struct err *err)
{
    struct str s = str_of(value);
    if (s.n > 180)
        return err_set(err, CONFIG_E_INVALID, "this path has more than 180 bytes: %.100s...",
                       value);
    if (!str_is_printable(s) || strstr(value, " ;") || !str_eq(s, str_trim(s)))
        return err_set(err, CONFIG_E_INVALID, "this path cannot be written into comity.ini: %.180s",
                       value);
    return 0;
}

static int check_values(const char *tls_ca, const struct config_space *s, size_t n, struct err *err)
{
    int r = check_value(tls_ca, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = check_value(s[i].tls_cert, err);
        if (r == 0)
            r = check_value(s[i].tls_key, err);
    }
    return r;
}

int config_create(const char *path, const struct config *c, struct err *err)
{
    _cleanup_(buf_clear) struct buf b = {0};
    int r = check_values(c->tls_ca, c->spaces, c->n_spaces, err);
    if (r != 0)
        return r;

    buf_z(&b, "# Comity: what must be known before any database is open. `comity config check`\n"
              "# tells what is wrong; `comity reload` has a running node read certificates again.\n"
              "\n[node]\n");
    for (size_t i = 0; i < c->n_listen; i++)
        buf_printf(&b, "listen = %s\n", c->listen[i]);
    for (size_t i = 0; i < c->n_plain; i++)
        buf_printf(&b, "plain = %s\n", c->plain[i]);
    put_cidrs(&b, "trusted_proxies", c->trusted_proxies, c->n_trusted_proxies);
    put_cidrs(&b, "allow_private", c->allow_private, c->n_allow_private);
    if (c->trial)
        buf_z(&b, "trial = yes\n");
    if (c->tls_ca[0])
        buf_printf(&b, "tls_ca = %s\n", c->tls_ca);
    if (c->loops)
        buf_printf(&b, "loops = %u\n", c->loops);
    if (c->status_poll)
        buf_printf(&b, "status_poll = %u\n", c->status_poll);
    for (size_t i = 0; i < c->n_spaces; i++)
        put_space(&b, &c->spaces[i]);
    if (buf_error(&b) != 0)
        return buf_error(&b);

    _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, -errno, "%s cannot be made: %s", path, strerror(errno));
    r = write_whole(fd, buf_as_str(&b));
    if (r == 0)
        r = sync_folder(path);
    return r < 0 ? err_set(err, r, "%s cannot be written: %s", path, strerror(-r)) : 0;
}

static int read_all(const char *path, struct buf *out)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[4096];
    ssize_t n;
    if (fd < 0)
        return -errno;
    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        buf_add(out, chunk, (size_t)n);
    return n < 0 ? -errno : buf_error(out);
}

/* The whole file anew beside the old one, synced, then renamed over it: a crash leaves either. */
static int replace(const char *path, struct str text)
{
    char fresh[512];
    int n = snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof(fresh))
        return -ENAMETOOLONG;
    if (unlink(fresh) < 0 && errno != ENOENT)
        return -errno;
    _cleanup_(closep) int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = write_whole(fd, text);
    if (r == 0 && rename(fresh, path) < 0)
        r = -errno;
    if (r < 0) {
        unlink(fresh);
        return r;
    }
    return sync_folder(path);
}

int config_add_space(const char *path, const struct config_space *s, struct err *err)
{
    _cleanup_(config_freep) struct config *c = NULL;
    _cleanup_(buf_clear) struct buf b = {.max = (size_t)128 * 1024};
    int r = config_read(path, &c, err);
    if (r == 0)
        r = check_values("", s, 1, err);
    if (r != 0)
        return r;
    for (size_t i = 0; i < c->n_spaces; i++)
        if (strcmp(c->spaces[i].authority, s->authority) == 0)
            return err_set(err, CONFIG_E_INVALID, "%s has a [space %s] already", path,
                           s->authority);
    r = read_all(path, &b);
    if (r == 0) {
        if (b.n > 0 && b.p[b.n - 1] != '\n')
            buf_ch(&b, '\n');
        put_space(&b, s);
        r = buf_error(&b);
    }
    if (r == 0)
        r = replace(path, buf_as_str(&b));
    return r < 0 ? err_set(err, r, "%s cannot be written: %s", path, strerror(-r)) : 0;
}

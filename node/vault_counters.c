#include "vault_counters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/json.h"
#include "base/limits.h"

#define FILE_MAX 8192

struct counters {
    struct json *values; /* {"<document>": iat} */
    char path[512], fresh[520], folder[512];
};

static int write_all(int fd, struct str s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s = (struct str){s.p + n, s.n - (size_t)n};
    }
    return 0;
}

static int write_synced(const char *path, int flags, struct str text)
{
    _cleanup_(closep) int fd =
        open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    int r;

    if (fd < 0)
        return -errno;
    r = write_all(fd, text);
    if (r == 0 && fsync(fd) != 0)
        r = -errno;
    return r;
}

static int sync_folder(const char *path)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || fsync(fd) != 0 ? -errno : 0;
}

static int set_paths(struct counters *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    int r = str_copy(c->path, sizeof(c->path), str_of(path));

    if (r != 0 || !slash)
        return -ENAMETOOLONG;
    snprintf(c->fresh, sizeof(c->fresh), "%s.new", c->path);
    return str_copy(c->folder, sizeof(c->folder), (struct str){path, (size_t)(slash - path)});
}

int counters_create(const char *path, struct err *err)
{
    struct counters c = {0};
    int r = set_paths(&c, path);

    if (r == 0)
        r = write_synced(path, O_EXCL, STR("{}\n"));
    if (r == 0)
        r = sync_folder(c.folder);
    return r == 0 ? 0 : err_set(err, r, "cannot create %s: %s", path, strerror(-r));
}

static int read_file(const char *path, struct buf *out)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char part[1024];
    ssize_t n;

    if (fd < 0)
        return -errno;
    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (buf_add(out, part, (size_t)n) != 0)
            return buf_error(out);
    }
    return 0;
}

static int read_values(struct counters *c)
{
    _cleanup_(buf_clear) struct buf text = {.max = FILE_MAX};
    struct json_iter it = {0};
    int64_t n;
    int r = read_file(c->path, &text);

    if (r != 0)
        return r == -ENOSPC ? -EBADMSG : r;
    r = json_parse(buf_as_str(&text), &json_bounds_wire, &c->values, NULL);
    if (r != 0)
        return r < 0 ? r : -EBADMSG;
    if (json_kind(c->values) != JSON_OBJECT)
        return -EBADMSG;
    while (json_next(c->values, &it))
        if (json_as_int(it.value, &n) != 0 || n < 0)
            return -EBADMSG;
    return 0;
}

int counters_open(const char *path, struct counters **out, struct err *err)
{
    _cleanup_(counters_freep) struct counters *c = calloc(1, sizeof(*c));
    int r = c ? set_paths(c, path) : -ENOMEM;

    if (r == 0)
        r = read_values(c);
    if (r == 0) {
        *out = c;
        c = NULL;
        return 0;
    }
    err_set(err, r, "the counters in %s cannot be read: %s", path,
            r == -EBADMSG ? "they are damaged" : strerror(-r));
    return err_next(
        err, r,
        "restore the file from a backup; or, if this machine's clock is right and never "
        "was ahead, write {} into it");
}

void counters_free(struct counters *c)
{
    if (!c)
        return;
    json_free(c->values);
    free(c);
}

static int store(struct counters *c)
{
    _cleanup_(buf_clear) struct buf text = {.max = FILE_MAX};
    int r = json_write(c->values, &text);

    if (r == 0)
        r = write_synced(c->fresh, O_TRUNC, buf_as_str(&text));
    if (r == 0 && rename(c->fresh, c->path) != 0)
        r = -errno;
    return r == 0 ? sync_folder(c->folder) : r;
}

int counters_next(struct counters *c, const char *document, int64_t now, int64_t *iat,
                  struct err *err)
{
    int64_t next = now, last;
    int r;

    if (json_get_int(c->values, document, &last) == 0 && last >= now)
        next = last + 1;
    r = json_put_int(c->values, document, next);
    if (r == 0)
        r = store(c);
    if (r != 0)
        return err_set(err, r, "the counter of %s cannot be kept: %s", document, strerror(-r));
    *iat = next;
    return 0;
}

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define READ_STEP 4096

int file_read_fd(int fd, struct buf *out)
{
    char part[READ_STEP];

    for (;;) {
        ssize_t n = read(fd, part, sizeof(part));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        if (buf_add(out, part, (size_t)n) != 0)
            return buf_error(out);
    }
}

int file_read(const char *path, struct buf *out)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : file_read_fd(fd, out);
}

int file_write_fd(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        text = (struct str){text.p + n, text.n - (size_t)n};
    }
    return 0;
}

int file_sync_folder(const char *path)
{
    _cleanup_(closep) int fd = -1;
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";

    if (slash && (size_t)(slash - path) >= sizeof(folder))
        return -ENAMETOOLONG;
    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) != 0 ? -errno : 0;
}

static int write_new(const char *path, struct str text)
{
    _cleanup_(closep) int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r;

    if (fd < 0)
        return -errno;
    r = file_write_fd(fd, text);
    if (r == 0 && fsync(fd) != 0)
        r = -errno;
    if (r != 0)
        unlink(path);
    return r;
}

int file_create(const char *path, struct str text)
{
    int r = write_new(path, text);

    if (r != 0)
        return r;
    r = file_sync_folder(path);
    if (r != 0)
        unlink(path);
    return r;
}

int file_replace(const char *path, struct str text)
{
    char fresh[PATH_MAX];
    int r, n = snprintf(fresh, sizeof(fresh), "%s.new", path);

    if (n < 0 || (size_t)n >= sizeof(fresh))
        return -ENAMETOOLONG;
    if (unlink(fresh) != 0 && errno != ENOENT)
        return -errno;
    r = write_new(fresh, text);
    if (r == 0 && rename(fresh, path) != 0) {
        r = -errno;
        unlink(fresh);
    }
    return r == 0 ? file_sync_folder(path) : r;
}

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>

#include "app/space.h"
#include "base/clock.h"
#include "cli.h"

static int read_bounded(int fd, struct buf *out, size_t max)
{
    char chunk[4096];
    while (out->n <= max) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        int r = buf_add(out, chunk, (size_t)n);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Stands for bytes that no pass has. */
static void plain(struct buf *b)
{
    if (str_is_utf8(buf_as_str(b)))
        return;
    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] == '\0' || (unsigned char)b->p[i] > 0x7f)
            b->p[i] = '?';
}

int cli_text(struct json *request, const char *name, size_t max, struct err *err)
{
    _cleanup_(buf_clear) struct buf b = {0};
    struct str given = json_as_str(json_get(request, name)), s;
    int r = 0;

    if (str_eqz(given, "-"))
        r = read_bounded(STDIN_FILENO, &b, max + 64);
    else
        r = buf_str(&b, given);
    if (r < 0)
        return err_set(err, r, "standard input cannot be read: %s", strerror(-r));
    plain(&b);
    s = str_trim(buf_as_str(&b));
    if (s.n > max) {
        s.n = max + 1;
        while (s.n > 0 && !str_is_utf8(s)) /* not in the middle of a character */
            s.n--;
    }
    return json_put_str(request, name, s.p ? s : STR(""));
}

int cli_read_file(const char *path, struct buf *out, struct err *err)
{
    size_t max = out->max;
    bool standard = strcmp(path, "-") == 0;
    _cleanup_(closep) int fd = -1;

    if (!standard) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return err_set(err, -errno, "%s cannot be read: %s", path, strerror(errno));
    }
    out->max = max + 4096;
    int r = read_bounded(standard ? STDIN_FILENO : fd, out, max);
    out->max = max;
    if (r < 0)
        return err_set(err, r, "%s cannot be read: %s", path, strerror(-r));
    if (out->n > max)
        return err_set(err, APP_E_INVALID, "%s has more than %zu bytes", path, max);
    return 0;
}

int cli_write_file(const char *path, struct str content, bool exclusive, struct err *err)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (exclusive ? O_EXCL : O_TRUNC);
    _cleanup_(closep) int fd = open(path, flags, 0600);
    if (fd < 0 || fchmod(fd, 0600) < 0)
        return err_set(err, -errno, "%s cannot be made: %s", path, strerror(errno));
    while (content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, n < 0 ? -errno : -EIO, "%s cannot be written: %s", path,
                           strerror(errno));
        content.p += n;
        content.n -= (size_t)n;
    }
    return 0;
}

int cli_whole_path(struct json *request, const char *name, struct err *err)
{
    const char *path = json_z(request, name);
    char whole[PATH_MAX];
    struct stat st;

    if (!path)
        return 0;
    if (!realpath(path, whole) || access(whole, R_OK) < 0 || stat(whole, &st) < 0) {
        err_set(err, 0, "%.300s cannot be read: %s", path, strerror(errno));
        return err_next(err, APP_E_INVALID, "Check the path, and who may read the file.");
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, APP_E_INVALID, "%.300s is no file", path);
    return json_put_z(request, name, whole);
}

int cli_copy(const struct json *request, const char *name, char *dst, size_t cap, struct err *err)
{
    struct str s = json_as_str(json_get(request, name));
    if (str_copy(dst, cap, s.p ? s : STR("")) < 0)
        return err_set(err, APP_E_INVALID, "%s has more than %zu bytes", name, cap - 1);
    return 0;
}

bool cli_flag(const struct json *request, const char *name)
{
    bool set = false;
    return json_get_bool(request, name, &set) == 0 && set;
}

struct store *cli_reads(struct verb_call *c)
{
    struct store *s = c->thread->reads(c->thread, c->space);
    if (!s)
        err_set(&c->err, 0, "the database of %s cannot be opened", c->space->authority);
    return s;
}

struct store *cli_directory_reads(struct verb_call *c)
{
    struct store *s = c->thread->directory_read;
    if (!s && !c->thread->app->writer)
        s = c->thread->app->directory_store;
    if (!s)
        err_set(&c->err, 0, "the directory's database is not open");
    return s;
}

int cli_store(struct verb_call *c, int r, const char *what, const char *id)
{
    if (r == STORE_E_ABSENT)
        return err_set(&c->err, APP_E_ABSENT, "there is no %s %.64s", what, id);
    if (r != 0)
        return err_set(&c->err, r < 0 ? r : -EIO, "the database did not answer");
    return 0;
}

int cli_put_time(struct json *obj, const char *seconds, const char *text, int64_t at)
{
    char z[RFC3339_LEN + 1];
    if (at == 0) {
        int r = seconds ? json_put(obj, seconds, json_null()) : 0;
        return r ? r : json_put(obj, text, json_null());
    }
    rfc3339_format(at, z);
    int r = seconds ? json_put_int(obj, seconds, at) : 0;
    return r ? r : json_put_z(obj, text, z);
}

/* ---- lists ---- */

int page_start(struct page *p, const struct json *request)
{
    int64_t limit = CLI_PAGE;
    json_get_int(request, "limit", &limit);
    if (limit < 1 || limit > CLI_PAGE_MAX)
        limit = CLI_PAGE;
    *p = (struct page){
        .items = json_array(), .after = json_z(request, "after"), .limit = (size_t)limit};
    return p->items ? 0 : -ENOMEM;
}

int page_add(struct page *p, struct json *item)
{
    if (json_count(p->items) == p->limit) {
        json_free(item);
        p->more = true;
        return 0;
    }
    return json_append(p->items, item);
}

void page_clear(struct page *p)
{
    json_free(p->items);
    p->items = NULL;
}

int page_finish(struct page *p, struct verb_call *c, const char *id)
{
    _cleanup_(json_freep) struct json *reply = json_object();
    struct json *next = NULL;

    if (p->more)
        next = json_string(json_as_str(json_get(json_at(p->items, p->limit - 1), id)));
    else
        next = json_null();
    int r = reply ? 0 : -ENOMEM;
    if (r == 0) {
        r = json_put(reply, "items", p->items);
        p->items = NULL;
    }
    page_clear(p);
    if (r == 0)
        r = json_put(reply, "next", next);
    else
        json_free(next);
    if (r < 0)
        return r;
    c->reply = reply;
    reply = NULL;
    return 0;
}

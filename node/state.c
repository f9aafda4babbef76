#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/str.h"

#define SYSTEM_STATE "/var/lib/comity"
#define REMOVE_DEPTH 4

static int join(char *out, size_t cap, const char *a, const char *b)
{
    int n = snprintf(out, cap, "%s/%s", a, b);
    return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

int state_default(char out[static STATE_PATH_MAX])
{
    const char *set = getenv("COMITY_STATE");
    if (set && *set)
        return str_copy(out, STATE_PATH_MAX, str_of(set)) < 0 ? -ENAMETOOLONG : 0;

    struct stat st;
    if (stat(SYSTEM_STATE, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
        return str_copy(out, STATE_PATH_MAX, STR(SYSTEM_STATE));

    const char *base = getenv("XDG_STATE_HOME");
    if (base && base[0] == '/')
        return join(out, STATE_PATH_MAX, base, "comity");
    const char *home = getenv("HOME");
    if (home && home[0] == '/')
        return join(out, STATE_PATH_MAX, home, ".local/state/comity");
    return -ENOENT;
}

static int absolute(const char *dir, char out[static STATE_PATH_MAX], struct err *err)
{
    char cwd[PATH_MAX];
    int r = 0;

    if (!*dir)
        return err_set(err, -EINVAL, "the state folder has an empty name");
    if (dir[0] == '/')
        r = str_copy(out, STATE_PATH_MAX, str_of(dir));
    else if (!getcwd(cwd, sizeof(cwd)))
        return err_set(err, -errno, "this folder cannot be named: %s", strerror(errno));
    else
        r = join(out, STATE_PATH_MAX, cwd, dir);
    if (r < 0)
        return err_set(err, -ENAMETOOLONG, "the state folder's path is longer than %d characters",
                       STATE_PATH_MAX - 1);
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/')
        out[--n] = '\0';
    return 0;
}

static int make_parents(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        int r = mkdir(path, 0700);
        int e = errno;
        *p = '/';
        if (r < 0 && e != EEXIST)
            return -e;
    }
    return 0;
}

static int is_empty(const char *path, bool *empty)
{
    DIR *d = opendir(path);
    if (!d)
        return -errno;
    *empty = true;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            *empty = false;
    closedir(d);
    return 0;
}

/* The folder may be there, if nothing is in it. */
static int make_folder(char *path, struct err *err)
{
    char ini[512];
    bool empty;
    int r = make_parents(path);
    if (r < 0)
        return err_set(err, r, "%s cannot be made: %s", path, strerror(-r));
    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return err_set(err, -errno, "%s cannot be made: %s", path, strerror(errno));

    r = is_empty(path, &empty);
    if (r < 0)
        return err_set(err, r, "%s cannot be read: %s", path, strerror(-r));
    if (!empty) {
        r = join(ini, sizeof(ini), path, "comity.ini");
        if (r == 0 && access(ini, F_OK) == 0) {
            err_set(err, 0, "%s holds a node's state already", path);
            return err_next(err, -EEXIST,
                            "Use `comity space add` for another space, or another --state.");
        }
        err_set(err, 0, "%s is not empty, and is no node's state", path);
        return err_next(err, -EEXIST, "Name another folder with --state, or empty this one.");
    }
    if (chmod(path, 0700) < 0)
        return err_set(err, -errno, "%s is not ours: %s", path, strerror(errno));
    return 0;
}

int state_create(const char *dir, struct state *out, struct err *err)
{
    struct state s = {.lock = -1};
    int r = absolute(dir, s.dir, err);
    if (r == 0)
        r = make_folder(s.dir, err);
    if (r == 0)
        *out = s;
    return r;
}

int state_open(const char *dir, struct state *out, struct err *err)
{
    struct state s = {.lock = -1};
    char ini[512];
    struct stat st;
    int r = absolute(dir, s.dir, err);

    if (r < 0)
        return r;
    if (state_path(&s, "comity.ini", ini) < 0 || stat(ini, &st) < 0) {
        if (errno == EACCES)
            err_set(err, 0, "the state in %s may not be read by this user", s.dir);
        else
            err_set(err, 0, "there is no node's state in %s", s.dir);
        return err_next(err, STATE_E_ABSENT,
                        "Make one with `comity init URL --name NAME`, or say --state DIR.");
    }
    if (stat(s.dir, &st) == 0 && (st.st_mode & 022)) {
        err_set(err, 0, "%s may be written by others than its owner", s.dir);
        return err_next(err, -EPERM, "Run `chmod go-w %s`.", s.dir);
    }
    *out = s;
    return 0;
}

int state_lock(struct state *s, struct err *err)
{
    char path[512];
    int r = state_path(s, "lock", path);
    if (r < 0)
        return err_set(err, r, "the path of %s/lock is too long", s->dir);

    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, -errno, "%s cannot be opened: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return err_set(err, -errno, "%s cannot be locked: %s", path, strerror(errno));
        err_set(err, 0, "a node, or another command, is at work in %s", s->dir);
        return err_next(err, STATE_E_LOCKED, "Wait for it, or stop it, and try again.");
    }
    s->lock = fd;
    fd = -1;
    return 0;
}

void state_close(struct state *s)
{
    if (s->lock >= 0)
        close(s->lock);
    s->lock = -1;
}

int state_path(const struct state *s, const char *name, char out[static 512])
{
    return join(out, 512, s->dir, name);
}

int state_space_path(const struct state *s, const char *authority, const char *name,
                     char out[static 512])
{
    /* An authority is canonical (fed/entity.h) wherever it comes from; a slash in one would be a
     * path of somebody's choosing. */
    if (!*authority || authority[0] == '.' || strchr(authority, '/'))
        return -EINVAL;
    int n = *name ? snprintf(out, 512, "%s/spaces/%s/%s", s->dir, authority, name)
                  : snprintf(out, 512, "%s/spaces/%s", s->dir, authority);
    return n < 0 || n >= 512 ? -ENAMETOOLONG : 0;
}

int state_create_space(const struct state *s, const char *authority, struct err *err)
{
    char path[512];
    int r = state_path(s, "spaces", path);

    if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set(err, -errno, "%s cannot be made: %s", path, strerror(errno));
    if (r == 0)
        r = state_space_path(s, authority, "", path);
    if (r < 0)
        return err_set(err, r, "the state folder's path is too long for %s", authority);
    if (mkdir(path, 0700) < 0)
        return err_set(err, -errno, "%s cannot be made: %s", path, strerror(errno));
    return 0;
}

static int remove_at(int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (depth == 0)
        return -ELOOP;

    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return -ENOMEM;
    }
    int r = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            int one = remove_at(fd, e->d_name, depth - 1);
            r = r ? r : one;
        }
    closedir(d);
    if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
        r = -errno;
    return r;
}

int state_remove(const struct state *s)
{
    return remove_at(AT_FDCWD, s->dir, REMOVE_DEPTH);
}

int state_remove_space(const struct state *s, const char *authority)
{
    char path[512];
    int r = state_space_path(s, authority, "", path);
    return r < 0 ? r : remove_at(AT_FDCWD, path, 1);
}

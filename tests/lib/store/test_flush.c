/*
 * A process that is killed at each write(2) of the store in turn: before it, after half of it, and
 * after it. The file system that writes a commit's frames together (sqlite_vfs.c) stands below all
 * of them. Whatever was acknowledged is there when the database is opened again, and nothing is
 * there by half: neither a transaction that did not end nor one that was rolled back. A kill leaves
 * the kernel what it has; for a power cut, all that a commit writes must come before its last sync.
 */
#include "lib/store/scratch.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#include "store/sqlite.h"

#define TRANSACTIONS 3
#define SMALL 3  /* rows: written at once */
#define LARGE 45 /* rows: more than is kept waiting, and more than the cache holds */
#define FILLING 3000
#define KILLED 77

enum moment { BEFORE, HALF, AFTER, MOMENTS };

/* In the child: the write at which it ends. The library's own calls meet this one. */
static long countdown = -1;
static enum moment moment;

static bool unsynced; /* a kill would not show it, but a power cut would */

static ssize_t write_at(int fd, const void *p, size_t n, off_t at)
{
    unsynced = true;
    return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    if (countdown < 0 || --countdown >= 0)
        return write_at(fd, p, n, at);
    if (moment != BEFORE)
        write_at(fd, p, moment == HALF ? n / 2 : n, at);
    _exit(KILLED);
}

int fdatasync(int fd)
{
    unsynced = false;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    unsynced = false;
    return (int)syscall(SYS_fsync, fd);
}

static int rows_of(int transaction)
{
    return transaction % 2 ? LARGE : SMALL;
}

static int put(struct store *s, int transaction, int row)
{
    char name[32], filling[FILLING];

    memset(filling, 'x', sizeof(filling));
    snprintf(name, sizeof(name), "t%d-%d", transaction, row);
    return store_setting_put(s, name, filling, sizeof(filling));
}

/* 0: it is there as it was put; STORE_E_ABSENT. */
static int look(struct store *s, int transaction, int row)
{
    _cleanup_(buf_clear) struct buf value = {0};
    char name[32];
    int r;

    snprintf(name, sizeof(name), "t%d-%d", transaction, row);
    r = store_setting_get(s, name, &value);
    for (size_t i = 0; r == 0 && i < FILLING; i++)
        r = value.n == FILLING && value.p[i] == 'x' ? 0 : -1;
    return r;
}

/* And reads it back: what was spilt is in the WAL already. */
static int put_all(struct store *s, int transaction)
{
    int r = store_begin(s);

    for (int row = 0; r == 0 && row < rows_of(transaction); row++)
        r = put(s, transaction, row);
    for (int row = rows_of(transaction); r == 0 && row-- > 0;)
        r = look(s, transaction, row);
    return r;
}

/* Commits, and tells; before the large one rolls back one as large. */
static int work(const char *path, int out)
{
    struct store *s = NULL;

    if (store_open(path, STORE_SPACE, false, &s, NULL) ||
        sql_exec(s, "PRAGMA cache_size = 30") /* pages: a large transaction is spilt */)
        return 1;
    for (int t = 0; t < TRANSACTIONS; t++) {
        char told = 1;

        if (t == 1 && put_all(s, TRANSACTIONS + 2)) /* an odd one: large */
            return 2;
        store_rollback(s);
        if (put_all(s, t) || store_commit(s))
            return 3;
        if (unsynced) /* nothing of a commit comes after its sync */
            return 5;
        if (write(out, &told, 1) != 1)
            return 4;
    }
    store_close(s);
    return 0;
}

/* How many transactions the child told of; *ended: it was not killed. */
static int run_child(const char *path, long at, bool *ended)
{
    int fds[2], told = 0, status = 0;
    pid_t pid;
    char byte;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        countdown = at;
        _exit(work(path, fds[1]));
    }
    close(fds[1]);
    while (read(fds[0], &byte, 1) == 1)
        told++;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != KILLED)
        fail_msg("the child failed at step %d", WEXITSTATUS(status));
    *ended = WEXITSTATUS(status) == 0;
    return told;
}

static void assert_sound(struct store *s)
{
    _cleanup_(query_close) struct query q = query_open(s, "PRAGMA integrity_check");
    char text[64];

    assert_int_equal(query_next(&q), 0);
    query_get_text(&q, text, sizeof(text));
    assert_string_equal(text, "ok");
}

/* What was told is there; the next one may be, if the kill came between its sync and its telling.
 * None is there by half, and none that was rolled back. */
static void assert_whole(const char *path, int told, enum moment when, long at)
{
    struct store *s = scratch_open(path, STORE_SPACE);

    assert_sound(s);
    for (int t = 0; t < TRANSACTIONS + 3; t++) {
        int rows = 0;

        for (int row = 0; row < rows_of(t); row++) {
            int r = look(s, t, row);

            assert_true(r == 0 || r == STORE_E_ABSENT);
            rows += r == 0;
        }
        if (t < told ? rows != rows_of(t) : t > told ? rows != 0 : rows != 0 && rows != rows_of(t))
            fail_msg("moment %d, write %ld: %d told, transaction %d has %d rows", when, at, told, t,
                     rows);
    }
    store_close(s);
}

static void killed_at_each_write(void **state)
{
    struct scratch *t = *state;
    char path[320];

    for (moment = BEFORE; moment < MOMENTS; moment++) {
        bool ended = false;
        long at;

        for (at = 0; !ended; at++) {
            snprintf(path, sizeof(path), "%s/killed-%d-%ld.db", t->folder, moment, at);
            store_close(scratch_open(path, STORE_SPACE));
            int told = run_child(path, at, &ended);
            assert_whole(path, told, moment, at);
            assert_true(at < 2000);
        }
        print_message("%ld writes\n", at - 1);
        assert_true(at > TRANSACTIONS); /* else the kills did not reach the store */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {scratch_test(killed_at_each_write)};

    /* A kill loses nothing that the kernel has: no disk is needed, which would take a minute. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

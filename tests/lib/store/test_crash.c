/*
 * A process that is killed while its writer commits: whatever it had acknowledged is there when the
 * database is opened again, and no job is there by half.
 */
#include "lib/store/scratch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/store/rows.h"
#include "store/writer.h"

#define THREADS 8
#define ROUNDS 5
#define ENOUGH 200 /* acknowledgements before the kill */

struct check_in {
    struct write_job job;
    unsigned id;
};

static void name_of(unsigned id, char out[static 32])
{
    snprintf(out, 32, "vis_%u", id);
}

/* A visit and its stamp: both or neither. */
static int run(struct write_job *job, struct store *s)
{
    struct visit_row row;
    char id[32];
    int r;

    name_of(((struct check_in *)job)->id, id);
    row = visit_row_of(id);
    r = store_visit_add(s, &row);
    return r ? r : store_outbox_put(s, id, 1, HOME, STR("a.b.c"), T0);
}

struct child {
    struct writer *writer;
    struct store *store;
    int pipe;
    unsigned from;
};

static void *check_in_for_ever(void *arg)
{
    struct child *c = arg;

    for (unsigned id = c->from;; id++) {
        struct check_in j = {.job = {.store = c->store, .run = run}, .id = id};

        if (writer_do(c->writer, &j.job) != 0)
            _exit(1);
        if (write(c->pipe, &id, sizeof(id)) != sizeof(id))
            _exit(2);
    }
    return NULL;
}

static void run_child(const char *path, int fd, unsigned round)
{
    struct child children[THREADS];
    pthread_t thread;
    struct store *s = NULL;
    struct writer *w = NULL;

    if (store_open(path, STORE_SPACE, false, &s, NULL) || writer_start(NULL, &w))
        _exit(3);
    for (unsigned i = 0; i < THREADS; i++) {
        children[i] = (struct child){w, s, fd, (round * THREADS + i) * 1000000};
        if (pthread_create(&thread, NULL, check_in_for_ever, &children[i]))
            _exit(4);
    }
    for (;;)
        pause();
}

/* Reads acknowledged ids until there are enough, kills, and reads the rest out of the pipe. */
static size_t kill_when_busy(pid_t pid, int fd, unsigned *ids, size_t max)
{
    size_t n = 0;
    int status;

    while (n < max && read(fd, &ids[n], sizeof(*ids)) == sizeof(*ids)) {
        if (++n == ENOUGH)
            kill(pid, SIGKILL);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    return n;
}

static int count_visit(const struct visit_row *row, void *arg)
{
    _cleanup_(buf_clear) struct buf token = {0}, receipt = {0};
    struct scratch *t = arg;
    int64_t revision = 0;

    assert_int_equal(store_stamp_of_visit(t->space, row->id, &revision, &token, &receipt), 0);
    assert_true(str_eqz(buf_as_str(&token), "a.b.c"));
    return 0;
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    static unsigned ids[100000];
    struct scratch *t = *state;
    struct visit_row row;
    char id[32];
    int fds[2];

    for (unsigned round = 0; round < ROUNDS; round++) {
        store_close(t->space);
        t->space = NULL;
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            run_child(t->path, fds[1], round);
        }
        close(fds[1]);
        size_t n = kill_when_busy(pid, fds[0], ids, ARRAY_SIZE(ids));
        close(fds[0]);
        assert_true(n >= ENOUGH);

        t->space = scratch_open(t->path, STORE_SPACE);
        for (size_t i = 0; i < n; i++) {
            name_of(ids[i], id);
            assert_int_equal(store_visit_get(t->space, id, &row), 0);
        }
        assert_int_equal(store_visit_list(t->space, NULL, SIZE_MAX, false, count_visit, t), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(what_was_acknowledged_survives_a_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "lib/store/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

#include "lib/store/rows.h"
#include "store/sqlite.h"

static void assert_mode_0600(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void files_are_for_their_owner_whatever_the_umask(void **state)
{
    struct scratch *t = *state;
    char path[320];
    mode_t old = umask(0);

    snprintf(path, sizeof(path), "%s/other.db", t->folder);
    struct store *s = scratch_open(path, STORE_SPACE);
    umask(old);
    assert_int_equal(store_setting_put(s, "a", "b", 1), 0);
    assert_mode_0600(path);
    snprintf(path, sizeof(path), "%s/other.db-wal", t->folder);
    assert_mode_0600(path);
    snprintf(path, sizeof(path), "%s/other.db-shm", t->folder);
    assert_mode_0600(path);
    store_close(s);
}

static int64_t pragma(struct store *s, const char *sql)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);

    assert_int_equal(query_next(&q), 0);
    return query_get_int(&q);
}

static void the_settings_that_safety_rests_on_are_in_force(void **state)
{
    struct scratch *t = *state;

    assert_int_equal(pragma(t->space, "PRAGMA synchronous"), 2);
    assert_int_equal(pragma(t->space, "PRAGMA foreign_keys"), 1);
    assert_int_equal(pragma(t->space, "PRAGMA secure_delete"), 1);
    assert_int_equal(pragma(t->space, "PRAGMA trusted_schema"), 0);
    assert_int_equal(pragma(t->space, "PRAGMA cell_size_check"), 1);
    assert_int_equal(pragma(t->space, "PRAGMA temp_store"), 2);
    assert_int_equal(pragma(t->space, "PRAGMA busy_timeout"), 5000);
    assert_int_equal(pragma(t->space, "SELECT count(*) FROM pragma_journal_mode"
                                      " WHERE journal_mode = 'wal'"),
                     1);
    assert_int_equal(pragma(t->space, "SELECT count(*) FROM pragma_table_list"
                                      " WHERE schema = 'main' AND NOT strict"
                                      " AND name NOT LIKE 'sqlite%'"),
                     0);
}

static void what_was_put_is_there_after_reopening(void **state)
{
    struct scratch *t = *state;
    _cleanup_(buf_clear) struct buf value = {0};

    assert_int_equal(store_setting_get(t->space, "k", &value), STORE_E_ABSENT);
    assert_int_equal(store_setting_put(t->space, "k", "one", 3), 0);
    assert_int_equal(store_setting_put(t->space, "k", "t\0wo", 4), 0);
    assert_int_equal(store_setting_put(t->space, "empty", NULL, 0), 0);
    store_close(t->space);
    t->space = scratch_open(t->path, STORE_SPACE);
    assert_int_equal(store_setting_get(t->space, "k", &value), 0);
    assert_int_equal(value.n, 4);
    assert_memory_equal(value.p, "t\0wo", 4);
    buf_reset(&value);
    assert_int_equal(store_setting_get(t->space, "empty", &value), 0);
    assert_int_equal(value.n, 0);
}

static void without_create_an_absent_file_stays_absent(void **state)
{
    struct scratch *t = *state;
    struct store *s = NULL;
    struct err err = {0};
    char path[320];

    snprintf(path, sizeof(path), "%s/none.db", t->folder);
    assert_int_equal(store_open(path, STORE_SPACE, false, &s, &err), STORE_E_ABSENT);
    assert_null(s);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(store_open("/nowhere/at/all.db", STORE_SPACE, true, &s, &err), -ENOENT);
}

/* What a crash between the making of the file and the first migration leaves. */
static void an_empty_file_becomes_a_database(void **state)
{
    struct scratch *t = *state;
    struct store *s = NULL;
    char path[320];

    snprintf(path, sizeof(path), "%s/empty.db", t->folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(store_open(path, STORE_SPACE, false, &s, NULL), 0);
    assert_int_equal(store_setting_put(s, "a", "b", 1), 0);
    store_close(s);
}

static void a_database_of_another_kind_is_refused(void **state)
{
    struct scratch *t = *state;
    struct store *s = NULL;
    struct err err = {0};
    char path[320];

    assert_int_equal(store_open(t->path, STORE_DIRECTORY, false, &s, &err), -EINVAL);
    assert_non_null(strstr(err.text, "directory database"));
    assert_int_equal(store_open(t->directory_path, STORE_SPACE, true, &s, &err), -EINVAL);

    snprintf(path, sizeof(path), "%s/garbage.db", t->folder);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", f);
    fclose(f);
    assert_int_equal(store_open(path, STORE_SPACE, true, &s, &err), -EIO);
    assert_non_null(strstr(err.text, path));
    assert_null(s);
}

static void a_later_version_is_refused_and_left_alone(void **state)
{
    struct scratch *t = *state;
    struct store *s = NULL;
    struct err err = {0};

    assert_int_equal(sql_exec(t->space, "PRAGMA user_version = 999"), 0);
    assert_int_equal(store_open(t->path, STORE_SPACE, true, &s, &err), STORE_E_NEWER);
    assert_null(s);
    assert_non_null(strstr(err.text, "999"));
    assert_true(err.next[0] != '\0');
    assert_int_equal(pragma(t->space, "PRAGMA user_version"), 999);
}

/* A database that another program made, or an older one under a read-only file. */
static void what_may_only_be_read_is_read_and_not_migrated(void **state)
{
    struct scratch *t = *state;
    struct store *s = NULL;
    struct err err = {0};
    pid_t pid;
    int status;

    assert_int_equal(store_setting_put(t->space, "k", "v", 1), 0);
    if (getuid() != 0)
        skip(); /* needs another user to be refused */
    assert_int_equal(chmod(t->folder, 0755), 0);
    assert_int_equal(chmod(t->path, 0644), 0);
    char shm[320];
    snprintf(shm, sizeof(shm), "%s-shm", t->path);
    assert_int_equal(chmod(shm, 0644), 0);
    snprintf(shm, sizeof(shm), "%s-wal", t->path);
    assert_int_equal(chmod(shm, 0644), 0);
    pid = fork();
    if (pid == 0) {
        _cleanup_(buf_clear) struct buf value = {0};

        if (setuid(65534) != 0)
            _exit(1);
        if (store_open(t->path, STORE_SPACE, false, &s, &err) != 0)
            _exit(2);
        if (store_setting_get(s, "k", &value) != 0)
            _exit(3);
        if (store_setting_put(s, "k", "w", 1) != -EROFS)
            _exit(4);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);

    assert_int_equal(sql_exec(t->space, "PRAGMA user_version = 0"), 0);
    pid = fork();
    if (pid == 0) {
        if (setuid(65534) != 0)
            _exit(1);
        _exit(store_open(t->path, STORE_SPACE, false, &s, &err) == -EROFS ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void *open_and_put(void *arg)
{
    struct store *s = NULL;
    struct err err = {0};
    intptr_t r = store_open(arg, STORE_SPACE, true, &s, &err);

    if (r == 0)
        r = store_setting_put(s, "who", "me", 2);
    store_close(s);
    return (void *)r;
}

static void many_may_create_the_same_database_at_once(void **state)
{
    struct scratch *t = *state;
    pthread_t threads[8];
    void *r;
    char path[320];

    snprintf(path, sizeof(path), "%s/raced.db", t->folder);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_put, path), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        pthread_join(threads[i], &r);
        assert_int_equal((intptr_t)r, 0);
    }
}

static bool has(struct store *s, const char *name)
{
    _cleanup_(buf_clear) struct buf value = {0};
    int r = store_setting_get(s, name, &value);

    assert_true(r == 0 || r == STORE_E_ABSENT);
    return r == 0;
}

static void put(struct store *s, const char *name)
{
    assert_int_equal(store_setting_put(s, name, "x", 1), 0);
}

static void savepoints_nest_and_undo_alone(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->space;

    assert_false(store_in_transaction(s));
    assert_int_equal(store_begin(s), 0);
    put(s, "a");
    assert_int_equal(store_savepoint(s), 0);
    put(s, "b");
    assert_int_equal(store_savepoint(s), 0);
    put(s, "c");
    store_undo(s);
    assert_false(has(s, "c"));
    assert_int_equal(store_release(s), 0);
    assert_int_equal(store_savepoint(s), 0);
    put(s, "d");
    store_undo(s);
    assert_true(store_in_transaction(s));
    assert_int_equal(store_commit(s), 0);
    assert_false(store_in_transaction(s));
    assert_true(has(s, "a") && has(s, "b"));
    assert_false(has(s, "c") || has(s, "d"));

    assert_int_equal(store_begin(s), 0);
    put(s, "e");
    assert_int_equal(store_savepoint(s), 0);
    put(s, "f");
    store_rollback(s);
    assert_false(has(s, "e") || has(s, "f"));
    store_rollback(s); /* outside a transaction it does nothing */
}

static void readers_see_what_is_committed_and_never_wait(void **state)
{
    struct scratch *t = *state;
    struct store *reader = NULL;

    assert_int_equal(store_open(t->path, STORE_SPACE, false, &reader, NULL), 0);
    assert_int_equal(store_begin(t->space), 0);
    put(t->space, "a");
    assert_false(has(reader, "a"));
    assert_int_equal(store_commit(t->space), 0);
    assert_true(has(reader, "a"));
    store_close(reader);
}

static void two_writers_do_not_mix(void **state)
{
    struct scratch *t = *state;
    struct store *other = scratch_open(t->path, STORE_SPACE);

    assert_int_equal(sql_exec(other, "PRAGMA busy_timeout = 1"), 0);
    assert_int_equal(store_begin(t->space), 0);
    assert_int_equal(store_begin(other), -EBUSY);
    assert_int_equal(store_setting_put(other, "a", "x", 1), -EBUSY);
    assert_int_equal(store_commit(t->space), 0);
    put(other, "a");
    store_close(other);
}

static void put_many(struct store *s, const char *prefix, unsigned n)
{
    static const char filling[3000];
    char name[64];

    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%s-%u", prefix, i);
        assert_int_equal(store_setting_put(s, name, filling, sizeof(filling)), 0);
    }
}

static void assert_sound(struct store *s)
{
    _cleanup_(query_close) struct query q = query_open(s, "PRAGMA integrity_check");

    assert_int_equal(query_next(&q), 0);
    assert_true(str_eqz(query_get_str(&q), "ok"));
}

/*
 * A transaction that outgrows the cache writes to the WAL before it commits, and those writes wait
 * in our buffer. When it is rolled back, they must not come out over what another connection has
 * committed in the meantime.
 */
static void what_was_rolled_back_never_overwrites_another_commit(void **state)
{
    struct scratch *t = *state;
    struct store *other = scratch_open(t->path, STORE_SPACE);
    char prefix[16];

    assert_int_equal(sql_exec(t->space, "PRAGMA cache_size = 100"), 0);
    for (unsigned i = 0; i < 16; i++) {
        /* Else the rollback reads page 1 from the WAL, and what waits is written before. */
        assert_int_equal(sql_exec(other, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
        snprintf(prefix, sizeof(prefix), "lost%u", i);
        assert_int_equal(store_begin(t->space), 0);
        put_many(t->space, prefix, 30 + 6 * i);
        store_rollback(t->space);
        snprintf(prefix, sizeof(prefix), "kept%u", i);
        put_many(other, prefix, 12);
        snprintf(prefix, sizeof(prefix), "mine%u", i);
        put_many(t->space, prefix, 2);
    }
    assert_sound(t->space);
    store_close(other);
    store_close(t->space);
    t->space = scratch_open(t->path, STORE_SPACE);
    assert_sound(t->space);
    assert_true(has(t->space, "kept0-0") && has(t->space, "kept15-11") &&
                has(t->space, "mine15-1"));
    assert_false(has(t->space, "lost0-0") || has(t->space, "lost15-0"));
}

/* The same with savepoints, and with more in one transaction than is written at once. */
static void a_transaction_larger_than_the_cache_is_kept_whole(void **state)
{
    struct scratch *t = *state;
    struct store *reader = NULL;

    assert_int_equal(store_open(t->path, STORE_SPACE, false, &reader, NULL), 0);
    assert_int_equal(sql_exec(t->space, "PRAGMA cache_size = 5"), 0);
    assert_int_equal(sql_exec(t->space, "PRAGMA wal_autocheckpoint = 50"), 0);
    assert_int_equal(store_begin(t->space), 0);
    put_many(t->space, "a", 100);
    assert_int_equal(store_savepoint(t->space), 0);
    put_many(t->space, "undone", 100);
    store_undo(t->space);
    put_many(t->space, "b", 100);
    assert_true(has(t->space, "a-3"));
    assert_false(has(reader, "a-3"));
    assert_int_equal(store_commit(t->space), 0);
    assert_true(has(reader, "a-99") && has(reader, "b-99"));
    assert_false(has(reader, "undone-0") || has(reader, "undone-99"));
    assert_sound(reader);
    store_close(reader);
}

static void reads_between_begin_and_end_are_of_one_moment(void **state)
{
    struct scratch *t = *state;
    struct store *reader = NULL;

    assert_int_equal(store_open(t->path, STORE_SPACE, false, &reader, NULL), 0);
    assert_int_equal(store_read_begin(reader), 0);
    assert_false(has(reader, "a"));
    put(t->space, "a");
    assert_false(has(reader, "a"));
    assert_int_equal(store_read_begin(reader), 0); /* does nothing */
    assert_false(has(reader, "a"));
    store_read_end(reader);
    store_read_end(reader);
    assert_true(has(reader, "a"));
    assert_int_equal(store_read_begin(reader), 0);
    assert_true(has(reader, "a"));
    assert_int_equal(store_begin(reader), 0); /* ends the reading */
    put(reader, "b");
    assert_int_equal(store_commit(reader), 0);
    assert_true(has(t->space, "b"));
    store_close(reader);
}

struct nested {
    struct store *s;
    unsigned depth, calls;
};

static int list_again(const struct member_row *row, void *arg)
{
    struct nested *n = arg;
    struct member_row again;
    int r = 0;

    n->calls++;
    assert_int_equal(store_member_get(n->s, row->id, &again), 0);
    assert_string_equal(again.id, row->id);
    if (n->depth < 2) {
        n->depth++;
        r = store_member_list(n->s, NULL, 10, true, list_again, arg);
        n->depth--;
    }
    return r;
}

static void a_list_may_be_asked_for_inside_itself(void **state)
{
    struct scratch *t = *state;
    struct nested n = {.s = t->space};

    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof(id), "mem_%d", i);
        struct member_row row = member_row_of(id);
        assert_int_equal(store_member_add(t->space, &row), 0);
    }
    assert_int_equal(store_member_list(t->space, NULL, 10, true, list_again, &n), 0);
    assert_int_equal(n.calls, 3 + 9 + 27);
}

static void a_damaged_row_is_an_error_and_no_overflow(void **state)
{
    struct scratch *t = *state;
    struct member_row row = member_row_of("mem_1"), out = {.id = "untouched"};

    assert_int_equal(store_member_add(t->space, &row), 0);
    assert_int_equal(sql_exec(t->space, "UPDATE member SET tier = hex(zeroblob(200))"), 0);
    assert_int_equal(store_member_get(t->space, "mem_1", &out), -EIO);
    assert_string_equal(out.id, "untouched");
    assert_non_null(strstr(store_failure(t->space), "tier"));
    assert_null(strstr(store_failure(t->space), "0000"));
}

static void a_row_that_no_sound_caller_makes_is_refused(void **state)
{
    struct scratch *t = *state;
    struct member_row row = member_row_of("mem_1");

    row.state = 7;
    assert_int_equal(store_member_add(t->space, &row), -EINVAL);
    assert_non_null(strstr(store_failure(t->space), "CHECK"));
    assert_null(strstr(store_failure(t->space), "Ana"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(files_are_for_their_owner_whatever_the_umask),
        scratch_test(the_settings_that_safety_rests_on_are_in_force),
        scratch_test(what_was_put_is_there_after_reopening),
        scratch_test(without_create_an_absent_file_stays_absent),
        scratch_test(an_empty_file_becomes_a_database),
        scratch_test(a_database_of_another_kind_is_refused),
        scratch_test(a_later_version_is_refused_and_left_alone),
        scratch_test(what_may_only_be_read_is_read_and_not_migrated),
        scratch_test(many_may_create_the_same_database_at_once),
        scratch_test(savepoints_nest_and_undo_alone),
        scratch_test(readers_see_what_is_committed_and_never_wait),
        scratch_test(two_writers_do_not_mix),
        scratch_test(what_was_rolled_back_never_overwrites_another_commit),
        scratch_test(a_transaction_larger_than_the_cache_is_kept_whole),
        scratch_test(reads_between_begin_and_end_are_of_one_moment),
        scratch_test(a_list_may_be_asked_for_inside_itself),
        scratch_test(a_damaged_row_is_an_error_and_no_overflow),
        scratch_test(a_row_that_no_sound_caller_makes_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

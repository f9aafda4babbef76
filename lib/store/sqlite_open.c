/* How a connection comes to be: the file, its protection, the settings. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/sqlite_room.h"

#define BUSY_TIMEOUT_MS 5000
#define WAL_TRIES 500
#define WAL_TRY_MS 10

/*
 * Settings of every connection. temp_store: what a sort or a savepoint sets aside must never reach
 * a file that nobody erases. secure_delete: erased people are overwritten, not only unlinked. The
 * WAL is written back every 4,000 pages, not 1,000: pages of indexes that each check-in changes are
 * then written back once instead of four times. Its file keeps its size, to be written over.
 */
static const char PRAGMAS[] = "PRAGMA trusted_schema = OFF;"
                              "PRAGMA cell_size_check = ON;"
                              "PRAGMA foreign_keys = ON;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA secure_delete = ON;"
                              "PRAGMA cache_size = -4000;"
                              "PRAGMA wal_autocheckpoint = 4000;"
                              "PRAGMA journal_size_limit = 33554432;"
                              "PRAGMA synchronous = FULL;";
static const char PRAGMA_WAL[] = "PRAGMA journal_mode = WAL";

/*
 * Makes the file before SQLite does, so that it is 0600 and its name is durable; SQLite gives -wal
 * and -shm the mode of the database. O_EXCL also because closing a second descriptor of a file that
 * is open in this process would drop its POSIX locks.
 */
static int make_file(const char *path)
{
    int r = file_create(path, STR(""));

    return r == -EEXIST ? 0 : r;
}

static int find_file(const char *path, bool create, struct err *err)
{
    struct stat st;
    int r;

    if (create) {
        r = make_file(path);
        if (r)
            return err_set(err, r, "cannot create the database %s: %s", path, strerror(-r));
        return 0;
    }
    if (stat(path, &st) == 0)
        return 0;
    r = -errno;
    if (r == -ENOENT)
        return err_set(err, STORE_E_ABSENT, "there is no database %s", path);
    return err_set(err, r, "cannot reach the database %s: %s", path, strerror(-r));
}

/* The mode is kept in the file. Changing it needs the file for itself, and SQLite does not wait for
 * that by its busy time-out, so two processes that both create the database meet here. */
static int set_wal(struct store *s)
{
    char mode[16];
    int r;

    for (int tries = 0;; tries++) {
        _cleanup_(query_close) struct query q = query_open(s, PRAGMA_WAL);

        r = query_next(&q);
        if (r == -EBUSY && tries < WAL_TRIES) {
            sqlite3_sleep(WAL_TRY_MS);
            continue;
        }
        if (r)
            return r;
        query_get_text(&q, mode, sizeof(mode));
        if (query_error(&q))
            return query_error(&q);
        break;
    }
    if (strcmp(mode, "wal") == 0)
        return 0;
    snprintf(s->failure, sizeof(s->failure), "this file system cannot hold a shared WAL");
    return -EIO;
}

static int configure(struct store *s)
{
    int r;

    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    r = sql_exec(s, PRAGMAS);
    if (r || sql_is_read_only(s))
        return r;
    return set_wal(s);
}

int store_open(const char *path, enum store_kind kind, bool create, struct store **out,
               struct err *err)
{
    _cleanup_(store_closep) struct store *s = NULL;
    int r, rc;

    r = find_file(path, create, err);
    if (r)
        return r;
    s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, -ENOMEM, "no memory to open the database %s", path);

    rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, sql_vfs());
    if (!s->db)
        return err_set(err, -ENOMEM, "no memory to open the database %s", path);
    r = rc == SQLITE_OK ? configure(s) : sql_fail(s, rc);
    if (r)
        return err_set(err, r, "cannot open the database %s: %s", path, s->failure);
    r = store_migrate(s, kind, path, err);
    if (r)
        return r;
    *out = s;
    s = NULL;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_read_end(s);
    store_rollback(s);
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(s->statements[i].handle);
    sqlite3_close(s->db);
    free(s);
}

int sql_bound_pages(struct store *s, unsigned pages)
{
    char pragma[64];

    snprintf(pragma, sizeof(pragma), "PRAGMA max_page_count = %u", pages);
    return sql_exec(s, pragma);
}

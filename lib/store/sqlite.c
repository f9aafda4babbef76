/* Statements and transactions. How a connection comes to be is in sqlite_open.c. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "store/sqlite_room.h"

/* Turns what SQLite said into this module's words, and keeps its text for the logs. */
int sql_fail(struct store *s, int rc)
{
    int primary = rc & 0xff;

    snprintf(s->failure, sizeof(s->failure), "SQLite %d: %s", rc, sqlite3_errmsg(s->db));

    switch (primary) {
    case SQLITE_CONSTRAINT:
        if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
            rc == SQLITE_CONSTRAINT_ROWID)
            return STORE_E_EXISTS;
        return rc == SQLITE_CONSTRAINT_FOREIGNKEY ? STORE_E_ABSENT : -EINVAL;
    case SQLITE_FULL:
        return STORE_E_FULL;
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_NOMEM)
            return -ENOMEM;
        return s->disk_full ? STORE_E_FULL : -EIO;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_TOOBIG:
        return -EMSGSIZE;
    case SQLITE_INTERRUPT:
        return -EINTR;
    default: /* CORRUPT, NOTADB, CANTOPEN, and what should not be */
        return -EIO;
    }
}

/*
 * SQLite knows ENOSPC as "full", but a quota or a bound on the file's size as any error of writing,
 * and sqlite3_system_errno() says nothing after a step: so errno itself is looked at.
 */
static int step(struct query *q)
{
    int rc;

    errno = 0;
    rc = sqlite3_step(q->statement->handle);
    q->store->disk_full =
        rc == SQLITE_IOERR_WRITE && (errno == EFBIG || errno == EDQUOT || errno == ENOSPC);
    return rc;
}

/*
 * A full disk or memory makes SQLite roll back the whole transaction by itself. What would follow
 * would then be committed one by one: so remember, and refuse all until store_rollback().
 */
static int fail_step(struct store *s, int rc)
{
    int r = sql_fail(s, rc);

    if (s->depth > 0 && !s->lost && sqlite3_get_autocommit(s->db))
        s->lost = r;
    return r;
}

static struct statement *statement_find(struct store *s, const char *sql)
{
    size_t i = ((uintptr_t)sql >> 3) % STATEMENTS_MAX;

    for (size_t tried = 0; tried < STATEMENTS_MAX; tried++) {
        struct statement *st = &s->statements[i];
        if (!st->sql || st->sql == sql)
            return st;
        i = (i + 1) % STATEMENTS_MAX;
    }
    return NULL;
}

static int statement_prepare(struct store *s, struct statement *st, const char *sql)
{
    sqlite3_stmt *prepared;
    int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL);

    if (rc != SQLITE_OK)
        return sql_fail(s, rc);
    st->sql = sql;
    st->handle = prepared;
    return 0;
}

/* One that is prepared and not in use, or a passing one that query_close() frees. */
static int statement_take(struct store *s, const char *sql, struct statement **out)
{
    struct statement *st = statement_find(s, sql);
    int r;

    if (!st || st->busy) {
        st = calloc(1, sizeof(*st));
        if (!st)
            return -ENOMEM;
        st->passing = true;
    }
    if (!st->handle) {
        r = statement_prepare(s, st, sql);
        if (r) {
            if (st->passing)
                free(st);
            return r;
        }
    }
    st->busy = true;
    *out = st;
    return 0;
}

struct query query_open(struct store *s, const char *sql)
{
    struct query q = {.store = s, .error = s->lost};

    if (!q.error)
        q.error = statement_take(s, sql, &q.statement);
    return q;
}

void query_close(struct query *q)
{
    struct statement *st = q->statement;

    if (!st)
        return;
    if (st->passing) {
        sqlite3_finalize(st->handle);
        free(st);
    } else {
        /* The bound bytes are the caller's and may go away now; every use binds all parameters. */
        sqlite3_reset(st->handle);
        st->busy = false;
    }
    q->statement = NULL;
}

static void bound(struct query *q, int rc)
{
    if (rc != SQLITE_OK)
        q->error = sql_fail(q->store, rc);
}

void query_int(struct query *q, int64_t v)
{
    if (!q->error)
        bound(q, sqlite3_bind_int64(q->statement->handle, ++q->parameter, v));
}

void query_str(struct query *q, struct str s)
{
    if (!q->error)
        bound(q, sqlite3_bind_text64(q->statement->handle, ++q->parameter, s.p ? s.p : "", s.n,
                                     SQLITE_STATIC, SQLITE_UTF8));
}

void query_text(struct query *q, const char *z)
{
    query_str(q, str_of(z));
}

void query_bytes(struct query *q, const void *p, size_t n)
{
    if (!q->error)
        bound(q, sqlite3_bind_blob64(q->statement->handle, ++q->parameter, p ? p : "", n,
                                     SQLITE_STATIC));
}

int query_next(struct query *q)
{
    int rc;

    if (q->error)
        return q->error;
    assert(q->parameter == sqlite3_bind_parameter_count(q->statement->handle));
    rc = step(q);
    q->column = 0;
    if (rc == SQLITE_ROW)
        return 0;
    if (rc == SQLITE_DONE)
        return STORE_E_ABSENT;
    return q->error = fail_step(q->store, rc);
}

int query_run(struct query *q)
{
    int rc;

    if (q->error)
        return q->error;
    assert(q->parameter == sqlite3_bind_parameter_count(q->statement->handle));
    rc = step(q);
    assert(rc != SQLITE_ROW);
    return rc == SQLITE_DONE ? 0 : (q->error = fail_step(q->store, rc));
}

int query_change(struct query *q)
{
    int r = query_run(q);

    if (r)
        return r;
    return sqlite3_changes64(q->store->db) > 0 ? 0 : STORE_E_ABSENT;
}

int64_t query_get_int(struct query *q)
{
    return sqlite3_column_int64(q->statement->handle, q->column++);
}

struct str query_get_str(struct query *q)
{
    sqlite3_stmt *handle = q->statement->handle;
    int i = q->column++;
    const void *p = sqlite3_column_blob(handle, i); /* in UTF-8, as it is stored: no conversion */

    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(handle, i)};
}

/* Rows were bounded when they were written: a longer value says that the file is damaged. */
static void unfit(struct query *q)
{
    snprintf(q->store->failure, sizeof(q->store->failure),
             "column %s holds a value that its bound forbids: the database is damaged",
             sqlite3_column_name(q->statement->handle, q->column - 1));
    q->error = -EIO;
}

void query_get_text(struct query *q, char *dst, size_t cap)
{
    if (str_copy(dst, cap, query_get_str(q)))
        unfit(q);
}

void query_get_bytes(struct query *q, void *dst, size_t n)
{
    struct str s = query_get_str(q);

    if (s.n == n)
        memcpy(dst, s.p, n);
    else
        unfit(q);
}

void query_get_buf(struct query *q, struct buf *out)
{
    int r = buf_str(out, query_get_str(q));

    if (r)
        q->error = r;
}

int query_error(const struct query *q)
{
    return q->error;
}

int query_count(struct query *q, int64_t *n)
{
    int64_t count;
    int r = query_next(q);

    if (r)
        return r;
    count = query_get_int(q);
    if (query_error(q))
        return query_error(q);
    *n = count;
    return 0;
}

int query_place(struct store *s, const char *sql, const char *id, int64_t *place)
{
    int r;

    if (!id)
        return 0;

    _cleanup_(query_close) struct query q = query_open(s, sql);
    query_text(&q, id);
    r = query_next(&q);
    if (r == 0)
        *place = query_get_int(&q);
    return r;
}

static int simple(struct store *s, const char *sql)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);

    return query_run(&q);
}

static const char SQL_READ[] = "BEGIN DEFERRED";
static const char SQL_BEGIN[] = "BEGIN IMMEDIATE";
static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";
static const char SQL_SAVEPOINT[] = "SAVEPOINT step";
static const char SQL_RELEASE[] = "RELEASE step";
static const char SQL_UNDO[] = "ROLLBACK TO step";

int store_read_begin(struct store *s)
{
    int r;

    assert(s->depth == 0);
    if (s->reading)
        return 0;
    r = simple(s, SQL_READ);
    s->reading = r == 0;
    return r;
}

void store_read_end(struct store *s)
{
    if (!s->reading)
        return;
    s->reading = false;
    assert(sqlite3_txn_state(s->db, "main") != SQLITE_TXN_WRITE);
    if (!sqlite3_get_autocommit(s->db))
        simple(s, SQL_COMMIT);
}

int64_t store_changes(const struct store *s)
{
    return sqlite3_total_changes64(s->db);
}

int store_begin(struct store *s)
{
    int r;

    assert(s->depth == 0);
    store_read_end(s);
    r = simple(s, SQL_BEGIN);
    if (r == 0)
        s->depth = 1;
    return r;
}

int store_commit(struct store *s)
{
    int r;

    assert(s->depth == 1);
    r = simple(s, SQL_COMMIT);
    if (r)
        store_rollback(s); /* SQLite may leave it open, to be tried again; we do not */
    else
        s->depth = 0;
    return r;
}

void store_rollback(struct store *s)
{
    if (s->depth == 0)
        return;
    s->depth = 0;
    s->lost = 0;
    if (!sqlite3_get_autocommit(s->db)) {
        char failure[sizeof(s->failure)];

        memcpy(failure, s->failure, sizeof(failure)); /* why we roll back matters, this does not */
        simple(s, SQL_ROLLBACK);
        memcpy(s->failure, failure, sizeof(failure));
    }
}

bool store_in_transaction(const struct store *s)
{
    return s->depth > 0 && !s->lost && !sqlite3_get_autocommit(s->db);
}

int store_savepoint(struct store *s)
{
    int r;

    assert(s->depth > 0);
    r = simple(s, SQL_SAVEPOINT);
    if (r == 0)
        s->depth++;
    return r;
}

int store_release(struct store *s)
{
    int r;

    assert(s->depth > 1);
    r = simple(s, SQL_RELEASE);
    if (r)
        store_undo(s);
    else
        s->depth--;
    return r;
}

void store_undo(struct store *s)
{
    assert(s->depth > 1);
    s->depth--;
    if (s->lost)
        return;
    if (simple(s, SQL_UNDO) || simple(s, SQL_RELEASE)) {
        /* Cannot happen on a sound connection; if it does, nothing of the transaction may stay. */
        if (!s->lost)
            s->lost = -EIO;
    }
}

int sql_enter(struct store *s)
{
    return s->depth > 0 ? store_savepoint(s) : store_begin(s);
}

int sql_leave(struct store *s, int r)
{
    bool nested = s->depth > 1;

    if (r == 0)
        return nested ? store_release(s) : store_commit(s);
    if (nested)
        store_undo(s);
    else
        store_rollback(s);
    return r;
}

int sql_exec(struct store *s, const char *sql)
{
    int rc;

    if (s->lost)
        return s->lost;
    s->disk_full = false;
    rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : fail_step(s, rc);
}

bool sql_is_read_only(const struct store *s)
{
    return sqlite3_db_readonly(s->db, "main") == 1;
}

const char *store_failure(const struct store *s)
{
    return s->failure;
}

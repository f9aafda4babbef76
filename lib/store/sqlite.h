/*
 * The room of SQLite, as the other files of this floor see it: statements that are prepared once a
 * connection, bound and read in order. Nothing here shows SQLite's own types, and nothing above
 * lib/store includes this header.
 *
 *     _cleanup_(query_close) struct query q = query_open(s, SQL);
 *     query_text(&q, id);                   binds the next parameter
 *     r = query_next(&q);                   0: a row; STORE_E_ABSENT: no more
 *     query_get_text(&q, out, sizeof(out)); reads the next column
 *
 * Errors of opening and binding stick to the query and come out of query_next() or query_run();
 * errors of reading come out of query_error(), once the row is read.
 */
#pragma once

#include "store/store.h"

struct statement;

struct query {
    struct store *store;
    struct statement *statement; /* NULL if it could not be prepared */
    int error;
    int parameter, column; /* the last one bound and the last one read, from 1 */
};

/* sql must be a static string: the prepared statement is kept under its address. Nests: a list
 * whose callback calls the same list gets a statement of its own. */
struct query query_open(struct store *s, const char *sql);
void query_close(struct query *q);

/* What is bound stays the caller's and must live until query_close(). */
void query_int(struct query *q, int64_t v);
void query_text(struct query *q, const char *z);
void query_str(struct query *q, struct str s); /* as text */
void query_bytes(struct query *q, const void *p, size_t n);

/* 0: there is a row; STORE_E_ABSENT: no more rows; else the failure. */
int query_next(struct query *q);

/* For statements that change and return no rows: STORE_E_EXISTS (unique), STORE_E_ABSENT (foreign
 * key), STORE_E_FULL, -EINVAL (a check), -EBUSY, -EIO, -ENOMEM, -EROFS. */
int query_run(struct query *q);

/* Runs it; STORE_E_ABSENT if it changed no row. */
int query_change(struct query *q);

int64_t query_get_int(struct query *q);
void query_get_text(struct query *q, char *dst, size_t cap);
void query_get_bytes(struct query *q, void *dst, size_t n); /* of exactly that length */
void query_get_buf(struct query *q, struct buf *out);       /* appends */
struct str query_get_str(struct query *q);                  /* borrowed until the next query_*() */
int query_error(const struct query *q);

/* For a query whose only row is a number, with its parameters bound. */
int query_count(struct query *q, int64_t *n);

/* What a list returns when query_next() has said r: the end of the rows is no failure. */
static inline int query_end(int r)
{
    return r == STORE_E_ABSENT ? 0 : r;
}

/* The number that a list goes on from: of the row with this id, by `sql`. NULL id: *place stays. */
int query_place(struct store *s, const char *sql, const char *id, int64_t *place);

/* Several statements as one: a transaction, or a savepoint if one is open already. leave() keeps
 * if r is 0, undoes otherwise, and returns r or the failure of keeping. */
int sql_enter(struct store *s);
int sql_leave(struct store *s, int r);

/* Any number of statements without parameters: for pragmas and migrations. */
int sql_exec(struct store *s, const char *sql);

/* Brings the schema to the version that this program knows, in one transaction.
 * STORE_E_NEWER; -EINVAL: a database of another kind or program; -EROFS. */
int store_migrate(struct store *s, enum store_kind kind, const char *path, struct err *err);
bool sql_is_read_only(const struct store *s);

/* For tests: the database does not grow beyond so many pages. */
int sql_bound_pages(struct store *s, unsigned pages);

/*
 * The databases: directory.db (replicated facts, no people) and one space.db for each space. This
 * header and its siblings show no SQL and no SQLite type, so that a second engine fits behind them.
 *
 * A struct store is one connection to one database; it belongs to one thread. SQLite underneath:
 * WAL, synchronous=FULL, foreign keys, busy time-out, versioned migrations applied on open.
 *
 * Rows are plain structs with bounded, NUL-terminated texts: no ownership to think about. Functions
 * that list call `each` for each row, in the order said, until it returns non-zero, and return that.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

enum {
    STORE_E_ABSENT = 1, /* no such row */
    STORE_E_EXISTS,     /* one with that key is there already */
    STORE_E_CONFLICT,   /* same key, other content */
    STORE_E_FULL,       /* the disk, or a bound */
    STORE_E_NEWER,      /* the database was written by a later version of Comity */
    STORE_E_STATE,      /* the row is not in a state that allows it */
};

struct store;

enum store_kind { STORE_DIRECTORY, STORE_SPACE };

/* Creates the file (0600) if `create`, migrates, checks. Read-only connections refuse to migrate. */
int store_open(const char *path, enum store_kind kind, bool create, struct store **out,
               struct err *err);
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)

/* Transactions; savepoints nest inside one. begin takes the write lock at once. */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);
int store_savepoint(struct store *s);
int store_release(struct store *s);
void store_undo(struct store *s); /* back to the savepoint, and drop it */

/* Text of the last failure, for logs: never holds values of rows. */
const char *store_failure(const struct store *s);

/* Small named facts: bytes under a name ("count_key", "entity_id"). STORE_E_ABSENT. */
int store_setting_get(struct store *s, const char *name, struct buf *value);
int store_setting_put(struct store *s, const char *name, const void *p, size_t n);

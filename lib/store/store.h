/*
 * The databases: directory.db (replicated facts, no people) and one space.db for each space. This
 * header and its siblings show no SQL and no SQLite type, so that a second engine fits behind them.
 *
 * A struct store is one connection to one database; it belongs to one thread. SQLite underneath:
 * WAL, synchronous=FULL, foreign keys, busy time-out, versioned migrations applied on open.
 *
 * Rows are plain structs with bounded, NUL-terminated texts: no ownership to think about. Functions
 * that list call `each` for each row, in the order said, until it returns non-zero, and return
 * that. Where they take `after`, it is the id of the last row of the page before, or NULL; an id
 * that is not there gives STORE_E_ABSENT. Functions that fill a struct buf append to it.
 *
 * Besides the conditions that each function names, all may return STORE_E_FULL, -EIO, -EBUSY,
 * -ENOMEM, -EROFS, and -EINVAL for a row that no sound caller makes (an unknown state, a text with
 * a NUL).
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

/*
 * Creates the file (0600) if `create`, migrates, checks. *out is owned: store_close().
 *
 * STORE_E_ABSENT (no file and not `create`), STORE_E_NEWER, STORE_E_FULL; -EINVAL: a database of
 * the other kind or of another program; -EROFS: it is of an earlier version, and this process may
 * only read it; -EIO: no database, or damaged; -ENOMEM, and what open(2) gives.
 */
int store_open(const char *path, enum store_kind kind, bool create, struct store **out,
               struct err *err);
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)

/*
 * Transactions; savepoints nest inside one. begin takes the write lock at once (-EBUSY: another
 * process held it for 5 s). A commit or release that fails has undone everything by itself. On a
 * full disk SQLite may give up a whole transaction in the middle: then every call inside it fails
 * with that same error until store_rollback(), and store_in_transaction() is false.
 *
 * Outside a transaction each function below is one by itself.
 */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);
int store_savepoint(struct store *s);
int store_release(struct store *s);
void store_undo(struct store *s); /* back to the savepoint, and drop it */
bool store_in_transaction(const struct store *s);

/* Rows that this connection changed since it was opened, undone ones too: equal before and after a
 * step, it says that the step wrote nothing. */
int64_t store_changes(const struct store *s);

/* Several reads of one state, and cheaper than each by itself: nothing may be written between. Does
 * not nest: a second begin does nothing, and store_begin() ends it. */
int store_read_begin(struct store *s);
void store_read_end(struct store *s);

/* Text of the last failure, for logs: never holds values of rows. */
const char *store_failure(const struct store *s);

/* Small named facts: bytes under a name ("count_key", "entity_id"). get appends to value;
 * STORE_E_ABSENT. put adds or replaces. */
int store_setting_get(struct store *s, const char *name, struct buf *value);
int store_setting_put(struct store *s, const char *name, const void *p, size_t n);

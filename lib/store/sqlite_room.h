/* What one connection is made of: for lib/store/sqlite*.c only. */
#pragma once

#include <sqlite3.h>

#include "store/sqlite.h"

#define STATEMENTS_MAX 128 /* more than this floor has; what does not fit is prepared each time */

struct statement {
    const char *sql; /* static; NULL: a free place */
    sqlite3_stmt *handle;
    bool busy;
    bool passing; /* not in the table: freed when its query closes */
};

struct store {
    sqlite3 *db;
    int depth;      /* 0 outside a transaction, 1 in it, one more for each savepoint */
    bool reading;   /* between store_read_begin() and its end */
    int lost;       /* the failure with which SQLite itself gave up the transaction, else 0 */
    bool disk_full; /* the last step failed in writing, for want of room */
    char failure[256];
    struct statement statements[STATEMENTS_MAX];
};

int sql_fail(struct store *s, int rc);

/* The name of the file system that groups the writes of a commit: see sqlite_vfs.c. */
const char *sql_vfs(void);

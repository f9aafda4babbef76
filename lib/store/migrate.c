/* Versioned migrations. The version is SQLite's user_version, the kind its application_id. */
#include <errno.h>
#include <stdio.h>

#include "store/schema.h"
#include "store/sqlite.h"

struct schema {
    const char *name;
    int64_t application_id; /* "CmDi", "CmSp": what file(1) sees */
    const char *const *migrations;
    int64_t version; /* the newest: how many migrations there are */
};

static const struct schema schemas[] = {
    [STORE_DIRECTORY] = {"directory", 0x436d4469, schema_directory, ARRAY_SIZE(schema_directory)},
    [STORE_SPACE] = {"space", 0x436d5370, schema_space, ARRAY_SIZE(schema_space)},
};

struct found {
    int64_t application_id, version, tables;
};

static int read_int(struct store *s, const char *sql, int64_t *out)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);
    int r = query_next(&q);

    if (r == 0)
        *out = query_get_int(&q);
    return r;
}

static int look(struct store *s, struct found *out)
{
    int r = read_int(s, "PRAGMA application_id", &out->application_id);

    if (r == 0)
        r = read_int(s, "PRAGMA user_version", &out->version);
    if (r == 0)
        r = read_int(s, "SELECT count(*) FROM sqlite_schema", &out->tables);
    return r;
}

static int check(const struct schema *schema, const struct found *found, const char *path,
                 struct err *err)
{
    bool fresh = found->application_id == 0 && found->version == 0 && found->tables == 0;

    if (!fresh && found->application_id != schema->application_id)
        return err_set(err, -EINVAL, "%s is not a %s database of Comity", path, schema->name);
    if (found->version > schema->version) {
        err_set(
            err, 0,
            "%s was written by a later version of Comity: its schema has version %lld, and this "
            "program knows %lld",
            path, (long long)found->version, (long long)schema->version);
        return err_next(err, STORE_E_NEWER,
                        "Start the later version of Comity, or restore a backup of before.");
    }
    return 0;
}

static int apply(struct store *s, const struct schema *schema, int64_t from)
{
    char marks[96];
    int r;

    for (int64_t version = from; version < schema->version; version++) {
        r = sql_exec(s, schema->migrations[version]);
        if (r)
            return r;
    }
    snprintf(marks, sizeof(marks), "PRAGMA application_id = %lld; PRAGMA user_version = %lld;",
             (long long)schema->application_id, (long long)schema->version);
    return sql_exec(s, marks);
}

int store_migrate(struct store *s, enum store_kind kind, const char *path, struct err *err)
{
    const struct schema *schema = &schemas[kind];
    struct found found;
    int r;

    r = look(s, &found);
    if (r)
        return err_set(err, r, "cannot read the database %s: %s", path, store_failure(s));
    r = check(schema, &found, path, err);
    if (r || found.version == schema->version)
        return r;
    if (sql_is_read_only(s))
        return err_set(err, -EROFS,
                       "%s must be brought to this version of Comity, and may only be read", path);

    r = store_begin(s);
    if (r)
        return err_set(err, r, "cannot lock the database %s: %s", path, store_failure(s));
    /* Again: another process may have migrated while we waited for the lock. */
    r = look(s, &found);
    if (r == 0) {
        r = check(schema, &found, path, err);
        if (r) {
            store_rollback(s);
            return r;
        }
        r = apply(s, schema, found.version);
    }
    if (r == 0)
        r = store_commit(s);
    if (r == 0)
        return 0;
    store_rollback(s);
    return err_set(err, r, "cannot bring the database %s to version %lld: %s", path,
                   (long long)schema->version, store_failure(s));
}

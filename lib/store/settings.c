#include "store/sqlite.h"

static const char SQL_GET[] = "SELECT value FROM setting WHERE name = ?";
static const char SQL_PUT[] = "INSERT INTO setting (name, value) VALUES (?, ?)"
                              " ON CONFLICT (name) DO UPDATE SET value = excluded.value";

int store_setting_get(struct store *s, const char *name, struct buf *value)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_GET);
    int r;

    query_text(&q, name);
    r = query_next(&q);
    if (r)
        return r;
    query_get_buf(&q, value);
    return query_error(&q);
}

int store_setting_put(struct store *s, const char *name, const void *p, size_t n)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PUT);

    query_text(&q, name);
    query_bytes(&q, p, n);
    return query_run(&q);
}

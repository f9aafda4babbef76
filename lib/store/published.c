/* Signed documents that the space serves, and the lists that wait to be signed anew. */
#include "store/passes.h"
#include "store/sqlite.h"

static const char SQL_PUT[] =
    "INSERT INTO published (name, iat, exp, token) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
    " SET iat = excluded.iat, exp = excluded.exp, token = excluded.token"
    " WHERE iat <= excluded.iat OR iat > excluded.iat + ?";
static const char SQL_GET[] = "SELECT token, iat, exp FROM published WHERE name = ?";
static const char SQL_SET_DIRTY[] = "INSERT INTO status_list (list, dirty) VALUES (?, ?)"
                                    " ON CONFLICT (list) DO UPDATE SET dirty = excluded.dirty";
static const char SQL_IS_DIRTY[] = "SELECT dirty FROM status_list WHERE list = ?";

int store_published_put(struct store *s, const char *name, struct str token, int64_t iat,
                        int64_t exp)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PUT);
    int r;

    query_text(&q, name);
    query_int(&q, iat);
    query_int(&q, exp);
    query_str(&q, token);
    query_int(&q, LIMIT_CLOCK_SKEW);
    r = query_change(&q);
    return r == STORE_E_ABSENT ? STORE_E_STATE : r;
}

int store_published_get(struct store *s, const char *name, struct buf *token, int64_t *iat,
                        int64_t *exp)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_GET);
    int r;

    query_text(&q, name);
    r = query_next(&q);
    if (r)
        return r;
    query_get_buf(&q, token);
    if (query_error(&q))
        return query_error(&q);
    *iat = query_get_int(&q);
    *exp = query_get_int(&q);
    return 0;
}

int store_status_dirty(struct store *s, unsigned list, bool dirty)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_SET_DIRTY);

    query_int(&q, list);
    query_int(&q, dirty);
    return query_run(&q);
}

int store_status_is_dirty(struct store *s, unsigned list, bool *dirty)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_IS_DIRTY);
    int r;

    query_int(&q, list);
    r = query_next(&q);
    if (r == 0)
        *dirty = query_get_int(&q) != 0;
    if (r == STORE_E_ABSENT)
        *dirty = false; /* nobody has touched that list */
    return query_end(r);
}

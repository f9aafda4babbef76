#include "store/sqlite.h"
#include "store/visits.h"

static const char SQL_PUT[] =
    "INSERT INTO verification (id, desk, body, expires) VALUES (?, ?, ?, ?)";
static const char SQL_GET[] =
    "SELECT body FROM verification WHERE id = ? AND desk = ? AND expires > ?";
/* Rows are appended as time passes, so the first are the oldest. */
static const char SQL_PRUNE[] = "DELETE FROM verification WHERE expires <= ?"
                                " AND n IN (SELECT n FROM verification ORDER BY n LIMIT ?)";

int store_verification_put(struct store *s, const char *id, const char *desk, struct str body,
                           int64_t expires)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PUT);

    query_text(&q, id);
    query_text(&q, desk);
    query_bytes(&q, body.p, body.n);
    query_int(&q, expires);
    return query_run(&q);
}

int store_verification_get(struct store *s, const char *id, const char *desk, int64_t now,
                           struct buf *body)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_GET);
    int r;

    query_text(&q, id);
    query_text(&q, desk);
    query_int(&q, now);
    r = query_next(&q);
    if (r)
        return r;
    query_get_buf(&q, body);
    return query_error(&q);
}

int store_verification_prune(struct store *s, int64_t now)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PRUNE);

    query_int(&q, now);
    query_int(&q, STORE_PRUNE_AT_ONCE);
    return query_run(&q);
}

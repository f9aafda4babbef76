#include "store/sqlite.h"
#include "store/visits.h"

static const char SQL_GET[] = "SELECT digest, answer FROM idempotency WHERE desk = ? AND key = ?";
static const char SQL_PUT[] =
    "INSERT INTO idempotency (desk, key, digest, answer, at) VALUES (?, ?, ?, ?, ?)";
/* Rows are appended as time passes, so the first are the oldest: no scan of a whole day. */
static const char SQL_PRUNE[] = "DELETE FROM idempotency WHERE at < ?"
                                " AND n IN (SELECT n FROM idempotency ORDER BY n LIMIT ?)";

int store_idempotency_get(struct store *s, const char *desk, const char *key,
                          uint8_t body_digest[static 32], struct buf *answer)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_GET);
    uint8_t digest[32];
    int r;

    query_text(&q, desk);
    query_text(&q, key);
    r = query_next(&q);
    if (r)
        return r;
    query_get_bytes(&q, digest, sizeof(digest));
    if (query_error(&q) == 0)
        query_get_buf(&q, answer);
    if (query_error(&q))
        return query_error(&q);
    memcpy(body_digest, digest, sizeof(digest));
    return 0;
}

int store_idempotency_put(struct store *s, const char *desk, const char *key,
                          const uint8_t body_digest[static 32], struct str answer, int64_t at)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PUT);

    query_text(&q, desk);
    query_text(&q, key);
    query_bytes(&q, body_digest, 32);
    query_bytes(&q, answer.p, answer.n);
    query_int(&q, at);
    return query_run(&q);
}

int store_idempotency_prune(struct store *s, int64_t before)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PRUNE);

    query_int(&q, before);
    query_int(&q, STORE_PRUNE_AT_ONCE);
    return query_run(&q);
}

#include "store/peers.h"
#include "store/sqlite.h"

#define COLUMNS "id, space, fingerprint, pinned_at, checked, status_checked, failure, failed_at"

static const char SQL_PUT[] =
    "INSERT INTO peer (" COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
    " WHERE EXISTS (SELECT 1 FROM peer WHERE id = ?1 AND space = ?2)"
    " OR (SELECT count(*) FROM peer WHERE space = ?2) < ?9"
    " ON CONFLICT (id, space) DO UPDATE SET fingerprint = excluded.fingerprint,"
    " pinned_at = excluded.pinned_at, checked = excluded.checked,"
    " status_checked = excluded.status_checked, failure = excluded.failure,"
    " failed_at = excluded.failed_at";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM peer WHERE id = ? AND space = ?";
static const char SQL_REMOVE[] = "DELETE FROM peer WHERE id = ? AND space = ?";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM peer ORDER BY id, space";
static const char SQL_LIST_OF_SPACE[] = "SELECT " COLUMNS " FROM peer WHERE space = ? ORDER BY id";
static const char SQL_CHECKED[] =
    "UPDATE peer SET checked = ?, failure = '', failed_at = 0 WHERE id = ?";
static const char SQL_STATUS_CHECKED[] =
    "UPDATE peer SET status_checked = ?, failure = '', failed_at = 0 WHERE id = ?";
static const char SQL_FAILED[] = "UPDATE peer SET failed_at = ?, failure = ? WHERE id = ?";

static int read_peer(struct query *q, struct peer_row *out)
{
    struct peer_row row = {0};

    query_get_text(q, row.id, sizeof(row.id));
    query_get_text(q, row.space, sizeof(row.space));
    query_get_text(q, row.fingerprint, sizeof(row.fingerprint));
    row.pinned_at = query_get_int(q);
    row.checked = query_get_int(q);
    row.status_checked = query_get_int(q);
    query_get_text(q, row.failure, sizeof(row.failure));
    row.failed_at = query_get_int(q);
    if (query_error(q))
        return query_error(q);
    *out = row;
    return 0;
}

int store_peer_put(struct store *s, const struct peer_row *row)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PUT);
    int r;

    query_text(&q, row->id);
    query_text(&q, row->space);
    query_text(&q, row->fingerprint);
    query_int(&q, row->pinned_at);
    query_int(&q, row->checked);
    query_int(&q, row->status_checked);
    query_text(&q, row->failure);
    query_int(&q, row->failed_at);
    query_int(&q, LIMIT_PEERS);
    r = query_change(&q);
    return r == STORE_E_ABSENT ? STORE_E_FULL : r;
}

int store_peer_get(struct store *s, const char *space, const char *id, struct peer_row *out)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_GET);
    int r;

    query_text(&q, id);
    query_text(&q, space);
    r = query_next(&q);
    return r ? r : read_peer(&q, out);
}

int store_peer_remove(struct store *s, const char *space, const char *id)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_REMOVE);

    query_text(&q, id);
    query_text(&q, space);
    return query_change(&q);
}

int store_peer_list(struct store *s, const char *space, peer_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, space ? SQL_LIST_OF_SPACE : SQL_LIST);
    int r;

    if (space)
        query_text(&q, space);
    while ((r = query_next(&q)) == 0) {
        struct peer_row row;

        r = read_peer(&q, &row);
        if (r == 0)
            r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

/* As much of the text as a row holds, without half a character at its end. */
static void cut(char *dst, size_t cap, const char *text)
{
    size_t n = strlen(text);

    if (n >= cap) {
        n = cap - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(dst, text, n);
    dst[n] = '\0';
}

int store_peer_checked(struct store *s, const char *id, bool status, int64_t at,
                       const char *failure)
{
    bool failed = failure && *failure;
    char text[sizeof(((struct peer_row *)0)->failure)];
    _cleanup_(query_close) struct query q = query_open(s, failed   ? SQL_FAILED
                                                          : status ? SQL_STATUS_CHECKED
                                                                   : SQL_CHECKED);

    query_int(&q, at);
    if (failed) {
        cut(text, sizeof(text), failure);
        query_text(&q, text);
    }
    query_text(&q, id);
    return query_change(&q);
}

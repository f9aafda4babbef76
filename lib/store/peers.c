#include "store/peers.h"
#include "store/sqlite.h"

/* The failure is that of the first document: the configuration's, if it fails, before its lists'.
 */
#define COLUMNS                                                                                    \
    "id, space, fingerprint, pinned_at, checked, status_checked,"                                  \
    " coalesce((SELECT f.failure FROM failing f WHERE f.id = peer.id ORDER BY f.subject LIMIT 1)," \
    " ''), coalesce((SELECT f.failed_at FROM failing f WHERE f.id = peer.id ORDER BY f.subject"    \
    " LIMIT 1), 0)"

static const char SQL_PUT[] =
    "INSERT INTO peer (id, space, fingerprint, pinned_at, checked, status_checked)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6"
    " WHERE EXISTS (SELECT 1 FROM peer WHERE id = ?1 AND space = ?2)"
    " OR (SELECT count(*) FROM peer WHERE space = ?2) < ?7"
    " ON CONFLICT (id, space) DO UPDATE SET fingerprint = excluded.fingerprint,"
    " pinned_at = excluded.pinned_at, checked = excluded.checked,"
    " status_checked = excluded.status_checked";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM peer WHERE id = ? AND space = ?";
static const char SQL_REMOVE[] = "DELETE FROM peer WHERE id = ? AND space = ?";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM peer ORDER BY id, space";
static const char SQL_LIST_OF_SPACE[] = "SELECT " COLUMNS " FROM peer WHERE space = ? ORDER BY id";
static const char SQL_PINS[] = "SELECT " COLUMNS " FROM peer WHERE id = ? ORDER BY space";
static const char SQL_DOCUMENT[] =
    "SELECT p.fingerprint, coalesce(r.iat, 0), coalesce(r.checked, 0), f.id IS NOT NULL FROM peer p"
    " LEFT JOIN record r ON r.kind = ?2 AND r.subject = ?3 AND r.issuer = p.id"
    " LEFT JOIN failing f ON f.id = p.id AND f.subject = ?3 WHERE p.id = ?1 LIMIT 1";
static const char SQL_CHECKED[] = "UPDATE peer SET checked = ? WHERE id = ?";
static const char SQL_STATUS_CHECKED[] = "UPDATE peer SET status_checked = ? WHERE id = ?";
static const char SQL_FAILED[] =
    "INSERT INTO failing (id, subject, failed_at, failure) SELECT ?1, ?2, ?3, ?4"
    " WHERE EXISTS (SELECT 1 FROM peer WHERE id = ?1)"
    " ON CONFLICT (id, subject) DO UPDATE SET failed_at = excluded.failed_at,"
    " failure = excluded.failure";
static const char SQL_WELL[] = "DELETE FROM failing WHERE id = ? AND subject = ?";
static const char SQL_ALL_WELL[] = "DELETE FROM failing WHERE id = ?";
static const char SQL_FORGOTTEN[] =
    "DELETE FROM failing WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM peer WHERE id = ?1)";

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

static int forget(struct store *s, const char *sql, const char *id)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);

    query_text(&q, id);
    return query_run(&q);
}

static int remove_pin(struct store *s, const char *space, const char *id)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_REMOVE);

    query_text(&q, id);
    query_text(&q, space);
    return query_change(&q);
}

int store_peer_remove(struct store *s, const char *space, const char *id)
{
    int r = sql_enter(s);

    if (r)
        return r;
    r = remove_pin(s, space, id);
    if (r == 0)
        r = forget(s, SQL_FORGOTTEN, id);
    return sql_leave(s, r);
}

static int each_peer(struct query *q, peer_each each, void *arg)
{
    int r;

    while ((r = query_next(q)) == 0) {
        struct peer_row row;

        r = read_peer(q, &row);
        if (r == 0)
            r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_peer_list(struct store *s, const char *space, peer_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, space ? SQL_LIST_OF_SPACE : SQL_LIST);

    if (space)
        query_text(&q, space);
    return each_peer(&q, each, arg);
}

int store_peer_pins(struct store *s, const char *id, peer_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_PINS);

    query_text(&q, id);
    return each_peer(&q, each, arg);
}

int store_peer_document(struct store *s, const char *id, const char *kind, const char *subject,
                        struct peer_document *out)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_DOCUMENT);
    struct peer_document found = {0};
    int r;

    query_text(&q, id);
    query_text(&q, kind);
    query_text(&q, subject);
    r = query_next(&q);
    if (r)
        return r;
    query_get_text(&q, found.fingerprint, sizeof(found.fingerprint));
    found.iat = query_get_int(&q);
    found.checked = query_get_int(&q);
    found.failing = query_get_int(&q) != 0;
    if (query_error(&q))
        return query_error(&q);
    *out = found;
    return 0;
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

static int is_well(struct store *s, const char *id, const char *subject)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_WELL);

    query_text(&q, id);
    query_text(&q, subject);
    return query_run(&q);
}

static int set_checked(struct store *s, const char *sql, const char *id, int64_t at)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);

    query_int(&q, at);
    query_text(&q, id);
    return query_change(&q);
}

int store_peer_checked(struct store *s, const char *id, const char *subject, int64_t at)
{
    bool configuration = strcmp(id, subject) == 0;
    int r = sql_enter(s);

    if (r)
        return r;
    r = set_checked(s, configuration ? SQL_CHECKED : SQL_STATUS_CHECKED, id, at);
    if (r == 0)
        r = is_well(s, id, subject);
    return sql_leave(s, r);
}

int store_peer_failed(struct store *s, const char *id, const char *subject, int64_t at,
                      const char *failure)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_FAILED);
    char text[sizeof(((struct peer_row *)0)->failure)];

    cut(text, sizeof(text), failure);
    query_text(&q, id);
    query_text(&q, subject);
    query_int(&q, at);
    query_text(&q, text);
    return query_change(&q);
}

int store_peer_all_well(struct store *s, const char *id)
{
    return forget(s, SQL_ALL_WELL, id);
}

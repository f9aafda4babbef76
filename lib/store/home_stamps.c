/* Stamps that hosts sent about our members. */
#include <errno.h>

#include "store/sqlite.h"
#include "store/visits.h"

static const char SQL_ADD[] =
    "INSERT INTO home_stamp (host, id, revision, pass, digest, checked_in, checked_out, day,"
    " received_at, proven, token, receipt, member)"
    " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, n FROM member WHERE id = ?";
static const char SQL_EARLIER[] =
    "SELECT digest, receipt FROM home_stamp WHERE host = ? AND id = ? AND revision = ?";

#define COLUMNS                                                                                    \
    "h.host, h.id, h.revision, m.id, h.pass, h.digest, h.checked_in, h.checked_out, h.day,"        \
    " h.received_at, h.proven"
#define ALL                                                                                        \
    "SELECT " COLUMNS " FROM home_stamp h INDEXED BY home_stamp_time"                              \
    " JOIN member m ON m.n = h.member WHERE h.received_at < ?"
#define OF_MEMBER                                                                                  \
    "SELECT " COLUMNS " FROM member m JOIN home_stamp h INDEXED BY home_stamp_member"              \
    " ON h.member = m.n WHERE m.id = ? AND h.received_at < ?"
#define LATEST                                                                                     \
    " AND NOT EXISTS (SELECT 1 FROM home_stamp l WHERE l.host = h.host AND l.id = h.id"            \
    " AND l.revision > h.revision)"
#define ORDER " ORDER BY h.received_at DESC, h.n DESC"

static const char SQL_LIST[] = ALL ORDER;
static const char SQL_LIST_OF_MEMBER[] = OF_MEMBER ORDER;
static const char SQL_LATEST[] = ALL LATEST ORDER;
static const char SQL_LATEST_OF_MEMBER[] = OF_MEMBER LATEST ORDER;

static int insert(struct store *s, const struct home_stamp_row *row, struct str token,
                  struct str receipt)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_ADD);

    query_text(&q, row->host);
    query_text(&q, row->id);
    query_int(&q, row->revision);
    query_text(&q, row->pass);
    query_bytes(&q, row->digest, sizeof(row->digest));
    query_int(&q, row->checked_in);
    query_int(&q, row->checked_out);
    query_text(&q, row->day);
    query_int(&q, row->received_at);
    query_int(&q, row->proven);
    query_str(&q, token);
    query_str(&q, receipt);
    query_text(&q, row->member);
    return query_change(&q);
}

int store_home_stamp_add(struct store *s, const struct home_stamp_row *row, struct str token,
                         struct str receipt, struct buf *earlier_receipt)
{
    uint8_t digest[32];
    int r = insert(s, row, token, receipt);

    if (r != STORE_E_EXISTS)
        return r;

    _cleanup_(query_close) struct query q = query_open(s, SQL_EARLIER);
    query_text(&q, row->host);
    query_text(&q, row->id);
    query_int(&q, row->revision);
    r = query_next(&q);
    if (r)
        return r == STORE_E_ABSENT ? -EIO : r;
    query_get_bytes(&q, digest, sizeof(digest));
    if (query_error(&q))
        return query_error(&q);
    if (memcmp(digest, row->digest, sizeof(digest)) != 0)
        return STORE_E_CONFLICT;
    query_get_buf(&q, earlier_receipt);
    return query_error(&q) ? query_error(&q) : STORE_E_EXISTS;
}

static int read_stamp(struct query *q, struct home_stamp_row *out)
{
    struct home_stamp_row row = {0};

    query_get_text(q, row.host, sizeof(row.host));
    query_get_text(q, row.id, sizeof(row.id));
    row.revision = query_get_int(q);
    query_get_text(q, row.member, sizeof(row.member));
    query_get_text(q, row.pass, sizeof(row.pass));
    query_get_bytes(q, row.digest, sizeof(row.digest));
    row.checked_in = query_get_int(q);
    row.checked_out = query_get_int(q);
    query_get_text(q, row.day, sizeof(row.day));
    row.received_at = query_get_int(q);
    row.proven = query_get_int(q) != 0;
    if (query_error(q))
        return query_error(q);
    *out = row;
    return 0;
}

static int list(struct store *s, const char *sql, const char *member, int64_t before, size_t max,
                home_stamp_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);
    int64_t last = 0;
    int r;

    if (member)
        query_text(&q, member);
    query_int(&q, before > 0 ? before : INT64_MAX);
    for (size_t n = 0; (r = query_next(&q)) == 0; n++) {
        struct home_stamp_row row;

        r = read_stamp(&q, &row);
        if (r)
            return r;
        if (n >= max && row.received_at != last)
            return 0;
        last = row.received_at;
        r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_home_stamp_list(struct store *s, const char *member, int64_t before, size_t max,
                          home_stamp_each each, void *arg)
{
    return list(s, member ? SQL_LIST_OF_MEMBER : SQL_LIST, member, before, max, each, arg);
}

int store_home_stamp_latest(struct store *s, const char *member, int64_t before, size_t max,
                            home_stamp_each each, void *arg)
{
    return list(s, member ? SQL_LATEST_OF_MEMBER : SQL_LATEST, member, before, max, each, arg);
}

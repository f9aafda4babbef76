#include "store/passes.h"
#include "store/sqlite.h"

#define COLUMNS "p.id, m.id, p.tier, p.list, p.idx, p.iat, p.exp, p.device, p.state, p.revoked_at"
#define FROM " FROM pass p JOIN member m ON m.n = p.member"

/* Whether the index is free and the pass is put in are one statement, so nothing comes between. */
static const char SQL_ADD[] =
    "INSERT INTO pass (id, tier, list, idx, iat, exp, device, state, revoked_at, member)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, n FROM member WHERE id = ?10 AND NOT EXISTS"
    " (SELECT 1 FROM pass WHERE list = ?3 AND idx = ?4 AND exp > ?11)";
static const char SQL_MEMBER[] = "SELECT n FROM member WHERE id = ?";
static const char SQL_GET[] = "SELECT " COLUMNS FROM " WHERE p.id = ?";
static const char SQL_BY_INDEX[] =
    "SELECT " COLUMNS FROM " WHERE p.list = ? AND p.idx = ? AND p.iat <= ?"
    " ORDER BY p.iat DESC, p.n DESC LIMIT 1";
static const char SQL_SET_STATE[] = "UPDATE pass SET state = ?1, revoked_at = ?2"
                                    " WHERE id = ?3 AND state <> 1";
static const char SQL_STATE[] = "SELECT state FROM pass WHERE id = ?";
static const char SQL_PLACE[] = "SELECT n FROM pass WHERE id = ?";
static const char SQL_LIST[] = "SELECT " COLUMNS FROM " WHERE p.n > ? ORDER BY p.n LIMIT ?";
static const char SQL_LIST_OF_MEMBER[] =
    "SELECT " COLUMNS " FROM member m JOIN pass p ON p.member = m.n"
    " WHERE m.id = ? AND p.n > ? ORDER BY p.n LIMIT ?";
static const char SQL_MARKED[] =
    "SELECT " COLUMNS FROM " WHERE p.list = ? AND p.exp > ? AND p.state <> 0";
static const char SQL_COUNT[] = "SELECT count(*) FROM pass WHERE list = ? AND exp > ?";
static const char SQL_COUNT_LIVE[] = "SELECT count(*) FROM pass WHERE exp > ? AND state = 0";

static int read_pass(struct query *q, struct pass_row *out)
{
    struct pass_row row = {0};

    query_get_text(q, row.id, sizeof(row.id));
    query_get_text(q, row.member, sizeof(row.member));
    query_get_text(q, row.tier, sizeof(row.tier));
    row.list = (unsigned)query_get_int(q);
    row.idx = (uint32_t)query_get_int(q);
    row.iat = query_get_int(q);
    row.exp = query_get_int(q);
    query_get_text(q, row.device, sizeof(row.device));
    row.state = (enum pass_state)query_get_int(q);
    row.revoked_at = query_get_int(q);
    if (query_error(q))
        return query_error(q);
    *out = row;
    return 0;
}

static int each_pass(struct query *q, pass_each each, void *arg)
{
    struct pass_row row;
    int r;

    while ((r = query_next(q)) == 0) {
        r = read_pass(q, &row);
        if (r == 0)
            r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_pass_add(struct store *s, const struct pass_row *row, int64_t now)
{
    int64_t member = 0;
    int r;

    {
        _cleanup_(query_close) struct query q = query_open(s, SQL_ADD);

        query_text(&q, row->id);
        query_text(&q, row->tier);
        query_int(&q, row->list);
        query_int(&q, row->idx);
        query_int(&q, row->iat);
        query_int(&q, row->exp);
        query_text(&q, row->device);
        query_int(&q, row->state);
        query_int(&q, row->revoked_at);
        query_text(&q, row->member);
        query_int(&q, now);
        r = query_change(&q);
    }
    if (r != STORE_E_ABSENT)
        return r;
    /* Nothing was put in: there is no such member, or else the index is taken. */
    r = query_place(s, SQL_MEMBER, row->member, &member);
    return r ? r : STORE_E_EXISTS;
}

int store_pass_get(struct store *s, const char *id, struct pass_row *out)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_GET);
    int r;

    query_text(&q, id);
    r = query_next(&q);
    return r ? r : read_pass(&q, out);
}

int store_pass_by_index(struct store *s, unsigned list, uint32_t idx, int64_t issued_before,
                        struct pass_row *out)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_BY_INDEX);
    int r;

    query_int(&q, list);
    query_int(&q, idx);
    query_int(&q, issued_before);
    r = query_next(&q);
    return r ? r : read_pass(&q, out);
}

int store_pass_set_state(struct store *s, const char *id, enum pass_state state, int64_t at)
{
    int64_t current = 0;
    int r;

    {
        _cleanup_(query_close) struct query q = query_open(s, SQL_SET_STATE);

        query_int(&q, state);
        query_int(&q, state == PASS_REVOKED ? at : 0);
        query_text(&q, id);
        r = query_change(&q);
    }
    if (r != STORE_E_ABSENT)
        return r;
    r = query_place(s, SQL_STATE, id, &current);
    if (r)
        return r;
    return state == PASS_REVOKED ? 0 : STORE_E_STATE;
}

int store_pass_list(struct store *s, const char *member, const char *after, size_t max,
                    pass_each each, void *arg)
{
    int64_t place = 0;
    int r = query_place(s, SQL_PLACE, after, &place);

    if (r)
        return r;

    _cleanup_(query_close) struct query q = query_open(s, member ? SQL_LIST_OF_MEMBER : SQL_LIST);
    if (member)
        query_text(&q, member);
    query_int(&q, place);
    query_int(&q, (int64_t)max);
    return each_pass(&q, each, arg);
}

int store_pass_marked(struct store *s, unsigned list, int64_t now, pass_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_MARKED);

    query_int(&q, list);
    query_int(&q, now);
    return each_pass(&q, each, arg);
}

int store_pass_count(struct store *s, unsigned list, int64_t now, uint32_t *n)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_COUNT);
    int r;

    query_int(&q, list);
    query_int(&q, now);
    r = query_next(&q);
    if (r == 0)
        *n = (uint32_t)query_get_int(&q);
    return r;
}

int store_pass_live_count(struct store *s, int64_t now, int64_t *n)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_COUNT_LIVE);

    query_int(&q, now);
    return query_count(&q, n);
}

#include "store/members.h"
#include "store/sqlite.h"

#define COLUMNS "id, sub, name, tier, email, external_id, language, state, created_at, changed_at"

static const char SQL_ADD[] =
    "INSERT INTO member (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM member WHERE id = ?";
static const char SQL_BY_EXTERNAL_ID[] =
    "SELECT " COLUMNS " FROM member WHERE external_id = ? AND external_id <> ''";
static const char SQL_BY_SUB[] = "SELECT " COLUMNS " FROM member WHERE sub = ?";
static const char SQL_UPDATE[] =
    "UPDATE member SET name = ?, tier = ?, email = ?, external_id = ?, language = ?, state = ?,"
    " changed_at = ? WHERE id = ?";
static const char SQL_PLACE[] = "SELECT n FROM member WHERE id = ?";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM member"
                               " WHERE n > ? AND (state <> 2 OR ?) ORDER BY n LIMIT ?";
static const char SQL_COUNT[] = "SELECT count(*) FROM member WHERE state = ?";

static int read_member(struct query *q, struct member_row *out)
{
    struct member_row row = {0};

    query_get_text(q, row.id, sizeof(row.id));
    query_get_text(q, row.sub, sizeof(row.sub));
    query_get_text(q, row.name, sizeof(row.name));
    query_get_text(q, row.tier, sizeof(row.tier));
    query_get_text(q, row.email, sizeof(row.email));
    query_get_text(q, row.external_id, sizeof(row.external_id));
    query_get_text(q, row.language, sizeof(row.language));
    row.state = (enum member_state)query_get_int(q);
    row.created_at = query_get_int(q);
    row.changed_at = query_get_int(q);
    if (query_error(q))
        return query_error(q);
    *out = row;
    return 0;
}

static int get_member(struct store *s, const char *sql, const char *key, struct member_row *out)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);
    int r;

    query_text(&q, key);
    r = query_next(&q);
    return r ? r : read_member(&q, out);
}

int store_member_add(struct store *s, const struct member_row *row)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_ADD);

    query_text(&q, row->id);
    query_text(&q, row->sub);
    query_text(&q, row->name);
    query_text(&q, row->tier);
    query_text(&q, row->email);
    query_text(&q, row->external_id);
    query_text(&q, row->language);
    query_int(&q, row->state);
    query_int(&q, row->created_at);
    query_int(&q, row->changed_at);
    return query_run(&q);
}

int store_member_get(struct store *s, const char *id, struct member_row *out)
{
    return get_member(s, SQL_GET, id, out);
}

int store_member_by_external_id(struct store *s, const char *external_id, struct member_row *out)
{
    return get_member(s, SQL_BY_EXTERNAL_ID, external_id, out);
}

int store_member_by_sub(struct store *s, const char *sub, struct member_row *out)
{
    return get_member(s, SQL_BY_SUB, sub, out);
}

int store_member_update(struct store *s, const struct member_row *row)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_UPDATE);

    query_text(&q, row->name);
    query_text(&q, row->tier);
    query_text(&q, row->email);
    query_text(&q, row->external_id);
    query_text(&q, row->language);
    query_int(&q, row->state);
    query_int(&q, row->changed_at);
    query_text(&q, row->id);
    return query_change(&q);
}

int store_member_list(struct store *s, const char *after, size_t max, bool removed,
                      member_each each, void *arg)
{
    int64_t place = 0;
    int r = query_place(s, SQL_PLACE, after, &place);

    if (r)
        return r;

    _cleanup_(query_close) struct query q = query_open(s, SQL_LIST);
    query_int(&q, place);
    query_int(&q, removed);
    query_int(&q, (int64_t)max);
    while ((r = query_next(&q)) == 0) {
        struct member_row row;

        r = read_member(&q, &row);
        if (r == 0)
            r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_member_count(struct store *s, enum member_state state, int64_t *n)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_COUNT);

    query_int(&q, state);
    return query_count(&q, n);
}

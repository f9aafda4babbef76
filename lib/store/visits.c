#include "store/visits.h"
#include "store/sqlite.h"

#define COLUMNS                                                                                    \
    "id, home, person, sub, name, tier, status_uri, status_idx, device, nonce, verdict, reasons,"  \
    " confirmed, data_age, day, checked_in, checked_out, desk, stamp_state"
#define PARAMETERS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

static const char SQL_ADD[] = "INSERT INTO visit (" COLUMNS ") VALUES (" PARAMETERS ")";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM visit WHERE id = ?";
static const char SQL_OPEN[] = "SELECT " COLUMNS " FROM visit INDEXED BY visit_open"
                               " WHERE person = ? AND checked_out = 0 ORDER BY n DESC LIMIT 1";
static const char SQL_CHECK_OUT[] = "UPDATE visit SET checked_out = ? WHERE id = ?"
                                    " AND checked_out = 0";
static const char SQL_PLACE[] = "SELECT n FROM visit WHERE id = ?";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM visit WHERE n < ? ORDER BY n DESC LIMIT ?";
/* From the index alone first, so that only the rows of the page are read. INDEXED BY: a plan that
 * walks all visits of all years would be an error here, not a choice. */
static const char SQL_LIST_ON_SITE[] =
    "SELECT " COLUMNS " FROM visit WHERE n IN (SELECT n FROM visit INDEXED BY visit_open"
    " WHERE checked_out = 0 AND n < ? ORDER BY n DESC LIMIT ?) ORDER BY n DESC";
static const char SQL_COUNT[] = "SELECT count(*) FROM visit";
static const char SQL_COUNT_ON_SITE[] =
    "SELECT count(*) FROM visit INDEXED BY visit_open WHERE checked_out = 0";

static int read_visit(struct query *q, struct visit_row *out)
{
    struct visit_row row = {0};

    query_get_text(q, row.id, sizeof(row.id));
    query_get_text(q, row.home, sizeof(row.home));
    query_get_bytes(q, row.person, sizeof(row.person));
    query_get_text(q, row.sub, sizeof(row.sub));
    query_get_text(q, row.name, sizeof(row.name));
    query_get_text(q, row.tier, sizeof(row.tier));
    query_get_text(q, row.status_uri, sizeof(row.status_uri));
    row.status_idx = (uint32_t)query_get_int(q);
    query_get_text(q, row.device, sizeof(row.device));
    query_get_text(q, row.nonce, sizeof(row.nonce));
    query_get_text(q, row.verdict, sizeof(row.verdict));
    query_get_text(q, row.reasons, sizeof(row.reasons));
    row.confirmed = query_get_int(q) != 0;
    row.data_age_s = query_get_int(q);
    query_get_text(q, row.day, sizeof(row.day));
    row.checked_in = query_get_int(q);
    row.checked_out = query_get_int(q);
    query_get_text(q, row.desk, sizeof(row.desk));
    query_get_text(q, row.stamp_state, sizeof(row.stamp_state));
    if (query_error(q))
        return query_error(q);
    *out = row;
    return 0;
}

static int insert(struct store *s, const struct visit_row *row)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_ADD);

    query_text(&q, row->id);
    query_text(&q, row->home);
    query_bytes(&q, row->person, sizeof(row->person));
    query_text(&q, row->sub);
    query_text(&q, row->name);
    query_text(&q, row->tier);
    query_text(&q, row->status_uri);
    query_int(&q, row->status_idx);
    query_text(&q, row->device);
    query_text(&q, row->nonce);
    query_text(&q, row->verdict);
    query_text(&q, row->reasons);
    query_int(&q, row->confirmed);
    query_int(&q, row->data_age_s);
    query_text(&q, row->day);
    query_int(&q, row->checked_in);
    query_int(&q, row->checked_out);
    query_text(&q, row->desk);
    query_text(&q, row->stamp_state);
    return query_run(&q);
}

int store_visit_add(struct store *s, const struct visit_row *row)
{
    int64_t place = 0;
    int r = insert(s, row);

    if (r != STORE_E_EXISTS)
        return r;
    /* One of the two unique keys: the id, or else the proof. */
    r = query_place(s, SQL_PLACE, row->id, &place);
    if (r)
        return r == STORE_E_ABSENT ? STORE_E_CONFLICT : r;
    return STORE_E_EXISTS;
}

int store_visit_get(struct store *s, const char *id, struct visit_row *out)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_GET);
    int r;

    query_text(&q, id);
    r = query_next(&q);
    return r ? r : read_visit(&q, out);
}

int store_visit_open(struct store *s, const uint8_t person[static 32], struct visit_row *out)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_OPEN);
    int r;

    query_bytes(&q, person, 32);
    r = query_next(&q);
    return r ? r : read_visit(&q, out);
}

int store_visit_check_out(struct store *s, const char *id, int64_t at)
{
    int64_t place = 0;
    int r;

    {
        _cleanup_(query_close) struct query q = query_open(s, SQL_CHECK_OUT);

        query_int(&q, at);
        query_text(&q, id);
        r = query_change(&q);
    }
    if (r != STORE_E_ABSENT)
        return r;
    r = query_place(s, SQL_PLACE, id, &place);
    return r ? r : STORE_E_STATE;
}

int store_visit_list(struct store *s, const char *after, size_t max, bool on_site_only,
                     visit_each each, void *arg)
{
    int64_t place = INT64_MAX;
    int r = query_place(s, SQL_PLACE, after, &place);

    if (r)
        return r;

    _cleanup_(query_close) struct query q =
        query_open(s, on_site_only ? SQL_LIST_ON_SITE : SQL_LIST);
    query_int(&q, place);
    query_int(&q, (int64_t)max);
    while ((r = query_next(&q)) == 0) {
        struct visit_row row;

        r = read_visit(&q, &row);
        if (r == 0)
            r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_visit_count(struct store *s, bool on_site_only, int64_t *n)
{
    _cleanup_(query_close) struct query q =
        query_open(s, on_site_only ? SQL_COUNT_ON_SITE : SQL_COUNT);

    return query_count(&q, n);
}

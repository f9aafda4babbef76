/*
 * Stamps on their way home. A stamp row stays when it has been delivered, since token and receipt
 * prove the visit; while its `due` is set it is in the outbox.
 *
 * seq names one attempt to tell the home something. A stamp that is put again gets a new seq, so
 * that an answer which is still under way to the earlier one can no longer settle it.
 */
#include "store/sqlite.h"
#include "store/visits.h"

/* Nothing is put off for longer than the hour and a second of deliver_failed(). A `due` beyond that
 * was written by a clock that was ahead, and counts as due: else it would wait until the time that
 * this clock showed. Of which time it really is, nobody knows: so its home goes first. */
#define FAR "3601"
#define IS_DUE "(due <= ?1 OR due > ?1 + " FAR ")"

#define COUNT_BITS 20
#define COUNT_MASK ((INT64_C(1) << COUNT_BITS) - 1)

static const char SQL_VISIT[] = "SELECT n FROM visit WHERE id = ?";
/* Where the home's least tried stamp waits for a later time, the home did not answer: another one
 * waits with it, so that a home that is away is not asked for each new stamp. */
static const char SQL_ADD[] =
    "INSERT INTO stamp (seq, revision, home, token, due) VALUES (?1, ?2, ?3, ?4,"
    " max(?5, coalesce((SELECT due FROM stamp INDEXED BY stamp_outbox"
    "                   WHERE home = ?3 AND due IS NOT NULL"
    "                   ORDER BY attempts, seq LIMIT 1), 0)))";
static const char SQL_NEWEST[] = "SELECT seq, revision, due IS NOT NULL FROM stamp"
                                 " WHERE seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1";
static const char SQL_REPLACE[] =
    "UPDATE stamp SET seq = seq + 1, revision = ?, home = ?, token = ?, due = ?, attempts = 0"
    " WHERE seq = ?";
static const char SQL_HOMES[] = "SELECT home, max(attempts) FROM stamp INDEXED BY stamp_outbox"
                                " WHERE due IS NOT NULL AND " IS_DUE " GROUP BY home"
                                " ORDER BY min(CASE WHEN due > ?1 THEN 0 ELSE due END), home";
static const char SQL_DUE[] =
    "SELECT s.seq, v.id, s.revision, s.home, s.token, s.due, s.attempts"
    " FROM stamp s INDEXED BY stamp_outbox JOIN visit v ON v.n = s.seq >> 20"
    " WHERE s.home = ?2 AND s.due IS NOT NULL AND " IS_DUE " ORDER BY s.attempts, s.seq LIMIT ?3";
static const char SQL_DEFER[] =
    "UPDATE stamp SET due = ?, attempts = attempts + 1 WHERE seq = ? AND due IS NOT NULL";
static const char SQL_DEFER_HOME[] =
    "UPDATE stamp SET due = ?3 WHERE home = ?2 AND due IS NOT NULL AND " IS_DUE;
static const char SQL_HASTEN[] =
    "UPDATE stamp SET due = ? WHERE home = ? AND due IS NOT NULL AND due > ?";
static const char SQL_RECEIPTED[] = "UPDATE stamp SET due = NULL, receipt = ?, settled_at = ?"
                                    " WHERE seq = ? AND due IS NOT NULL";
static const char SQL_REFUSED[] = "UPDATE stamp SET due = NULL, refusal = ?, settled_at = ?"
                                  " WHERE seq = ? AND due IS NOT NULL";
static const char SQL_VISIT_STATE[] = "UPDATE visit SET stamp_state = ? WHERE n = ? >> 20";
static const char SQL_COUNT[] = "SELECT count(*) FROM stamp WHERE due IS NOT NULL";
static const char SQL_OF_VISIT[] = "SELECT revision, token, receipt FROM stamp"
                                   " WHERE seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1";

static int add(struct store *s, int64_t seq, int64_t revision, const char *home, struct str token,
               int64_t due)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_ADD);

    query_int(&q, seq);
    query_int(&q, revision);
    query_text(&q, home);
    query_str(&q, token);
    query_int(&q, due);
    return query_run(&q);
}

static int replace(struct store *s, int64_t seq, int64_t revision, const char *home,
                   struct str token, int64_t due)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_REPLACE);

    query_int(&q, revision);
    query_text(&q, home);
    query_str(&q, token);
    query_int(&q, due);
    query_int(&q, seq);
    return query_change(&q);
}

static int visit_is(struct store *s, const char *state, int64_t seq)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_VISIT_STATE);

    query_text(&q, state);
    query_int(&q, seq);
    return query_run(&q);
}

/* A correction after the earlier revision was settled. */
static int add_later(struct store *s, int64_t seq, int64_t revision, const char *home,
                     struct str token, int64_t due)
{
    int r = sql_enter(s);

    if (r)
        return r;
    r = add(s, seq, revision, home, token, due);
    if (r == 0)
        r = visit_is(s, "pending", seq);
    return sql_leave(s, r);
}

struct newest {
    int64_t seq, revision;
    bool pending;
};

static int find_newest(struct store *s, int64_t visit, struct newest *out)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_NEWEST);
    int r;

    query_int(&q, visit << COUNT_BITS);
    query_int(&q, visit << COUNT_BITS | COUNT_MASK);
    r = query_next(&q);
    if (r)
        return r;
    out->seq = query_get_int(&q);
    out->revision = query_get_int(&q);
    out->pending = query_get_int(&q) != 0;
    return 0;
}

int store_outbox_put(struct store *s, const char *visit, int64_t revision, const char *home,
                     struct str token, int64_t due)
{
    struct newest newest;
    int64_t n = 0;
    int r = query_place(s, SQL_VISIT, visit, &n);

    if (r)
        return r;
    r = find_newest(s, n, &newest);
    if (r == STORE_E_ABSENT)
        return add(s, n << COUNT_BITS, revision, home, token, due);
    if (r)
        return r;
    if (revision < newest.revision)
        return STORE_E_STATE;
    if (!newest.pending && revision == newest.revision)
        return STORE_E_EXISTS;
    if ((newest.seq & COUNT_MASK) == COUNT_MASK)
        return STORE_E_FULL;
    if (newest.pending)
        return replace(s, newest.seq, revision, home, token, due);
    return add_later(s, newest.seq + 1, revision, home, token, due);
}

int store_outbox_homes(struct store *s, int64_t now, outbox_home_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_HOMES);
    int r;

    query_int(&q, now);
    while ((r = query_next(&q)) == 0) {
        struct outbox_home home = {0};

        query_get_text(&q, home.id, sizeof(home.id));
        home.attempts = (unsigned)query_get_int(&q);
        r = query_error(&q);
        if (r == 0)
            r = each(&home, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_outbox_due(struct store *s, const char *home, int64_t now, size_t max, outbox_each each,
                     void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_DUE);
    int r;

    query_int(&q, now);
    query_text(&q, home);
    query_int(&q, (int64_t)max);
    while ((r = query_next(&q)) == 0) {
        struct outbox_row row = {0};

        row.seq = query_get_int(&q);
        query_get_text(&q, row.visit, sizeof(row.visit));
        row.revision = query_get_int(&q);
        query_get_text(&q, row.home, sizeof(row.home));
        row.token = query_get_str(&q);
        row.due = query_get_int(&q);
        row.attempts = (unsigned)query_get_int(&q);
        r = query_error(&q);
        if (r == 0)
            r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_outbox_defer(struct store *s, int64_t seq, int64_t due)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_DEFER);

    query_int(&q, due);
    query_int(&q, seq);
    return query_change(&q);
}

int store_outbox_defer_home(struct store *s, const char *home, int64_t now, int64_t due)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_DEFER_HOME);

    query_int(&q, now);
    query_text(&q, home);
    query_int(&q, due);
    return query_run(&q);
}

int store_outbox_hasten(struct store *s, const char *home, int64_t now)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_HASTEN);

    query_int(&q, now);
    query_text(&q, home);
    query_int(&q, now);
    return query_run(&q);
}

static int settle(struct store *s, const char *sql, int64_t seq, struct str text, int64_t at)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);

    query_str(&q, text);
    query_int(&q, at);
    query_int(&q, seq);
    return query_change(&q);
}

int store_outbox_receipted(struct store *s, int64_t seq, struct str receipt, int64_t at)
{
    int r = sql_enter(s);

    if (r)
        return r;
    r = settle(s, SQL_RECEIPTED, seq, receipt, at);
    if (r == 0)
        r = visit_is(s, "receipted", seq);
    return sql_leave(s, r);
}

int store_outbox_refused(struct store *s, int64_t seq, const char *code, int64_t at)
{
    int r = sql_enter(s);

    if (r)
        return r;
    r = settle(s, SQL_REFUSED, seq, str_of(code), at);
    if (r == 0)
        r = visit_is(s, "refused", seq);
    return sql_leave(s, r);
}

int store_outbox_count(struct store *s, int64_t *n)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_COUNT);

    return query_count(&q, n);
}

int store_stamp_of_visit(struct store *s, const char *visit, int64_t *revision, struct buf *token,
                         struct buf *receipt)
{
    int64_t n = 0, found;
    int r = query_place(s, SQL_VISIT, visit, &n);

    if (r)
        return r;

    _cleanup_(query_close) struct query q = query_open(s, SQL_OF_VISIT);
    query_int(&q, n << COUNT_BITS);
    query_int(&q, n << COUNT_BITS | COUNT_MASK);
    r = query_next(&q);
    if (r)
        return r;
    found = query_get_int(&q);
    query_get_buf(&q, token);
    query_get_buf(&q, receipt);
    if (query_error(&q))
        return query_error(&q);
    *revision = found;
    return 0;
}

#include <errno.h>

#include "store/peers.h"
#include "store/sqlite.h"

/* A record is only replaced by its own issuer's, and never by an earlier one. */
static const char SQL_PUT[] =
    "INSERT INTO record (kind, subject, issuer, token, iat, checked) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (kind, subject) DO UPDATE SET token = excluded.token, iat = excluded.iat,"
    " checked = excluded.checked WHERE issuer = excluded.issuer AND iat <= excluded.iat";
static const char SQL_OTHER_ISSUER[] =
    "SELECT issuer <> ? FROM record WHERE kind = ? AND subject = ?";
static const char SQL_CHECKED[] = "UPDATE record SET checked = ? WHERE kind = ? AND subject = ?";
static const char SQL_REMOVE_ISSUER[] = "DELETE FROM record WHERE issuer = ?";
/* Two walks along the index instead of a sort, which would set all tokens aside. */
static const char SQL_LIST_CONFIGURATIONS[] =
    "SELECT kind, subject, issuer, token, checked FROM record WHERE kind = 'configuration'"
    " ORDER BY subject";
static const char SQL_LIST_OTHERS[] =
    "SELECT kind, subject, issuer, token, checked FROM record WHERE kind <> 'configuration'"
    " ORDER BY kind, subject";

/* What a list reads into; a longer key is refused when it is put. */
struct record_key {
    char kind[32], subject[LIMIT_ENTITY_ID + 65], issuer[LIMIT_ENTITY_ID + 1];
};

static bool key_fits(const char *kind, const char *subject, const char *issuer)
{
    struct record_key key;

    return strlen(kind) < sizeof(key.kind) && strlen(subject) < sizeof(key.subject) &&
           strlen(issuer) < sizeof(key.issuer);
}

static int why_not_put(struct store *s, const char *kind, const char *subject, const char *issuer)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_OTHER_ISSUER);
    int r;

    query_text(&q, issuer);
    query_text(&q, kind);
    query_text(&q, subject);
    r = query_next(&q);
    if (r)
        return r;
    return query_get_int(&q) ? STORE_E_CONFLICT : STORE_E_STATE;
}

int store_record_put(struct store *s, const char *kind, const char *subject, const char *issuer,
                     struct str token, int64_t iat, int64_t checked)
{
    int r;

    if (!key_fits(kind, subject, issuer))
        return -EINVAL;
    {
        _cleanup_(query_close) struct query q = query_open(s, SQL_PUT);

        query_text(&q, kind);
        query_text(&q, subject);
        query_text(&q, issuer);
        query_str(&q, token);
        query_int(&q, iat);
        query_int(&q, checked);
        r = query_change(&q);
    }
    return r == STORE_E_ABSENT ? why_not_put(s, kind, subject, issuer) : r;
}

int store_record_checked(struct store *s, const char *kind, const char *subject, int64_t checked)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_CHECKED);

    query_int(&q, checked);
    query_text(&q, kind);
    query_text(&q, subject);
    return query_change(&q);
}

int store_record_remove_issuer(struct store *s, const char *issuer)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_REMOVE_ISSUER);

    query_text(&q, issuer);
    return query_run(&q);
}

static int each_record(struct store *s, const char *sql, record_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, sql);
    struct record_key key;
    int r;

    while ((r = query_next(&q)) == 0) {
        struct str token;

        query_get_text(&q, key.kind, sizeof(key.kind));
        query_get_text(&q, key.subject, sizeof(key.subject));
        query_get_text(&q, key.issuer, sizeof(key.issuer));
        token = query_get_str(&q);
        r = query_error(&q);
        if (r == 0)
            r = each(key.kind, key.subject, key.issuer, token, query_get_int(&q), arg);
        if (r)
            return r;
    }
    return query_end(r);
}

int store_record_list(struct store *s, record_each each, void *arg)
{
    int r = each_record(s, SQL_LIST_CONFIGURATIONS, each, arg);

    return r ? r : each_record(s, SQL_LIST_OTHERS, each, arg);
}

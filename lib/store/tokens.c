#include "store/tokens.h"
#include "store/sqlite.h"

#define COLUMNS "id, name, role, hash, created_at, revoked_at"

static const char SQL_ADD[] = "INSERT INTO token (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)";
static const char SQL_REVOKE[] = "UPDATE token SET revoked_at = ?2 WHERE revoked_at = 0 AND n ="
                                 " (SELECT n FROM token WHERE id = ?1 OR (name = ?1 AND revoked_at"
                                 " = 0) ORDER BY id = ?1 DESC LIMIT 1)";
static const char SQL_FIND[] = "SELECT n FROM token WHERE id = ?";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM token ORDER BY n";

int store_token_add(struct store *s, const struct token_row *row)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_ADD);

    query_text(&q, row->id);
    query_text(&q, row->name);
    query_int(&q, row->role);
    query_bytes(&q, row->hash, sizeof(row->hash));
    query_int(&q, row->created_at);
    query_int(&q, row->revoked_at);
    return query_run(&q);
}

int store_token_revoke(struct store *s, const char *id_or_name, int64_t at)
{
    int64_t place = 0;
    int r;

    {
        _cleanup_(query_close) struct query q = query_open(s, SQL_REVOKE);

        query_text(&q, id_or_name);
        query_int(&q, at);
        r = query_change(&q);
    }
    if (r != STORE_E_ABSENT)
        return r;
    r = query_place(s, SQL_FIND, id_or_name, &place);
    return r ? r : STORE_E_STATE;
}

int store_token_list(struct store *s, token_each each, void *arg)
{
    _cleanup_(query_close) struct query q = query_open(s, SQL_LIST);
    int r;

    while ((r = query_next(&q)) == 0) {
        struct token_row row = {0};

        query_get_text(&q, row.id, sizeof(row.id));
        query_get_text(&q, row.name, sizeof(row.name));
        row.role = (enum token_role)query_get_int(&q);
        query_get_bytes(&q, row.hash, sizeof(row.hash));
        row.created_at = query_get_int(&q);
        row.revoked_at = query_get_int(&q);
        r = query_error(&q);
        if (r == 0)
            r = each(&row, arg);
        if (r)
            return r;
    }
    return query_end(r);
}

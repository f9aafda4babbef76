/* Members: what is accepted, what follows a member's state, and imports, which are all or nothing.
 */
#include "lib/app/fixture.h"

#include <stdio.h>

static int count_one(const struct member_row *row, void *arg)
{
    ++*(size_t *)arg;
    return 0;
}

static size_t members(struct world *w)
{
    size_t n = 0;

    assert_int_equal(store_member_list(w->home.space->store, NULL, 100000, true, count_one, &n), 0);
    return n;
}

static int import(struct world *w, const char *csv, bool dry_run, struct import_result *out)
{
    struct err err = {0};

    return member_import(&w->home.thread, w->home.space, str_of(csv), dry_run, out, &err);
}

static struct member_row known(struct world *w, const char *external_id)
{
    struct member_row row;

    assert_int_equal(store_member_by_external_id(w->home.space->store, external_id, &row), 0);
    return row;
}

static void test_facts(void **state)
{
    static const struct {
        const char *name, *tier, *email, *language;
        int result;
    } rows[] = {
        {"Ana", "", "", "", 0},
        {"Ana", "hot-desk_2.0", "a@b", "pt-PT", 0},
        {"", "", "", "", APP_E_INVALID},
        {"  ", "", "", "", APP_E_INVALID},
        {"A\nna", "", "", "", APP_E_INVALID},
        {"A\xffna", "", "", "", APP_E_INVALID},
        {"\xe2\x80\xae"
         "ana",
         "", "", "", APP_E_INVALID},
        {"Ana", "hot desk", "", "", APP_E_INVALID},
        {"Ana", "", "@b", "", APP_E_INVALID},
        {"Ana", "", "a@", "", APP_E_INVALID},
        {"Ana", "", "ab", "", APP_E_INVALID},
        {"Ana", "", "a b@c", "", APP_E_INVALID},
        {"Ana", "", "", "pt PT", APP_E_INVALID},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct member_facts f = {0};
        struct err err = {0};

        strcpy(f.name, rows[i].name);
        strcpy(f.tier, rows[i].tier);
        strcpy(f.email, rows[i].email);
        strcpy(f.language, rows[i].language);
        assert_int_equal(member_check(&f, &err), rows[i].result);
    }
}

static void test_same_external_id(void **state)
{
    struct world *w = *state;
    struct member_facts f = {.name = "Ana", .external_id = "x1"};
    struct member_row row;
    struct err err = {0};

    assert_int_equal(member_add(&w->home.thread, w->home.space, &f, &row, &err), 0);
    assert_string_equal(row.tier, "member");
    assert_string_not_equal(row.id + 4, row.sub);
    assert_int_equal(member_add(&w->home.thread, w->home.space, &f, &row, &err), APP_E_EXISTS);
    assert_int_equal(members(w), 1);
}

/* Passes follow their member, at once for whoever fetches the list. */
static void test_states(void **state)
{
    struct world *w = *state;
    struct member_row member;
    struct pass_row pass;
    struct err err = {0};
    _cleanup_(freep) char *kept = NULL, *revoked = NULL;
    static const struct {
        enum member_state to;
        int result;
        enum reason kept;
    } rows[] = {
        {MEMBER_SUSPENDED, 0, REASON_MEMBER_SUSPENDED},
        {MEMBER_ACTIVE, 0, REASON_PRINTED_PASS},
        {MEMBER_SUSPENDED, 0, REASON_MEMBER_SUSPENDED},
        {MEMBER_REMOVED, 0, REASON_REVOKED},
        {MEMBER_REMOVED, 0, REASON_REVOKED},
        {MEMBER_ACTIVE, APP_E_STATE, REASON_REVOKED},
    };

    world_member(w, "Ana", &member);
    kept = world_issue_to(w, member.id, NULL, NULL);
    revoked = world_issue_to(w, member.id, NULL, &pass);
    assert_int_equal(pass_revoke(&w->home.thread, w->home.space, pass.id, &pass, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct member_row out;

        w->now += 60;
        assert_int_equal(
            member_set_state(&w->home.thread, w->home.space, member.id, rows[i].to, &out, &err),
            rows[i].result);
        side_fetch_status(&w->host, &w->home);
        assert_int_equal(world_ask(w, kept, DESK, NULL), rows[i].kept);
        assert_int_equal(world_ask(w, revoked, DESK, NULL), REASON_REVOKED);
    }
    assert_int_equal(
        member_set_state(&w->home.thread, w->home.space, "mem_none", MEMBER_ACTIVE, &member, &err),
        APP_E_ABSENT);
    const struct issue_request req = {.member = member.id};
    struct issued issued;
    assert_int_equal(pass_issue(&w->home.thread, w->home.space, &req, &issued, &err), APP_E_STATE);
}

static void test_import(void **state)
{
    struct world *w = *state;
    struct import_result r;

    assert_int_equal(import(w,
                            "\xef\xbb\xbf"
                            "name,external_id,email,tier\r\n"
                            "\"Sousa, Ana\",1,ana@a.example,hot\r\n"
                            "Rui,2,,\r\n"
                            "\r\n"
                            "Eva,,,\r\n",
                            false, &r),
                     0);
    assert_int_equal(r.added, 3);
    assert_string_equal(known(w, "1").name, "Sousa, Ana");
    assert_string_equal(known(w, "1").tier, "hot");
    assert_string_equal(known(w, "2").tier, "member");
    assert_int_equal(members(w), 3);
}

static void test_import_updates(void **state)
{
    struct world *w = *state;
    struct import_result r;
    struct member_row before, after;

    assert_int_equal(
        import(w, "name,external_id,email,tier,language\nAna,1,a@b,hot,pt\nRui,2,,,\n", false, &r),
        0);
    before = known(w, "1");
    /* only what the file has a column for is changed */
    assert_int_equal(import(w, "external_id,name\n1,Ana Sousa\n2,Rui\n3,Eva\n", false, &r), 0);
    assert_int_equal(r.added, 1);
    assert_int_equal(r.updated, 1);
    assert_int_equal(r.unchanged, 1);
    after = known(w, "1");
    assert_string_equal(after.name, "Ana Sousa");
    assert_string_equal(after.email, "a@b");
    assert_string_equal(after.tier, "hot");
    assert_string_equal(after.language, "pt");
    assert_string_equal(after.id, before.id);
    assert_string_equal(after.sub, before.sub);
    assert_int_equal(import(w, "external_id,name,email\n1,Ana Sousa,\n", false, &r), 0);
    assert_int_equal(r.updated, 1);
    assert_string_equal(known(w, "1").email, ""); /* the column is there, and empty */
    assert_int_equal(members(w), 3);
}

static void test_dry_run(void **state)
{
    struct world *w = *state;
    struct import_result r;

    assert_int_equal(import(w, "name,external_id\nAna,1\nRui,2\n", true, &r), 0);
    assert_int_equal(r.added, 2);
    assert_int_equal(members(w), 0);
    assert_int_equal(import(w, "name,external_id\nAna,1\nRui,2\n", false, &r), 0);
    assert_int_equal(members(w), 2);
}

static void test_import_errors(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *csv;
        size_t n_errors, line;
        const char *text; /* of the first error holds this */
    } rows[] = {
        {"", 1, 1, "empty"},
        {"\"name\n", 1, 1, "no CSV"},
        {"tier\nhot\nhot\n", 1, 1, "\"name\" is missing"},
        {"name,colour\nAna,red\n", 1, 1, "\"colour\""},
        {"name,name\nAna,Ana\n", 1, 1, "twice"},
        {"name,caf\xe9\nAna,x\n", 1, 1, "column 2"},
        {"name,tier\nAna,hot\nRui,hot desk\nEva,\n,x\n", 2, 3, "hot desk"},
        {"name,email\n\"A\n\na\",a@b\n", 1, 2, "name"},
        {"name\nAna\n\"Rui\n", 1, 3, "quoted"},
        {"name,tier\nAna\n", 1, 2, "fields"},
        {"name,tier\nAna,hot,Rui\n", 1, 2, "fields"},
        {"name,external_id\nAna,7\nRui,7\n", 1, 3, "external_id"},
        {"name,language\nAna,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 1, 2, "language"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct import_result r;

        assert_int_equal(import(w, rows[i].csv, false, &r), APP_E_INVALID);
        if (r.n_errors != rows[i].n_errors || r.errors[0].line != rows[i].line ||
            !strstr(r.errors[0].text, rows[i].text))
            fail_msg("row %zu: %zu errors, the first in line %zu: %s", i, r.n_errors,
                     r.errors[0].line, r.errors[0].text);
        assert_true(str_is_utf8(str_of(r.errors[0].text)));
        assert_int_equal(r.added + r.updated + r.unchanged, 0);
        assert_int_equal(members(w), 0);
    }
}

/* At most so many errors are told as there is room for. */
static void test_many_errors(void **state)
{
    struct world *w = *state;
    _cleanup_(buf_clear) struct buf csv = {0};
    struct import_result r;

    buf_z(&csv, "name,tier\n");
    for (int i = 0; i < 100; i++)
        buf_z(&csv, "Ana,hot desk\n");
    assert_int_equal(import(w, csv.p, false, &r), APP_E_INVALID);
    assert_true(r.n_errors >= ARRAY_SIZE(r.errors));
    for (size_t i = 0; i < ARRAY_SIZE(r.errors); i++)
        assert_int_equal(r.errors[i].line, i + 2);
}

static void test_too_many_rows(void **state)
{
    struct world *w = *state;
    _cleanup_(buf_clear) struct buf csv = {0};
    struct import_result r;

    buf_z(&csv, "name\n");
    for (int i = 0; i <= IMPORT_ROWS_MAX; i++)
        buf_z(&csv, "Ana\n");
    assert_int_equal(import(w, csv.p, false, &r), APP_E_LIMIT);
    assert_int_equal(members(w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),    world_test(test_same_external_id),
        world_test(test_states),         world_test(test_import),
        world_test(test_import_updates), world_test(test_dry_run),
        world_test(test_import_errors),  world_test(test_many_errors),
        world_test(test_too_many_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

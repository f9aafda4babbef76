#include "lib/store/scratch.h"

#include <errno.h>

#include "store/peers.h"

#define T0 1763712000
#define A "https://a.example"
#define B "https://b.example"

static struct peer_row peer_of(const char *space, const char *id)
{
    struct peer_row row = {.fingerprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
                           .pinned_at = T0};

    snprintf(row.space, sizeof(row.space), "%s", space);
    snprintf(row.id, sizeof(row.id), "%s", id);
    return row;
}

static int each(const struct peer_row *row, void *arg)
{
    return gather(arg, row->id);
}

static void a_peer_is_pinned_by_a_space(void **state)
{
    struct scratch *t = *state;
    struct peer_row row = peer_of(A, "https://p.example"), out;
    struct gathered g = {0};

    assert_int_equal(store_peer_get(t->directory, A, row.id, &out), STORE_E_ABSENT);
    assert_int_equal(store_peer_put(t->directory, &row), 0);
    row.checked = T0 + 1;
    assert_int_equal(store_peer_put(t->directory, &row), 0);
    assert_int_equal(store_peer_get(t->directory, A, row.id, &out), 0);
    assert_memory_equal(&out, &row, sizeof(row));
    assert_int_equal(store_peer_get(t->directory, B, row.id, &out), STORE_E_ABSENT);
    row = peer_of(B, "https://o.example");
    assert_int_equal(store_peer_put(t->directory, &row), 0);
    row = peer_of(A, "https://o.example");
    assert_int_equal(store_peer_put(t->directory, &row), 0);
    assert_int_equal(store_peer_list(t->directory, A, each, &g), 0);
    assert_string_equal(g.text, "https://o.example https://p.example ");
    g = (struct gathered){0};
    assert_int_equal(store_peer_list(t->directory, NULL, each, &g), 0);
    assert_int_equal(g.n, 3);
    assert_int_equal(store_peer_remove(t->directory, A, "https://o.example"), 0);
    assert_int_equal(store_peer_remove(t->directory, A, "https://o.example"), STORE_E_ABSENT);
    assert_int_equal(store_peer_get(t->directory, B, "https://o.example", &out), 0);
}

static void a_refresh_concerns_all_spaces_that_pinned(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->directory;
    struct peer_row a = peer_of(A, "https://p.example"), b = peer_of(B, a.id), out;
    const char *const list = "https://p.example/status/0", *const other =
                                                               "https://p.example/status/1";
    struct gathered g = {0};
    char text[301];

    assert_int_equal(store_peer_put(s, &a), 0);
    assert_int_equal(store_peer_put(s, &b), 0);
    assert_int_equal(store_peer_pins(s, a.id, each, &g), 0);
    assert_int_equal(g.n, 2);
    assert_int_equal(store_peer_checked(s, a.id, a.id, T0 + 1), 0);
    assert_int_equal(store_peer_checked(s, a.id, list, T0 + 2), 0);
    assert_int_equal(store_peer_failed(s, a.id, list, T0 + 3, "no route"), 0);
    assert_int_equal(store_peer_get(s, B, a.id, &out), 0);
    assert_int_equal(out.checked, T0 + 1);
    assert_int_equal(out.status_checked, T0 + 2);
    assert_string_equal(out.failure, "no route");
    assert_int_equal(out.failed_at, T0 + 3);
    /* What is well says nothing of what is not; the configuration's failure goes first. */
    assert_int_equal(store_peer_checked(s, a.id, a.id, T0 + 4), 0);
    assert_int_equal(store_peer_checked(s, a.id, other, T0 + 4), 0);
    assert_int_equal(store_peer_get(s, A, a.id, &out), 0);
    assert_string_equal(out.failure, "no route");
    assert_int_equal(store_peer_failed(s, a.id, a.id, T0 + 5, "not its key"), 0);
    assert_int_equal(store_peer_get(s, A, a.id, &out), 0);
    assert_string_equal(out.failure, "not its key");
    assert_int_equal(store_peer_checked(s, a.id, list, T0 + 6), 0);
    assert_int_equal(store_peer_checked(s, a.id, a.id, T0 + 6), 0);
    assert_int_equal(store_peer_get(s, A, a.id, &out), 0);
    assert_string_equal(out.failure, "");
    assert_int_equal(out.failed_at, 0);
    assert_int_equal(store_peer_checked(s, A, A, T0), STORE_E_ABSENT);
    assert_int_equal(store_peer_failed(s, A, A, T0, "x"), STORE_E_ABSENT);

    /* A long text is cut between characters: 159 bytes would end inside the 80th "é". */
    for (size_t i = 0; i < 150; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 3);
    assert_int_equal(store_peer_failed(s, a.id, list, T0 + 7, text), 0);
    assert_int_equal(store_peer_get(s, A, a.id, &out), 0);
    assert_int_equal(strlen(out.failure), 158);
    assert_true(str_is_utf8(str_of(out.failure)));
    assert_int_equal(store_peer_all_well(s, a.id), 0);
    assert_int_equal(store_peer_get(s, A, a.id, &out), 0);
    assert_string_equal(out.failure, "");
}

/* The failure goes with the last pin, and does not meet the next one. */
static void a_document_is_known_while_its_peer_is_pinned(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->directory;
    struct peer_row a = peer_of(A, "https://p.example"), b = peer_of(B, a.id), row;
    const char *const list = "https://p.example/status/0";
    struct peer_document d;

    assert_int_equal(store_peer_document(s, a.id, "status", list, &d), STORE_E_ABSENT);
    assert_int_equal(store_peer_put(s, &a), 0);
    assert_int_equal(store_peer_put(s, &b), 0);
    assert_int_equal(store_peer_document(s, a.id, "status", list, &d), 0);
    assert_string_equal(d.fingerprint, a.fingerprint);
    assert_true(d.iat == 0 && d.checked == 0 && !d.failing);
    assert_int_equal(store_record_put(s, "status", list, a.id, STR("t"), T0 + 1, T0 + 2), 0);
    assert_int_equal(store_peer_failed(s, a.id, list, T0, "no route"), 0);
    assert_int_equal(store_peer_document(s, a.id, "status", list, &d), 0);
    assert_true(d.iat == T0 + 1 && d.checked == T0 + 2 && d.failing);
    assert_int_equal(store_peer_document(s, a.id, "configuration", a.id, &d), 0);
    assert_true(d.iat == 0 && d.checked == 0 && !d.failing);

    assert_int_equal(store_peer_remove(s, A, a.id), 0);
    assert_int_equal(store_peer_get(s, B, a.id, &row), 0);
    assert_string_equal(row.failure, "no route");
    assert_int_equal(store_peer_remove(s, B, a.id), 0);
    assert_int_equal(store_peer_put(s, &a), 0);
    assert_int_equal(store_peer_get(s, A, a.id, &row), 0);
    assert_string_equal(row.failure, "");
}

static void a_space_pins_so_many_and_no_more(void **state)
{
    struct scratch *t = *state;
    struct peer_row row;
    char id[64];

    assert_int_equal(store_begin(t->directory), 0);
    for (int i = 0; i < LIMIT_PEERS; i++) {
        snprintf(id, sizeof(id), "https://p%d.example", i);
        row = peer_of(A, id);
        if (store_peer_put(t->directory, &row) != 0)
            fail_msg("peer %d", i);
    }
    row.checked = T0;
    assert_int_equal(store_peer_put(t->directory, &row), 0); /* replacing adds none */
    row = peer_of(A, "https://one.too.many.example");
    assert_int_equal(store_peer_put(t->directory, &row), STORE_E_FULL);
    row = peer_of(B, "https://one.too.many.example");
    assert_int_equal(store_peer_put(t->directory, &row), 0);
    assert_int_equal(store_commit(t->directory), 0);
}

static int each_record(const char *kind, const char *subject, const char *issuer, struct str token,
                       int64_t checked, void *arg)
{
    char text[128];

    snprintf(text, sizeof(text), "%s|%s|%.*s|%d", kind, subject, STR_ARG(token),
             (int)(checked - T0));
    return gather(arg, text);
}

static int put(struct scratch *t, const char *kind, const char *subject, const char *issuer,
               const char *token, int64_t iat)
{
    return store_record_put(t->directory, kind, subject, issuer, str_of(token), iat, iat + 1);
}

static int only_token(const char *kind, const char *subject, const char *issuer, struct str token,
                      int64_t checked, void *arg)
{
    return buf_str(arg, token);
}

static void a_record_gives_way_to_a_newer_one_of_its_issuer(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->directory;
    _cleanup_(buf_clear) struct buf token = {0};

    assert_int_equal(put(t, "status", A "/status/0", A, "one", T0), 0);
    assert_int_equal(put(t, "status", A "/status/0", A, "two", T0 + 1), 0);
    assert_int_equal(put(t, "status", A "/status/0", A, "old", T0), STORE_E_STATE);
    assert_int_equal(put(t, "status", A "/status/0", B, "theirs", T0 + 9), STORE_E_CONFLICT);
    assert_int_equal(store_record_list(s, only_token, &token), 0);
    assert_true(str_eqz(buf_as_str(&token), "two"));
    assert_int_equal(put(t, "a kind that is longer than a kind may be", A, A, "x", T0), -EINVAL);
}

static void configurations_are_listed_first(void **state)
{
    struct scratch *t = *state;
    struct store *s = t->directory;
    struct gathered g = {0};

    assert_int_equal(put(t, "status", "b/0", B, "1", T0), 0);
    assert_int_equal(put(t, "configuration", "b", B, "2", T0), 0);
    assert_int_equal(put(t, "anything", "a", A, "3", T0), 0);
    assert_int_equal(put(t, "configuration", "a", A, "4", T0), 0);
    assert_int_equal(store_record_checked(s, "status", "b/0", T0 + 50), 0);
    assert_int_equal(store_record_checked(s, "status", "c/0", T0 + 50), STORE_E_ABSENT);
    assert_int_equal(store_record_list(s, each_record, &g), 0);
    assert_string_equal(g.text, "configuration|a|4|1 configuration|b|2|1 anything|a|3|1 "
                                "status|b/0|1|50 ");
    assert_int_equal(store_record_remove_issuer(s, B), 0);
    assert_int_equal(store_record_remove_issuer(s, B), 0);
    g = (struct gathered){0};
    assert_int_equal(store_record_list(s, each_record, &g), 0);
    assert_string_equal(g.text, "configuration|a|4|1 anything|a|3|1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_peer_is_pinned_by_a_space),
        scratch_test(a_refresh_concerns_all_spaces_that_pinned),
        scratch_test(a_document_is_known_while_its_peer_is_pinned),
        scratch_test(a_space_pins_so_many_and_no_more),
        scratch_test(a_record_gives_way_to_a_newer_one_of_its_issuer),
        scratch_test(configurations_are_listed_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

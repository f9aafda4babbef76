#include "lib/base/unit.h"

#include <stdio.h>

#include "base/json.h"
#include "visit/reason.h"

static struct json *read_table(void)
{
    const struct json_bounds bounds = {.bytes = 1 << 20, .depth = 8, .members = 64, .items = 256};
    _cleanup_(freep) char *text = malloc(1 << 20);
    struct json *table = NULL;
    struct err err = {0};
    FILE *f = fopen(PROTO_DIR "/reasons.json", "r");

    assert_non_null(text);
    assert_non_null(f);
    size_t n = fread(text, 1, 1 << 20, f);
    fclose(f);
    if (json_parse((struct str){text, n}, &bounds, &table, &err) != 0)
        fail_msg("proto/reasons.json: %s", err.text);
    return table;
}

static void params_agree(const struct reason_info *info, const struct json *params)
{
    size_t n = 0;

    assert_int_equal(json_kind(params), JSON_OBJECT);
    while (n < REASON_PARAMS_MAX && info->params[n]) {
        if (!json_get(params, info->params[n]))
            fail_msg("%s: proto lacks the param %s", info->code, info->params[n]);
        n++;
    }
    assert_int_equal(json_count(params), n);
}

static void table_is_that_of_proto(void **state)
{
    _cleanup_(json_freep) struct json *table = read_table();
    const struct json *rows = json_get(table, "reasons");

    assert_int_equal(json_count(rows), REASON_COUNT - 1);
    for (size_t i = 0; i < json_count(rows); i++) {
        const struct json *row = json_at(rows, i);
        const struct reason_info *info = reason_info((enum reason)(i + 1));
        int64_t step;

        assert_string_equal(json_z(row, "code"), info->code);
        assert_string_equal(json_z(row, "verdict"), verdict_name(info->verdict));
        assert_string_equal(json_z(row, "text"), info->text);
        assert_string_equal(json_z(row, "next"), info->next);
        assert_int_equal(json_get_int(row, "step", &step), 0);
        assert_int_equal(step, info->step);
        params_agree(info, json_get(row, "params"));
    }
}

/* What the design fixes for strangers, written out once more: a changed verdict breaks programs. */
static void verdicts_are_fixed(void **state)
{
    static const char *const refuse[] = {
        "malformed", "unsupported",      "unknown_issuer",   "not_recognised",
        "suspended", "bad_signature",    "not_yet_valid",    "expired",
        "revoked",   "member_suspended", "holder_proof_bad", "replayed",
        "blocked",   "too_near",         "closed",           "blackout",
    };
    static const char *const ask[] = {
        "status_stale",         "stale_directory",   "conflict",       "unknown_term",
        "holder_proof_missing", "printed_pass",      "allowance_used", "full",
        "notice_required",      "approval_required", "id_required",    "already_checked_in",
    };
    size_t at = 1;

    for (size_t i = 0; i < ARRAY_SIZE(refuse); i++, at++) {
        assert_string_equal(reason_info((enum reason)at)->code, refuse[i]);
        assert_int_equal(reason_info((enum reason)at)->verdict, VERDICT_REFUSE);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ask); i++, at++) {
        assert_string_equal(reason_info((enum reason)at)->code, ask[i]);
        assert_int_equal(reason_info((enum reason)at)->verdict, VERDICT_ASK);
    }
    assert_int_equal(at, REASON_COUNT);
}

static void entries_are_whole(void **state)
{
    for (int i = 1; i < REASON_COUNT; i++) {
        const struct reason_info *info = reason_info((enum reason)i);

        assert_non_null(info->code);
        assert_in_range(info->step, 1, 9);
        assert_true(strlen(info->text) > 10 && info->text[strlen(info->text) - 1] == '.');
        assert_true(strlen(info->next) > 10 && info->next[strlen(info->next) - 1] == '.');
        for (int j = 1; j < i; j++)
            assert_string_not_equal(info->code, reason_info((enum reason)j)->code);
    }
}

static void no_reason_is_harmless(void **state)
{
    assert_int_equal(reason_info(REASON_NONE)->verdict, VERDICT_ADMIT);
    assert_ptr_equal(reason_info((enum reason)REASON_COUNT), reason_info(REASON_NONE));
    assert_ptr_equal(reason_info((enum reason) - 1), reason_info(REASON_NONE));
    assert_string_equal(verdict_name(VERDICT_ADMIT), "admit");
    assert_string_equal(verdict_name(VERDICT_ASK), "ask");
    assert_string_equal(verdict_name(VERDICT_REFUSE), "refuse");
    assert_string_equal(verdict_name((enum verdict)7), "refuse");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_that_of_proto),
        cmocka_unit_test(verdicts_are_fixed),
        cmocka_unit_test(entries_are_whole),
        cmocka_unit_test(no_reason_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

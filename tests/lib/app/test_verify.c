/*
 * From text to verdict: every wrong key, algorithm, type, length, encoding and claim is refused
 * with the reason that its row says. The rows are in verify_*.c, one file for some of the steps.
 */
#include "lib/app/craft.h"

#include <stdio.h>

static void test_all(void **state)
{
    struct craft *c = craft_open(*state);

    verify_form(c);
    verify_claims(c);
    verify_issuer(c);
    verify_holder(c);
    printf("%u presentations\n", c->rows);
    assert_int_equal(c->failed, 0);

    /* every code of steps 1 to 7 was reached, and none of another step */
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        bool ours = reason_info((enum reason)r)->step <= 7;

        if (c->seen[r] != ours)
            fail_msg("%s was %sreached", reason_info((enum reason)r)->code, ours ? "not " : "");
    }
    craft_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {world_test(test_all)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

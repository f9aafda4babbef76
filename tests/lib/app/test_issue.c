/* Issuing a pass: what may change, or be refused, between asking for it and storing it. */
#include "lib/app/fixture.h"

#include <errno.h>

static int issue(struct world *w, const char *member, struct err *err)
{
    const struct issue_request req = {.member = member};
    struct issued issued = {0};
    int r = pass_issue(&w->home.thread, w->home.space, &req, &issued, err);

    issued_clear(&issued);
    return r;
}

static int count(const struct pass_row *row, void *arg)
{
    ++*(size_t *)arg;
    return 0;
}

static size_t passes(struct world *w)
{
    size_t n = 0;

    assert_int_equal(store_pass_list(w->home.space->store, NULL, NULL, 100, count, &n), 0);
    return n;
}

static int first_member(const struct member_row *row, void *arg)
{
    *(struct member_row *)arg = *row;
    return 1;
}

/* As another job of the same group would, after this one looked. */
static int suspend_meanwhile(struct side *s, struct sign_request *req)
{
    _cleanup_(store_closep) struct store *other = NULL;
    struct member_row row;
    struct err err;

    assert_int_equal(store_open(s->space->path, STORE_SPACE, false, &other, &err), 0);
    assert_int_equal(store_member_list(other, NULL, 1, true, first_member, &row), 1);
    row.state = MEMBER_SUSPENDED;
    assert_int_equal(store_member_update(other, &row), 0);
    return 0;
}

static void test_suspended_meanwhile(void **state)
{
    struct world *w = *state;
    struct member_row member;
    struct err err = {0};

    world_member(w, "Ana Sousa", &member);
    side_hook_signer(&w->home, suspend_meanwhile);
    assert_int_equal(issue(w, member.id, &err), APP_E_STATE);
    assert_non_null(strstr(err.text, "suspended"));
    assert_int_equal(passes(w), 0);
}

static int refuse(struct side *s, struct sign_request *req)
{
    return err_set(&req->err, SIGNER_E_REFUSED, "tier is not what a pass may say");
}

static int unreachable(struct side *s, struct sign_request *req)
{
    return err_set(&req->err, -EIO, "the signer does not answer");
}

/* Its reason reaches whoever asked; what it refuses is wrong, and what it cannot do has failed. */
static void test_signer_says_no(void **state)
{
    struct world *w = *state;
    struct member_row member;
    struct err err = {0};

    world_member(w, "Ana Sousa", &member);
    side_hook_signer(&w->home, refuse);
    assert_int_equal(issue(w, member.id, &err), APP_E_INVALID);
    assert_non_null(strstr(err.text, "tier is not what a pass may say"));
    side_hook_signer(&w->home, unreachable);
    assert_int_equal(issue(w, member.id, &err), -EIO);
    assert_non_null(strstr(err.text, "the signer does not answer"));
    assert_int_equal(passes(w), 0);
    side_hook_signer(&w->home, NULL);
    assert_int_equal(issue(w, member.id, &err), 0);
    assert_int_equal(passes(w), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_suspended_meanwhile),
        world_test(test_signer_says_no),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

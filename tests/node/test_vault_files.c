/* The vault's files: counters that only ever grow, and keys that are its own. */
#include "lib/base/unit.h"

#include <errno.h>

#include "base/file.h"
#include "node/vault_fixture.h"

static int64_t next_iat(struct fixture *f, enum sign_kind kind, const char *sub)
{
    _cleanup_(json_freep) struct json *p = payload_of(f, kind);
    struct sign_request req;
    int64_t iat;

    if (sub)
        json_put_z(p, "sub", sub);
    if (sign(f, kind, SPACE, p, &req) != 0)
        fail_msg("%s", req.err.text);
    iat = req.iat;
    sign_request_clear(&req);
    return iat;
}

static void iat_only_ever_grows(void **state)
{
    struct fixture *f = *state;
    int64_t t = f->scratch.now;

    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, NULL), t);
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, NULL), t + 1);
    /* every document has its own */
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, SPACE "/status/3"), t);
    assert_int_equal(next_iat(f, SIGN_CONFIGURATION, NULL), t);
    assert_int_equal(next_iat(f, SIGN_CONFIGURATION, NULL), t + 1);
    reopen(f);
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, NULL), t + 2);
    f->scratch.now = t - 100; /* the clock went back */
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, NULL), t + 3);
    reopen(f);
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, NULL), t + 4);
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, SPACE "/status/3"), t + 1);
    f->scratch.now = t + 100;
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, NULL), t + 100);
}

static int refused_iat(struct fixture *f, enum sign_kind kind, struct err *err)
{
    _cleanup_(json_freep) struct json *p = payload_of(f, kind);
    struct sign_request req;
    int r = sign(f, kind, SPACE, p, &req);

    *err = req.err;
    sign_request_clear(&req);
    return r;
}

/* Hosts would refuse it as of the future, and nobody at home would know. */
static void a_clock_that_was_ahead_is_said(void **state)
{
    static const enum sign_kind kinds[] = {SIGN_STATUS_LIST, SIGN_CONFIGURATION};
    struct fixture *f = *state;
    int64_t t = f->scratch.now, ahead = t + 3650 * 86400LL;
    struct err err;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        f->scratch.now = ahead;
        assert_int_equal(next_iat(f, kinds[i], NULL), ahead);
        f->scratch.now = t;
        assert_int_equal(refused_iat(f, kinds[i], &err), SIGNER_E_REFUSED);
        assert_non_null(strstr(err.text, "3650 days"));
        assert_non_null(strstr(err.next, "counters"));
        reopen(f);
        assert_int_equal(refused_iat(f, kinds[i], &err), SIGNER_E_REFUSED);
        f->scratch.now = ahead + 1 - LIMIT_CLOCK_SKEW; /* what hosts allow for */
        assert_int_equal(next_iat(f, kinds[i], NULL), ahead + 1);
    }
    f->scratch.now = t;
    assert_int_equal(next_iat(f, SIGN_STATUS_LIST, SPACE "/status/3"), t); /* never was ahead */
}

static void path_of(struct fixture *f, const char *name, char path[static 512])
{
    assert_int_equal(state_space_path(&f->scratch.state, AUTHORITY, name, path), 0);
}

static void damaged_counters_stop_signing(void **state)
{
    static const char *const contents[] = {"", "{", "[]", "{\"configuration\":\"x\"}",
                                           "{\"configuration\":-1}"};
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_CONFIGURATION);
    struct sign_request req;
    char path[512];

    path_of(f, "counters", path);
    for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
        FILE *file = fopen(path, "w");

        fputs(contents[i], file);
        fclose(file);
        reopen(f);
        assert_int_equal(sign(f, SIGN_CONFIGURATION, SPACE, p, &req), -EBADMSG);
        sign_request_clear(&req);
    }
    unlink(path);
    reopen(f);
    assert_int_equal(sign(f, SIGN_CONFIGURATION, SPACE, p, &req), -ENOENT);
    sign_request_clear(&req);
}

static void nothing_is_signed_that_cannot_be_counted(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_CONFIGURATION);
    struct sign_request req;
    char path[512];

    next_iat(f, SIGN_CONFIGURATION, NULL);
    path_of(f, "counters.new", path);
    assert_int_equal(mkdir(path, 0700), 0); /* in the way of the new version */
    assert_int_equal(sign(f, SIGN_CONFIGURATION, SPACE, p, &req), -EISDIR);
    sign_request_clear(&req);
    rmdir(path);
    assert_true(next_iat(f, SIGN_CONFIGURATION, NULL) > f->scratch.now);
}

/* ---- files ---- */

static void its_files_are_its_own(void **state)
{
    static const char *const names[] = {"federation.key", "pass.key", "counters"};
    struct fixture *f = *state;
    struct stat st;
    char path[512];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        path_of(f, names[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    assert_false(key_equal(&f->federation, &f->pass));
    assert_int_equal(vault_create(f->vault, SPACE, NULL), -EEXIST);
}

/* A space that could not be founded is removed and founded again while its vault stays open. */
static void a_space_made_again_has_its_new_keys(void **state)
{
    static const char *const names[] = {"federation.key", "pass.key", "counters"};
    struct fixture *f = *state;
    struct key fresh, pass, on_disk, pass_on_disk;
    char path[512];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        path_of(f, names[i], path);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(vault_create(f->vault, SPACE, NULL), 0);
    assert_int_equal(vault_keys(f->vault, SPACE, &fresh, &pass, NULL), 0);
    reopen(f);
    assert_int_equal(vault_keys(f->vault, SPACE, &on_disk, &pass_on_disk, NULL), 0);
    assert_true(key_equal(&fresh, &on_disk));
    assert_true(key_equal(&pass, &pass_on_disk));
    assert_false(key_equal(&fresh, &f->federation));
}

static void a_readable_key_is_not_used(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct key a, b;
    char path[512];

    path_of(f, "pass.key", path);
    assert_int_equal(chmod(path, 0640), 0);
    reopen(f);
    assert_int_equal(vault_keys(f->vault, SPACE, &a, &b, &err), -EPERM);
    assert_non_null(strstr(err.text, "pass.key"));
}

/* One key for both would let whoever signs passes speak for the space. */
static void one_key_is_not_two(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buf_clear) struct buf text = {.max = 8192};
    char federation[512], pass[512];
    struct err err = {0};
    struct key a, b;

    path_of(f, "federation.key", federation);
    path_of(f, "pass.key", pass);
    assert_int_equal(file_read(federation, &text), 0);
    assert_int_equal(unlink(pass), 0);
    assert_int_equal(file_create(pass, buf_as_str(&text)), 0);
    reopen(f);
    assert_int_equal(vault_keys(f->vault, SPACE, &a, &b, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "the same key"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(iat_only_ever_grows),           TEST(a_clock_that_was_ahead_is_said),
        TEST(damaged_counters_stop_signing), TEST(nothing_is_signed_that_cannot_be_counted),
        TEST(its_files_are_its_own),         TEST(a_space_made_again_has_its_new_keys),
        TEST(a_readable_key_is_not_used),    TEST(one_key_is_not_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The socket of a running node: verbs travel, strangers' bytes do not harm, state and lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "clock.h"
#include "control.h"
#include "control_frame.h"

/* Echoes the request; "fail" in it is a failure with a reply. */
static int run_echo(struct verb_call *c)
{
    c->reply = json_copy(c->request);
    if (json_get(c->request, "fail")) {
        err_set(&c->err, 0, "it failed as asked");
        return err_next(&c->err, APP_E_REFUSED, "do not ask");
    }
    return 0;
}

/* Its reply is larger than a message may be. */
static int run_large(struct verb_call *c)
{
    char *z = malloc(CONTROL_BYTES);
    if (!z)
        return -ENOMEM;
    memset(z, 'x', CONTROL_BYTES);
    c->reply = json_object();
    json_put_str(c->reply, "x", (struct str){z, CONTROL_BYTES});
    free(z);
    return 0;
}

static atomic_bool waits;

/* As a fetch does: ends when the node stops, not before. */
static int run_wait(struct verb_call *c)
{
    struct pollfd p = {.fd = c->stop, .events = POLLIN};
    atomic_store(&waits, true);
    return poll(&p, 1, 60000) == 1 ? -ECANCELED : 0;
}

static const struct verb
    waiting = {.name = "wait", .place = VERB_STATE, .no_space = true, .run = run_wait},
    echo = {.name = "echo", .place = VERB_STATE, .no_space = true, .run = run_echo},
    large = {.name = "large", .place = VERB_STATE, .no_space = true, .run = run_large},
    here = {.name = "here", .place = VERB_HERE, .no_space = true, .run = run_echo},
    wanting = {.name = "wanting",
               .place = VERB_STATE,
               .no_space = true,
               .wants = "url",
               .run = run_echo},
    absent = {.name = "absent", .place = VERB_STATE, .no_space = true};
const struct verb *const verbs[] = {&echo, &large, &here, &waiting, &wanting, NULL};

static struct app app;
static struct app_thread thread = {.app = &app};
static struct verb_call base = {.thread = &thread};
static struct state node_state = {.lock = -1};
/* Deeper than a socket's path may be long. */
static char top[] = "/tmp/comity-control-XXXXXX", deep[STATE_PATH_MAX];

static int make_state(void **state)
{
    struct err err = {0};
    if (!mkdtemp(top))
        return -1;
    snprintf(deep, sizeof(deep), "%s/%0100d/state", top, 0);
    return state_create(deep, &node_state, &err);
}

static int drop_state(void **state)
{
    char middle[STATE_PATH_MAX];
    state_close(&node_state);
    snprintf(middle, sizeof(middle), "%s/%0100d", top, 0);
    return state_remove(&node_state) || rmdir(middle) || rmdir(top);
}

static struct control *start(void)
{
    struct control *c = NULL;
    struct err err = {0};
    assert_int_equal(control_start(&node_state, &base, &c, &err), 0);
    return c;
}

static int call(const struct verb *verb, const char *text, int *result, struct json **reply,
                struct err *err)
{
    _cleanup_(json_freep) struct json *request = NULL;
    assert_int_equal(json_parse(str_of(text), &control_bounds, &request, NULL), 0);
    return control_call(&node_state, verb, "", request, result, reply, err);
}

static void *call_waiting(void *arg)
{
    struct json *reply = NULL;
    struct err err = {0};
    int result = 0;
    call(&waiting, "{}", &result, &reply, &err);
    *(int *)arg = result;
    json_free(reply);
    return NULL;
}

static void stopping_breaks_off_what_a_verb_waits_for(void **state)
{
    struct control *c = start();
    pthread_t caller;
    int result = 0;
    assert_int_equal(pthread_create(&caller, NULL, call_waiting, &result), 0);
    while (!atomic_load(&waits))
        sched_yield();
    control_stop(c);
    pthread_join(caller, NULL);
    assert_int_equal(result, -ECANCELED); /* and its caller is told */
}

static void no_node_is_no_failure(void **state)
{
    struct json *reply = NULL;
    int result, r = call(&echo, "{}", &result, &reply, NULL);
    assert_true(r == -ENOENT || r == -ECONNREFUSED);
    assert_null(reply);
}

static void a_request_travels_and_its_reply(void **state)
{
    struct control *c = start();
    _cleanup_(json_freep) struct json *reply = NULL, *failed = NULL;
    struct err err = {0};
    struct stat st;
    char path[512];
    int result = -1;

    assert_int_equal(state_path(&node_state, "comity.sock", path), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(call(&echo, "{\"a\":[1,\"é\"]}", &result, &reply, &err), 0);
    assert_int_equal(result, 0);
    assert_int_equal(json_count(json_get(reply, "a")), 2);

    assert_int_equal(call(&echo, "{\"fail\":1}", &result, &failed, &err), 0);
    assert_int_equal(result, APP_E_REFUSED);
    assert_string_equal(err.text, "it failed as asked");
    assert_string_equal(err.next, "do not ask");
    assert_non_null(json_get(failed, "fail"));
    control_stop(c);
    assert_int_not_equal(stat(path, &st), 0);
}

static void only_verbs_of_a_node_run_in_it(void **state)
{
    struct control *c = start();
    const struct verb *const refused[] = {&here, &absent};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct json *reply = NULL;
        struct err err = {0};
        int result = 0;
        assert_int_equal(call(refused[i], "{}", &result, &reply, &err), 0);
        assert_int_equal(result, APP_E_INVALID);
        assert_null(reply);
    }
    control_stop(c);
}

static void a_request_without_what_the_verb_wants_is_not_run(void **state)
{
    static const char *const bad[] = {"{}", "{\"url\":5}", "{\"url\":null}", "{\"url\":[\"a\"]}"};
    struct control *c = start();
    _cleanup_(json_freep) struct json *reply = NULL;
    int result = -1;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct json *none = NULL;
        struct err err = {0};
        assert_int_equal(call(&wanting, bad[i], &result, &none, &err), 0);
        assert_int_equal(result, APP_E_INVALID);
        assert_non_null(strstr(err.text, "url"));
        assert_null(none);
    }
    assert_int_equal(call(&wanting, "{\"url\":\"a\"}", &result, &reply, NULL), 0);
    assert_int_equal(result, 0);
    control_stop(c);
}

static void a_reply_that_is_too_large_is_said(void **state)
{
    struct control *c = start();
    struct json *reply = NULL;
    struct err err = {0};
    int result = 0;
    assert_int_equal(call(&large, "{}", &result, &reply, &err), 0);
    assert_int_equal(result, APP_E_LIMIT);
    assert_non_null(strstr(err.next, "--limit"));
    control_stop(c);
}

/* After each of these the node still answers. */
static void bytes_that_are_no_request(void **state)
{
    static const struct {
        const char *p;
        size_t n;
    } cases[] = {
        {"", 0},
        {"\0\0", 2},
        {"\0\0\0\x02{}", 6},
        {"\0\0\0\x05{\"a\"", 8},
        {"\0\0\0\x03xyz", 7},
        {"\0\0\0\0", 4},
        {"\xff\xff\xff\xff", 4},
        {"\x01\0\0\0"
         "aaaa",
         8},
    };
    struct control *c = start();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(json_freep) struct json *reply = NULL;
        int result = -1, fd = control_connect(&node_state);
        assert_true(fd >= 0);
        if (cases[i].n)
            assert_int_equal(send(fd, cases[i].p, cases[i].n, MSG_NOSIGNAL), cases[i].n);
        close(fd);
        assert_int_equal(call(&echo, "{}", &result, &reply, NULL), 0);
        assert_int_equal(result, 0);
    }
    control_stop(c);
}

/* A caller who says nothing does not keep the node from stopping. */
static void a_silent_caller_does_not_hold_it(void **state)
{
    struct control *c = start();
    _cleanup_(closep) int fd = control_connect(&node_state);
    assert_true(fd >= 0);
    control_stop(c);
}

static void a_socket_left_behind_is_replaced(void **state)
{
    int fd = control_bind(&node_state);
    assert_true(fd >= 0);
    close(fd); /* as a killed node does: the file stays */
    struct control *c = start();
    _cleanup_(json_freep) struct json *reply = NULL;
    int result = -1;
    assert_int_equal(call(&echo, "{}", &result, &reply, NULL), 0);
    control_stop(c);
}

static void a_state_has_one_lock(void **state)
{
    struct state other = node_state;
    struct err err = {0};
    other.lock = -1;
    assert_int_equal(state_lock(&node_state, &err), 0);
    assert_int_equal(state_lock(&other, &err), STATE_E_LOCKED);
    state_close(&node_state);
    assert_int_equal(state_lock(&other, &err), 0);
    state_close(&other);
}

static void a_folder_in_use_is_no_new_state(void **state)
{
    struct state other;
    struct err err = {0};
    assert_int_equal(state_create(deep, &other, &err), -EEXIST); /* the lock is in it */
    assert_int_equal(state_open(deep, &other, &err), STATE_E_ABSENT);
    assert_non_null(strstr(err.text, deep));
}

static void an_authority_is_no_path(void **state)
{
    char out[512];
    assert_int_equal(state_space_path(&node_state, "a.example:1", "space.db", out), 0);
    assert_int_not_equal(state_space_path(&node_state, "..", "space.db", out), 0);
    assert_int_not_equal(state_space_path(&node_state, "a/../b", "space.db", out), 0);
    assert_int_not_equal(state_space_path(&node_state, "", "space.db", out), 0);
}

static void only_a_trial_moves_the_clock(void **state)
{
    struct app_clock real, moved;
    struct err err = {0};
    unsetenv("COMITY_TRIAL_CLOCK");
    assert_int_equal(clock_real(false, &real, &err), 0);
    setenv("COMITY_TRIAL_CLOCK", "+864000", 1);
    assert_int_equal(clock_real(false, &moved, &err), APP_E_INVALID);
    assert_int_equal(clock_real(true, &moved, &err), 0);
    assert_int_equal(moved.offset, 864000);
    setenv("COMITY_TRIAL_CLOCK", "-3600", 1);
    assert_int_equal(clock_real(true, &moved, &err), 0);
    assert_int_equal(moved.offset, -3600);
    setenv("COMITY_TRIAL_CLOCK", "soon", 1);
    assert_int_equal(clock_real(true, &moved, &err), APP_E_INVALID);
    unsetenv("COMITY_TRIAL_CLOCK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopping_breaks_off_what_a_verb_waits_for),
        cmocka_unit_test(no_node_is_no_failure),
        cmocka_unit_test(a_request_travels_and_its_reply),
        cmocka_unit_test(only_verbs_of_a_node_run_in_it),
        cmocka_unit_test(a_request_without_what_the_verb_wants_is_not_run),
        cmocka_unit_test(a_reply_that_is_too_large_is_said),
        cmocka_unit_test(bytes_that_are_no_request),
        cmocka_unit_test(a_silent_caller_does_not_hold_it),
        cmocka_unit_test(a_socket_left_behind_is_replaced),
        cmocka_unit_test(a_state_has_one_lock),
        cmocka_unit_test(a_folder_in_use_is_no_new_state),
        cmocka_unit_test(an_authority_is_no_path),
        cmocka_unit_test(only_a_trial_moves_the_clock),
    };
    return cmocka_run_group_tests(tests, make_state, drop_state);
}

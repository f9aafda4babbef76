/* The signer as a process: channels, pipelining, and what happens when it is gone. */
#include "lib/base/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "node/payloads.h"
#include "node/scratch.h"
#include "signer.h"
#include "signer_client.h"
#include "signer_wire.h"

#define MANY 100

struct fixture {
    struct scratch scratch;
    struct signer_process *process;
    struct key federation, pass;
};

static struct signer *channel(struct fixture *f, enum signer_channel c)
{
    return signer_channel(f->process, c);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};
    struct signer *s;

    scratch_init(&f->scratch);
    assert_int_equal(signer_start(&f->scratch.state, &f->scratch.clock, &f->process, &err), 0);
    s = channel(f, CHANNEL_MAIN);
    if (s->create(s, SPACE, &err) != 0 || s->keys(s, SPACE, &f->federation, &f->pass, &err) != 0)
        fail_msg("%s", err.text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    signer_stop(f->process);
    scratch_clear(&f->scratch);
    free(f);
    return 0;
}

static void request(struct fixture *f, enum sign_kind kind, struct sign_request *out)
{
    struct json *p = payload_good(kind, f->scratch.now, &f->pass);

    *out = (struct sign_request){.kind = kind, .space = SPACE};
    assert_int_equal(json_write(p, &out->payload), 0);
    json_free(p);
}

static void fill(struct fixture *f, struct sign_request reqs[], struct sign_request *list[], int n)
{
    for (int i = 0; i < n; i++) {
        request(f, SIGN_STAMP, &reqs[i]);
        list[i] = &reqs[i];
    }
}

static void clear(struct sign_request reqs[], int n)
{
    for (int i = 0; i < n; i++)
        sign_request_clear(&reqs[i]);
}

static void creates_and_tells_keys(void **state)
{
    struct fixture *f = *state;
    struct signer *s = channel(f, CHANNEL_CONTROL);
    struct err err = {0};
    struct key a, b;

    assert_int_equal(s->create(s, "https://second.localhost", &err), 0);
    assert_int_equal(s->keys(s, "https://second.localhost", &a, &b, &err), 0);
    assert_int_equal(key_check(&a), 0);
    assert_false(key_equal(&a, &b));
    assert_int_equal(s->create(s, SPACE, &err), -EEXIST);
    assert_true(err.text[0] != '\0');
    assert_int_equal(s->keys(s, "https://third.localhost", &a, &b, &err), SIGNER_E_SPACE);
    assert_non_null(strstr(err.text, "third"));
}

/* More than fit into the socket at once, of all kinds and results, answered in order. */
static void pipelines(void **state)
{
    static const struct key none = {.type = KEY_P256};
    struct fixture *f = *state;
    struct signer *s = channel(f, CHANNEL_WRITER);
    struct sign_request reqs[MANY], *list[MANY];
    struct verifier *v;

    assert_int_equal(verifier_new(2, &v), 0);
    fill(f, reqs, list, MANY);
    for (int i = 0; i < MANY; i += 3) { /* every third is refused */
        buf_reset(&reqs[i].payload);
        buf_printf(&reqs[i].payload, "{\"n\":%d}", i);
    }
    assert_int_equal(s->sign(s, list, MANY), 0);
    for (int i = 0; i < MANY; i++) {
        struct jws jws = {0};

        assert_int_equal(reqs[i].result, i % 3 ? 0 : SIGNER_E_REFUSED);
        if (reqs[i].result != 0)
            continue;
        assert_int_equal(reqs[i].iat, f->scratch.now);
        assert_int_equal(jws_parse(buf_as_str(&reqs[i].token), STAMP_TYP, LIMIT_STAMP, &jws, NULL),
                         0);
        assert_int_equal(jws_check(v, &jws, &f->federation), 0);
        assert_int_not_equal(jws_check(v, &jws, &none), 0);
        jws_clear(&jws);
    }
    clear(reqs, MANY);
    verifier_free(v);
}

/* As large as a payload may be, many at once: neither end may wait for the other to read first. */
static void large_ones_do_not_block(void **state)
{
    struct fixture *f = *state;
    struct signer *s = channel(f, CHANNEL_WRITER);
    struct sign_request reqs[64] = {0}, *list[64];

    for (int i = 0; i < 64; i++) {
        reqs[i] = (struct sign_request){.kind = SIGN_STAMP, .space = SPACE};
        buf_z(&reqs[i].payload, "{\"x\":\"");
        while (reqs[i].payload.n < VAULT_PAYLOAD_MAX - 2)
            buf_ch(&reqs[i].payload, 'x');
        buf_z(&reqs[i].payload, "\"}");
        list[i] = &reqs[i];
    }
    buf_ch(&reqs[5].payload, ' '); /* too long to be sent at all */
    assert_int_equal(s->sign(s, list, 64), 0);
    for (int i = 0; i < 64; i++)
        assert_int_equal(reqs[i].result, SIGNER_E_REFUSED);
    clear(reqs, 64);
    request(f, SIGN_STAMP, &reqs[0]);
    assert_int_equal(s->sign(s, list, 1), 0);
    assert_int_equal(reqs[0].result, 0);
    clear(reqs, 1);
}

struct worker {
    struct fixture *f;
    enum signer_channel channel;
    int bad;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct signer *s = channel(w->f, w->channel);
    struct sign_request reqs[16], *list[16];

    for (int round = 0; round < 20; round++) {
        fill(w->f, reqs, list, 16);
        w->bad += s->sign(s, list, 16) != 0;
        for (int i = 0; i < 16; i++)
            w->bad += reqs[i].result != 0;
        clear(reqs, 16);
    }
    return NULL;
}

static void channels_work_at_once(void **state)
{
    struct fixture *f = *state;
    struct worker workers[SIGNER_CHANNELS];
    pthread_t threads[SIGNER_CHANNELS];

    for (int i = 0; i < SIGNER_CHANNELS; i++) {
        workers[i] = (struct worker){f, (enum signer_channel)i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < SIGNER_CHANNELS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].bad, 0);
    }
}

static void a_killed_child_gives_eio(void **state)
{
    struct fixture *f = *state;
    struct signer *s = channel(f, CHANNEL_WRITER);
    struct sign_request reqs[3], *list[3];
    struct err err = {0};
    struct key a, b;

    kill(signer_pid(f->process), SIGKILL);
    fill(f, reqs, list, 3);
    assert_int_equal(s->sign(s, list, 3), -EIO);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(reqs[i].result, -EIO);
        assert_int_equal(reqs[i].token.n, 0);
        assert_true(reqs[i].err.text[0] != '\0');
    }
    assert_int_equal(s->sign(s, list, 3), -EIO); /* and for good */
    s = channel(f, CHANNEL_NETWORK);
    assert_int_equal(s->keys(s, SPACE, &a, &b, &err), -EIO);
    assert_int_equal(s->create(s, "https://x.localhost", &err), -EIO);
    clear(reqs, 3);
}

static void signals_for_the_node_do_not_end_it(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct fixture *f = *state;
    struct signer *s = channel(f, CHANNEL_MAIN);
    struct key a, b;

    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        kill(signer_pid(f->process), signals[i]);
        assert_int_equal(s->keys(s, SPACE, &a, &b, NULL), 0);
    }
}

/* The signer closes a channel that brings nonsense, and goes on; but whoever finds its channel
 * broken ends the signer, so that the node notices, instead of failing one kind of request for
 * good. */
static void a_broken_channel_ends_the_signer(void **state)
{
    struct fixture *f = *state;
    struct signer_client *bad = (struct signer_client *)channel(f, CHANNEL_CONTROL);
    struct signer *good = channel(f, CHANNEL_WRITER);
    const struct wire_request heads[] = {{.n = WIRE_FRAME_MAX + 1}};
    struct pollfd p = {.fd = bad->fd, .events = POLLIN};
    siginfo_t info = {0};
    struct key a, b;
    char byte;

    assert_int_equal(write(bad->fd, heads, sizeof(heads)), sizeof(heads));
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_true(read(bad->fd, &byte, 1) <= 0);
    assert_int_equal(good->keys(good, SPACE, &a, &b, NULL), 0);
    assert_int_equal(bad->base.keys(&bad->base, SPACE, &a, &b, NULL), -EIO);
    assert_int_equal(waitid(P_PID, (id_t)signer_pid(f->process), &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, SIGKILL);
    assert_int_equal(good->keys(good, SPACE, &a, &b, NULL), -EIO);
}

/* What the parent had open is not open in the child: here a lock, which the child would hold on to.
 */
static void keeps_nothing_of_its_parent(void **state)
{
    struct scratch scratch;
    struct signer_process *process;
    char path[512], link[64], target[512];
    struct key a, b;
    struct signer *s;
    ssize_t n;
    int fd;

    scratch_init(&scratch);
    state_path(&scratch.state, "lock", path);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    assert_int_equal(signer_start(&scratch.state, &scratch.clock, &process, NULL), 0);
    s = signer_channel(process, CHANNEL_MAIN);
    assert_int_equal(s->keys(s, SPACE, &a, &b, NULL), SIGNER_E_SPACE); /* it is up by now */
    close(fd);
    fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    close(fd);
    /* only its channels, beside what everyone has */
    for (int i = 3 + SIGNER_CHANNELS; i < 64; i++) {
        snprintf(link, sizeof(link), "/proc/%d/fd/%d", signer_pid(process), i);
        n = readlink(link, target, sizeof(target));
        assert_int_equal(n, -1);
    }
    signer_stop(process);
    scratch_clear(&scratch);
}

static void stopping_ends_it(void **state)
{
    struct scratch scratch;
    struct signer_process *process;
    pid_t pid;

    scratch_init(&scratch);
    assert_int_equal(signer_start(&scratch.state, &scratch.clock, &process, NULL), 0);
    pid = signer_pid(process);
    signer_stop(process);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    scratch_clear(&scratch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creates_and_tells_keys),           TEST(pipelines),
        TEST(large_ones_do_not_block),          TEST(channels_work_at_once),
        TEST(a_killed_child_gives_eio),         TEST(signals_for_the_node_do_not_end_it),
        TEST(a_broken_channel_ends_the_signer), cmocka_unit_test(keeps_nothing_of_its_parent),
        cmocka_unit_test(stopping_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

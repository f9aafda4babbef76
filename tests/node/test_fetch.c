/* Fetching from a peer that behaves, and from those that do not: real TLS on loopback. */
#include "lib/base/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fetch.h"
#include "loop.h"
#include "node/tls_peer.h"

static struct tls_peer *peer;
static struct fetch_rules rules; /* of a trial that trusts the peer */

static const char *url_of(const char *host, const char *path)
{
    static char url[256];

    snprintf(url, sizeof(url), "https://%s:%u%s", host, peer->port, path);
    return url;
}

static int get_with(const struct fetch_rules *with, struct fetch_request req, const char *path,
                    struct fetch_result *r)
{
    req.url = url_of("good.localhost", path);
    if (!req.max)
        req.max = 4096;
    return fetch_now(with, &req, -1, r);
}

/* Fetches a path by the ordinary rules and expects that result. */
static void expect(const char *path, int want)
{
    struct fetch_result r;

    if (get_with(&rules, (struct fetch_request){0}, path, &r) != want)
        fail_msg("%s: %d instead of %d: %s", path, r.result, want, r.err.text);
    assert_int_equal(r.result, want);
    if (want != 0)
        assert_true(r.err.text[0] != '\0');
    fetch_result_clear(&r);
}

static void brings_what_is_there(void **state)
{
    struct fetch_result r;

    assert_int_equal(
        get_with(&rules, (struct fetch_request){.accept = "application/json"}, "/ok", &r), 0);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body.p, "{\"a\":1}");
    assert_string_equal(r.etag, "\"v1\"");
    fetch_result_clear(&r);

    /* the same, not modified */
    assert_int_equal(get_with(&rules, (struct fetch_request){.etag = "\"v1\""}, "/ok", &r), 0);
    assert_int_equal(r.status, 304);
    assert_int_equal(r.body.n, 0);
    fetch_result_clear(&r);
}

static void posts_with_a_signature(void **state)
{
    const struct fetch_request req = {
        .accept = "text/plain",
        .content_type = "application/json",
        .body = STR("{\"stamps\":[]}"),
        .content_digest = "sha-256=:abc:",
        .signature_input = "sig1=(\"@method\");created=1",
        .signature = "sig1=:def:",
    };
    struct fetch_result r;

    assert_int_equal(get_with(&rules, req, "/post", &r), 0);
    assert_non_null(strstr(r.body.p, "POST /post HTTP/1.1\r\n"));
    assert_non_null(strstr(r.body.p, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(r.body.p, "Content-Digest: sha-256=:abc:\r\n"));
    assert_non_null(strstr(r.body.p, "Signature-Input: sig1=(\"@method\");created=1\r\n"));
    assert_non_null(strstr(r.body.p, "Signature: sig1=:def:\r\n"));
    assert_non_null(strstr(r.body.p, "User-Agent: comity/"));
    assert_non_null(strstr(r.body.p, "\r\n\r\n{\"stamps\":[]}"));
    assert_null(strstr(r.body.p, "Expect:"));
    fetch_result_clear(&r);
}

static void refuses_other_statuses(void **state)
{
    struct fetch_result r;

    expect("/redirect", FETCH_E_REDIRECT);
    expect("/nowhere", FETCH_E_STATUS);
    assert_int_equal(get_with(&rules, (struct fetch_request){0}, "/problem", &r), FETCH_E_STATUS);
    assert_int_equal(r.status, 422);
    assert_string_equal(r.body.p, "{\"code\":\"bad\"}");
    fetch_result_clear(&r);
    /* of a long one only the beginning is of use */
    assert_int_equal(get_with(&rules, (struct fetch_request){0}, "/problem/long", &r),
                     FETCH_E_STATUS);
    assert_int_equal(r.status, 500);
    assert_int_equal(r.body.n, 4096);
    fetch_result_clear(&r);
}

static void counts_bytes(void **state)
{
    struct fetch_result r;

    assert_int_equal(get_with(&rules, (struct fetch_request){.max = 100}, "/exact", &r), 0);
    assert_int_equal(r.body.n, 100);
    fetch_result_clear(&r);
    assert_int_equal(get_with(&rules, (struct fetch_request){.max = 99}, "/exact", &r),
                     FETCH_E_SIZE);
    assert_int_equal(r.body.n, 0);
    fetch_result_clear(&r);
    expect("/endless", FETCH_E_SIZE);
    expect("/headers", FETCH_E_SIZE);
    expect("/interim", FETCH_E_SIZE);
    expect("/cut", FETCH_E_CONNECT);
}

static void takes_no_more_than_was_announced(void **state)
{
    struct fetch_result r;

    if (get_with(&rules, (struct fetch_request){0}, "/liar", &r) == 0)
        assert_int_equal(r.body.n, 10);
    fetch_result_clear(&r);
}

static void wants_its_type(void **state)
{
    struct fetch_result r;

    assert_int_equal(
        get_with(&rules, (struct fetch_request){.accept = "application/jwt"}, "/ok", &r),
        FETCH_E_TYPE);
    fetch_result_clear(&r);
    assert_int_equal(
        get_with(&rules, (struct fetch_request){.accept = "application/js"}, "/ok", &r),
        FETCH_E_TYPE);
    fetch_result_clear(&r);
    /* none at all */
    assert_int_equal(
        get_with(&rules, (struct fetch_request){.accept = "application/json"}, "/exact", &r),
        FETCH_E_TYPE);
    fetch_result_clear(&r);
}

static void has_an_absolute_time(void **state)
{
    struct fetch_rules hasty = rules;
    struct timespec before, after;
    struct fetch_result r;

    hasty.timeout_ms = 700;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(get_with(&hasty, (struct fetch_request){0}, "/drip", &r), FETCH_E_TIME);
    fetch_result_clear(&r);
    assert_int_equal(get_with(&hasty, (struct fetch_request){0}, "/silent", &r), FETCH_E_TIME);
    fetch_result_clear(&r);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_in_range(after.tv_sec - before.tv_sec, 1, 5);
}

static void speaks_http_only(void **state)
{
    expect("/garbage", FETCH_E_PROTOCOL);
    expect("/empty", FETCH_E_PROTOCOL);
}

static void trusts_who_it_should(void **state)
{
    struct fetch_request req = {.max = 4096};
    struct fetch_rules other = rules;
    struct fetch_result r;

    /* trusted, but for another name */
    req.url = url_of("other.localhost", "/ok");
    assert_int_equal(fetch_now(&rules, &req, -1, &r), FETCH_E_TLS);
    fetch_result_clear(&r);
    /* the right name, but by an issuer that is not trusted */
    req.url = url_of("good.localhost", "/ok");
    other.tls_ca[0] = '\0';
    assert_int_equal(fetch_now(&other, &req, -1, &r), FETCH_E_TLS);
    fetch_result_clear(&r);
    strcpy(other.tls_ca, "/nonexistent.pem");
    assert_int_equal(fetch_now(&other, &req, -1, &r), FETCH_E_TLS);
    fetch_result_clear(&r);
}

static void opens_no_socket_to_private_addresses(void **state)
{
    struct fetch_rules real = rules;
    struct fetch_request req = {.url = url_of("good.localhost", "/ok"), .max = 4096};
    unsigned before = atomic_load(&peer->connections);
    struct fetch_result r;

    real.trial = false;
    assert_int_equal(fetch_now(&real, &req, -1, &r), FETCH_E_ADDRESS);
    assert_non_null(strstr(r.err.text, "loopback"));
    assert_true(r.err.next[0] != '\0');
    fetch_result_clear(&r);
    assert_int_equal(atomic_load(&peer->connections), before);
}

static void asks_only_good_urls(void **state)
{
    static const char *const bad[] = {
        "http://good.localhost/ok",
        "ftp://good.localhost/ok",
        "file:///etc/passwd",
        "HTTPS://good.localhost/ok",
        "https://user@good.localhost/ok",
        "https://user:secret@good.localhost/ok",
        "https://127.0.0.1/ok",
        "https://127.1/ok",
        "https://2130706433/ok",
        "https://0x7f.1/ok",
        "https://[::1]/ok",
        "https://good.localhost:443/ok",
        "https://good.localhost:/ok",
        "https://good.localhost:99999/ok",
        "https://Good.localhost/ok",
        "https://good.localhost./ok",
        "https:///ok",
        "https://",
        "https://good.localhost/a b",
        "https://good.localhost/a\r\nX: y",
        "https://good.localhost/a#b",
        "https://good.localhost\\@evil.example/",
        "https://good.localhost?x",
        "",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const struct fetch_request req = {.url = bad[i], .max = 10};
        struct fetch_result r;

        if (fetch_now(&rules, &req, -1, &r) != FETCH_E_URL)
            fail_msg("%s: %d %s", bad[i], r.result, r.err.text);
        fetch_result_clear(&r);
    }
}

static void tells_when_nobody_is_there(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct fetch_request req = {.max = 10};
    struct fetch_result r;
    char url[64];

    /* a port that is taken, but does not listen */
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    snprintf(url, sizeof(url), "https://good.localhost:%u/", ntohs(address.sin_port));
    req.url = url;
    assert_int_equal(fetch_now(&rules, &req, -1, &r), FETCH_E_CONNECT);
    fetch_result_clear(&r);
    close(fd);
}

static void *stop_when_asked(void *arg)
{
    while (atomic_load(&peer->requests) == 0)
        sched_yield();
    eventfd_write(*(int *)arg, 1);
    return NULL;
}

/* Without that it would take as long as its rules allow. */
static void ends_when_it_is_stopped(void **state)
{
    struct fetch_request req = {.url = url_of("good.localhost", "/silent"), .max = 10};
    int stop = eventfd(0, EFD_CLOEXEC);
    struct fetch_rules patient = rules;
    struct fetch_result r;
    pthread_t thread;

    patient.timeout_ms = 100000;
    atomic_store(&peer->requests, 0);
    assert_int_equal(pthread_create(&thread, NULL, stop_when_asked, &stop), 0);
    assert_int_equal(fetch_now(&patient, &req, stop, &r), -ECANCELED);
    assert_non_null(strstr(r.err.text, "stops"));
    fetch_result_clear(&r);
    pthread_join(thread, NULL);
    assert_int_equal(fetch_now(&patient, &req, stop, &r), -ECANCELED); /* and does not begin */
    fetch_result_clear(&r);
    close(stop);
}

static void takes_no_proxy_from_the_environment(void **state)
{
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    expect("/ok", 0);
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
}

/* ---- on a loop ---- */

struct many {
    struct loop *loop;
    struct fetcher *fetcher;
    unsigned started, done, wanted;
    int results[16];
};

static void start_one(struct many *m, const char *path);

static void on_done(void *arg, struct fetch_result *r)
{
    struct many *m = arg;

    if (r->result >= 0 && r->result < 16)
        m->results[r->result]++;
    if (++m->done == m->wanted)
        loop_stop(m->loop);
    else if (m->started < m->wanted)
        start_one(m, "/ok");
}

static void start_one(struct many *m, const char *path)
{
    const struct fetch_request req = {.url = url_of("good.localhost", path), .max = 4096};

    m->started++;
    assert_int_equal(fetcher_start(m->fetcher, &req, on_done, m), 0);
}

static void many_init(struct many *m, const struct fetch_rules *with)
{
    *m = (struct many){0};
    assert_int_equal(loop_new(&m->loop), 0);
    assert_int_equal(fetcher_new(m->loop, with, &m->fetcher), 0);
}

static void many_clear(struct many *m)
{
    fetcher_free(m->fetcher);
    loop_free(m->loop);
}

static void many_at_once_on_few_connections(void **state)
{
    unsigned before = atomic_load(&peer->connections);
    struct many m;

    many_init(&m, &rules);
    m.wanted = 200;
    for (int i = 0; i < 80; i++)
        start_one(&m, "/ok");
    assert_int_equal(m.done, 0); /* never from inside a start */
    loop_run(m.loop);
    assert_int_equal(m.results[0], 200);
    assert_in_range(atomic_load(&peer->connections) - before, 1, LIMIT_FETCH_PARALLEL);
    many_clear(&m);
}

static void each_ends_once_whatever_happens(void **state)
{
    static const char *const paths[] = {"/ok",      "/redirect", "/endless", "/drip",
                                        "/garbage", "/problem",  "/silent",  "#"};
    struct fetch_rules hasty = rules;
    struct many m;

    hasty.timeout_ms = 1000;
    many_init(&m, &hasty);
    m.wanted = ARRAY_SIZE(paths);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        start_one(&m, paths[i]);
    loop_run(m.loop);
    assert_int_equal(m.results[0], 1);
    assert_int_equal(m.results[FETCH_E_REDIRECT], 1);
    assert_int_equal(m.results[FETCH_E_SIZE], 1);
    assert_int_equal(m.results[FETCH_E_TIME], 2);
    assert_int_equal(m.results[FETCH_E_PROTOCOL], 1);
    assert_int_equal(m.results[FETCH_E_STATUS], 1);
    assert_int_equal(m.results[FETCH_E_URL], 1);
    many_clear(&m);
}

static void stop_when_reached(void *arg)
{
    struct many *m = arg;

    if (atomic_load(&peer->requests) > 0)
        loop_stop(m->loop);
    else
        assert_int_equal(loop_post(m->loop, stop_when_reached, m), 0);
}

static void freeing_cancels(void **state)
{
    struct many m;

    many_init(&m, &rules);
    m.wanted = 1000;
    atomic_store(&peer->requests, 0);
    for (int i = 0; i < 50; i++)
        start_one(&m, "/silent");
    stop_when_reached(&m);
    loop_run(m.loop);
    fetcher_free(m.fetcher);
    assert_int_equal(m.done, 0);
    loop_free(m.loop);
}

static void the_queue_is_bounded(void **state)
{
    const struct fetch_request req = {.url = url_of("good.localhost", "/ok"), .max = 10};
    struct many m;
    int n = 0;

    many_init(&m, &rules);
    while (fetcher_start(m.fetcher, &req, on_done, &m) == 0)
        n++;
    assert_int_equal(n, FETCH_QUEUE);
    many_clear(&m);
}

static int set_up(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    peer = tls_peer_start();
    rules.trial = true;
    strcpy(rules.tls_ca, peer->ca);
    return 0;
}

static int tear_down(void **state)
{
    tls_peer_stop(peer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_what_is_there),
        cmocka_unit_test(posts_with_a_signature),
        cmocka_unit_test(refuses_other_statuses),
        cmocka_unit_test(counts_bytes),
        cmocka_unit_test(takes_no_more_than_was_announced),
        cmocka_unit_test(wants_its_type),
        cmocka_unit_test(has_an_absolute_time),
        cmocka_unit_test(speaks_http_only),
        cmocka_unit_test(trusts_who_it_should),
        cmocka_unit_test(opens_no_socket_to_private_addresses),
        cmocka_unit_test(asks_only_good_urls),
        cmocka_unit_test(tells_when_nobody_is_there),
        cmocka_unit_test(ends_when_it_is_stopped),
        cmocka_unit_test(takes_no_proxy_from_the_environment),
        cmocka_unit_test(many_at_once_on_few_connections),
        cmocka_unit_test(each_ends_once_whatever_happens),
        cmocka_unit_test(freeing_cancels),
        cmocka_unit_test(the_queue_is_bounded),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* HTTP and TLS over real sockets: what a connection does from its first byte to its last. */
#include "lib/base/unit.h"

#include "http_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

static void assert_answer(struct peer *p, int status, const char *body)
{
    struct answer a;

    peer_answer(p, &a);
    if (a.status != status || (body && strcmp(a.body, body) != 0))
        fail_msg("%d %.100s, not %d %s", a.status, a.body, status, body ? body : "");
    answer_clear(&a);
}

static void a_connection_serves_many_requests(void **state)
{
    static const char *const ways[] = {NULL, "a.localhost"};
    struct server *s = server_start(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]);

        for (int k = 0; k < 50; k++) {
            peer_get(p, "/hello", "a.localhost");
            assert_answer(p, 200, "hello from a.localhost");
        }
        assert_int_equal(server_connections(s), 1);
        peer_close(p);
        server_await_connections(s, 0);
    }
    server_stop(s);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    static const char *const ways[] = {NULL, "a.localhost"};
    struct server *s = server_start(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]);
        char text[40000] = "", one[200];
        size_t n = 0;

        for (int k = 0; k < 300; k++)
            n += (size_t)snprintf(text + n, sizeof(text) - n,
                                  "GET /item/%d HTTP/1.1\r\nHost: a.localhost\r\n\r\n", k);
        peer_send(p, text, n);
        for (int k = 0; k < 300; k++) {
            snprintf(one, sizeof(one), "%d", k);
            assert_answer(p, 200, one);
        }
        peer_close(p);
    }
    server_stop(s);
}

/* One that is answered later holds back those behind it, and nothing gets stuck inside of TLS. */
static void a_deferred_answer_keeps_its_place(void **state)
{
    static const char *const ways[] = {NULL, "a.localhost"};
    struct server *s = server_start(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]);
        struct answer a;

        peer_say(p, "GET /later HTTP/1.1\r\nHost: a.localhost\r\n\r\n"
                    "GET /hello HTTP/1.1\r\nHost: a.localhost\r\n\r\n");
        server_await_waiting(s, 1);
        peer_say(p, "GET /later HTTP/1.1\r\nHost: a.localhost\r\n\r\n"
                    "GET /item/x HTTP/1.1\r\nHost: a.localhost\r\n\r\n");
        server_release(s);
        peer_answer(p, &a);
        assert_string_equal(a.body, "at last");
        answer_clear(&a);
        assert_answer(p, 200, "hello from a.localhost");
        server_await_waiting(s, 1);
        server_release(s);
        assert_answer(p, 200, "at last");
        assert_answer(p, 200, "x");
        peer_close(p);
    }
    server_stop(s);
}

static void bytes_may_come_one_by_one(void **state)
{
    static const char request[] = "\r\nPOST /echo HTTP/1.1\r\nHost: a.localhost\r\n"
                                  "Content-Type: application/json; charset=utf-8\r\n"
                                  "Content-Length: 7\r\n\r\n[1,2,3]";
    static const char *const ways[] = {NULL, "a.localhost"};
    struct server *s = server_start(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]);

        for (size_t k = 0; k + 1 < sizeof(request); k++)
            peer_send(p, request + k, 1);
        assert_answer(p, 200, "[1,2,3]");
        peer_close(p);
    }
    server_stop(s);
}

static void bodies_up_to_the_bound_are_read(void **state)
{
    static const char *const ways[] = {NULL, "a.localhost"};
    struct server *s = server_start(NULL);
    char *body = malloc(LIMIT_HTTP_BODY + 1);

    (void)state;
    memset(body, 'y', LIMIT_HTTP_BODY);
    body[LIMIT_HTTP_BODY] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]);
        char head[200];

        snprintf(head, sizeof(head),
                 "POST /echo HTTP/1.1\r\nHost: a.localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: %d\r\n\r\n",
                 LIMIT_HTTP_BODY);
        for (int k = 0; k < 3; k++) { /* and the connection lives on */
            peer_say(p, head);
            peer_send(p, body, LIMIT_HTTP_BODY);
            assert_answer(p, 200, body);
        }
        peer_close(p);
    }
    free(body);
    server_stop(s);
}

/* What the path's wildcard stands for is known before the body has come, and still after it. */
static void a_wildcard_outlasts_a_body_that_comes_late(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, NULL);
    struct answer a;

    (void)state;
    peer_say(p, "POST /box/seven HTTP/1.1\r\nHost: a.localhost\r\nExpect: 100-continue\r\n"
                "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n");
    peer_answer_head(p, &a);
    assert_int_equal(a.status, 100); /* so it waits for the body */
    answer_clear(&a);
    peer_say(p, "{}");
    assert_answer(p, 200, "seven");
    peer_close(p);
    server_stop(s);
}

static void a_body_that_is_too_large_is_refused_unread(void **state)
{
    static const char *const ways[] = {NULL, "a.localhost"};
    struct server *s = server_start(NULL);
    char waste[100000];

    (void)state;
    memset(waste, 'z', sizeof(waste));
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]);
        struct answer a;

        peer_say(p, "POST /echo HTTP/1.1\r\nHost: a.localhost\r\nContent-Type: application/json\r\n"
                    "Content-Length: 100000\r\n\r\n");
        peer_send(p, waste, sizeof(waste)); /* what is under way must not cost it the answer */
        peer_answer(p, &a);
        assert_int_equal(a.status, 413);
        assert_non_null(strstr(a.body, "\"code\":\"too_large\""));
        assert_non_null(answer_header(&a, "Connection"));
        answer_clear(&a);
        assert_true(peer_closed(p));
        peer_close(p);
    }
    assert_int_equal(atomic_load(&s->handled), 0);
    server_stop(s);
}

static void continue_is_said_to_those_who_wait_for_it(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, "a.localhost");
    struct answer a;

    (void)state;
    peer_say(p, "POST /echo HTTP/1.1\r\nHost: a.localhost\r\nContent-Type: application/json\r\n"
                "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    peer_answer_head(p, &a);
    assert_int_equal(a.status, 100);
    peer_say(p, "{}");
    assert_answer(p, 200, "{}");
    /* but not to those whose body is not wanted */
    peer_say(p, "POST /hello HTTP/1.1\r\nHost: a.localhost\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\n\r\n");
    assert_answer(p, 405, NULL);
    assert_true(peer_closed(p));
    peer_close(p);
    server_stop(s);
}

static void garbage_is_refused_and_the_connection_closed(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a.localhost\r\nHost: b.localhost\r\n\r\n", 400},
        {"GET /%00 HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: a.localhost\r\n\r\n", 505},
        {"POST /echo HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\n{}\r\n0\r\n\r\n",
         411},
        {"\x16\x03\x01\x02", 400},
        {"\r\n\r\nGET / HTTP/1.1\r\n", 400},
    };
    struct server *s = server_start(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct peer *p = peer_open(s, NULL);

        peer_say(p, cases[i].text);
        assert_answer(p, cases[i].status, NULL);
        assert_true(peer_closed(p));
        peer_close(p);
    }
    server_stop(s);
}

static void oversized_heads_are_refused(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, NULL);
    char header[1000];

    (void)state;
    peer_say(p, "GET /hello HTTP/1.1\r\nHost: a.localhost\r\n");
    memset(header, 'x', sizeof(header));
    memcpy(header, "X: ", 3);
    memcpy(header + sizeof(header) - 2, "\r\n", 2);
    for (int i = 0; i < 50; i++)
        peer_send(p, header, sizeof(header));
    assert_answer(p, 431, NULL);
    assert_true(peer_closed(p));
    peer_close(p);
    server_stop(s);
}

/* However busily it drips, a head is over when its time is. */
static void slow_heads_end_at_an_absolute_deadline(void **state)
{
    struct httpd_settings set = {.times = {.header = 400, .sweep = 20}};
    struct server *s = server_start(&set);
    uint64_t start = now_ms(); /* before the server's own beginning: what is measured is longer */
    struct peer *p = peer_open(s, NULL);
    struct pollfd ended = {.events = POLLIN};

    (void)state;
    peer_say(p, "GET /hello HTTP/1.1\r\nHost: a.localhost\r\nX: ");
    ended.fd = peer_fd(p);
    do { /* a byte every 5 ms */
        peer_send(p, "x", 1);
        assert_true(now_ms() - start < 5000);
    } while (poll(&ended, 1, 5) == 0);
    assert_true(peer_closed(p)); /* not a word: it is no answer to an oversized head */
    assert_in_range(now_ms() - start, 350, 5000);
    peer_close(p);
    /* a handshake that is never begun counts as well */
    {
        struct peer *silent;

        start = now_ms();
        silent = peer_open(s, NULL);
        assert_true(peer_closed(silent));
        assert_in_range(now_ms() - start, 350, 5000);
        peer_close(silent);
    }
    server_stop(s);
}

static void slow_bodies_and_idle_connections_end_too(void **state)
{
    struct httpd_settings set = {.times = {.body = 300, .idle = 300, .sweep = 20}};
    struct server *s = server_start(&set);
    struct peer *slow = peer_open(s, "a.localhost"), *idle = peer_open(s, "a.localhost");

    (void)state;
    peer_say(slow, "POST /echo HTTP/1.1\r\nHost: a.localhost\r\nContent-Type: application/json\r\n"
                   "Content-Length: 100\r\n\r\n{");
    peer_get(idle, "/hello", "a.localhost");
    assert_answer(idle, 200, NULL);
    assert_true(peer_closed(slow));
    assert_true(peer_closed(idle));
    server_await_connections(s, 0);
    peer_close(slow);
    peer_close(idle);
    server_stop(s);
}

static void a_client_that_reads_slowly_gets_everything(void **state)
{
    static const char *const ways[] = {NULL, "a.localhost"};
    struct server *s = server_start(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]), *other = peer_open(s, NULL);
        struct answer a;

        for (int k = 0; k < 8; k++)
            peer_get(p, "/big", "a.localhost");
        peer_get(other, "/hello", "a.localhost"); /* nobody waits for it meanwhile */
        assert_answer(other, 200, NULL);
        for (int k = 0; k < 8; k++) {
            peer_answer(p, &a);
            assert_int_equal(a.n, BIG);
            assert_true(a.body[0] == 'x' && a.body[BIG - 1] == 'x');
            answer_clear(&a);
        }
        peer_get(p, "/hello", "a.localhost");
        assert_answer(p, 200, "hello from a.localhost");
        peer_close(p);
        peer_close(other);
    }
    server_stop(s);
}

static void a_client_that_does_not_read_is_let_go(void **state)
{
    struct httpd_settings set = {.times = {.write = 300, .sweep = 20}};
    struct server *s = server_start(&set);
    struct peer *p = peer_open(s, NULL);

    (void)state;
    for (int k = 0; k < 20; k++)
        peer_get(p, "/big", "a.localhost");
    server_await_connections(s, 0);
    peer_close(p);
    server_stop(s);
}

static void a_deferred_request_outlives_its_client(void **state)
{
    struct httpd_settings set = {.times = {.handle = 200, .sweep = 20}};
    struct server *s = server_start(&set);
    struct peer *p = peer_open(s, NULL);

    (void)state;
    peer_get(p, "/later", "a.localhost");
    server_await_waiting(s, 1);
    server_await_connections(s, 0); /* it took too long */
    assert_true(peer_closed(p));
    server_release(s);
    assert_int_equal(atomic_load(&s->gone), 1);
    peer_close(p);
    server_stop(s);
}

static void half_closed_clients_get_their_answer(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, NULL);

    (void)state;
    peer_get(p, "/later", "a.localhost");
    peer_half_close(p);
    server_await_waiting(s, 1);
    server_release(s);
    assert_answer(p, 200, "at last");
    assert_true(peer_closed(p));
    peer_close(p);
    server_stop(s);
}

static void connections_are_capped_and_wait_their_turn(void **state)
{
    struct httpd_settings set = {.max_connections = 4, .max_per_client = 100};
    struct server *s = server_start(&set);
    struct peer *p[6];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        p[i] = peer_open(s, NULL); /* the kernel takes the last two; nobody serves them yet */
        peer_get(p[i], "/hello", "a.localhost");
    }
    for (size_t i = 0; i < 4; i++)
        assert_answer(p[i], 200, NULL);
    assert_int_equal(server_connections(s), 4);
    peer_close(p[0]);
    assert_answer(p[4], 200, NULL);
    peer_close(p[1]);
    assert_answer(p[5], 200, NULL);
    for (size_t i = 2; i < 6; i++)
        peer_close(p[i]);
    server_stop(s);
}

static void at_the_cap_idle_connections_make_room(void **state)
{
    struct httpd_settings set = {.max_connections = 1,
                                 .max_per_client = 100,
                                 .times = {.header = 200, .idle = 3600000, .sweep = 20}};
    struct server *s = server_start(&set);
    struct peer *first = peer_open(s, NULL), *second;

    (void)state;
    peer_get(first, "/hello", "a.localhost");
    assert_answer(first, 200, NULL);
    second = peer_open(s, NULL);
    peer_get(second, "/hello", "a.localhost");
    assert_answer(second, 200, NULL);
    assert_true(peer_closed(first));
    peer_close(first);
    peer_close(second);
    server_stop(s);
}

/* Buffers of a silent connection are given back; the next request brings them back. */
static void silent_connections_rest_and_wake(void **state)
{
    static const char *const ways[] = {NULL, "a.localhost"};
    struct httpd_settings set = {.times = {.header = 300, .sweep = 10}};
    struct server *s = server_start(&set);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct peer *p = peer_open(s, ways[i]), *clock;

        for (int k = 0; k < 2; k++) {
            peer_get(p, "/big", "a.localhost");
            assert_answer(p, 200, NULL);
            peer_get(p, "/hello", "a.localhost");
            assert_answer(p, 200, "hello from a.localhost");
            clock = peer_open(s, NULL); /* closed after 300 ms, which is long enough */
            assert_true(peer_closed(clock));
            peer_close(clock);
        }
        peer_close(p);
    }
    server_stop(s);
}

static void one_address_cannot_take_all(void **state)
{
    struct httpd_settings set = {.max_connections = 100, .max_per_client = 2};
    struct server *s = server_start(&set);
    struct peer *a = peer_open(s, NULL), *b = peer_open(s, NULL), *c, *unix_one;

    (void)state;
    server_await_connections(s, 2);
    c = peer_open(s, NULL);
    assert_true(peer_closed(c));
    unix_one = peer_open_unix(s); /* a proxy is exempt */
    peer_get(unix_one, "/hello", "a.localhost");
    assert_answer(unix_one, 200, NULL);
    peer_close(a);
    peer_close(b);
    peer_close(c);
    peer_close(unix_one);
    server_stop(s);
}

static void a_host_is_served_only_by_its_name(void **state)
{
    static const struct {
        const char *sni, *host;
        int status;
        const char *body;
    } cases[] = {
        {NULL, "a.localhost", 200, "hello from a.localhost"},
        {NULL, "B.LocalHost:443", 200, "hello from b.localhost"},
        {NULL, "c.localhost", 421, NULL},
        {NULL, "a.localhost:8441", 421, NULL},
        {NULL, "a", 421, NULL},
        {"a.localhost", "a.localhost", 200, "hello from a.localhost"},
        {"A.localhost", "a.localhost", 200, "hello from a.localhost"},
        {"b.localhost", "b.localhost", 200, "hello from b.localhost"},
        {"a.localhost", "b.localhost", 421, NULL},
        {"a.localhost", "a.localhost.evil", 421, NULL},
        {"a.localhost", "c.localhost", 421, NULL},
    };
    struct server *s = server_start(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct peer *p = peer_open(s, cases[i].sni);
        struct answer a;

        peer_get(p, "/hello", cases[i].host);
        peer_answer(p, &a);
        if (a.status != cases[i].status)
            fail_msg("case %zu: %d", i, a.status);
        if (cases[i].body)
            assert_string_equal(a.body, cases[i].body);
        /* what is refused names nobody but whom it was asked for */
        if (a.status == 421 && strcmp(cases[i].host, "b.localhost") != 0)
            assert_null(strstr(a.body, "b.localhost"));
        answer_clear(&a);
        peer_close(p);
    }
    assert_null(peer_open(s, "c.localhost")); /* no certificate is shown to a stranger */
    assert_null(peer_open(s, ""));
    server_stop(s);
}

static void sessions_resume_at_the_same_space_only(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *first = peer_open(s, "a.localhost"), *again, *other;
    bool resumed;

    (void)state;
    peer_get(first, "/hello", "a.localhost");
    assert_answer(first, 200, NULL); /* by now the ticket is here */
    again = peer_resume(s, "a.localhost", first, &resumed);
    assert_non_null(again);
    assert_true(resumed);
    peer_get(again, "/hello", "a.localhost");
    assert_answer(again, 200, "hello from a.localhost");
    peer_get(again, "/hello", "b.localhost");
    assert_answer(again, 421, NULL);
    other = peer_resume(s, "b.localhost", first, &resumed);
    assert_non_null(other);
    assert_false(resumed);
    peer_get(other, "/hello", "b.localhost");
    assert_answer(other, 200, "hello from b.localhost");
    peer_close(first);
    peer_close(again);
    peer_close(other);
    server_stop(s);
}

static void certificates_are_reloaded_as_a_whole(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, "a.localhost"), *fresh;
    struct config_space broken[2] = {s->certificates[0], s->certificates[1]};
    struct config config = s->config;
    struct err err = {0};

    (void)state;
    /* one bad file, and everything stays */
    config.spaces = broken;
    strcpy(broken[1].tls_cert, "/nonexistent.pem");
    assert_int_equal(tls_server_reload(s->tls, &config, &err), -EINVAL);
    assert_non_null(strstr(err.text, "/nonexistent.pem"));
    /* a key of another, a certificate for another */
    broken[1] = s->certificates[1];
    strcpy(broken[1].tls_key, s->certificates[0].tls_key);
    assert_int_equal(tls_server_reload(s->tls, &config, &err), -EINVAL);
    assert_non_null(strstr(err.text, "is not the key"));
    broken[1] = s->certificates[0];
    strcpy(broken[1].authority, "b.localhost:8442");
    assert_int_equal(tls_server_reload(s->tls, &config, &err), -EINVAL);
    assert_non_null(strstr(err.text, "not a certificate for b.localhost"));
    fresh = peer_open(s, "b.localhost");
    assert_non_null(fresh);
    peer_close(fresh);
    /* a good one: what is open stays open, what is new gets the new one */
    config.n_spaces = 1;
    assert_int_equal(tls_server_reload(s->tls, &config, &err), 0);
    assert_null(peer_open(s, "b.localhost"));
    fresh = peer_open(s, ""); /* one space is left: it needs no name */
    assert_non_null(fresh);
    peer_close(fresh);
    peer_get(p, "/hello", "a.localhost");
    assert_answer(p, 200, NULL);
    peer_close(p);
    server_stop(s);
}

static void routes_refuse_what_they_do_not_serve(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *header, *value;
    } cases[] = {
        {"GET /nothing HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 404, NULL, NULL},
        {"GET /hello/ HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 404, NULL, NULL},
        {"GET /item/ HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 404, NULL, NULL},
        {"GET /item/a/b HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 404, NULL, NULL},
        {"DELETE /hello HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 405, "Allow", "GET, HEAD\r\n"},
        {"GET /echo HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 405, "Allow", "POST\r\n"},
        {"BREW /echo HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 405, "Allow", "POST\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 2\r\n\r\n{}", 415, NULL,
         NULL},
        {"POST /echo HTTP/1.1\r\nHost: a.localhost\r\nContent-Type: text/plain\r\n"
         "Content-Length: 2\r\n\r\n{}",
         415, NULL, NULL},
        {"GET /hello HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 2\r\n\r\n{}", 413, NULL,
         NULL},
        {"GET /locked HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 401, "WWW-Authenticate",
         "Bearer\r\n"},
        {"GET /locked HTTP/1.1\r\nHost: a.localhost\r\nAuthorization: Basic x\r\n\r\n", 401,
         "WWW-Authenticate", "Bearer error=\"invalid_token\""},
        {"GET /locked HTTP/1.1\r\nHost: a.localhost\r\nAuthorization: Bearer x\r\n\r\n", 401,
         "WWW-Authenticate", "Bearer error=\"invalid_token\""},
    };
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) { /* on one connection: none of them ends it */
        const char *value;
        struct answer a;

        peer_say(p, cases[i].request);
        peer_answer(p, &a);
        if (a.status != cases[i].status)
            fail_msg("case %zu: %d", i, a.status);
        assert_non_null(strstr(a.head, "application/problem+json"));
        value = cases[i].header ? answer_header(&a, cases[i].header) : NULL;
        if (cases[i].header && (!value || strncmp(value, cases[i].value, strlen(cases[i].value))))
            fail_msg("case %zu: %s", i, a.head);
        answer_clear(&a);
    }
    assert_int_equal(atomic_load(&s->handled), 0);
    peer_close(p);
    server_stop(s);
}

static void wrong_tokens_are_counted_by_client(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open_unix(s); /* a trusted proxy, which names the clients */
    struct answer a;

    (void)state;
    for (int i = 0; i <= 20; i++) {
        peer_say(p, "GET /locked HTTP/1.1\r\nHost: a.localhost\r\nX-Forwarded-For: 192.0.2.1\r\n"
                    "Authorization: Bearer wrong\r\n\r\n");
        peer_answer(p, &a);
        assert_int_equal(a.status, i < 20 ? 401 : 429);
        assert_true((answer_header(&a, "Retry-After") != NULL) == (i == 20));
        answer_clear(&a);
    }
    peer_say(p, "GET /locked HTTP/1.1\r\nHost: a.localhost\r\nX-Forwarded-For: 192.0.2.2\r\n"
                "Authorization: Bearer wrong\r\n\r\n");
    assert_answer(p, 401, NULL);
    peer_close(p);
    server_stop(s);
}

static void only_trusted_proxies_may_name_the_client(void **state)
{
    static const char request[] = "GET /who HTTP/1.1\r\nHost: a.localhost\r\n"
                                  "X-Forwarded-For: 192.0.2.7\r\n\r\n";
    struct server *s = server_start(NULL);
    struct peer *plain = peer_open(s, NULL), *proxy = peer_open_unix(s);

    (void)state;
    peer_say(plain, request);
    assert_answer(plain, 200, "127.0.0.1");
    peer_say(proxy, request);
    assert_answer(proxy, 200, "192.0.2.7");
    peer_get(proxy, "/who", "a.localhost"); /* nothing is left of the last request */
    assert_answer(proxy, 200, "unix");
    peer_close(plain);
    peer_close(proxy);
    server_stop(s);
}

static void documents_are_not_sent_twice(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, "a.localhost");
    struct answer a;

    (void)state;
    peer_get(p, "/tag", "a.localhost");
    peer_answer(p, &a);
    assert_int_equal(a.status, 200);
    assert_memory_equal(answer_header(&a, "ETag"), "\"v1\"\r", 5);
    assert_memory_equal(answer_header(&a, "Cache-Control"), "max-age=60\r", 11);
    answer_clear(&a);
    peer_say(p, "GET /tag HTTP/1.1\r\nHost: a.localhost\r\nIf-None-Match: \"v0\", \"v1\"\r\n\r\n");
    peer_answer(p, &a);
    assert_int_equal(a.status, 304);
    assert_int_equal(a.n, 0);
    assert_null(answer_header(&a, "Content-Length"));
    answer_clear(&a);
    peer_say(p, "HEAD /tag HTTP/1.1\r\nHost: a.localhost\r\n\r\n");
    peer_answer_head(p, &a);
    assert_int_equal(a.status, 200);
    assert_memory_equal(answer_header(&a, "Content-Length"), "6\r", 2);
    peer_get(p, "/hello", "a.localhost");
    assert_answer(p, 200, "hello from a.localhost");
    peer_close(p);
    server_stop(s);
}

static void old_clients_are_told_whether_they_may_stay(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *p = peer_open(s, NULL);
    struct answer a;

    (void)state;
    peer_say(p, "GET /hello HTTP/1.0\r\nHost: a.localhost\r\nConnection: Keep-Alive\r\n\r\n");
    peer_answer(p, &a);
    assert_memory_equal(answer_header(&a, "Connection"), "keep-alive\r", 11);
    answer_clear(&a);
    peer_say(p, "GET /hello HTTP/1.0\r\nHost: a.localhost\r\n\r\n");
    peer_answer(p, &a);
    assert_memory_equal(answer_header(&a, "Connection"), "close\r", 6);
    answer_clear(&a);
    assert_true(peer_closed(p));
    peer_close(p);
    server_stop(s);
}

static void a_drain_finishes_what_was_begun(void **state)
{
    struct server *s = server_start(NULL);
    struct peer *idle = peer_open(s, "a.localhost"), *busy = peer_open(s, "a.localhost"),
                *half = peer_open(s, NULL);
    uint64_t until;

    (void)state;
    peer_get(idle, "/hello", "a.localhost");
    assert_answer(idle, 200, NULL);
    peer_get(busy, "/later", "a.localhost");
    peer_say(half, "GET /hello HTTP/1.1\r\nHost: a.localhost\r\n");
    server_await_waiting(s, 1);
    server_await_connections(s, 3);
    peer_get(half, "/x", "a.localhost"); /* malformed on purpose: proves that it was read */
    assert_answer(half, 400, NULL);
    server_drain(s);
    assert_true(peer_closed(idle));
    assert_int_equal(atomic_load(&s->drained), 0);
    server_release(s);
    {
        struct answer a;

        peer_answer(busy, &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body, "at last");
        assert_memory_equal(answer_header(&a, "Connection"), "close\r", 6);
        answer_clear(&a);
    }
    assert_true(peer_closed(busy));
    peer_close(half);
    until = now_ms() + 5000;
    while (!atomic_load(&s->drained) && now_ms() < until)
        server_connections(s);
    assert_int_equal(atomic_load(&s->drained), 1);
    peer_close(idle);
    peer_close(busy);
    server_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_many_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_deferred_answer_keeps_its_place),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(bodies_up_to_the_bound_are_read),
        cmocka_unit_test(a_wildcard_outlasts_a_body_that_comes_late),
        cmocka_unit_test(a_body_that_is_too_large_is_refused_unread),
        cmocka_unit_test(continue_is_said_to_those_who_wait_for_it),
        cmocka_unit_test(garbage_is_refused_and_the_connection_closed),
        cmocka_unit_test(oversized_heads_are_refused),
        cmocka_unit_test(slow_heads_end_at_an_absolute_deadline),
        cmocka_unit_test(slow_bodies_and_idle_connections_end_too),
        cmocka_unit_test(a_client_that_reads_slowly_gets_everything),
        cmocka_unit_test(a_client_that_does_not_read_is_let_go),
        cmocka_unit_test(a_deferred_request_outlives_its_client),
        cmocka_unit_test(half_closed_clients_get_their_answer),
        cmocka_unit_test(connections_are_capped_and_wait_their_turn),
        cmocka_unit_test(at_the_cap_idle_connections_make_room),
        cmocka_unit_test(silent_connections_rest_and_wake),
        cmocka_unit_test(one_address_cannot_take_all),
        cmocka_unit_test(a_host_is_served_only_by_its_name),
        cmocka_unit_test(sessions_resume_at_the_same_space_only),
        cmocka_unit_test(certificates_are_reloaded_as_a_whole),
        cmocka_unit_test(routes_refuse_what_they_do_not_serve),
        cmocka_unit_test(wrong_tokens_are_counted_by_client),
        cmocka_unit_test(only_trusted_proxies_may_name_the_client),
        cmocka_unit_test(documents_are_not_sent_twice),
        cmocka_unit_test(old_clients_are_told_whether_they_may_stay),
        cmocka_unit_test(a_drain_finishes_what_was_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

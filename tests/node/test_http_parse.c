/* The head of a request: what is understood, and what is refused because two readers could
 * understand it differently. */
#include "lib/base/unit.h"

#include "http_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Parses a whole request text. 0, or the status that it is refused with; 1 if more is needed. */
static int parse_n(const char *text, size_t n, struct http_head *head, char **memory)
{
    const struct http_fault *fault = NULL;
    size_t scanned = 0, size = 0;
    char *p = malloc(n ? n : 1); /* exact, so that the sanitizer sees every byte too far */
    int r;

    assert_non_null(p);
    memcpy(p, text, n);
    *memory = p;
    r = http_head_end(p, n, &scanned, &size, &fault);
    if (r == HTTP_HEAD_MORE)
        return 1;
    if (!r) {
        p = realloc(p, size);
        *memory = p;
        r = http_head_parse(p, size, head, &fault);
    }
    if (!r)
        return 0;
    assert_non_null(fault);
    return fault->status;
}

static int parse(const char *text, struct http_head *head, char **memory)
{
    return parse_n(text, strlen(text), head, memory);
}

static int status_of(const char *text)
{
    struct http_head head;
    char *memory;
    int status = parse(text, &head, &memory);

    free(memory);
    return status;
}

static void assert_str(struct str s, const char *z)
{
    if (!str_eqz(s, z))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), z);
}

static void a_request_is_taken_apart(void **state)
{
    struct http_head h;
    char *memory;

    (void)state;
    assert_int_equal(parse("POST /api/v1/verify?explain=1 HTTP/1.1\r\n"
                           "Host: Lisbon.Example:8441\r\n"
                           "Content-Length: 12\r\n"
                           "X-Odd:\t  two  words \t\r\n"
                           "X-Empty:\r\n"
                           "Expect: 100-Continue\r\n\r\n",
                           &h, &memory),
                     0);
    assert_int_equal(h.method, HTTP_POST);
    assert_str(h.method_name, "POST");
    assert_str(h.path, "/api/v1/verify");
    assert_str(h.query, "explain=1");
    assert_str(h.host, "lisbon.example:8441");
    assert_int_equal(h.content_length, 12);
    assert_true(h.expect_continue);
    assert_true(h.keep_alive);
    assert_int_equal(h.n_headers, 5);
    assert_str(http_headers_get(h.headers, h.n_headers, STR("x-odd")), "two  words");
    assert_str(http_headers_get(h.headers, h.n_headers, STR("x-empty")), "");
    assert_null(http_headers_get(h.headers, h.n_headers, STR("x-none")).p);
    free(memory);
}

static void hosts_have_one_form(void **state)
{
    static const struct {
        const char *sent, *host; /* host NULL: refused */
    } cases[] = {
        {"a.example", "a.example"},
        {"A.EXAMPLE:443", "a.example"},
        {"a.example:8441", "a.example:8441"},
        {"[2001:DB8::1]:443", "[2001:db8::1]"},
        {"[::1]", "[::1]"},
        {"", NULL},
        {":80", NULL},
        {"a.example:", NULL},
        {"a.example:80x", NULL},
        {"a.example:123456", NULL},
        {"a b", NULL},
        {"user@a.example", NULL},
        {"a.example/x", NULL},
        {"a.example,b.example", NULL},
        {"[::1", NULL},
        {"::1", NULL},
        {"a[b]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[200];
        struct http_head h;
        char *memory;
        int status;

        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].sent);
        status = parse(text, &h, &memory);
        if (status != (cases[i].host ? 0 : 400))
            fail_msg("Host \"%s\": %d", cases[i].sent, status);
        if (cases[i].host)
            assert_str(h.host, cases[i].host);
        free(memory);
    }
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
    static const struct {
        int status;
        const char *text;
    } cases[] = {
        {0, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {0, "GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n"},
        {0, "GET HTTPS://A:443?q HTTP/1.1\r\nHost: a\r\n\r\n"},
        {0, "GET /%41?%7E HTTP/1.0\r\nHost: a\r\n\r\n"},
        /* the request line */
        {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
        {400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /\r\nHost: a\r\n\r\n"},
        {400, "GET / HTTP/1.1\nHost: a\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\n\n"},
        {400, "GET / HTTP/1.1\rX\r\nHost: a\r\n\r\n"},
        {400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET x HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /?%7f HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"},
        {400, "GET /<> HTTP/1.1\r\nHost: a\r\n\r\n"},
        {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
        {505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
        {400, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
        {400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
        /* headers */
        {400, "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nauthorization: y\r\n\r\n"},
        /* framing */
        {0, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n"},
        {411, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {411, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"},
        {400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
              "Transfer-Encoding: chunked\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
              "Content-Length: 1\r\n\r\n"},
        {417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"},
        /* not HTTP at all: known at the first byte */
        {400, "\x16\x03\x01"},
        {1, "G"},
        {1, "GET / HTTP/1.1\r\nHost: a\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = status_of(cases[i].text);

        if (status != cases[i].status)
            fail_msg("case %zu, %s: %d, not %d", i, cases[i].text, status, cases[i].status);
    }
}

static void a_nul_is_refused_wherever_it_stands(void **state)
{
    static const char good[] = "GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(good); i++) {
        char text[sizeof(good)];
        struct http_head h;
        char *memory;

        memcpy(text, good, sizeof(good));
        text[i] = '\0';
        assert_int_not_equal(parse_n(text, sizeof(good) - 1, &h, &memory), 0);
        free(memory);
    }
}

static void connections_persist_as_the_client_says(void **state)
{
    static const struct {
        const char *version, *connection;
        bool keep;
    } cases[] = {
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: TE, Close\r\n", false},
        {"1.1", "Connection: closed\r\n", true},
        {"1.0", "", false},
        {"1.0", "Connection: keep-alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[200];
        struct http_head h;
        char *memory;

        snprintf(text, sizeof(text), "GET / HTTP/%s\r\nHost: a\r\n%s\r\n", cases[i].version,
                 cases[i].connection);
        assert_int_equal(parse(text, &h, &memory), 0);
        assert_int_equal(h.keep_alive, cases[i].keep);
        free(memory);
    }
}

static void heads_are_bounded(void **state)
{
    char text[12000];
    size_t n;

    (void)state;
    /* 48 headers are read, 49 are not */
    for (int headers = HTTP_HEADERS_MAX; headers <= HTTP_HEADERS_MAX + 1; headers++) {
        n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 1; i < headers; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "X-%d: y\r\n", i);
        snprintf(text + n, sizeof(text) - n, "\r\n");
        assert_int_equal(status_of(text), headers == HTTP_HEADERS_MAX ? 0 : 431);
    }
    /* 8 KiB are read, one byte more is not, and nobody waits for the end of what is longer */
    for (size_t size = LIMIT_HTTP_HEADERS; size <= LIMIT_HTTP_HEADERS + 1; size++) {
        n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\nX: ");
        memset(text + n, 'x', size - n - 4);
        strcpy(text + size - 4, "\r\n\r\n");
        assert_int_equal(status_of(text), size == LIMIT_HTTP_HEADERS ? 0 : 431);
    }
    text[LIMIT_HTTP_HEADERS - 3] = '\0';
    assert_int_equal(status_of(text), 1);
}

static void an_end_is_found_however_the_bytes_come(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nNEXT";
    const struct http_fault *fault;
    size_t scanned = 0, size = 0, n;
    int r = HTTP_HEAD_MORE;

    (void)state;
    for (n = 1; r == HTTP_HEAD_MORE; n++)
        r = http_head_end(text, n, &scanned, &size, &fault);
    assert_int_equal(r, 0);
    assert_int_equal(size, sizeof(text) - 5);
    assert_int_equal(n - 1, size);
}

static void entity_tags_are_compared_weakly(void **state)
{
    (void)state;
    assert_true(http_etag_listed(STR("\"a\""), STR("\"a\"")));
    assert_true(http_etag_listed(STR("\"b\", W/\"a\""), STR("\"a\"")));
    assert_true(http_etag_listed(STR("*"), STR("\"a\"")));
    assert_false(http_etag_listed(STR("\"b\""), STR("\"a\"")));
    assert_false(http_etag_listed(STR(""), STR("\"a\"")));
    assert_false(http_etag_listed(STR("a"), STR("\"a\"")));
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

/* Whatever the bytes are: no byte too far is read, and what is accepted holds what it promises. */
static void mutations_never_break_it(void **state)
{
    static const char good[] = "POST /status/1?x=%20y HTTP/1.1\r\nHost: lisbon.example:8441\r\n"
                               "Content-Length: 5\r\nConnection: keep-alive\r\n"
                               "Content-Type: application/json\r\n\r\n";
    static const char odd[] = "\r\n\r\n\t :,%\"\\[]@/?#GHz01\x7f\x80\xff";
    uint64_t seed = (uint64_t)time(NULL), s;
    size_t accepted = 0;

    (void)state;
    if (getenv("SEED"))
        seed = strtoull(getenv("SEED"), NULL, 10);
    print_message("seed %llu (set SEED to repeat)\n", (unsigned long long)seed);
    s = seed * 2654435761u + 1;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof(good) + 8];
        size_t n = sizeof(good) - 1;
        struct http_head h;
        char *memory;

        memcpy(text, good, n);
        for (uint64_t k = next(&s) % 4; k > 0; k--) {
            size_t at = (size_t)(next(&s) % n);

            switch (next(&s) % 3) {
            case 0:
                text[at] = odd[next(&s) % sizeof(odd)];
                break;
            case 1:
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
                break;
            default:
                memmove(text + at + 1, text + at, n - at);
                text[at] = odd[next(&s) % sizeof(odd)];
                n++;
            }
        }
        if (parse_n(text, n, &h, &memory) == 0) {
            const struct http_fault *fault;
            struct http_head again;

            accepted++;
            assert_true(h.path.n > 0 && h.path.p[0] == '/');
            assert_true(h.host.n > 0);
            assert_null(memchr(h.path.p, ' ', h.path.n));
            for (size_t i = 0; i < h.n_headers; i++) {
                assert_true(h.headers[i].name.n > 0);
                assert_null(memchr(h.headers[i].value.p, '\n', h.headers[i].value.n));
                assert_null(memchr(h.headers[i].value.p, '\r', h.headers[i].value.n));
            }
            /* the same bytes give the same */
            n = (size_t)(h.headers[h.n_headers - 1].value.p + h.headers[h.n_headers - 1].value.n -
                         memory);
            while (memcmp(memory + n, "\r\n\r\n", 4) != 0)
                n++;
            assert_int_equal(http_head_parse(memory, n + 4, &again, &fault), 0);
            assert_true(str_eq(h.host, again.host) && str_eq(h.path, again.path));
        }
        free(memory);
    }
    assert_true(accepted > 100 && accepted < 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_taken_apart),
        cmocka_unit_test(hosts_have_one_form),
        cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(connections_persist_as_the_client_says),
        cmocka_unit_test(heads_are_bounded),
        cmocka_unit_test(an_end_is_found_however_the_bytes_come),
        cmocka_unit_test(entity_tags_are_compared_weakly),
        cmocka_unit_test(mutations_never_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

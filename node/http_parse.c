#include "http_parse.h"

#include <assert.h>

#define METHOD_MAX 16

static const struct http_fault fault_line = {
    400, "bad_request", "the request line is not METHOD SP TARGET SP HTTP/1.1"};
static const struct http_fault fault_newline = {400, "bad_request",
                                                "a line does not end in CR LF, or holds a bare CR"};
static const struct http_fault fault_first = {400, "bad_request",
                                              "the first byte is not that of an HTTP request"};
static const struct http_fault fault_target = {
    400, "bad_request", "the request target holds a character that it must not hold"};
static const struct http_fault fault_form = {
    400, "bad_request", "the request target is neither a path nor the address of this host"};
static const struct http_fault fault_version = {505, "http_version",
                                                "only HTTP/1.0 and HTTP/1.1 are spoken here"};
static const struct http_fault fault_header = {400, "bad_request",
                                               "a header line is not NAME: VALUE"};
static const struct http_fault fault_fold = {400, "bad_request", "a header line is folded"};
static const struct http_fault fault_twice = {
    400, "bad_request", "a header that may be there once is there more than once"};
static const struct http_fault fault_host = {400, "bad_request",
                                             "exactly one well-formed Host header is needed"};
static const struct http_fault fault_length = {400, "bad_request",
                                               "Content-Length is not a number of bytes"};
static const struct http_fault fault_both = {
    400, "bad_request", "Content-Length and Transfer-Encoding exclude each other"};
static const struct http_fault fault_chunked = {
    411, "length_required", "send the body with Content-Length, not in a transfer coding"};
static const struct http_fault fault_expect = {417, "expectation_failed",
                                               "the only expectation met here is 100-continue"};
static const struct http_fault fault_headers = {431, "headers_too_large",
                                                "more headers than this server reads"};
static const struct http_fault fault_size = {431, "headers_too_large",
                                             "request line and headers are longer than 8 KiB"};

/* Classes of bytes. */
enum {
    TOKEN = 1,  /* tchar, RFC 9110 section 5.6.2 */
    TARGET = 2, /* pchar, '/' and '?', RFC 3986 section 3; '%' is looked at by itself */
    VALUE = 4,  /* of a field: RFC 9110 section 5.5 */
    HOST = 8,   /* of a host name or address, and the colon before a port */
};

/* clang-format off */
static const uint8_t classes[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  4,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     4,  7,  4,  5,  7,  7,  7,  7,  6,  6,  7,  7,  6, 15, 15,  6,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14,  6,  4,  6,  4,  6,
     6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 12,  4, 12,  5, 15,
     5, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  4,  5,  4,  7,  0,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
};
/* clang-format on */

static bool is(char c, unsigned class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int bad(const struct http_fault **fault, const struct http_fault *f)
{
    *fault = f;
    return HTTP_HEAD_BAD;
}

int http_head_end(const char *p, size_t n, size_t *scanned, size_t *size,
                  const struct http_fault **fault)
{
    size_t bound = n < LIMIT_HTTP_HEADERS ? n : LIMIT_HTTP_HEADERS;

    if (n > 0 && !is(p[0], TOKEN))
        return bad(fault, &fault_first);
    while (*scanned < bound) {
        const char *lf = memchr(p + *scanned, '\n', bound - *scanned);
        size_t at;

        if (!lf) {
            *scanned = bound;
            break;
        }
        at = (size_t)(lf - p);
        if (at == 0 || p[at - 1] != '\r')
            return bad(fault, &fault_newline);
        *scanned = at + 1;
        if (at >= 3 && p[at - 2] == '\n') {
            *size = at + 1;
            return 0;
        }
    }
    return n >= LIMIT_HTTP_HEADERS ? bad(fault, &fault_size) : HTTP_HEAD_MORE;
}

bool http_text_equal(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

struct str http_headers_get(const struct http_header *headers, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(headers[i].name, name))
            return headers[i].value;
    return (struct str){NULL, 0};
}

bool http_list_has(struct str list, struct str token)
{
    while (list.n) {
        struct str item;

        str_cut(list, ',', &item, &list);
        if (http_text_equal(str_trim(item), token))
            return true;
    }
    return false;
}

bool http_etag_listed(struct str if_none_match, struct str etag)
{
    while (if_none_match.n) {
        struct str item;

        str_cut(if_none_match, ',', &item, &if_none_match);
        item = str_trim(item);
        if (item.n > 2 && item.p[0] == 'W' && item.p[1] == '/')
            item = (struct str){item.p + 2, item.n - 2};
        if (str_eq(item, etag) || str_eq(item, STR("*")))
            return true;
    }
    return false;
}

static enum http_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } methods[] = {
        {{"GET", 3}, HTTP_GET}, {{"POST", 4}, HTTP_POST},     {{"HEAD", 4}, HTTP_HEAD},
        {{"PUT", 3}, HTTP_PUT}, {{"DELETE", 6}, HTTP_DELETE},
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (str_eq(name, methods[i].name))
            return methods[i].method;
    return HTTP_OTHER;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 section 2: only its characters, and what is percent-encoded is no control character. */
static bool target_ok(struct str t)
{
    for (size_t i = 0; i < t.n; i++) {
        int high, low, byte;

        if (!is(t.p[i], TARGET))
            return false;
        if (t.p[i] != '%')
            continue;
        if (t.n - i < 3 || (high = hex(t.p[i + 1])) < 0 || (low = hex(t.p[i + 2])) < 0)
            return false;
        byte = high * 16 + low;
        if (byte < 0x20 || byte == 0x7f)
            return false;
        i += 2;
    }
    return true;
}

/* RFC 9112 section 3.2: origin-form, or absolute-form, whose authority goes to *authority. */
static int read_target(struct str target, struct http_head *out, struct str *authority,
                       const struct http_fault **fault)
{
    struct str rest = target;

    *authority = (struct str){NULL, 0};
    if (!target_ok(target))
        return bad(fault, &fault_target);
    if (target.p[0] != '/') {
        size_t skip = 0, n = 0;

        if (target.n > 8 && http_text_equal((struct str){target.p, 8}, STR("https://")))
            skip = 8;
        else if (target.n > 7 && http_text_equal((struct str){target.p, 7}, STR("http://")))
            skip = 7;
        else
            return bad(fault, &fault_form);
        rest = (struct str){target.p + skip, target.n - skip};
        while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
            n++;
        *authority = (struct str){rest.p, n};
        rest = (struct str){rest.p + n, rest.n - n};
    }
    str_cut(rest, '?', &out->path, &out->query);
    if (out->path.n == 0)
        out->path = STR("/");
    return 0;
}

static int read_request_line(struct str line, struct http_head *out, struct str *authority,
                             const struct http_fault **fault)
{
    struct str method, target, version;

    if (!str_cut(line, ' ', &method, &line) || !str_cut(line, ' ', &target, &version) ||
        method.n == 0 || method.n > METHOD_MAX || target.n == 0)
        return bad(fault, &fault_line);
    for (size_t i = 0; i < method.n; i++)
        if (!is(method.p[i], TOKEN))
            return bad(fault, &fault_line);
    if (str_eq(version, STR("HTTP/1.1")))
        out->minor = 1;
    else if (str_eq(version, STR("HTTP/1.0")))
        out->minor = 0;
    else
        return bad(fault, version.n == 8 && str_starts(version, STR("HTTP/")) ? &fault_version
                                                                              : &fault_line);
    out->method_name = method;
    out->method = method_of(method);
    return read_target(target, out, authority, fault);
}

static int read_header(char *p, size_t n, struct http_header *out, const struct http_fault **fault)
{
    size_t colon = 0, from;

    if (p[0] == ' ' || p[0] == '\t')
        return bad(fault, &fault_fold);
    for (; colon < n && is(p[colon], TOKEN); colon++)
        p[colon] = lower(p[colon]);
    if (colon == 0 || colon == n || p[colon] != ':')
        return bad(fault, &fault_header);
    from = colon + 1;
    for (size_t i = from; i < n; i++)
        if (!is(p[i], VALUE))
            return bad(fault, p[i] == '\r' ? &fault_newline : &fault_header);
    while (from < n && (p[from] == ' ' || p[from] == '\t'))
        from++;
    while (n > from && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    out->name = (struct str){p, colon};
    out->value = (struct str){p + from, n - from};
    return 0;
}

/* Headers that mean something only once. Those of the framing are a matter of safety (RFC 9112
 * section 11.2); of the others, two would leave it open which one counts. */
enum single {
    SINGLE_HOST,
    SINGLE_LENGTH,
    SINGLE_CODING,
    SINGLE_EXPECT,
    SINGLE_TYPE,
    SINGLE_AUTHORIZATION,
    SINGLE_KEY,
    SINGLE_COUNT
};
static const struct str single_names[SINGLE_COUNT] = {
    [SINGLE_HOST] = {"host", 4},
    [SINGLE_LENGTH] = {"content-length", 14},
    [SINGLE_CODING] = {"transfer-encoding", 17},
    [SINGLE_EXPECT] = {"expect", 6},
    [SINGLE_TYPE] = {"content-type", 12},
    [SINGLE_AUTHORIZATION] = {"authorization", 13},
    [SINGLE_KEY] = {"idempotency-key", 15},
};

/* A host of the forms that an entity id can have: name or [address], and maybe a port. */
static bool read_host(char *p, size_t n, struct str *out)
{
    size_t name = 0, i;

    for (i = 0; i < n; i++) {
        if (!is(p[i], HOST))
            return false;
        p[i] = lower(p[i]);
    }
    if (n && p[0] == '[') {
        while (name < n && p[name] != ']')
            name++;
        if (name++ == n)
            return false;
    } else {
        while (name < n && p[name] != ':')
            name++;
        if (memchr(p, '[', n) || memchr(p, ']', n))
            return false;
    }
    if (name == 0 || n > LIMIT_ENTITY_ID)
        return false;
    *out = (struct str){p, n};
    if (name == n)
        return true;
    if (p[name] != ':' || n - name < 2 || n - name > 6)
        return false;
    for (i = name + 1; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    if (str_eq((struct str){p + name, n - name}, STR(":443")))
        out->n = name;
    return true;
}

static int read_length(struct str v, uint64_t *out, const struct http_fault **fault)
{
    uint64_t n = 0;

    if (v.n == 0 || v.n > 15)
        return bad(fault, &fault_length);
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return bad(fault, &fault_length);
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    *out = n;
    return 0;
}

/* Framing: RFC 9112 section 6. Persistence: section 9.3. Expectations: RFC 9110 section 10.1.1. */
static int read_framing(const struct http_header *const single[SINGLE_COUNT], struct http_head *out,
                        const struct http_fault **fault)
{
    int r = 0;

    if (single[SINGLE_CODING])
        return bad(fault, single[SINGLE_LENGTH] || out->minor == 0 ? &fault_both : &fault_chunked);
    if (single[SINGLE_LENGTH])
        r = read_length(single[SINGLE_LENGTH]->value, &out->content_length, fault);
    if (r)
        return r;
    if (single[SINGLE_EXPECT] && out->minor == 1) {
        if (!http_text_equal(single[SINGLE_EXPECT]->value, STR("100-continue")))
            return bad(fault, &fault_expect);
        out->expect_continue = true;
    }
    return 0;
}

static int read_headers(char *p, size_t n, struct http_head *out,
                        const struct http_header *single[static SINGLE_COUNT], bool *close,
                        bool *keep, const struct http_fault **fault)
{
    while (n > 2) { /* the last CR LF is the empty line */
        const char *cr = memchr(p, '\r', n);
        size_t line = cr ? (size_t)(cr - p) : n;
        struct http_header *h = &out->headers[out->n_headers];

        if (line + 1 >= n || p[line + 1] != '\n')
            return bad(fault, &fault_newline);
        if (out->n_headers == HTTP_HEADERS_MAX)
            return bad(fault, &fault_headers);
        if (line == 0 || read_header(p, line, h, fault))
            return line == 0 ? bad(fault, &fault_newline) : HTTP_HEAD_BAD;
        out->n_headers++;
        for (size_t i = 0; i < SINGLE_COUNT; i++)
            if (str_eq(h->name, single_names[i])) {
                if (single[i])
                    return bad(fault, i == SINGLE_HOST ? &fault_host : &fault_twice);
                single[i] = h;
            }
        if (str_eq(h->name, STR("connection"))) {
            *close |= http_list_has(h->value, STR("close"));
            *keep |= http_list_has(h->value, STR("keep-alive"));
        }
        p += line + 2;
        n -= line + 2;
    }
    return 0;
}

int http_head_parse(char *p, size_t n, struct http_head *out, const struct http_fault **fault)
{
    const struct http_header *single[SINGLE_COUNT] = {NULL};
    bool close = false, keep = false;
    struct str authority;
    const char *cr;
    size_t line;

    assert(n >= 4 && memcmp(p + n - 4, "\r\n\r\n", 4) == 0);
    out->n_headers = 0;
    out->content_length = 0;
    out->expect_continue = false;
    cr = memchr(p, '\r', n);
    line = (size_t)(cr - p);
    if (p[line + 1] != '\n')
        return bad(fault, &fault_newline);
    if (read_request_line((struct str){p, line}, out, &authority, fault) ||
        read_headers(p + line + 2, n - line - 2, out, single, &close, &keep, fault) ||
        read_framing(single, out, fault))
        return HTTP_HEAD_BAD;
    if (!single[SINGLE_HOST] ||
        !read_host((char *)single[SINGLE_HOST]->value.p, single[SINGLE_HOST]->value.n, &out->host))
        return bad(fault, &fault_host);
    if (authority.p) { /* absolute-form: RFC 9112 section 3.2.2 */
        struct str host;

        if (!read_host((char *)authority.p, authority.n, &host) || !str_eq(host, out->host))
            return bad(fault, &fault_form);
    }
    out->keep_alive = !close && (out->minor == 1 || keep);
    return 0;
}

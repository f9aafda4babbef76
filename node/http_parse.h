/*
 * The head of an HTTP/1.x request: RFC 9112, read strictly. Pure: bytes in, slices of them out.
 *
 * What two readers could understand differently is refused, since a proxy in front may be the other
 * reader: bare CR or LF, folded lines, space before a colon, two lengths, two hosts.
 */
#pragma once

#include "base/limits.h"
#include "base/str.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

#define HTTP_HEADERS_MAX 48

struct http_header {
    struct str name; /* lower case */
    struct str value;
};

/* Everything is borrowed from the bytes that were parsed. */
struct http_head {
    enum http_method method;
    struct str method_name;
    struct str path, query; /* as sent, undecoded; the path starts with '/', the query has no '?' */
    struct str host;        /* authority, lower case, ":443" left out */
    unsigned minor;         /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;        /* the connection may go on afterwards, as the client sees it */
    bool expect_continue;
    uint64_t content_length; /* 0 if there is none */
    size_t n_headers;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/* What is wrong with a head: an HTTP status, and words for the one who sent it. */
struct http_fault {
    int status; /* 400, 411, 414, 417, 431, 501, 505 */
    const char *code;
    const char *text;
};

enum { HTTP_HEAD_MORE = 1, HTTP_HEAD_BAD };

/*
 * Looks for the end of the head in the n bytes at p; *scanned (0 at first) is kept between calls,
 * so that no byte is looked at twice. 0: *size is the length with the final empty line.
 * HTTP_HEAD_MORE. HTTP_HEAD_BAD: it never can be one; *fault says why.
 */
int http_head_end(const char *p, size_t n, size_t *scanned, size_t *size,
                  const struct http_fault **fault);

/* Parses a whole head of n bytes, as http_head_end() found it. Header names and the host are turned
 * to lower case in place; parsing the same bytes again gives the same. 0 or HTTP_HEAD_BAD. *out is
 * undefined then. */
int http_head_parse(char *p, size_t n, struct http_head *out, const struct http_fault **fault);

/* The value of a header; {NULL, 0} if absent. */
struct str http_headers_get(const struct http_header *headers, size_t n, struct str name);

/* Whether a comma separated list holds a token, without regard to case: RFC 9110 section 5.6.1. */
bool http_list_has(struct str list, struct str token);
bool http_text_equal(struct str a, struct str b); /* ASCII, without regard to case */

/* The entity tag is listed in If-None-Match (weak comparison, RFC 9110 section 13.1.2). */
bool http_etag_listed(struct str if_none_match, struct str etag);

/* What became of a transfer, in our own terms. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "fetch_easy.h"

/* What libcurl says, other than success and what our callbacks caused. */
static const struct {
    CURLcode code;
    int result;
    const char *words;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, FETCH_E_CONNECT, "no address is known for that name"},
    {CURLE_COULDNT_CONNECT, FETCH_E_CONNECT, "no connection"},
    {CURLE_SEND_ERROR, FETCH_E_CONNECT, "the connection broke"},
    {CURLE_RECV_ERROR, FETCH_E_CONNECT, "the connection broke"},
    {CURLE_PARTIAL_FILE, FETCH_E_CONNECT, "the connection ended before the answer did"},
    {CURLE_OPERATION_TIMEDOUT, FETCH_E_TIME, "not done in time"},
    {CURLE_PEER_FAILED_VERIFICATION, FETCH_E_TLS, "its certificate is not good for that name"},
    {CURLE_SSL_CONNECT_ERROR, FETCH_E_TLS, "no TLS handshake"},
    {CURLE_SSL_CIPHER, FETCH_E_TLS, "no common cipher"},
    {CURLE_SSL_CACERT_BADFILE, FETCH_E_TLS, "the file of trusted certificates cannot be read"},
    {CURLE_SSL_ISSUER_ERROR, FETCH_E_TLS, "its certificate's issuer is not trusted"},
    {CURLE_OUT_OF_MEMORY, -ENOMEM, "memory is out"},
    {CURLE_URL_MALFORMAT, FETCH_E_URL, "no URL to fetch from"},
};

static int transfer_failed(const struct fetch_easy *e, CURLcode code, struct err *err)
{
    const char *words = e->words[0] ? e->words : curl_easy_strerror(code);

    if (e->no_memory)
        return err_set(err, -ENOMEM, "%s: memory is out", e->host);
    if (e->too_long && e->header_bytes > LIMIT_HTTP_HEADERS)
        return err_set(err, FETCH_E_SIZE, "%s: its headers are longer than %d bytes", e->host,
                       LIMIT_HTTP_HEADERS);
    if (e->too_long)
        return err_set(err, FETCH_E_SIZE, "%s: its answer is longer than %zu bytes", e->host,
                       e->max);
    if (e->refused && !e->tried) {
        err_set(err, FETCH_E_ADDRESS, "%s has the address %s, which may not be fetched from (%s)",
                e->host, e->refused_address, e->refused_why);
        return err_next(err, FETCH_E_ADDRESS,
                        "if it is a neighbour of this machine, add its network to allow_private in "
                        "comity.ini; loopback needs --trial");
    }
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
        if (failures[i].code == code)
            return err_set(err, failures[i].result, "%s: %s (%s)", e->host, failures[i].words,
                           words);
    return err_set(err, FETCH_E_PROTOCOL, "%s: its answer is not HTTP as it should be (%s)",
                   e->host, words);
}

/* RFC 9110 section 8.3.1: type and subtype without regard to case, parameters aside. */
static bool type_is(const char *have, const char *want)
{
    struct str type, parameters;

    if (!have)
        return false;
    str_cut(str_of(have), ';', &type, &parameters);
    type = str_trim(type);
    return type.n == strlen(want) && strncasecmp(type.p, want, type.n) == 0;
}

static int judge_status(const struct fetch_easy *e, long status, struct err *err)
{
    const char *type = NULL;

    if (status == 304 && e->conditional)
        return 0;
    if (status >= 300 && status < 400 && status != 304)
        return err_set(err, FETCH_E_REDIRECT,
                       "%s answered with a redirect (%ld); redirects are not followed", e->host,
                       status);
    if (status != 200)
        return err_set(err, FETCH_E_STATUS, "%s answered with status %ld", e->host, status);
    curl_easy_getinfo(e->curl, CURLINFO_CONTENT_TYPE, &type);
    if (e->accept[0] && !type_is(type, e->accept))
        return err_set(err, FETCH_E_TYPE, "%s answered with content type %.60s instead of %s",
                       e->host, type && str_is_printable(str_of(type)) ? type : "(none)",
                       e->accept);
    return 0;
}

static void take_etag(const struct fetch_easy *e, struct fetch_result *r)
{
    struct curl_header *h = NULL;

    if (curl_easy_header(e->curl, "ETag", 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return;
    if (h->value[0] && str_is_printable(str_of(h->value)))
        (void)str_copy(r->etag, sizeof(r->etag), str_of(h->value)); /* too long: done without */
}

void fetch_easy_judge(struct fetch_easy *e, CURLcode code, struct fetch_result *r)
{
    long status = 0;

    *r = (struct fetch_result){0};
    curl_easy_getinfo(e->curl, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int)status;
    if (code != CURLE_OK && !e->enough) {
        r->result = transfer_failed(e, code, &r->err);
        return;
    }
    r->result = judge_status(e, status, &r->err);
    if (r->result != 0 && r->result != FETCH_E_STATUS)
        return;
    if (r->result == 0)
        take_etag(e, r);
    r->body = e->body;
    e->body = (struct buf){0};
}

void fetch_result_clear(struct fetch_result *r)
{
    buf_clear(&r->body);
    *r = (struct fetch_result){0};
}

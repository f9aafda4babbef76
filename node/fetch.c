#include "fetch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "fed/entity.h"
#include "fetch_easy.h"

#define CONNECT_TIME_MS 5000
#define WAIT_MS 1000 /* the longest nap of a blocking fetch: libcurl wakes it before */
#define READ_BUFFER (16 * 1024L)

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_init(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int fetch_global(void)
{
    pthread_once(&global_once, global_init);
    return global_result == CURLE_OK ? 0 : -ENOMEM;
}

/* The only sockets that exist are those of addresses looked at here, after names were resolved:
 * what is checked is what is connected to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetch_easy *e = arg;
    uint8_t bytes[16] = {0};
    const char *why = NULL;

    if (address->family == AF_INET)
        memcpy(bytes, &((const struct sockaddr_in *)(const void *)&address->addr)->sin_addr, 4);
    else if (address->family == AF_INET6)
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)&address->addr)->sin6_addr, 16);
    if (purpose != CURLSOCKTYPE_IPCXN ||
        !fetch_address_allowed(e->rules, e->host, address->family, bytes, &why)) {
        e->refused++;
        e->refused_why = why ? why : "not asked for";
        if (!inet_ntop(address->family, bytes, e->refused_address, sizeof(e->refused_address)))
            e->refused_address[0] = '\0';
        return CURL_SOCKET_BAD;
    }
    e->tried++;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
    struct fetch_easy *e = arg;

    (void)p;
    e->header_bytes += size * n;
    if (e->header_bytes > LIMIT_HTTP_HEADERS) {
        e->too_long = true;
        return 0;
    }
    return size * n;
}

/* Counts what really arrives: a length that is not announced, or announced wrongly, is bounded too.
 */
static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct fetch_easy *e = arg;
    size_t max = e->max;
    long status = 0;

    n *= size;
    curl_easy_getinfo(e->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        max = FETCH_DETAIL_MAX;
        e->enough = e->body.n + n > max; /* that much suffices to say what is wrong */
        if (e->enough)
            n = max - e->body.n;
    } else if (n > max - e->body.n) {
        e->too_long = true;
        return 0;
    }
    if (buf_add(&e->body, p, n) != 0) {
        e->no_memory = true;
        return 0;
    }
    return e->enough ? 0 : n;
}

/*
 * "https://" and a canonical authority, then a path of visible ASCII without fragment: the form
 * that all of our own URLs have. The authority's rules keep out userinfo and whatever a resolver
 * could take for an address.
 */
static int check_url(const char *url, struct fetch_easy *e, struct err *err)
{
    static const struct str scheme = {"https://", 8};
    struct str s = str_of(url), rest = {s.p, s.n}, authority, path;
    char id[LIMIT_ENTITY_ID + 1];

    if (!str_starts(s, scheme))
        return err_set(err, FETCH_E_URL, "\"%.100s\" is not fetched: it is no https:// URL", url);
    rest = (struct str){s.p + scheme.n, s.n - scheme.n};
    str_cut(rest, '/', &authority, &path);
    if (str_copy(id, sizeof(id), (struct str){s.p, scheme.n + authority.n}) != 0 ||
        !entity_is_canonical(str_of(id)))
        return err_set(err, FETCH_E_URL,
                       "\"%.100s\" is not fetched: it does not name a host, in lower case, without "
                       "user, default port or address",
                       url);
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= ' ' || path.p[i] >= 0x7F || strchr("#\\\"<>", path.p[i]))
            return err_set(err, FETCH_E_URL, "the path on %s holds a character that it may not",
                           id);
    return str_copy(e->host, sizeof(e->host), entity_hostname(id));
}

static int add_header(struct fetch_easy *e, const char *name, const char *value)
{
    char line[1024];
    struct curl_slist *longer;

    if (!value)
        return 0;
    if (snprintf(line, sizeof(line), "%s: %s", name, value) >= (int)sizeof(line))
        return -EINVAL;
    longer = curl_slist_append(e->headers, line);
    if (!longer)
        return -ENOMEM;
    e->headers = longer;
    return 0;
}

static int set_headers(struct fetch_easy *e, const struct fetch_request *req)
{
    const struct {
        const char *name, *value;
    } headers[] = {
        {"Accept", req->accept ? req->accept : "*/*"},
        {"If-None-Match", req->etag && req->etag[0] ? req->etag : NULL},
        {"Content-Type", req->content_type},
        {"Content-Digest", req->content_digest},
        {"Signature-Input", req->signature_input},
        {"Signature", req->signature},
        {"Expect", req->content_type ? "" : NULL}, /* no "100-continue": bodies are small */
    };

    e->conditional = req->etag && req->etag[0];
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        int r = add_header(e, headers[i].name, headers[i].value);
        if (r != 0)
            return r;
    }
    return curl_easy_setopt(e->curl, CURLOPT_HTTPHEADER, e->headers) == CURLE_OK ? 0 : -ENOMEM;
}

/* Names of loopback are answered here, since not every resolver knows them: Debian's does not. */
static int set_resolve(struct fetch_easy *e, const char *url)
{
    char line[LIMIT_ENTITY_ID + 40];
    struct str authority, path;
    char id[LIMIT_ENTITY_ID + 1];

    str_cut((struct str){url + 8, strlen(url) - 8}, '/', &authority, &path);
    if (str_copy(id, sizeof(id), (struct str){url, 8 + authority.n}) != 0)
        return -EINVAL;
    if (!e->rules->trial || !entity_is_local(id))
        return 0;
    snprintf(line, sizeof(line), "%s:%u:127.0.0.1", e->host, entity_port(id));
    e->resolve = curl_slist_append(NULL, line);
    if (!e->resolve)
        return -ENOMEM;
    return curl_easy_setopt(e->curl, CURLOPT_RESOLVE, e->resolve) == CURLE_OK ? 0 : -ENOMEM;
}

/* Whether the folder holds certificates under their hashes, so that OpenSSL finds the one it needs:
 * the bundle would cost milliseconds and megabytes instead. */
static bool is_hashed(const char *path)
{
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *entry;
    bool found = false;

    if (!dir)
        return false;
    while (!found && (entry = readdir(dir)))
        found = strlen(entry->d_name) == 10 && str_ends(str_of(entry->d_name), STR(".0"));
    closedir(dir);
    return found;
}

static CURLcode set_trust(struct fetch_easy *e)
{
    char *folder = NULL;
    CURLcode r = curl_easy_setopt(e->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

    if (r == CURLE_OK)
        r = curl_easy_setopt(e->curl, CURLOPT_SSL_VERIFYPEER, 1L);
    if (r == CURLE_OK)
        r = curl_easy_setopt(e->curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (r != CURLE_OK)
        return r;
    if (e->rules->trial && e->rules->tls_ca[0])
        return curl_easy_setopt(e->curl, CURLOPT_CAINFO, e->rules->tls_ca);
    curl_easy_getinfo(e->curl, CURLINFO_CAPATH, &folder);
    return is_hashed(folder) ? curl_easy_setopt(e->curl, CURLOPT_CAINFO, NULL) : CURLE_OK;
}

static CURLcode set_bounds(struct fetch_easy *e)
{
    long ms = e->rules->timeout_ms ? e->rules->timeout_ms : LIMIT_FETCH_TIME * 1000L;
    const struct {
        CURLoption option;
        long value;
    } longs[] = {
        {CURLOPT_TIMEOUT_MS, ms},
        {CURLOPT_CONNECTTIMEOUT_MS, ms / 2 < CONNECT_TIME_MS ? ms / 2 : CONNECT_TIME_MS},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_MAXREDIRS, 0},
        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_HTTP09_ALLOWED, 0},
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_QUICK_EXIT, 1}, /* a resolver that hangs does not hold up the loop */
        {CURLOPT_BUFFERSIZE, READ_BUFFER},
        {CURLOPT_UPLOAD_BUFFERSIZE, READ_BUFFER},
    };

    for (size_t i = 0; i < ARRAY_SIZE(longs); i++) {
        CURLcode r = curl_easy_setopt(e->curl, longs[i].option, longs[i].value);
        if (r != CURLE_OK)
            return r;
    }
    return CURLE_OK;
}

#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt(e->curl, option, value);                                  \
        if (set_ != CURLE_OK)                                                                      \
            return set_;                                                                           \
    } while (0)

static CURLcode set_transfer(struct fetch_easy *e, const struct fetch_request *req)
{
    SET(CURLOPT_URL, req->url);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_PROXY, ""); /* not from the environment either */
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_USERAGENT, "comity/" COMITY_VERSION_TEXT);
    SET(CURLOPT_ERRORBUFFER, e->words);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, e);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, e);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, e);
    if (!req->content_type)
        return CURLE_OK;
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n);
    SET(CURLOPT_COPYPOSTFIELDS, req->body.n ? req->body.p : "");
    return CURLE_OK;
}

int fetch_easy_new(const struct fetch_rules *rules, const struct fetch_request *req,
                   struct fetch_easy **out, struct err *err)
{
    _cleanup_(fetch_easy_freep) struct fetch_easy *e = calloc(1, sizeof(*e));
    int r;

    if (!e)
        return -ENOMEM;
    e->rules = rules;
    e->max = req->max;
    e->body.max = req->max > FETCH_DETAIL_MAX ? req->max : FETCH_DETAIL_MAX;
    r = check_url(req->url, e, err);
    if (r != 0)
        return r;
    if (req->accept && str_copy(e->accept, sizeof(e->accept), str_of(req->accept)) != 0)
        return err_set(err, -EINVAL, "the content type that is wanted is too long");
    e->curl = curl_easy_init();
    if (!e->curl || set_transfer(e, req) != CURLE_OK || set_bounds(e) != CURLE_OK ||
        set_trust(e) != CURLE_OK)
        return err_set(err, -ENOMEM, "memory is out");
    r = set_headers(e, req);
    if (r == 0)
        r = set_resolve(e, req->url);
    if (r != 0)
        return err_set(err, r, "the request to %s cannot be made", e->host);
    *out = e;
    e = NULL;
    return 0;
}

void fetch_easy_free(struct fetch_easy *e)
{
    if (!e)
        return;
    curl_easy_cleanup(e->curl);
    curl_slist_free_all(e->headers);
    curl_slist_free_all(e->resolve);
    buf_clear(&e->body);
    free(e);
}

/* Until the transfer has ended: 0, and *code says how. */
static int perform(CURLM *multi, int stop_fd, CURLcode *code)
{
    struct curl_waitfd stop = {.fd = stop_fd, .events = CURL_WAIT_POLLIN};
    const CURLMsg *msg;
    int running, left;

    for (;;) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return -EIO;
        while ((msg = curl_multi_info_read(multi, &left))) {
            if (msg->msg == CURLMSG_DONE) {
                *code = msg->data.result;
                return 0;
            }
        }
        stop.revents = 0;
        if (curl_multi_poll(multi, &stop, stop_fd >= 0, WAIT_MS, NULL) != CURLM_OK)
            return -EIO;
        if (stop.revents)
            return -ECANCELED;
    }
}

static int perform_one(struct fetch_easy *e, int stop_fd, struct fetch_result *out)
{
    CURLM *multi = curl_multi_init();
    CURLcode code;
    int r = multi && curl_multi_add_handle(multi, e->curl) == CURLM_OK ? 0 : -ENOMEM;

    if (r == 0) {
        r = perform(multi, stop_fd, &code);
        if (r == 0)
            fetch_easy_judge(e, code, out);
        curl_multi_remove_handle(multi, e->curl);
    }
    curl_multi_cleanup(multi);
    if (r != 0)
        err_set(&out->err, r, "%s: %s", e->host,
                r == -ECANCELED ? "broken off, since the node stops" : strerror(-r));
    return r == 0 ? out->result : r;
}

int fetch_now(const struct fetch_rules *rules, const struct fetch_request *req, int stop_fd,
              struct fetch_result *out)
{
    _cleanup_(fetch_easy_freep) struct fetch_easy *e = NULL;
    struct fetch_result r = {0};

    r.result = fetch_global();
    if (r.result == 0)
        r.result = fetch_easy_new(rules, req, &e, &r.err);
    if (r.result == 0)
        r.result = perform_one(e, stop_fd, &r);
    *out = r;
    return r.result;
}

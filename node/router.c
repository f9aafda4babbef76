#include "httpd_conn.h"

#include <stdio.h>

/* A wildcard stands for one segment that is not empty. */
static bool path_matches(const struct route *route, struct str path, struct str *param)
{
    size_t n = strlen(route->path);

    *param = (struct str){NULL, 0};
    if (route->path[n - 1] != '*')
        return str_eq(path, (struct str){route->path, n});
    n--;
    if (path.n <= n || memcmp(path.p, route->path, n) != 0)
        return false;
    *param = (struct str){path.p + n, path.n - n};
    return !memchr(param->p, '/', param->n);
}

static bool method_matches(const struct route *route, enum http_method method)
{
    return route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
}

static void refuse_method(const struct route *table, struct http_request *r)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET, HEAD", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",       [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = ""};
    char allow[80] = "Allow: ";
    size_t n = strlen(allow);
    struct str param;

    for (const struct route *route = table; route->path; route++)
        if (path_matches(route, r->path, &param))
            n += (size_t)snprintf(allow + n, sizeof(allow) - n, "%s%s", n > 7 ? ", " : "",
                                  names[route->method]);
    snprintf(allow + n, sizeof(allow) - n, "\r\n");
    http_problem_answer(r, &(struct http_problem){.status = 405,
                                                  .code = "method_not_allowed",
                                                  .title = "Not a method of this resource",
                                                  .extra = allow});
}

/* RFC 6750 section 2.1. */
static struct str bearer_of(const struct http_request *r)
{
    struct str value = http_header_get(r, "authorization"), scheme, token;

    if (!str_cut(value, ' ', &scheme, &token) || !http_text_equal(scheme, STR("Bearer")))
        return (struct str){NULL, 0};
    return str_trim(token);
}

static void refuse_sender(struct http_request *r, bool gave_one)
{
    struct err err = {0};
    unsigned wait = gave_one ? http_auth_failed(r) : 0;
    char retry[40];

    if (wait) {
        snprintf(retry, sizeof(retry), "Retry-After: %u\r\n", wait);
        err_set(&err, 0, "too many wrong tokens from this address");
        err_next(&err, 0, "Wait %u seconds, and check the token.", wait);
        http_problem_answer(r, &(struct http_problem){.status = 429,
                                                      .code = "too_many_failures",
                                                      .title = "Too many failures",
                                                      .err = &err,
                                                      .extra = retry});
        return;
    }
    err_set(&err, 0,
            gave_one ? "the token is not one of this space, or was revoked"
                     : "this needs an Authorization header with a bearer token");
    err_next(&err, 0, "Make one with: comity token create NAME --role desk");
    http_problem_answer(r, &(struct http_problem){
                               .status = 401,
                               .code = "unauthenticated",
                               .title = "Say who you are",
                               .err = &err,
                               .extra = gave_one
                                            ? "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"
                                            : "WWW-Authenticate: Bearer\r\n",
                           });
}

/* True if the sender holds a token with one of the roles; else it is answered. */
static bool admit_sender(struct http_request *r, unsigned roles)
{
    struct str secret = bearer_of(r);
    struct err err = {0};
    int result;

    if (!secret.p) {
        refuse_sender(r, http_header_get(r, "authorization").p != NULL);
        return false;
    }
    result = token_check(r->thread, r->space, secret, &r->holder);
    if (result == APP_E_UNAUTHENTICATED) {
        refuse_sender(r, true);
        return false;
    }
    if (result) {
        http_app_problem(r, result, NULL);
        return false;
    }
    if (roles & 1u << r->holder.role)
        return true;
    err_set(&err, 0, "a token with the role %s may not do this", token_role_name(r->holder.role));
    http_problem_answer(r, &(struct http_problem){
                               .status = 403,
                               .code = "forbidden",
                               .title = "Not allowed",
                               .err = &err,
                               .extra = "WWW-Authenticate: Bearer error=\"insufficient_scope\"\r\n",
                           });
    return false;
}

static bool is_json(struct str content_type)
{
    struct str type, parameters;

    str_cut(content_type, ';', &type, &parameters);
    return http_text_equal(str_trim(type), STR("application/json"));
}

static bool admit_body(struct http_request *r, const struct route *route, uint64_t length)
{
    struct err err = {0};

    if (length > route->body_max) {
        err_set(&err, 0, "the body has %llu bytes, and at most %zu are read here",
                (unsigned long long)length, route->body_max);
        http_problem(r, 413, "too_large", "The body is too large", &err);
        return false;
    }
    if (route->body_max && !is_json(http_header_get(r, "content-type"))) {
        err_set(&err, 0, "the body must be sent as Content-Type: application/json");
        http_problem(r, 415, "unsupported_media_type", "Not a type that is read here", &err);
        return false;
    }
    return true;
}

const struct route *router_admit(const struct route *table, struct http_request *r,
                                 uint64_t content_length)
{
    const struct route *route;
    bool path_known = false;
    struct str param;

    for (route = table; route->path; route++) {
        if (!path_matches(route, r->path, &param))
            continue;
        path_known = true;
        if (method_matches(route, r->method))
            break;
    }
    if (!route->path) {
        if (path_known)
            refuse_method(table, r);
        else
            http_problem(r, 404, "not_found", "No such thing", NULL);
        return NULL;
    }
    if (param.p && str_copy(r->conn->param, sizeof(r->conn->param), param)) {
        http_problem(r, 404, "not_found", "No such thing", NULL);
        return NULL;
    }
    if (route->roles && !admit_sender(r, route->roles))
        return NULL;
    return admit_body(r, route, content_length) ? route : NULL;
}

/* The signed documents of a space, as they lie in memory: any verifier may read them. */
#include "api.h"

#include "app/space.h"

/* Pages that verify in the browser read these from other origins; nothing here is secret or depends
 * on who asks. */
#define FOR_EVERYONE "Access-Control-Allow-Origin: *\r\n"

/* How long a copy may be used unasked. A configuration must give way soon when keys change. A
 * status list may be kept, but not used without asking whether it has changed, which costs no body:
 * else a cache in between would keep a revocation from those who ask every few seconds. For those
 * who hold it on their own its `ttl` counts (Token Status List, section 13.7). */
#define CONFIGURATION_CACHE "public, max-age=60"
#define STATUS_CACHE "public, no-cache"

static void serve(struct http_request *r, enum published_kind kind, unsigned n,
                  const char *content_type, const char *cache_control)
{
    _cleanup_(buf_clear) struct buf token = {0};
    char etag[36];
    int result = space_published(r->space, kind, n, &token, etag);

    if (result) {
        http_app_problem(r, result, NULL);
        return;
    }
    http_answer(r, &(struct http_reply){
                       .status = 200,
                       .content_type = content_type,
                       .body = buf_as_str(&token),
                       .etag = etag,
                       .cache_control = cache_control,
                       .extra = FOR_EVERYONE,
                   });
}

/* OpenID Federation 1.0 section 9. */
void api_configuration(struct http_request *r)
{
    serve(r, PUBLISHED_CONFIGURATION, 0, "application/entity-statement+jwt", CONFIGURATION_CACHE);
}

/* SD-JWT VC, section "JWT VC Issuer Metadata". */
void api_issuer(struct http_request *r)
{
    serve(r, PUBLISHED_ISSUER, 0, "application/json", CONFIGURATION_CACHE);
}

/* Token Status List, section 8.1. */
void api_status(struct http_request *r)
{
    int64_t n;

    if (str_to_int(str_of(r->param), 0, LIMIT_STATUS_LISTS - 1, &n)) {
        http_app_problem(r, APP_E_ABSENT, NULL);
        return;
    }
    serve(r, PUBLISHED_STATUS, (unsigned)n, "application/statuslist+jwt", STATUS_CACHE);
}

#include "lib/app/post.h"

#include <stdio.h>

void post_collect(struct world *w, struct delivery *d)
{
    struct err err = {0};
    size_t n = 0;
    int r = deliver_collect(&w->host.thread, w->host.space, NULL, 0, d, 1, &n, &err);

    if (r != 0)
        fail_msg("deliver_collect: %d, %s", r, err.text);
    assert_int_equal(n, 1);
}

static int accept(struct world *w, const struct httpsig_request *req, struct str digest,
                  struct str input, struct str signature, struct accept_stamps *a)
{
    const struct httpsig_header headers[] = {
        {STR("content-digest"), digest},
        {STR("signature-input"), input},
        {STR("signature"), signature},
    };
    struct err err = {0};
    int r = accept_stamps_prepare(&w->home.thread, w->home.space, req, headers, ARRAY_SIZE(headers),
                                  a, &err);

    return r != 0 ? r : app_do(&w->home.app, &a->job);
}

static struct httpsig_request request(const char *authority, struct str body)
{
    return (struct httpsig_request){
        .method = STR("POST"),
        .authority = authority ? str_of(authority) : entity_authority(HOME),
        .path = STR(STAMPS_PATH),
        .content_type = STR("application/json"),
        .body = body,
    };
}

int post_deliver(struct world *w, const struct delivery *d, struct accept_stamps *a)
{
    const struct httpsig_request req = request(NULL, buf_as_str(&d->body));

    assert_string_equal(d->url.p, HOME STAMPS_PATH);
    return accept(w, &req, buf_as_str(&d->content_digest), buf_as_str(&d->signature_input),
                  buf_as_str(&d->signature), a);
}

void post_all(struct world *w)
{
    struct accept_stamps a = {0};
    struct delivery d;
    struct err err = {0};

    post_collect(w, &d);
    assert_int_equal(post_deliver(w, &d, &a), 0);
    assert_int_equal(
        deliver_received(&w->host.thread, w->host.space, &d, buf_as_str(&a.reply), &err), 0);
    accept_stamps_clear(&a);
    delivery_clear(&d);
}

int post_send(struct world *w, const struct post *p, struct accept_stamps *a)
{
    const struct httpsig_request req = request(p->authority, str_of(p->body));
    _cleanup_(buf_clear) struct buf digest = {0}, base = {0}, input = {0}, signature = {0};
    struct httpsig_params params = {.created = p->created ? p->created : w->now};
    uint8_t sig[SIG_LEN];

    params.expires = params.created + LIMIT_REQUEST_SIGNATURE_TIME;
    strcpy(params.nonce, p->nonce ? p->nonce : "nonce-0123456789");
    if (p->keyid)
        strcpy(params.keyid, p->keyid);
    else
        assert_int_equal(jwk_thumbprint(key_pair_public(p->key), params.keyid), 0);
    assert_int_equal(httpsig_digest_header(req.body, &digest), 0);
    assert_int_equal(httpsig_base(&req, buf_as_str(&digest), &params,
                                  httpsig_alg_of(key_pair_public(p->key)->type), &base, &input),
                     0);
    assert_int_equal(sign_bytes(p->key, base.p, base.n, sig), 0);
    assert_int_equal(httpsig_signature_header(sig, &signature), 0);
    return accept(w, &req, buf_as_str(&digest), buf_as_str(&input), buf_as_str(&signature), a);
}

char *post_body(const char *token)
{
    struct buf body = {0};

    buf_z(&body, "{\"stamps\":[\"");
    buf_z(&body, token);
    assert_int_equal(buf_z(&body, "\"]}"), 0);
    return buf_take(&body);
}

static char *result_member(const struct accept_stamps *a, const char *name)
{
    _cleanup_(json_freep) struct json *doc = NULL;
    const struct json *results;
    struct str value = STR("");

    assert_int_equal(json_parse(buf_as_str(&a->reply), &json_bounds_wire, &doc, NULL), 0);
    results = json_get(doc, "results");
    assert_int_equal(json_count(results), 1);
    json_get_str(json_at(results, 0), name, &value);
    return str_dup(value);
}

char *post_code(const struct accept_stamps *a)
{
    return result_member(a, "code");
}

char *post_receipt(const struct accept_stamps *a)
{
    return result_member(a, "receipt");
}

static int count(const struct home_stamp_row *row, void *arg)
{
    ++*(size_t *)arg;
    return 0;
}

size_t post_stored(struct world *w)
{
    size_t n = 0;

    assert_int_equal(store_home_stamp_list(w->home.space->store, NULL, 0, 10000, count, &n), 0);
    return n;
}

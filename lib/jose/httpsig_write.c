/*
 * The signer's half of jose/httpsig.h.
 */
#include <errno.h>

#include "base/b64.h"
#include "crypto/digest.h"
#include "jose/httpsig_profile.h"

const char *const httpsig_required[HTTPSIG_REQUIRED] = {
    "@method", "@authority", "@path", "content-type", "content-digest",
};

/* The HTTP Signature Algorithms registry, RFC 9421 section 6.2. */
static const struct {
    const char *name;
    enum key_type type;
} algs[] = {
    {"ecdsa-p256-sha256", KEY_P256},
    {"ed25519", KEY_ED25519},
};

const char *httpsig_alg_of(enum key_type type)
{
    for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
        if (algs[i].type == type)
            return algs[i].name;
    return NULL;
}

enum key_type httpsig_alg_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
        if (str_eqz(name, algs[i].name))
            return algs[i].type;
    return 0;
}

/* RFC 9530 section 2. */
int httpsig_digest_header(struct str body, struct buf *content_digest)
{
    uint8_t digest[SHA256_LEN];
    int r = sha256(body.p, body.n, digest);

    if (r)
        return r;
    buf_z(content_digest, "sha-256=:");
    b64std_append(content_digest, digest, sizeof(digest));
    return buf_ch(content_digest, ':');
}

static struct sfv_bare string_item(const char *z, struct buf *texts)
{
    size_t start = texts->n;

    buf_printf(texts, "\"%s\"", z);
    return (struct sfv_bare){.kind = SFV_STRING,
                             .text = {texts->p + start, texts->n - start},
                             .value = {texts->p + start + 1, texts->n - start - 2}};
}

static struct sfv_bare int_item(int64_t n, struct buf *texts)
{
    size_t start = texts->n;

    buf_printf(texts, "%lld", (long long)n);
    return (struct sfv_bare){.kind = SFV_INT, .text = {texts->p + start, texts->n - start}, .n = n};
}

/* RFC 9421 section 2.3. texts, which is given room before, holds what the list points into. */
static int describe(const struct httpsig_params *params, const char *alg, struct buf *texts,
                    struct sfv_inner_list *out)
{
    int r = buf_reserve(texts, 1024);

    if (r)
        return r;
    *out = (struct sfv_inner_list){.n_items = HTTPSIG_REQUIRED};
    for (size_t i = 0; i < HTTPSIG_REQUIRED; i++)
        out->items[i].value = string_item(httpsig_required[i], texts);
    out->params[0] = (struct sfv_param){STR("created"), int_item(params->created, texts)};
    out->params[1] = (struct sfv_param){STR("expires"), int_item(params->expires, texts)};
    out->params[2] = (struct sfv_param){STR("nonce"), string_item(params->nonce, texts)};
    out->params[3] = (struct sfv_param){STR("keyid"), string_item(params->keyid, texts)};
    out->params[4] = (struct sfv_param){STR("alg"), string_item(alg, texts)};
    out->params[5] = (struct sfv_param){STR("tag"), string_item(HTTPSIG_TAG, texts)};
    out->n_params = 6;
    return 0;
}

int httpsig_profile_base(const struct httpsig_request *req, const struct httpsig_header *headers,
                         size_t n, const struct sfv_inner_list *covered, struct buf *base)
{
    struct httpsig_message msg = {
        .method = req->method,
        .scheme = STR("https"),
        .authority = req->authority,
        .content_type = req->content_type.p ? req->content_type : STR(""),
        .headers = headers,
        .n_headers = n,
    };

    if (str_cut(req->path, '?', &msg.path, &msg.query)) {
        msg.query.p--; /* with its '?' */
        msg.query.n++;
    }
    return httpsig_write_base(&msg, covered, base);
}

int httpsig_base(const struct httpsig_request *req, struct str content_digest,
                 const struct httpsig_params *params, const char *alg, struct buf *base,
                 struct buf *signature_input)
{
    const struct httpsig_header digest = {STR("content-digest"), content_digest};
    struct sfv_inner_list covered;
    struct buf texts = {0};
    size_t start = base->n;
    int r;

    if (!sfv_is_plain(str_of(params->nonce)) || !sfv_is_plain(str_of(params->keyid)) ||
        !httpsig_alg_type(str_of(alg)))
        return -EINVAL;
    r = describe(params, alg, &texts, &covered);
    if (!r)
        r = httpsig_profile_base(req, &digest, 1, &covered, base);
    if (!r) {
        buf_z(signature_input, HTTPSIG_LABEL "=");
        sfv_write_inner_list(&covered, signature_input);
        r = buf_error(signature_input);
    } else if (r > 0) {
        base->n = start;
        r = -EINVAL; /* our own request has a line break in it */
    }
    buf_clear(&texts);
    return r;
}

int httpsig_signature_header(const uint8_t sig[static SIG_LEN], struct buf *out)
{
    buf_z(out, HTTPSIG_LABEL "=:");
    b64std_append(out, sig, SIG_LEN);
    return buf_ch(out, ':');
}

/*
 * The reader's half of jose/httpsig.h.
 */
#include <errno.h>
#include <stdio.h>

#include "base/b64.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "jose/httpsig_profile.h"

static int malformed(struct err *err, const char *what)
{
    return err_set(err, HTTPSIG_E_MALFORMED, "the %s header is malformed", what);
}

/* Whether this member of Signature-Input has our tag; *list is read in any case. */
static int read_input(struct sfv *s, struct sfv_inner_list *list, bool *ours)
{
    const struct sfv_bare *tag;
    int r = sfv_inner_list(s, list);

    if (r)
        return r;
    tag = sfv_param(list->params, list->n_params, "tag");
    *ours = tag && tag->kind == SFV_STRING && str_eqz(tag->value, HTTPSIG_TAG);
    return sfv_end_member(s);
}

/* The one signature that is tagged as ours (RFC 9421 section 7.2.5 is why there is a tag). */
static int find_input(const struct httpsig_header *headers, size_t n, struct str *label,
                      struct sfv_inner_list *out, struct err *err)
{
    struct sfv_inner_list list;
    bool found = false, ours;
    struct str key;
    struct sfv s;
    int more;

    for (size_t i = 0; i < n; i++) {
        if (!str_eqz(headers[i].name, "signature-input"))
            continue;
        sfv_begin(&s, headers[i].value);
        while ((more = sfv_key(&s, &key)) == 1) {
            if (read_input(&s, &list, &ours))
                return malformed(err, "Signature-Input");
            if (!ours)
                continue;
            if (found)
                return err_set(err, HTTPSIG_E_MALFORMED,
                               "two signatures have the tag \"" HTTPSIG_TAG "\"");
            *label = key;
            *out = list;
            found = true;
        }
        if (more < 0)
            return malformed(err, "Signature-Input");
    }
    return found ? 0
                 : err_set(err, HTTPSIG_E_ABSENT,
                           "the request has no signature with the tag \"" HTTPSIG_TAG "\"");
}

/* The bytes of that member of a dictionary of byte sequences, over all headers of that name.
 * 0, HTTPSIG_E_ABSENT, or HTTPSIG_E_MALFORMED, also if it is there twice. */
static int find_bytes(const struct httpsig_header *headers, size_t n, const char *name,
                      struct str label, struct sfv_bare *out)
{
    struct sfv_item item;
    bool found = false;
    struct str key;
    struct sfv s;
    int more;

    for (size_t i = 0; i < n; i++) {
        if (!str_eqz(headers[i].name, name))
            continue;
        sfv_begin(&s, headers[i].value);
        while ((more = sfv_key(&s, &key)) == 1) {
            if (sfv_item(&s, &item) || sfv_end_member(&s) || item.value.kind != SFV_BYTES)
                return HTTPSIG_E_MALFORMED;
            if (!str_eq(key, label))
                continue;
            if (found)
                return HTTPSIG_E_MALFORMED;
            *out = item.value;
            found = true;
        }
        if (more < 0)
            return HTTPSIG_E_MALFORMED;
    }
    return found ? 0 : HTTPSIG_E_ABSENT;
}

static int read_signature(const struct httpsig_header *headers, size_t n, struct str label,
                          struct httpsig *out, struct err *err)
{
    struct sfv_bare bytes;
    size_t len;
    int r = find_bytes(headers, n, "signature", label, &bytes);

    if (r == HTTPSIG_E_ABSENT)
        return err_set(err, r, "the Signature header has no member \"%.*s\"", STR_ARG(label));
    if (r)
        return malformed(err, "Signature");
    r = b64std_decode(bytes.value, out->sig, sizeof(out->sig), &len);
    if (r == -EINVAL)
        return malformed(err, "Signature");
    if (r || len != SIG_LEN)
        return err_set(err, HTTPSIG_E_SIGNATURE, "the signature is not of %d bytes", SIG_LEN);
    return 0;
}

static int check_components(const struct sfv_inner_list *list, struct err *err)
{
    for (size_t i = 0; i < HTTPSIG_REQUIRED; i++) {
        bool found = false;

        for (size_t k = 0; k < list->n_items; k++)
            found |= list->items[k].value.kind == SFV_STRING && list->items[k].n_params == 0 &&
                     str_eqz(list->items[k].value.value, httpsig_required[i]);
        if (!found)
            return err_set(err, HTTPSIG_E_COVERAGE, "\"%s\" is not covered", httpsig_required[i]);
    }
    return 0;
}

static int int_param(const struct sfv_inner_list *list, const char *name, int64_t *out,
                     struct err *err)
{
    const struct sfv_bare *v = sfv_param(list->params, list->n_params, name);

    if (!v)
        return err_set(err, HTTPSIG_E_COVERAGE, "the parameter \"%s\" is missing", name);
    if (v->kind != SFV_INT)
        return err_set(err, HTTPSIG_E_MALFORMED, "the parameter \"%s\" is no integer", name);
    *out = v->n;
    return 0;
}

/* A non-empty string of less than cap characters without escapes. */
static int string_param(const struct sfv_inner_list *list, const char *name, char *out, size_t cap,
                        struct err *err)
{
    const struct sfv_bare *v = sfv_param(list->params, list->n_params, name);

    if (!v)
        return err_set(err, HTTPSIG_E_COVERAGE, "the parameter \"%s\" is missing", name);
    if (v->kind != SFV_STRING || v->value.n == 0 || !sfv_is_plain(v->value) ||
        str_copy(out, cap, v->value))
        return err_set(err, HTTPSIG_E_MALFORMED,
                       "the parameter \"%s\" is no plain string of 1 to %zu characters", name,
                       cap - 1);
    return 0;
}

static int read_params(const struct sfv_inner_list *list, struct httpsig *out, struct err *err)
{
    struct httpsig_params *p = &out->params;
    int r = int_param(list, "created", &p->created, err);

    if (!r)
        r = int_param(list, "expires", &p->expires, err);
    if (!r)
        r = string_param(list, "nonce", p->nonce, sizeof(p->nonce), err);
    if (!r)
        r = string_param(list, "keyid", p->keyid, sizeof(p->keyid), err);
    if (r || !sfv_param(list->params, list->n_params, "alg"))
        return r;
    r = string_param(list, "alg", out->alg, sizeof(out->alg), err);
    if (r || !httpsig_alg_type(str_of(out->alg)))
        return err_set(err, HTTPSIG_E_ALG, "\"alg\" is none of ecdsa-p256-sha256, ed25519");
    return 0;
}

/* RFC 9421 section 2.3: created and expires, both with our allowance for other clocks. */
static int check_times(const struct httpsig_params *p, int64_t now, struct err *err)
{
    if (p->expires <= p->created || p->expires - p->created > LIMIT_REQUEST_SIGNATURE_TIME)
        return err_set(err, HTTPSIG_E_TIME, "the signature is not valid for 1 to %d s",
                       LIMIT_REQUEST_SIGNATURE_TIME);
    if (p->created > now + LIMIT_CLOCK_SKEW)
        return err_set(err, HTTPSIG_E_TIME, "the signature was made %lld s in the future",
                       (long long)(p->created - now));
    if (p->expires < now - LIMIT_CLOCK_SKEW)
        return err_set(err, HTTPSIG_E_TIME, "the signature expired %lld s ago",
                       (long long)(now - p->expires));
    return 0;
}

/* RFC 9530 section 2: other algorithms may stand beside ours. */
static int check_digest(const struct httpsig_header *headers, size_t n, struct str body,
                        struct err *err)
{
    uint8_t want[SHA256_LEN], have[SHA256_LEN];
    struct sfv_bare bytes;
    size_t len;
    int r = find_bytes(headers, n, "content-digest", STR("sha-256"), &bytes);

    if (r == HTTPSIG_E_ABSENT)
        return err_set(err, HTTPSIG_E_DIGEST, "Content-Digest has no \"sha-256\"");
    if (r || b64std_decode(bytes.value, have, sizeof(have), &len) || len != sizeof(have))
        return malformed(err, "Content-Digest");
    r = sha256(body.p, body.n, want);
    if (r)
        return r;
    if (memcmp(have, want, sizeof(want)) != 0)
        return err_set(err, HTTPSIG_E_DIGEST, "the body is not the one that Content-Digest names");
    return 0;
}

static int parse(const struct httpsig_request *req, const struct httpsig_header *headers, size_t n,
                 int64_t now, struct httpsig *out, struct err *err)
{
    struct sfv_inner_list list;
    struct str label;
    int r;

    r = find_input(headers, n, &label, &list, err);
    if (r)
        return r;
    r = read_signature(headers, n, label, out, err);
    if (r)
        return r;
    r = check_components(&list, err);
    if (r)
        return r;
    r = read_params(&list, out, err);
    if (r)
        return r;
    r = check_times(&out->params, now, err);
    if (r)
        return r;
    r = httpsig_profile_base(req, headers, n, &list, &out->base);
    if (r > 0)
        return err_set(err, r, "a covered component cannot be taken from the request");
    return r ? r : check_digest(headers, n, req->body, err);
}

int httpsig_parse(const struct httpsig_request *req, const struct httpsig_header *headers, size_t n,
                  int64_t now, struct httpsig *out, struct err *err)
{
    struct httpsig sig = {.base.max = LIMIT_HTTP_HEADERS * 2};
    int r = parse(req, headers, n, now, &sig, err);

    if (r) {
        httpsig_clear(&sig);
        return r;
    }
    *out = sig;
    return 0;
}

int httpsig_check(struct verifier *v, const struct httpsig *sig, const struct key *key)
{
    int r;

    if (sig->alg[0] && httpsig_alg_type(str_of(sig->alg)) != key->type)
        return HTTPSIG_E_ALG;
    r = verifier_check(v, key, sig->base.p, sig->base.n, sig->sig);
    return r == SIG_E_BAD ? HTTPSIG_E_SIGNATURE : r;
}

void httpsig_clear(struct httpsig *sig)
{
    buf_clear(&sig->base);
    *sig = (struct httpsig){0};
}

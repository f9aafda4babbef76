#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/b64.h"
#include "fed/entity.h"
#include "vault_check.h"
#include "vault_counters.h"

struct vault_space {
    char id[LIMIT_ENTITY_ID + 1];
    struct key_pair *federation, *pass;
    char federation_kid[THUMBPRINT_LEN + 1];
    struct counters *counters;
    struct buf headers[SIGN_KIND_COUNT]; /* protected headers, encoded; made when first used */
};

struct vault {
    const struct state *state;     /* borrowed */
    const struct app_clock *clock; /* borrowed */
    struct vault_space *spaces[LIMIT_SPACES];
    size_t n_spaces;
};

static void space_free(struct vault_space *s)
{
    if (!s)
        return;
    key_pair_free(s->federation);
    key_pair_free(s->pass);
    counters_free(s->counters);
    for (int i = 0; i < SIGN_KIND_COUNT; i++)
        buf_clear(&s->headers[i]);
    free(s);
}
DEFINE_CLEANUP(struct vault_space *, space_free)

int vault_open(const struct state *state, const struct app_clock *clock, struct vault **out,
               struct err *err)
{
    struct vault *v = calloc(1, sizeof(*v));

    if (!v)
        return err_set(err, -ENOMEM, "memory is out");
    v->state = state;
    v->clock = clock;
    *out = v;
    return 0;
}

void vault_free(struct vault *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->n_spaces; i++)
        space_free(v->spaces[i]);
    free(v);
}

/* The path of one of a space's files. The id's form is what keeps paths inside the state folder. */
static int space_path(const struct vault *v, const char *space, const char *name,
                      char out[static 512], struct err *err)
{
    char authority[LIMIT_ENTITY_ID + 1];
    int r;

    if (!entity_is_canonical(str_of(space)))
        return err_set(err, SIGNER_E_SPACE, "\"%.80s\" is no space's id", space);
    r = str_copy(authority, sizeof(authority), entity_authority(space));
    if (r == 0)
        r = state_space_path(v->state, authority, name, out);
    return r == 0 ? 0 : err_set(err, r, "the path of %s for %s is too long", name, space);
}

static int load_pair(const struct vault *v, const char *space, const char *name,
                     struct key_pair **out, struct err *err)
{
    char path[512];
    int r = space_path(v, space, name, path, err);

    if (r != 0)
        return r;
    r = key_pair_load(path, out, err);
    if (r == -ENOENT || r == -ENOTDIR)
        return err_set(err, SIGNER_E_SPACE, "%s is not served here: there is no %s", space, path);
    if (r == KEY_E_MODE)
        return -EPERM;
    return r > 0 ? -EBADMSG : r;
}

/* What signs passes must not be able to speak for the space, or the two need not be apart. */
static int refuse_one_key(const char *id, struct err *err)
{
    err_set(err, 0, "federation.key and pass.key of %s are the same key", id);
    return err_next(err, -EBADMSG, "restore both from a backup");
}

static int load_space(const struct vault *v, const char *id, struct vault_space **out,
                      struct err *err)
{
    _cleanup_(space_freep) struct vault_space *s = calloc(1, sizeof(*s));
    char path[512];
    int r;

    if (!s)
        return -ENOMEM;
    r = load_pair(v, id, "federation.key", &s->federation, err);
    if (r == 0)
        r = load_pair(v, id, "pass.key", &s->pass, err);
    if (r == 0 && key_equal(key_pair_public(s->federation), key_pair_public(s->pass)))
        r = refuse_one_key(id, err);
    if (r == 0)
        r = space_path(v, id, "counters", path, err);
    if (r == 0)
        r = counters_open(path, &s->counters, err);
    if (r == 0)
        r = str_copy(s->id, sizeof(s->id), str_of(id));
    if (r == 0)
        r = jwk_thumbprint(key_pair_public(s->federation), s->federation_kid);
    if (r != 0)
        return r;
    *out = s;
    s = NULL;
    return 0;
}

static int find_space(struct vault *v, const char *id, struct vault_space **out, struct err *err)
{
    struct vault_space *s = NULL;
    int r;

    for (size_t i = 0; i < v->n_spaces; i++) {
        if (strcmp(v->spaces[i]->id, id) == 0) {
            *out = v->spaces[i];
            return 0;
        }
    }
    if (v->n_spaces == LIMIT_SPACES)
        return err_set(err, SIGNER_E_SPACE, "one process serves at most %d spaces", LIMIT_SPACES);
    r = load_space(v, id, &s, err);
    if (r != 0)
        return r;
    v->spaces[v->n_spaces++] = s;
    *out = s;
    return 0;
}

/* What is held of a space whose files may not be those it was read from. */
static void forget_space(struct vault *v, const char *id)
{
    for (size_t i = 0; i < v->n_spaces; i++) {
        if (strcmp(v->spaces[i]->id, id) == 0) {
            space_free(v->spaces[i]);
            v->spaces[i] = v->spaces[--v->n_spaces];
            return;
        }
    }
}

/* A condition of a library below, which a payload that was checked should not cause, is a failure
 * here: positive results are ours. */
static int failure(int r)
{
    return r > 0 ? -EBADMSG : r;
}

/* iat (the counter's) and exp of what is published in versions; a configuration's own keys. */
static int complete(struct vault_space *s, const struct vault_kind *kind, struct sign_request *req,
                    struct json *payload)
{
    int r = json_put_int(payload, "iat", req->iat);

    if (r == 0)
        r = json_put_int(payload, "exp", req->iat + kind->lifetime);
    if (r == 0 && req->kind == SIGN_CONFIGURATION)
        r = json_put(payload, "jwks", jwks_write(key_pair_public(s->federation), 1));
    return r;
}

/* The protected header of a kind is always the same: jose/jws.h makes it once. */
static int make_header(const struct key_pair *pair, const char *typ, struct buf *header)
{
    _cleanup_(buf_clear) struct buf token = {0};
    struct str head, rest;
    int r = jws_sign(pair, typ, STR("{}"), &token);

    if (r != 0)
        return r;
    str_cut(buf_as_str(&token), '.', &head, &rest);
    return buf_str(header, head);
}

/* RFC 7515 section 5.1, on the path of every check-in. */
static int sign_jws(struct vault_space *s, enum sign_kind kind, const char *typ,
                    const struct key_pair *pair, struct str payload, struct buf *out)
{
    struct buf *header = &s->headers[kind];
    uint8_t sig[SIG_LEN];
    int r = header->n > 0 ? 0 : make_header(pair, typ, header);

    if (r == 0)
        r = buf_reserve(out, header->n + 1 + B64_LEN(payload.n) + 1 + B64_LEN(SIG_LEN));
    if (r != 0)
        return r;
    buf_str(out, buf_as_str(header));
    buf_ch(out, '.');
    b64_append(out, payload.p, payload.n);
    r = sign_bytes(pair, out->p, out->n, sig);
    if (r != 0)
        return r;
    buf_ch(out, '.');
    return b64_append(out, sig, sizeof(sig));
}

static int sign_token(struct vault_space *s, const struct vault_kind *kind,
                      struct sign_request *req, struct json *payload, int64_t now)
{
    const struct key_pair *pair = kind->pass_key ? s->pass : s->federation;
    _cleanup_(buf_clear) struct buf text = {.max = VAULT_PAYLOAD_MAX};
    const char *document;
    int r;

    if (!kind->lifetime) { /* what was checked is signed as it is */
        (void)json_get_int(payload, "iat", &req->iat);
        return failure(
            sign_jws(s, req->kind, kind->typ, pair, buf_as_str(&req->payload), &req->token));
    }
    document = req->kind == SIGN_CONFIGURATION ? "configuration" : json_z(payload, "sub");
    r = counters_next(s->counters, document, now, &req->iat, &req->err);
    if (r != 0)
        return r;
    r = complete(s, kind, req, payload);
    if (r == 0)
        r = json_write(payload, &text);
    if (r == 0)
        r = sign_jws(s, req->kind, kind->typ, pair, buf_as_str(&text), &req->token);
    return failure(r);
}

/* RFC 9421: the base is made here, from what was checked, never taken from the caller. */
static int sign_http(struct vault_space *s, struct sign_request *req, const struct json *payload)
{
    _cleanup_(buf_clear) struct buf base = {.max = LIMIT_HTTP_HEADERS};
    const struct httpsig_request http = {
        .method = json_as_str(json_get(payload, "method")),
        .authority = json_as_str(json_get(payload, "authority")),
        .path = json_as_str(json_get(payload, "path")),
        .content_type = json_as_str(json_get(payload, "content_type")),
    };
    struct httpsig_params params = {0};
    enum key_type type = key_pair_public(s->federation)->type;
    uint8_t sig[SIG_LEN];
    int r = str_copy(params.nonce, sizeof(params.nonce), json_as_str(json_get(payload, "nonce")));

    if (r != 0)
        return r;
    memcpy(params.keyid, s->federation_kid, sizeof(params.keyid));
    (void)json_get_int(payload, "created", &params.created);
    (void)json_get_int(payload, "expires", &params.expires);
    req->iat = params.created;
    r = httpsig_base(&http, json_as_str(json_get(payload, "content_digest")), &params,
                     type == KEY_P256 ? "ecdsa-p256-sha256" : "ed25519", &base, &req->token);
    if (r == 0)
        r = sign_bytes(s->federation, base.p, base.n, sig);
    if (r == 0)
        r = buf_ch(&req->token, '\n');
    if (r == 0)
        r = httpsig_signature_header(sig, &req->token);
    return failure(r);
}

static int sign_checked(struct vault *v, struct sign_request *req)
{
    const struct vault_kind *kind = vault_kind_find(req->kind);
    _cleanup_(json_freep) struct json *payload = NULL;
    int64_t now = v->clock->now(v->clock);
    struct vault_space *s = NULL;
    int r;

    if (!kind)
        return err_set(&req->err, SIGNER_E_REFUSED, "there is no kind %d to sign", (int)req->kind);
    r = find_space(v, req->space, &s, &req->err);
    if (r != 0)
        return r;
    const struct vault_facts facts = {s->id, now, key_pair_public(s->federation),
                                      key_pair_public(s->pass)};
    r = vault_check(kind, &facts, buf_as_str(&req->payload), &payload, &req->err);
    if (r != 0)
        return r;
    r = kind->typ ? sign_token(s, kind, req, payload, now) : sign_http(s, req, payload);
    if (r == 0 && req->token.n > kind->token_max)
        r = err_set(&req->err, SIGNER_E_REFUSED,
                    "this %s would be %zu bytes long; the bound is %zu", kind->name, req->token.n,
                    kind->token_max);
    return r;
}

void vault_sign(struct vault *v, struct sign_request *req)
{
    buf_clear(&req->token);
    req->iat = 0;
    req->err = (struct err){0};
    req->result = sign_checked(v, req);
    if (req->result == 0)
        return;
    buf_clear(&req->token);
    if (!req->err.text[0])
        err_set(&req->err, 0, "cannot sign: %s",
                req->result < 0 ? strerror(-req->result) : "refused");
}

static int make_folder(const struct vault *v, const char *space, struct err *err)
{
    char path[512];
    int r = space_path(v, space, "", path, err);

    if (r != 0)
        return r;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        r = -errno;
        return err_set(err, r, "cannot create %s: %s", path, strerror(-r));
    }
    return 0;
}

static int make_pair(const struct vault *v, const char *space, const char *name, struct err *err)
{
    struct key_pair *pair = NULL;
    char path[512];
    int r = space_path(v, space, name, path, err);

    if (r == 0)
        r = key_pair_generate(KEY_P256, &pair);
    if (r == 0)
        r = key_pair_save(pair, path, err);
    key_pair_free(pair);
    if (r == KEY_E_EXISTS)
        return -EEXIST;
    return r > 0 ? -EIO : r;
}

int vault_create(struct vault *v, const char *space, struct err *err)
{
    char path[512];
    int r = make_folder(v, space, err);

    /* It may have been founded before, in vain: its folder was removed, its keys are still here. */
    forget_space(v, space);
    /* The last file to be written makes the space complete: until then nobody can sign for it. */
    if (r == 0)
        r = space_path(v, space, "counters", path, err);
    if (r == 0)
        r = counters_create(path, err);
    if (r == 0)
        r = make_pair(v, space, "federation.key", err);
    if (r == 0)
        r = make_pair(v, space, "pass.key", err);
    return r;
}

int vault_keys(struct vault *v, const char *space, struct key *federation, struct key *pass,
               struct err *err)
{
    struct vault_space *s = NULL;
    int r = find_space(v, space, &s, err);

    if (r != 0)
        return r;
    *federation = *key_pair_public(s->federation);
    *pass = *key_pair_public(s->pass);
    return 0;
}

#include "vault_check.h"

#include "base/limits.h"
#include "cred/pass.h"
#include "cred/stamp.h"
#include "cred/status_list.h"
#include "fed/configuration.h"

static const struct json_bounds bounds = {
    .bytes = VAULT_PAYLOAD_MAX,
    .depth = LIMIT_JSON_DEPTH,
    .members = LIMIT_JSON_MEMBERS,
    .items = LIMIT_JSON_ITEMS,
};

static int refuse(struct err *err, const char *member, const char *what)
{
    return err_set(err, SIGNER_E_REFUSED, "%s %s", member, what);
}

static int64_t integer(const struct json *payload, const char *name)
{
    int64_t n = -1;

    (void)json_get_int(payload, name, &n); /* its type was checked before */
    return n;
}

static struct str text_of(const struct json *payload, const char *name)
{
    return json_as_str(json_get(payload, name));
}

static int check_iat(const struct vault_facts *f, int64_t t, const char *name, struct err *err)
{
    if (t < f->now - LIMIT_CLOCK_SKEW || t > f->now + LIMIT_CLOCK_SKEW)
        return refuse(err, name, "is not now");
    return 0;
}

/* "<space>/status/<n>", n below LIMIT_STATUS_LISTS. */
static bool is_own_status(const struct vault_facts *f, struct str uri)
{
    size_t n = strlen(f->space), path = sizeof(CONFIGURATION_STATUS_PATH) - 1;
    int64_t list;

    if (uri.n <= n + path || memcmp(uri.p, f->space, n) != 0 ||
        memcmp(uri.p + n, CONFIGURATION_STATUS_PATH, path) != 0)
        return false;
    uri = (struct str){uri.p + n + path, uri.n - n - path};
    return str_to_int(uri, 0, LIMIT_STATUS_LISTS - 1, &list) == 0;
}

/* The other party of a stamp or receipt. */
static int check_aud(const struct vault_facts *f, const struct json *payload, struct err *err)
{
    struct str aud = text_of(payload, "aud");

    if (!entity_is_canonical(aud))
        return refuse(err, "aud", "is no canonical entity id");
    return str_eqz(aud, f->space) ? refuse(err, "aud", "is the same as iss") : 0;
}

static int check_pass(const struct vault_facts *f, const struct json *payload, struct err *err)
{
    int64_t iat = integer(payload, "iat"), exp = integer(payload, "exp"), idx;
    const struct json *list = json_get(json_get(payload, "status"), "status_list");
    struct str sub = text_of(payload, "sub");

    if (!str_eqz(text_of(payload, "vct"), PASS_VCT))
        return refuse(err, "vct", "is not that of a pass");
    if (!sub.n || sub.n > PASS_SUB_MAX)
        return refuse(err, "sub", "is empty or too long");
    if (check_iat(f, iat, "iat", err) != 0)
        return SIGNER_E_REFUSED;
    if (exp <= iat || exp - iat > LIMIT_PASS_DAYS * 86400)
        return refuse(err, "exp", "is not within 30 days after iat");
    if (json_get_int(list, "idx", &idx) != 0 || idx < 0 || idx >= LIMIT_STATUS_ENTRIES)
        return refuse(err, "status.status_list.idx", "is missing or out of range");
    if (!is_own_status(f, text_of(list, "uri")))
        return refuse(err, "status.status_list.uri", "is none of this space's status lists");
    return 0;
}

static int check_status_list(const struct vault_facts *f, const struct json *payload,
                             struct err *err)
{
    const struct json *list = json_get(payload, "status_list");
    int64_t bits;

    if (!is_own_status(f, text_of(payload, "sub")))
        return refuse(err, "sub", "is none of this space's status lists");
    if (json_get_int(list, "bits", &bits) != 0 || (bits != 1 && bits != 2))
        return refuse(err, "status_list.bits", "is neither 1 nor 2");
    if (!text_of(list, "lst").n)
        return refuse(err, "status_list.lst", "is missing");
    return 0;
}

/* A configuration without our own pass key would disown every pass. One that lists the federation
 * key as a pass key would give it two uses. */
static int check_configuration(const struct vault_facts *f, const struct json *payload,
                               struct err *err)
{
    const struct json *space = json_get(json_get(payload, "metadata"), "comity_space");
    struct key keys[LIMIT_KEYS_PER_ENTITY];
    bool found = false;
    size_t n = 0;

    if (!str_eqz(text_of(payload, "sub"), f->space))
        return refuse(err, "sub", "is not this space");
    if (jwks_parse(json_get(space, "pass_jwks"), keys, ARRAY_SIZE(keys), &n, NULL) != 0)
        return refuse(err, "metadata.comity_space.pass_jwks", "is missing or not a set of keys");
    for (size_t i = 0; i < n; i++) {
        found |= key_equal(&keys[i], f->pass);
        if (key_equal(&keys[i], f->federation))
            return refuse(err, "metadata.comity_space.pass_jwks", "holds the federation key");
    }
    return found ? 0
                 : refuse(err, "metadata.comity_space.pass_jwks", "lacks this space's pass key");
}

static int check_stamp(const struct vault_facts *f, const struct json *payload, struct err *err)
{
    if (!text_of(payload, "jti").n || text_of(payload, "jti").n > STAMP_ID_MAX)
        return refuse(err, "jti", "is empty or too long");
    if (integer(payload, "rev") < 1)
        return refuse(err, "rev", "is less than 1");
    if (check_aud(f, payload, err) != 0)
        return SIGNER_E_REFUSED;
    return check_iat(f, integer(payload, "iat"), "iat", err);
}

static int check_receipt(const struct vault_facts *f, const struct json *payload, struct err *err)
{
    if (text_of(payload, "stamp_sha256").n != 43)
        return refuse(err, "stamp_sha256", "is no digest");
    return check_stamp(f, payload, err);
}

/* What ends up in lines of the signature base (RFC 9421 section 2.5) and inside quotes must not be
 * able to end either. */
static bool is_plain(struct str s, const char *besides, size_t max)
{
    if (!s.n || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7F || s.p[i] == '"' || s.p[i] == '\\' ||
            strchr(besides, s.p[i]))
            return false;
    return true;
}

static int check_request_texts(const struct json *payload, struct err *err)
{
    struct str authority = text_of(payload, "authority"), path = text_of(payload, "path");
    struct str type = text_of(payload, "content_type");
    char id[LIMIT_ENTITY_ID + 1] = "https://";

    if (!str_eqz(text_of(payload, "method"), "POST"))
        return refuse(err, "method", "is not POST");
    if (str_copy(id + 8, sizeof(id) - 8, authority) != 0 || !entity_is_canonical(str_of(id)))
        return refuse(err, "authority", "is no canonical host and port");
    if (!str_starts(path, STR("/node/v1/")) || !is_plain(path, "?#", 256))
        return refuse(err, "path", "is not one that nodes post to");
    if (!is_plain(type, ";,", 80))
        return refuse(err, "content_type", "is no plain content type");
    if (!is_plain(text_of(payload, "content_digest"), ",;", 80) ||
        !str_starts(text_of(payload, "content_digest"), STR("sha-256=:")))
        return refuse(err, "content_digest", "is no SHA-256 digest of RFC 9530");
    if (!is_plain(text_of(payload, "nonce"), ",;", HTTPSIG_NONCE_MAX))
        return refuse(err, "nonce", "is empty, too long or not plain");
    return 0;
}

static int check_request(const struct vault_facts *f, const struct json *payload, struct err *err)
{
    int64_t created = integer(payload, "created"), expires = integer(payload, "expires");

    if (check_request_texts(payload, err) != 0 || check_iat(f, created, "created", err) != 0)
        return SIGNER_E_REFUSED;
    if (expires <= created || expires - created > LIMIT_REQUEST_SIGNATURE_TIME)
        return refuse(err, "expires", "is not within 120 s after created");
    return 0;
}

/* Members of each kind, with their types; what else they hold is the use case's. */
static const struct vault_member pass_members[] = {
    {"iss", JSON_STRING},    {"vct", JSON_STRING}, {"sub", JSON_STRING}, {"tier", JSON_STRING},
    {"status", JSON_OBJECT}, {"iat", JSON_INT},    {"exp", JSON_INT},    {0},
};
static const struct vault_member status_members[] = {
    {"iss", JSON_STRING},
    {"sub", JSON_STRING},
    {"status_list", JSON_OBJECT},
    {0},
};
static const struct vault_member configuration_members[] = {
    {"iss", JSON_STRING},
    {"sub", JSON_STRING},
    {"comity_versions", JSON_ARRAY},
    {"metadata", JSON_OBJECT},
    {0},
};
static const struct vault_member stamp_members[] = {
    {"iss", JSON_STRING},    {"aud", JSON_STRING},
    {"jti", JSON_STRING},    {"rev", JSON_INT},
    {"iat", JSON_INT},       {"sub", JSON_STRING},
    {"status", JSON_OBJECT}, {"in", JSON_INT},
    {"day", JSON_STRING},    {0},
};
static const struct vault_member receipt_members[] = {
    {"iss", JSON_STRING},
    {"aud", JSON_STRING},
    {"jti", JSON_STRING},
    {"rev", JSON_INT},
    {"stamp_sha256", JSON_STRING},
    {"iat", JSON_INT},
    {0},
};
static const struct vault_member request_members[] = {
    {"method", JSON_STRING},       {"authority", JSON_STRING}, {"path", JSON_STRING},
    {"content_type", JSON_STRING}, {"created", JSON_INT},      {"content_digest", JSON_STRING},
    {"expires", JSON_INT},         {"nonce", JSON_STRING},     {0},
};

static const struct vault_kind kinds[SIGN_KIND_COUNT] = {
    [SIGN_PASS] = {.name = "pass",
                   .typ = PASS_TYP,
                   .pass_key = true,
                   .token_max = LIMIT_PASS,
                   .members = pass_members,
                   .check = check_pass},
    [SIGN_STATUS_LIST] = {.name = "status list",
                          .typ = STATUS_TYP,
                          .pass_key = true,
                          .lifetime = LIFETIME_STATUS_LIST,
                          .token_max = LIMIT_STATUS_TOKEN,
                          .members = status_members,
                          .check = check_status_list},
    [SIGN_CONFIGURATION] = {.name = "configuration",
                            .typ = CONFIGURATION_TYP,
                            .lifetime = LIFETIME_CONFIGURATION,
                            .token_max = LIMIT_CONFIGURATION,
                            .members = configuration_members,
                            .check = check_configuration},
    [SIGN_STAMP] = {.name = "stamp",
                    .typ = STAMP_TYP,
                    .token_max = LIMIT_STAMP,
                    .members = stamp_members,
                    .check = check_stamp},
    [SIGN_RECEIPT] = {.name = "receipt",
                      .typ = RECEIPT_TYP,
                      .token_max = LIMIT_STAMP,
                      .members = receipt_members,
                      .check = check_receipt},
    [SIGN_REQUEST] = {.name = "request",
                      .token_max = LIMIT_HTTP_HEADERS,
                      .members = request_members,
                      .check = check_request},
};

const struct vault_kind *vault_kind_find(enum sign_kind kind)
{
    if ((unsigned)kind >= SIGN_KIND_COUNT || !kinds[kind].check)
        return NULL;
    return &kinds[kind];
}

static int check_members(const struct vault_kind *kind, const struct json *payload, struct err *err)
{
    for (const struct vault_member *m = kind->members; m->name; m++) {
        const struct json *value = json_get(payload, m->name);

        if (!value)
            return refuse(err, m->name, "is missing");
        if (json_kind(value) != m->kind)
            return refuse(err, m->name, "is of another type than it should be");
    }
    return 0;
}

int vault_check(const struct vault_kind *kind, const struct vault_facts *f, struct str text,
                struct json **out, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    int r = json_parse(text, &bounds, &payload, err);

    if (r != 0)
        return r < 0 ? r : err_prefix(err, SIGNER_E_REFUSED, "the payload of a %s", kind->name);
    if (json_kind(payload) != JSON_OBJECT)
        return err_set(err, SIGNER_E_REFUSED, "the payload of a %s is no JSON object", kind->name);
    r = check_members(kind, payload, err);
    if (r == 0 && kind->typ && !str_eqz(text_of(payload, "iss"), f->space))
        r = refuse(err, "iss", "is not the space that is to sign");
    if (r == 0)
        r = kind->check(f, payload, err);
    if (r != 0)
        return err_prefix(err, r, "this is no %s to sign", kind->name);
    *out = payload;
    payload = NULL;
    return 0;
}

#include "cred/pass.h"

#include <errno.h>

#include "base/clock.h"
#include "jose/jwk.h"

/* What must be visible to whoever holds the text: SD-JWT VC section 3.2.2.2 for the first six, the
 * profile of proto/pass.md for the rest. */
static const char *const always_visible[] = {
    "iss", "nbf", "exp", "cnf", "vct", "status", "sub", "iat", "tier",
};

static int bad(struct err *err, const char *claim, const char *what)
{
    return err_set(err, PASS_E_MALFORMED, "%s %s", claim, what);
}

/* Also what lies inside such a claim may not come from a disclosure. */
static int check_visible(const struct sdjwt *s, struct err *err)
{
    for (size_t i = 0; i < s->n_disclosures; i++)
        for (size_t k = 0; k < ARRAY_SIZE(always_visible); k++)
            if (strcmp(s->disclosures[i].root, always_visible[k]) == 0)
                return bad(err, always_visible[k], "must be visible, here it is disclosed");
    return 0;
}

static int get_str(const struct json *obj, const char *name, struct str *out, struct err *err)
{
    switch (json_get_str(obj, name, out)) {
    case 0:
        return 0;
    case JSON_E_ABSENT:
        return bad(err, name, "is missing");
    default:
        return bad(err, name, "is not a string");
    }
}

static int get_time(const struct json *obj, const char *name, int64_t *out, struct err *err)
{
    int64_t t;

    switch (json_get_int(obj, name, &t)) {
    case 0:
        if (t <= 0)
            return bad(err, name, "is out of range");
        *out = t;
        return 0;
    case JSON_E_ABSENT:
        return bad(err, name, "is missing");
    default:
        return bad(err, name, "is not an integer");
    }
}

static bool is_visible_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7e)
            return false;
    return s.n > 0;
}

/* The form of an entity id; whether it is one that we know is the directory's to say. */
static bool is_origin(struct str s)
{
    if (s.n > LIMIT_ENTITY_ID || !str_starts(s, STR("https://")) || s.n == 8)
        return false;
    for (size_t i = 8; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '.' || s.p[i] == '-' || s.p[i] == ':'))
            return false;
    return true;
}

static int read_vct(const struct json *payload, struct err *err)
{
    struct str vct;
    int r = get_str(payload, "vct", &vct, err);

    if (!r && !str_eq(vct, STR(PASS_VCT)))
        r = err_set(err, PASS_E_UNSUPPORTED, "vct is \"%.*s\", not \"" PASS_VCT "\"", STR_ARG(vct));
    return r;
}

static int read_texts(const struct json *payload, struct pass *p, struct err *err)
{
    struct str iss, sub, tier;
    int r = get_str(payload, "iss", &iss, err);

    if (!r && (!is_origin(iss) || str_copy(p->iss, sizeof(p->iss), iss)))
        r = bad(err, "iss", "is not the address of a space, https://host");
    if (!r)
        r = get_str(payload, "sub", &sub, err);
    if (!r && (!is_visible_ascii(sub) || str_copy(p->sub, sizeof(p->sub), sub)))
        r = bad(err, "sub", "is not 1 to 64 visible ASCII characters");
    if (!r)
        r = get_str(payload, "tier", &tier, err);
    if (!r && (!tier.n || !str_is_printable(tier) || str_copy(p->tier, sizeof(p->tier), tier)))
        r = bad(err, "tier", "is not 1 to 32 printable bytes");
    return r;
}

static int read_times(const struct json *payload, struct pass *p, struct err *err)
{
    int r = get_time(payload, "iat", &p->iat, err);

    if (!r)
        r = get_time(payload, "exp", &p->exp, err);
    if (r)
        return r;
    if (p->exp <= p->iat)
        return bad(err, "exp", "is not after iat");
    if (p->exp - p->iat > LIMIT_PASS_DAYS * 86400)
        return err_set(err, PASS_E_MALFORMED, "exp is more than %d days after iat",
                       LIMIT_PASS_DAYS);
    p->nbf = 0;
    if (!json_get(payload, "nbf"))
        return 0;
    r = get_time(payload, "nbf", &p->nbf, err);
    if (!r && p->nbf >= p->exp)
        r = bad(err, "nbf", "is not before exp");
    return r;
}

/* Token Status List section 6.2. The list must be at the issuer's own address: a space cannot let
 * another one answer for its passes. */
static int read_status(const struct json *payload, struct pass *p, struct err *err)
{
    const struct json *status = json_get(payload, "status");
    const struct json *list = json_get(status, "status_list");
    struct str uri;
    int64_t idx;
    int r;

    if (!status || json_kind(status) != JSON_OBJECT)
        return bad(err, "status", status ? "is not an object" : "is missing");
    if (!list)
        return err_set(err, json_count(status) ? PASS_E_UNSUPPORTED : PASS_E_MALFORMED,
                       "status has no status_list");
    if (json_kind(list) != JSON_OBJECT)
        return bad(err, "status.status_list", "is not an object");
    r = json_get_int(list, "idx", &idx);
    if (r)
        return bad(err, "status.status_list.idx",
                   r == JSON_E_ABSENT ? "is missing" : "is not an integer");
    if (idx < 0 || idx >= LIMIT_STATUS_ENTRIES)
        return bad(err, "status.status_list.idx", "is out of range");
    r = json_get_str(list, "uri", &uri);
    if (r)
        return bad(err, "status.status_list.uri",
                   r == JSON_E_ABSENT ? "is missing" : "is not a string");
    size_t n = strlen(p->iss);
    if (!str_starts(uri, (struct str){p->iss, n}) || uri.n <= n + 1 || uri.p[n] != '/' ||
        !is_visible_ascii(uri) || str_copy(p->status_uri, sizeof(p->status_uri), uri))
        return bad(err, "status.status_list.uri", "is not below iss");
    p->status_idx = (uint32_t)idx;
    return 0;
}

/* RFC 7800 section 3: of its methods only jwk, a key that is there. */
static int read_cnf(const struct json *payload, struct pass *p, struct err *err)
{
    const struct json *cnf = json_get(payload, "cnf");
    const struct json *jwk = json_get(cnf, "jwk");
    int r;

    p->bound = false;
    if (!cnf)
        return 0;
    if (json_kind(cnf) != JSON_OBJECT)
        return bad(err, "cnf", "is not an object");
    if (!jwk)
        return err_set(err, json_count(cnf) ? PASS_E_UNSUPPORTED : PASS_E_MALFORMED,
                       "cnf has no jwk");
    if (json_kind(jwk) != JSON_OBJECT)
        return bad(err, "cnf.jwk", "is not an object");
    r = jwk_parse(jwk, &p->device, err);
    if (r)
        return err_prefix(err,
                          r < 0                    ? r
                          : r == JWK_E_UNSUPPORTED ? PASS_E_UNSUPPORTED
                                                   : PASS_E_MALFORMED,
                          "cnf.jwk");
    p->bound = true;
    return 0;
}

static int read_name(const struct sdjwt *s, struct pass *p, struct err *err)
{
    const struct json *name = sdjwt_disclosed(s, "name");
    struct str text = name ? json_as_str(name) : (struct str){0};

    p->name[0] = '\0';
    if (!name)
        return 0;
    if (json_kind(name) != JSON_STRING)
        return bad(err, "name", "is not a string");
    if (!text.n || !str_is_printable(text) || str_copy(p->name, sizeof(p->name), text))
        return bad(err, "name", "is not 1 to 128 printable bytes");
    return 0;
}

int pass_read(const struct sdjwt *presented, struct pass *out, struct err *err)
{
    struct pass p;
    int r;

    if (presented->issued.n > LIMIT_PASS)
        return err_set(err, PASS_E_MALFORMED, "the pass has %zu characters; at most %d are read",
                       presented->issued.n, LIMIT_PASS);
    r = check_visible(presented, err);
    if (!r)
        r = read_vct(presented->payload, err);
    if (!r)
        r = read_texts(presented->payload, &p, err);
    if (!r)
        r = read_times(presented->payload, &p, err);
    if (!r)
        r = read_status(presented->payload, &p, err);
    if (!r)
        r = read_cnf(presented->payload, &p, err);
    if (!r)
        r = read_name(presented, &p, err);
    if (!r)
        *out = p;
    return r;
}

static struct json *status_object(const struct pass *p)
{
    _cleanup_(json_freep) struct json *status = json_object(), *list = json_object();
    struct json *made;

    if (!status || !list || json_put_int(list, "idx", p->status_idx) ||
        json_put_z(list, "uri", p->status_uri))
        return NULL;
    made = list;
    list = NULL;
    if (json_put(status, "status_list", made))
        return NULL;
    made = status;
    status = NULL;
    return made;
}

static struct json *cnf_object(const struct key *device)
{
    _cleanup_(json_freep) struct json *cnf = json_object();
    struct json *made;

    if (!cnf || json_put(cnf, "jwk", jwk_bare(device)))
        return NULL;
    made = cnf;
    cnf = NULL;
    return made;
}

/* This order is for people who decode a pass by hand; _sd_alg is left out, sha-256 being the
 * default of RFC 9901 section 4.1.1: each character makes the QR symbol larger. */
static int put_visible(const struct pass *p, struct json *payload)
{
    if (json_put_z(payload, "iss", p->iss) || json_put_z(payload, "vct", PASS_VCT) ||
        json_put_int(payload, "iat", p->iat) || (p->nbf && json_put_int(payload, "nbf", p->nbf)) ||
        json_put_int(payload, "exp", p->exp) || json_put_z(payload, "sub", p->sub) ||
        json_put_z(payload, "tier", p->tier) || json_put(payload, "status", status_object(p)) ||
        (p->bound && json_put(payload, "cnf", cnf_object(&p->device))))
        return -ENOMEM;
    return 0;
}

int pass_payload(const struct pass_claims *claims, struct rand *rand, struct json **payload,
                 struct buf *tail)
{
    _cleanup_(json_freep) struct json *made = json_object();
    const struct pass *p = claims->pass;
    char day[RFC3339_LEN + 1];
    int r = made ? put_visible(p, made) : -ENOMEM;

    if (!r)
        r = buf_ch(tail, '~');
    if (!r && p->name[0])
        r = sdjwt_conceal(made, "name", json_string(str_of(p->name)), rand, tail);
    if (!r && claims->member_since) {
        rfc3339_format(claims->member_since, day);
        r = sdjwt_conceal(made, "member_since", json_string((struct str){day, 10}), rand, tail);
    }
    if (r)
        return r;
    *payload = made;
    made = NULL;
    return 0;
}

#include "cred/sdjwt.h"

#include <assert.h>
#include <errno.h>

#include "base/b64.h"
#include "cred/disclosure.h"

int sdjwt_parse(struct str text, const char *typ, struct sdjwt *out, struct err *err)
{
    return sdjwt_parse_with(NULL, text, typ, LIMIT_PRESENTATION, out, err);
}

/* RFC 9901 section 4: <JWT>~<disclosure>~...~[<key-binding JWT>]. */
static int split(struct str text, struct str *jwt, struct str *middle, struct str *issued,
                 struct str *proof, struct err *err)
{
    const char *first = text.n ? memchr(text.p, '~', text.n) : NULL;
    const char *last = text.n ? memrchr(text.p, '~', text.n) : NULL;

    if (!first)
        return err_set(err, SDJWT_E_MALFORMED,
                       "an SD-JWT has at least one '~', this text has none");
    *jwt = (struct str){text.p, (size_t)(first - text.p)};
    *middle = (struct str){first + 1, (size_t)(last - first)}; /* each disclosure with its '~' */
    *issued = (struct str){text.p, (size_t)(last + 1 - text.p)};
    *proof = (struct str){last + 1, (size_t)(text.p + text.n - last - 1)};
    return 0;
}

static int looks_like_jws(struct str s)
{
    const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;

    return dot && memchr(dot + 1, '.', (size_t)(s.p + s.n - dot - 1));
}

static int issuer_error(int r)
{
    switch (r) {
    case JWS_E_TYP:
        return SDJWT_E_TYP;
    case JWS_E_ALG:
    case JWS_E_HEADER:
        return SDJWT_E_UNSUPPORTED;
    default:
        return r < 0 ? r : SDJWT_E_MALFORMED;
    }
}

/* RFC 9901 section 4.1.1: sha-256 if absent. */
static int check_sd_alg(const struct json *payload, struct err *err)
{
    const struct json *alg = json_get(payload, "_sd_alg");

    if (!alg)
        return 0;
    if (json_kind(alg) != JSON_STRING)
        return err_set(err, SDJWT_E_MALFORMED, "_sd_alg is not a string");
    if (!str_eq(json_as_str(alg), STR("sha-256")))
        return err_set(err, SDJWT_E_UNSUPPORTED, "_sd_alg is \"%.*s\"; only sha-256 is understood",
                       STR_ARG(json_as_str(alg)));
    return 0;
}

static int parse_payload(struct str text, struct json **out, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    int r = json_parse(text, &json_bounds_wire, &payload, err);

    if (r)
        return err_prefix(err, r < 0 ? r : SDJWT_E_MALFORMED, "payload");
    if (json_kind(payload) != JSON_OBJECT)
        return err_set(err, SDJWT_E_MALFORMED, "the payload is not a JSON object");
    r = check_sd_alg(payload, err);
    if (r)
        return r;
    *out = payload;
    payload = NULL;
    return 0;
}

int sdjwt_parse_with(struct verifier *v, struct str text, const char *typ, size_t max,
                     struct sdjwt *out, struct err *err)
{
    struct sdjwt s; /* what is not set here is not read: .n_disclosures bounds the array */
    struct str jwt, middle;
    int r;

    if (text.n > max)
        return err_set(err, SDJWT_E_MALFORMED, "%zu characters; at most %zu are read", text.n, max);
    r = split(text, &jwt, &middle, &s.issued, &s.proof, err);
    if (r)
        return r;
    r = jws_parse(jwt, typ, max, &s.issuer, err);
    if (r)
        return issuer_error(r);
    s.payload = NULL;
    s.n_disclosures = 0;

    if (s.proof.n && !looks_like_jws(s.proof))
        r = err_set(err, SDJWT_E_MALFORMED, "what follows the last '~' is not a JWT");
    if (!r)
        r = parse_payload(buf_as_str(&s.issuer.payload), &s.payload, err);
    if (!r)
        r = disclosures_read(v, middle, s.disclosures, &s.n_disclosures, err);
    if (!r)
        r = disclosures_match(s.payload, s.disclosures, s.n_disclosures, err);
    if (r) {
        sdjwt_clear(&s);
        return r;
    }
    out->issuer = s.issuer;
    out->payload = s.payload;
    out->issued = s.issued;
    out->proof = s.proof;
    out->n_disclosures = s.n_disclosures;
    memcpy(out->disclosures, s.disclosures, s.n_disclosures * sizeof(s.disclosures[0]));
    return 0;
}

void sdjwt_clear(struct sdjwt *s)
{
    if (!s)
        return;
    jws_clear(&s->issuer);
    json_free(s->payload);
    s->payload = NULL;
    disclosures_clear(s->disclosures, &s->n_disclosures);
}

const struct json *sdjwt_disclosed(const struct sdjwt *s, const char *name)
{
    for (size_t i = 0; i < s->n_disclosures; i++)
        if (s->disclosures[i].top && strcmp(s->disclosures[i].name, name) == 0)
            return json_at(s->disclosures[i].array, 2);
    return NULL;
}

struct json *sdjwt_claims(const struct sdjwt *s)
{
    return disclosures_apply(s->payload, s->disclosures, s->n_disclosures);
}

static bool kept(const char *name, const char *const *keep, size_t n)
{
    if (!keep)
        return true;
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, keep[i]) == 0)
            return *name != '\0';
    return false;
}

/* The payload of a JWT whose header nobody has looked at: a holder shows what it was given. */
static int unchecked_payload(struct str jwt, struct json **out, struct err *err)
{
    struct str header, rest, payload, sig;
    _cleanup_(freep) char *text = NULL;
    size_t n;

    if (!str_cut(jwt, '.', &header, &rest) || !str_cut(rest, '.', &payload, &sig))
        return err_set(err, SDJWT_E_MALFORMED, "what precedes the first '~' is not a JWT");
    text = malloc(B64_DECODED_LEN(payload.n) + 1);
    if (!text)
        return -ENOMEM;
    if (b64_decode(payload, text, &n))
        return err_set(err, SDJWT_E_MALFORMED, "the payload is not base64url");
    return parse_payload((struct str){text, n}, out, err);
}

/* RFC 9901 section 7.2: steps 1 to 4 of presenting. */
int sdjwt_present(struct str issued, const char *const *keep, size_t n, struct buf *out,
                  struct err *err)
{
    struct sdjwt_disclosure all[LIMIT_DISCLOSURES], chosen[LIMIT_DISCLOSURES];
    _cleanup_(json_freep) struct json *payload = NULL;
    struct str jwt, middle, whole, proof;
    size_t n_all = 0, n_chosen = 0;
    int r;

    if (issued.n > LIMIT_PRESENTATION)
        return err_set(err, SDJWT_E_MALFORMED, "%zu characters; at most %d are read", issued.n,
                       LIMIT_PRESENTATION);
    r = split(issued, &jwt, &middle, &whole, &proof, err);
    if (!r && proof.n)
        r = err_set(err, SDJWT_E_MALFORMED, "it carries a key-binding JWT already");
    if (!r)
        r = unchecked_payload(jwt, &payload, err);
    if (!r)
        r = disclosures_read(NULL, middle, all, &n_all, err);
    if (!r) {
        for (size_t i = 0; i < n_all; i++)
            if (kept(all[i].name, keep, n))
                chosen[n_chosen++] = all[i]; /* borrows .array of all[i] */
        r = disclosures_match(payload, chosen, n_chosen, err);
    }
    if (!r) {
        buf_str(out, jwt);
        buf_ch(out, '~');
        for (size_t i = 0; i < n_chosen; i++) {
            buf_str(out, chosen[i].text);
            buf_ch(out, '~');
        }
        r = buf_error(out);
    }
    disclosures_clear(all, &n_all);
    return r;
}

#include "cred/stamp.h"

#include <errno.h>

#include "base/b64.h"
#include "base/clock.h"
#include "jose/jwk.h"

static int bad(struct err *err, const char *claim, const char *what)
{
    return err_set(err, STAMP_E_MALFORMED, "%s %s", claim, what);
}

/* Printable text of 1 to cap - 1 bytes. */
static int get_text(const struct json *obj, const char *name, char *out, size_t cap,
                    struct err *err)
{
    struct str s;
    int r = json_get_str(obj, name, &s);

    if (r)
        return bad(err, name, r == JSON_E_ABSENT ? "is missing" : "is not a string");
    if (!s.n || !str_is_printable(s) || str_copy(out, cap, s))
        return bad(err, name, "is empty, too long or not printable");
    return 0;
}

static int get_int(const struct json *obj, const char *name, int64_t min, int64_t max, int64_t *out,
                   struct err *err)
{
    int64_t n;
    int r = json_get_int(obj, name, &n);

    if (r)
        return bad(err, name, r == JSON_E_ABSENT ? "is missing" : "is not an integer");
    if (n < min || n > max)
        return bad(err, name, "is out of range");
    *out = n;
    return 0;
}

static int parse(const struct jws *token, struct json **out, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    int r = json_parse(buf_as_str(&token->payload), &json_bounds_wire, &payload, err);

    if (r)
        return r < 0 ? r : err_prefix(err, STAMP_E_MALFORMED, "payload");
    if (json_kind(payload) != JSON_OBJECT)
        return bad(err, "payload", "is not a JSON object");
    *out = payload;
    payload = NULL;
    return 0;
}

/* Stamp: the members in the order of proto/stamp.md. */

static struct json *status_object(const struct stamp *s)
{
    _cleanup_(json_freep) struct json *status = json_object();
    struct json *made;

    if (!status || json_put_int(status, "idx", s->status_idx) ||
        json_put_z(status, "uri", s->status_uri))
        return NULL;
    made = status;
    status = NULL;
    return made;
}

static int put_proof(const struct stamp *s, struct json *payload)
{
    if (!s->proof.n)
        return json_put_bool(payload, "unproven", true);
    if (json_put_str(payload, "proof", s->proof))
        return -ENOMEM;
    return json_put_z(payload, "device", s->device);
}

struct json *stamp_payload(const struct stamp *s)
{
    _cleanup_(json_freep) struct json *payload = json_object();
    struct json *made;

    if (!payload || json_put_z(payload, "iss", s->host) || json_put_z(payload, "aud", s->home) ||
        json_put_z(payload, "jti", s->id) || json_put_int(payload, "rev", s->revision) ||
        json_put_int(payload, "iat", s->iat) || json_put_z(payload, "sub", s->sub) ||
        json_put(payload, "status", status_object(s)) || json_put_z(payload, "tier", s->tier) ||
        json_put_int(payload, "in", s->checked_in) ||
        (s->checked_out && json_put_int(payload, "out", s->checked_out)) ||
        json_put_z(payload, "day", s->day) || json_put_z(payload, "tz", s->timezone) ||
        json_put_z(payload, "verdict", s->verdict) ||
        json_put_int(payload, "data_age", s->data_age_s) || put_proof(s, payload))
        return NULL;
    made = payload;
    payload = NULL;
    return made;
}

static int read_parties(const struct json *p, struct stamp *s, struct err *err)
{
    int r = get_text(p, "iss", s->host, sizeof(s->host), err);

    if (!r)
        r = get_text(p, "aud", s->home, sizeof(s->home), err);
    if (!r && strcmp(s->host, s->home) == 0)
        r = bad(err, "aud", "is the same as iss");
    if (!r)
        r = get_text(p, "jti", s->id, sizeof(s->id), err);
    if (!r)
        r = get_int(p, "rev", 1, LIMIT_JSON_INT, &s->revision, err);
    if (!r)
        r = get_int(p, "iat", 1, LIMIT_JSON_INT, &s->iat, err);
    return r;
}

static int read_pass(const struct json *p, struct stamp *s, struct err *err)
{
    const struct json *status = json_get(p, "status");
    int64_t idx = 0;
    int r = get_text(p, "sub", s->sub, sizeof(s->sub), err);

    if (!r && (!status || json_kind(status) != JSON_OBJECT))
        r = bad(err, "status", status ? "is not an object" : "is missing");
    if (!r)
        r = get_int(status, "idx", 0, LIMIT_STATUS_ENTRIES - 1, &idx, err);
    if (!r)
        r = get_text(status, "uri", s->status_uri, sizeof(s->status_uri), err);
    if (!r)
        r = get_text(p, "tier", s->tier, sizeof(s->tier), err);
    if (!r)
        s->status_idx = (uint32_t)idx;
    return r;
}

/* The form of names in the IANA database, and nothing that leads out of its folder. Whether there
 * is such a zone nobody looks up. */
static bool is_zone(const char *name)
{
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";

    return name[0] != '/' && name[strspn(name, letters)] == '\0'; /* no '.', so no ".." */
}

static int read_visit(const struct json *p, struct stamp *s, struct err *err)
{
    int64_t midnight;
    int r = get_int(p, "in", 1, LIMIT_JSON_INT, &s->checked_in, err);

    s->checked_out = 0;
    if (!r && json_get(p, "out"))
        r = get_int(p, "out", s->checked_in, LIMIT_JSON_INT, &s->checked_out, err);
    if (!r)
        r = get_text(p, "day", s->day, sizeof(s->day), err);
    if (!r && (strlen(s->day) != 10 || rfc3339_parse(str_of(s->day), &midnight)))
        r = bad(err, "day", "is not a date, YYYY-MM-DD");
    if (!r)
        r = get_text(p, "tz", s->timezone, sizeof(s->timezone), err);
    if (!r && !is_zone(s->timezone))
        r = bad(err, "tz", "is not a name of a time zone");
    if (!r)
        r = get_text(p, "verdict", s->verdict, sizeof(s->verdict), err);
    if (!r && strcmp(s->verdict, "admit") != 0 && strcmp(s->verdict, "ask") != 0)
        r = bad(err, "verdict", "is neither \"admit\" nor \"ask\"");
    if (!r)
        r = get_int(p, "data_age", -1, LIMIT_JSON_INT, &s->data_age_s, err);
    return r;
}

/* Either the proof and the key it was made with, or the plain word that there was none. */
static int read_proof(const struct json *p, struct stamp *s, struct err *err)
{
    const struct json *proof = json_get(p, "proof"), *unproven = json_get(p, "unproven");
    bool said = false;

    s->proof = (struct str){0};
    s->device[0] = '\0';
    if (unproven && (json_get_bool(p, "unproven", &said) || !said))
        return bad(err, "unproven", "is not true");
    if (!proof == !unproven)
        return bad(err, "proof",
                   proof ? "and unproven exclude each other" : "is missing, and so is unproven");
    if (!proof)
        return 0;
    if (json_get_str(p, "proof", &s->proof) || !s->proof.n || s->proof.n > LIMIT_PRESENTATION)
        return bad(err, "proof", "is not a string of up to 4000 characters");
    if (get_text(p, "device", s->device, sizeof(s->device), err))
        return STAMP_E_MALFORMED;
    if (strlen(s->device) != THUMBPRINT_LEN)
        return bad(err, "device", "is not a thumbprint");
    return 0;
}

int stamp_read(const struct jws *token, struct stamp *out, struct json **backing, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    struct stamp s;
    int r = parse(token, &payload, err);

    if (!r)
        r = read_parties(payload, &s, err);
    if (!r)
        r = read_pass(payload, &s, err);
    if (!r)
        r = read_visit(payload, &s, err);
    if (!r)
        r = read_proof(payload, &s, err);
    if (r)
        return r;
    *out = s;
    *backing = payload;
    payload = NULL;
    return 0;
}

struct json *receipt_payload(const struct receipt *r)
{
    _cleanup_(json_freep) struct json *payload = json_object();
    char digest[B64_LEN(sizeof(r->digest))];
    struct json *made;

    b64_encode(r->digest, sizeof(r->digest), digest);
    if (!payload || json_put_z(payload, "iss", r->home) || json_put_z(payload, "aud", r->host) ||
        json_put_z(payload, "jti", r->id) || json_put_int(payload, "rev", r->revision) ||
        json_put_int(payload, "iat", r->iat) ||
        json_put_str(payload, "stamp_sha256", (struct str){digest, sizeof(digest)}))
        return NULL;
    made = payload;
    payload = NULL;
    return made;
}

int receipt_read(const struct jws *token, struct receipt *out, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    struct receipt p;
    struct str digest;
    int r = parse(token, &payload, err);

    if (!r)
        r = get_text(payload, "iss", p.home, sizeof(p.home), err);
    if (!r)
        r = get_text(payload, "aud", p.host, sizeof(p.host), err);
    if (!r)
        r = get_text(payload, "jti", p.id, sizeof(p.id), err);
    if (!r)
        r = get_int(payload, "rev", 1, LIMIT_JSON_INT, &p.revision, err);
    if (!r)
        r = get_int(payload, "iat", 1, LIMIT_JSON_INT, &p.iat, err);
    if (!r && (json_get_str(payload, "stamp_sha256", &digest) ||
               b64_decode_exact(digest, p.digest, sizeof(p.digest))))
        r = bad(err, "stamp_sha256", "is missing or not base64url of 32 bytes");
    if (!r)
        *out = p;
    return r;
}

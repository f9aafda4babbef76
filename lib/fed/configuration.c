#include "fed/configuration.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static bool is_object(const struct json *v)
{
    return v && json_kind(v) == JSON_OBJECT;
}

static bool is_array(const struct json *v)
{
    return v && json_kind(v) == JSON_ARRAY;
}

static int malformed(struct err *err, const char *member, const char *what)
{
    return err_set(err, CONFIGURATION_E_MALFORMED, "the configuration's %s %s", member, what);
}

/* OpenID Federation 1.0 section 3: iss and sub of a configuration are the entity itself. */
static int read_subject(const struct json *payload, const char *expected, struct configuration *c,
                        struct err *err)
{
    struct str iss, sub;

    if (json_get_str(payload, "iss", &iss) != 0 || json_get_str(payload, "sub", &sub) != 0)
        return malformed(err, "iss or sub", "is missing or no string");
    if (!entity_is_canonical(iss))
        return malformed(err, "iss", "is not a canonical entity id");
    if (!str_eq(iss, sub))
        return err_set(err, CONFIGURATION_E_SUBJECT,
                       "the configuration is by %.*s but about someone else", STR_ARG(iss));
    if (!str_eqz(iss, expected))
        return err_set(err, CONFIGURATION_E_SUBJECT,
                       "the configuration is of %.*s, but was to be of %s", STR_ARG(iss), expected);
    return str_copy(c->id, sizeof(c->id), iss);
}

/* OpenID Federation 1.0 section 3, "crit": claims that the reader must understand. We know none, so
 * whoever insists is refused rather than half obeyed. */
static int check_critical(const struct json *payload, struct err *err)
{
    if (!json_get(payload, "crit"))
        return 0;
    return malformed(err, "crit", "demands extensions that are not known here");
}

static int read_keys(const struct json *jwks, const char *member, struct key *keys, size_t *n,
                     struct err *err)
{
    int r;

    if (!is_object(jwks))
        return malformed(err, member, "is missing or no object");
    r = jwks_parse(jwks, keys, LIMIT_KEYS_PER_ENTITY, n, err);
    if (r < 0)
        return r;
    if (r > 0)
        return err_prefix(err, CONFIGURATION_E_MALFORMED, "the configuration's %s", member);
    if (*n == 0)
        return malformed(err, member, "holds no key that is known here");
    for (size_t i = 0; i < *n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (key_equal(&keys[i], &keys[j]))
                return malformed(err, member, "holds one key twice");
        }
    }
    return 0;
}

/* RFC 7638: kid is the key's thumbprint, so that it names one key and no other. */
static int check_signature(struct verifier *v, const struct jws *jws, const struct configuration *c,
                           struct err *err)
{
    char kid[THUMBPRINT_LEN + 1];

    for (size_t i = 0; i < c->n_federation; i++) {
        int r = jwk_thumbprint(&c->federation[i], kid);
        if (r != 0)
            return r;
        if (strcmp(kid, jws->kid) != 0)
            continue;
        r = jws_check(v, jws, &c->federation[i]);
        if (r <= 0)
            return r;
        return err_set(err, CONFIGURATION_E_SIGNATURE,
                       "the configuration of %s was not signed by its key %s", c->id, kid);
    }
    return err_set(err, CONFIGURATION_E_SIGNATURE,
                   "the configuration of %s names a signing key that it does not list", c->id);
}

static int read_times(const struct json *payload, int64_t now, struct configuration *c,
                      struct err *err)
{
    int64_t iat, exp;

    if (json_get_int(payload, "iat", &iat) != 0 || json_get_int(payload, "exp", &exp) != 0)
        return malformed(err, "iat or exp", "is missing or no integer");
    if (iat < 0 || exp < 0)
        return malformed(err, "iat or exp", "is negative");
    if (exp - iat != LIFETIME_CONFIGURATION)
        return err_set(err, CONFIGURATION_E_TIME,
                       "the configuration of %s lives %lld seconds instead of %d", c->id,
                       (long long)(exp - iat), LIFETIME_CONFIGURATION);
    if (iat > now + LIMIT_CLOCK_SKEW) {
        err_set(err, CONFIGURATION_E_TIME, "the configuration of %s is from the future, by %lld s",
                c->id, (long long)(iat - now));
        return err_next(err, CONFIGURATION_E_TIME, "compare the clocks of both machines");
    }
    if (exp <= now)
        return err_set(err, CONFIGURATION_E_TIME, "the configuration of %s expired %lld s ago",
                       c->id, (long long)(now - exp));
    c->iat = iat;
    c->exp = exp;
    return 0;
}

static int check_versions(const struct json *payload, struct err *err)
{
    const struct json *versions = json_get(payload, "comity_versions");
    bool spoken = false;

    if (!versions)
        return err_set(err, CONFIGURATION_E_VERSION,
                       "the configuration has no comity_versions: this is no node of Comity");
    if (!is_array(versions))
        return malformed(err, "comity_versions", "is no array");
    for (size_t i = 0; i < json_count(versions); i++) {
        int64_t version;
        if (json_as_int(json_at(versions, i), &version) != 0)
            return malformed(err, "comity_versions", "holds something else than integers");
        spoken = spoken || version == COMITY_VERSION;
    }
    if (spoken)
        return 0;
    err_set(err, CONFIGURATION_E_VERSION,
            "the node speaks no version of Comity that is known here");
    return err_next(err, CONFIGURATION_E_VERSION, "update the older of the two nodes");
}

/* An optional text: `fit` says whether it may stand. The slot stays "" where it is absent. */
static int read_text(const struct json *obj, const char *member, bool (*fit)(struct str), char *out,
                     size_t cap, struct err *err)
{
    struct str text;
    int r = obj ? json_get_str(obj, member, &text) : JSON_E_ABSENT;

    if (r == JSON_E_ABSENT)
        return 0;
    if (r != 0)
        return malformed(err, member, "is no string");
    if (!fit(text))
        return malformed(err, member, "has a form that it cannot have");
    if (str_copy(out, cap, text) != 0)
        return malformed(err, member, "is too long");
    return 0;
}

static bool is_name(struct str s)
{
    return s.n > 0 && str_trim(s).n == s.n && str_is_printable(s);
}

/* ISO 3166-1 alpha-2. */
static bool is_country(struct str s)
{
    return s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

/* The form of names in the IANA database; whether there is such a zone is for who uses it. */
static bool is_zone(struct str s)
{
    if (s.n == 0 || s.p[0] == '/' || s.p[s.n - 1] == '/')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && !(c && strchr("_+-/", c)))
            return false;
    }
    return true;
}

static int read_position(const struct json *listing, struct configuration *c, struct err *err)
{
    double lat, lon;
    int r_lat, r_lon;

    if (!listing)
        return 0;
    r_lat = json_get_real(listing, "lat", &lat);
    r_lon = json_get_real(listing, "lon", &lon);
    if (r_lat == JSON_E_ABSENT && r_lon == JSON_E_ABSENT)
        return 0;
    if (r_lat != 0 || r_lon != 0)
        return malformed(err, "lat and lon", "are not two numbers");
    if (!isfinite(lat) || !isfinite(lon) || fabs(lat) > 90 || fabs(lon) > 180)
        return malformed(err, "lat and lon", "are no place on Earth");
    c->has_position = true;
    c->lat = lat;
    c->lon = lon;
    return 0;
}

/* The name: what the listing says, else OpenID Federation 1.0 section 5.2.2, organization_name. */
static int read_listing(const struct json *metadata, const struct json *space,
                        struct configuration *c, struct err *err)
{
    const struct json *listing = json_get(space, "listing");
    const struct json *entity = json_get(metadata, "federation_entity");
    int r;

    if (entity && !is_object(entity))
        return malformed(err, "federation_entity", "is no object");
    if (listing && !is_object(listing))
        return malformed(err, "listing", "is no object");
    r = read_text(entity, "organization_name", is_name, c->name, sizeof(c->name), err);
    if (r == 0)
        r = read_text(listing, "name", is_name, c->name, sizeof(c->name), err);
    if (r == 0)
        r = read_text(listing, "country", is_country, c->country, sizeof(c->country), err);
    if (r == 0)
        r = read_text(listing, "timezone", is_zone, c->timezone, sizeof(c->timezone), err);
    if (r == 0)
        r = read_position(listing, c, err);
    if (r == 0 && !c->name[0])
        r = malformed(err, "organization_name", "is missing");
    return r;
}

static int read_status_lists(const struct json *space, struct configuration *c, struct err *err)
{
    const struct json *lists = json_get(space, "status_lists");
    char uri[LIMIT_ENTITY_ID + sizeof(CONFIGURATION_STATUS_PATH) + 11];
    size_t n = json_count(lists);

    if (!is_array(lists))
        return malformed(err, "status_lists", "is missing or no array");
    if (n > LIMIT_STATUS_LISTS)
        return malformed(err, "status_lists", "has more entries than are allowed");
    for (unsigned i = 0; i < n; i++) {
        snprintf(uri, sizeof(uri), "%s" CONFIGURATION_STATUS_PATH "%u", c->id, i);
        if (!str_eqz(json_as_str(json_at(lists, i)), uri))
            return malformed(err, "status_lists", "are not <id>/status/0 and following");
    }
    c->status_lists = (unsigned)n;
    return 0;
}

/* Version 1 fixes where each endpoint is; naming another place would be obeyed by some and not by
 * others. */
static int check_endpoints(const struct json *space, const struct configuration *c, struct err *err)
{
    const struct json *endpoints = json_get(space, "endpoints");
    char uri[LIMIT_ENTITY_ID + sizeof(CONFIGURATION_STAMPS_PATH)];
    struct str stamps;
    int r;

    if (!endpoints)
        return 0;
    if (!is_object(endpoints))
        return malformed(err, "endpoints", "is no object");
    r = json_get_str(endpoints, "stamps", &stamps);
    if (r == JSON_E_ABSENT)
        return 0;
    snprintf(uri, sizeof(uri), "%s" CONFIGURATION_STAMPS_PATH, c->id);
    if (r != 0 || !str_eqz(stamps, uri))
        return malformed(err, "stamps endpoint", "is not <id>" CONFIGURATION_STAMPS_PATH);
    return 0;
}

static int read_metadata(const struct json *payload, struct configuration *c, struct err *err)
{
    const struct json *metadata = json_get(payload, "metadata");
    const struct json *space, *terms;
    int r;

    if (!is_object(metadata))
        return malformed(err, "metadata", "is missing or no object");
    space = json_get(metadata, "comity_space");
    if (!is_object(space))
        return malformed(err, "comity_space metadata", "is missing or no object");
    terms = json_get(space, "terms");
    r = read_keys(json_get(space, "pass_jwks"), "pass_jwks", c->pass, &c->n_pass, err);
    for (size_t i = 0; r == 0 && i < c->n_pass; i++) {
        for (size_t j = 0; r == 0 && j < c->n_federation; j++) {
            if (key_equal(&c->pass[i], &c->federation[j]))
                r = malformed(err, "pass_jwks", "holds a federation key; the two must be separate");
        }
    }
    if (r == 0 && terms && !is_object(terms))
        r = malformed(err, "terms", "is no object");
    if (r == 0)
        r = read_status_lists(space, c, err);
    if (r == 0)
        r = check_endpoints(space, c, err);
    if (r == 0)
        r = read_listing(metadata, space, c, err);
    return r;
}

static int read_payload(struct verifier *v, const struct jws *jws, const char *expected,
                        int64_t now, struct configuration *c, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    int r = json_parse(buf_as_str(&jws->payload), &json_bounds_wire, &payload, err);

    if (r < 0)
        return r;
    if (r > 0)
        return err_prefix(err, CONFIGURATION_E_MALFORMED, "the configuration's payload");
    if (!is_object(payload))
        return malformed(err, "payload", "is no object");
    r = read_subject(payload, expected, c, err);
    if (r == 0)
        r = read_keys(json_get(payload, "jwks"), "jwks", c->federation, &c->n_federation, err);
    if (r == 0)
        r = check_signature(v, jws, c, err);
    if (r == 0)
        r = read_times(payload, now, c, err);
    if (r == 0)
        r = check_critical(payload, err);
    if (r == 0)
        r = check_versions(payload, err);
    if (r == 0)
        r = read_metadata(payload, c, err);
    return r;
}

int configuration_verify(struct verifier *v, struct str token, const char *expected, int64_t now,
                         struct configuration *out, struct err *err)
{
    struct configuration c = {0};
    struct jws jws = {0};
    int r;

    assert(v && out && entity_is_canonical(str_of(expected)));
    r = jws_parse(token, CONFIGURATION_TYP, LIMIT_CONFIGURATION, &jws, err);
    if (r < 0)
        return r;
    if (r > 0)
        return err_prefix(err, CONFIGURATION_E_MALFORMED, "the configuration of %s", expected);
    r = read_payload(v, &jws, expected, now, &c, err);
    jws_clear(&jws);
    if (r == 0)
        *out = c;
    return r;
}

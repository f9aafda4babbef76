#include "fed/configuration.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* Each of these returns an owned value, or NULL if memory is out. */

static struct json *versions_json(void)
{
    _cleanup_(json_freep) struct json *versions = json_array();
    struct json *out;

    if (!versions || json_append(versions, json_int(COMITY_VERSION)) != 0)
        return NULL;
    out = versions;
    versions = NULL;
    return out;
}

static struct json *status_lists_json(const struct configuration *c)
{
    _cleanup_(json_freep) struct json *lists = json_array();
    char uri[LIMIT_ENTITY_ID + sizeof(CONFIGURATION_STATUS_PATH) + 11];
    struct json *out;

    if (!lists)
        return NULL;
    for (unsigned i = 0; i < c->status_lists; i++) {
        snprintf(uri, sizeof(uri), "%s" CONFIGURATION_STATUS_PATH "%u", c->id, i);
        if (json_append_z(lists, uri) != 0)
            return NULL;
    }
    out = lists;
    lists = NULL;
    return out;
}

static struct json *endpoints_json(const struct configuration *c)
{
    _cleanup_(json_freep) struct json *endpoints = json_object();
    char uri[LIMIT_ENTITY_ID + sizeof(CONFIGURATION_STAMPS_PATH)];
    struct json *out;

    snprintf(uri, sizeof(uri), "%s" CONFIGURATION_STAMPS_PATH, c->id);
    if (!endpoints || json_put_z(endpoints, "stamps", uri) != 0)
        return NULL;
    out = endpoints;
    endpoints = NULL;
    return out;
}

static struct json *listing_json(const struct configuration *c)
{
    _cleanup_(json_freep) struct json *listing = json_object();
    struct json *out;

    if (!listing || json_put_z(listing, "name", c->name) != 0)
        return NULL;
    if (c->has_position && (json_put(listing, "lat", json_real(c->lat)) != 0 ||
                            json_put(listing, "lon", json_real(c->lon)) != 0))
        return NULL;
    if (c->country[0] && json_put_z(listing, "country", c->country) != 0)
        return NULL;
    if (c->timezone[0] && json_put_z(listing, "timezone", c->timezone) != 0)
        return NULL;
    out = listing;
    listing = NULL;
    return out;
}

static struct json *space_json(const struct configuration *c)
{
    _cleanup_(json_freep) struct json *space = json_object();
    struct json *out;

    if (!space || json_put(space, "pass_jwks", jwks_write(c->pass, c->n_pass)) != 0 ||
        json_put(space, "status_lists", status_lists_json(c)) != 0 ||
        json_put(space, "endpoints", endpoints_json(c)) != 0 ||
        json_put(space, "listing", listing_json(c)) != 0 ||
        json_put(space, "terms", json_object()) != 0)
        return NULL;
    out = space;
    space = NULL;
    return out;
}

static struct json *metadata_json(const struct configuration *c)
{
    _cleanup_(json_freep) struct json *metadata = json_object();
    _cleanup_(json_freep) struct json *entity = json_object();
    struct json *out;

    if (!metadata || !entity || json_put_z(entity, "organization_name", c->name) != 0)
        return NULL;
    int r = json_put(metadata, "federation_entity", entity);
    entity = NULL;
    if (r != 0 || json_put(metadata, "comity_space", space_json(c)) != 0)
        return NULL;
    out = metadata;
    metadata = NULL;
    return out;
}

struct json *configuration_payload(const struct configuration *c)
{
    _cleanup_(json_freep) struct json *payload = json_object();
    struct json *out;

    assert(entity_is_canonical(str_of(c->id)));
    assert(c->n_pass >= 1 && c->n_pass <= LIMIT_KEYS_PER_ENTITY);
    assert(c->status_lists <= LIMIT_STATUS_LISTS);
    if (!payload || json_put_z(payload, "iss", c->id) != 0 ||
        json_put_z(payload, "sub", c->id) != 0 ||
        json_put(payload, "comity_versions", versions_json()) != 0 ||
        json_put(payload, "metadata", metadata_json(c)) != 0)
        return NULL;
    out = payload;
    payload = NULL;
    return out;
}

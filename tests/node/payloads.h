/* A good payload of each kind that the signer signs, as the use cases make them. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "app/signer.h"
#include "cred/pass.h"
#include "cred/stamp.h"
#include "cred/status_list.h"
#include "fed/configuration.h"

#define AUTHORITY "lisbon.localhost:8441"
#define SPACE "https://" AUTHORITY
#define OTHER "https://berlin.localhost:8442"

static inline struct json *payload_pass(int64_t now)
{
    struct pass pass = {.iss = SPACE,
                        .sub = "s1",
                        .tier = "member",
                        .iat = now,
                        .exp = now + 86400,
                        .status_idx = 7,
                        .status_uri = SPACE "/status/0"};
    const struct pass_claims claims = {.pass = &pass};
    struct json *out = NULL;
    struct buf tail = {0};
    struct rand rand;

    rand_system(&rand);
    (void)pass_payload(&claims, &rand, &out, &tail);
    buf_clear(&tail);
    return out;
}

static inline struct json *payload_configuration(const struct key *pass)
{
    struct configuration c = {
        .id = SPACE, .name = "Lisbon", .pass = {*pass}, .n_pass = 1, .status_lists = 1};

    return configuration_payload(&c);
}

static inline struct json *payload_stamp(int64_t now)
{
    const struct stamp stamp = {.id = "vis_1",
                                .revision = 1,
                                .host = SPACE,
                                .home = OTHER,
                                .sub = "s1",
                                .status_uri = OTHER "/status/0",
                                .iat = now,
                                .checked_in = now,
                                .day = "2026-09-21",
                                .timezone = "Europe/Lisbon",
                                .tier = "member",
                                .verdict = "admit"};

    return stamp_payload(&stamp);
}

static inline struct json *payload_receipt(int64_t now)
{
    const struct receipt receipt = {
        .home = SPACE, .host = OTHER, .id = "vis_1", .revision = 1, .iat = now};

    return receipt_payload(&receipt);
}

static inline struct json *payload_request(int64_t now)
{
    struct json *p = json_object();

    json_put_z(p, "method", "POST");
    json_put_z(p, "authority", "berlin.localhost:8442");
    json_put_z(p, "path", "/node/v1/stamps");
    json_put_z(p, "content_type", "application/json");
    json_put_z(p, "content_digest", "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:");
    json_put_int(p, "created", now);
    json_put_int(p, "expires", now + 120);
    json_put_z(p, "nonce", "Zm9vYmFy-_");
    return p;
}

/* Owned; NULL for no kind. `pass` is the space's pass key, for its configuration. */
static inline struct json *payload_good(enum sign_kind kind, int64_t now, const struct key *pass)
{
    static const uint8_t bits[8] = {1};

    switch (kind) {
    case SIGN_PASS:
        return payload_pass(now);
    case SIGN_STATUS_LIST:
        return status_list_payload(SPACE, SPACE "/status/0", 1, 2, 3600, 2, bits, sizeof(bits));
    case SIGN_CONFIGURATION:
        return payload_configuration(pass);
    case SIGN_STAMP:
        return payload_stamp(now);
    case SIGN_RECEIPT:
        return payload_receipt(now);
    case SIGN_REQUEST:
        return payload_request(now);
    case SIGN_KIND_COUNT:
        break;
    }
    return NULL;
}

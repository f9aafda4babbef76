/*
 * Spaces and status lists to put into a directory, without signatures: those are the caller's.
 */
#pragma once

#include <stdio.h>

#include "base/flate.h"
#include "dir/directory.h"

#define NOW INT64_C(1790000000)

/* A key of its own kind for each n; no point of the curve, which nobody asks here. */
static inline struct key make_key(unsigned n)
{
    struct key key = {.type = KEY_P256};

    memcpy(key.bytes, &n, sizeof(n));
    return key;
}

static inline struct configuration make_space(const char *id, int64_t iat)
{
    struct configuration c = {
        .iat = iat,
        .exp = iat + LIFETIME_CONFIGURATION,
        .n_federation = 1,
        .n_pass = 1,
        .country = "PT",
        .status_lists = 2,
    };

    snprintf(c.id, sizeof(c.id), "%s", id);
    snprintf(c.name, sizeof(c.name), "Space at %.100s", id + 8);
    c.federation[0] = make_key(1);
    c.pass[0] = make_key(2);
    return c;
}

/* A list of 64 entries of one bit each, all of that value. */
static inline struct status_list make_list(const char *iss, const char *uri, int64_t iat, bool set)
{
    struct status_list list = {.iat = iat, .exp = iat + LIFETIME_STATUS_LIST, .bits = 1};
    struct buf packed = {0};

    snprintf(list.iss, sizeof(list.iss), "%s", iss);
    snprintf(list.uri, sizeof(list.uri), "%s", uri);
    list.plain_len = 8;
    list.plain = malloc(8);
    assert_non_null(list.plain);
    memset(list.plain, set ? 0xff : 0, 8);
    assert_int_equal(flate_deflate(list.plain, 8, &packed), 0);
    list.packed_len = packed.n;
    list.packed = (uint8_t *)buf_take(&packed);
    assert_non_null(list.packed);
    return list;
}

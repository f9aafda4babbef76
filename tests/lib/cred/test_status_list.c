#include "lib/cred/fixture.h"

#include <stdio.h>

#include "base/b64.h"
#include "base/flate.h"
#include "cred/status_list.h"

/* Token Status List section 4.1: 16 statuses of one bit, 12 of two. */
static const unsigned one_bit[16] = {1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1};
static const unsigned two_bits[12] = {1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3};

static void test_vectors_of_bits(void **state)
{
    uint8_t a[2] = {0xff, 0}, b[3] = {0, 0xff, 0};
    unsigned value;

    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(status_bits_set(a, sizeof(a), 1, i, one_bit[i]), 0);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(status_bits_set(b, sizeof(b), 2, i, two_bits[i]), 0);
    assert_memory_equal(a, "\xb9\xa3", 2);
    assert_memory_equal(b, "\xc9\x44\xf9", 3);
    for (uint32_t i = 0; i < 12; i++) {
        assert_int_equal(status_bits_get(b, sizeof(b), 2, i, &value), 0);
        assert_int_equal(value, two_bits[i]);
    }
    assert_int_equal(status_bits_get(b, sizeof(b), 2, 12, &value), STATUS_E_RANGE);
    assert_int_equal(status_bits_get(a, sizeof(a), 1, 16, &value), STATUS_E_RANGE);
    assert_int_equal(status_bits_get(a, sizeof(a), 1, UINT32_MAX, &value), STATUS_E_RANGE);
    assert_int_equal(status_bits_get(a, sizeof(a), 4, 0, &value), STATUS_E_RANGE);
    assert_int_equal(status_bits_get(a, sizeof(a), 0, 0, &value), STATUS_E_RANGE);
    assert_int_equal(status_bits_set(a, sizeof(a), 1, 16, 1), STATUS_E_RANGE);
    assert_int_equal(status_bits_set(a, sizeof(a), 1, 0, 2), STATUS_E_RANGE);
}

static void test_vectors_of_payload(void **state)
{
    static const uint8_t packed[] = {0x78, 0xda, 0xdb, 0xb9, 0x18, 0x00, 0x02, 0x17, 0x01, 0x5d};
    _cleanup_(buf_clear) struct buf out = {0};
    _cleanup_(json_freep) struct json *one = NULL, *two = NULL;

    assert_int_equal(flate_deflate("\xb9\xa3", 2, &out), 0);
    assert_int_equal(out.n, sizeof(packed));
    assert_memory_equal(out.p, packed, sizeof(packed));

    one = status_list_payload(HOME, HOME "/status/0", NOW, NOW + 604800, 3600, 1,
                              (const uint8_t *)"\xb9\xa3", 2);
    assert_string_equal(json_z(json_get(one, "status_list"), "lst"), "eNrbuRgAAhcBXQ");
    assert_string_equal(json_z(one, "iss"), HOME);
    assert_string_equal(json_z(one, "sub"), HOME "/status/0");
    two = status_list_payload(HOME, HOME "/status/0", NOW, 0, 0, 2, (const uint8_t *)"\xc9\x44\xf9",
                              3);
    assert_string_equal(json_z(json_get(two, "status_list"), "lst"), "eNo76fITAAPfAgc");
    assert_null(json_get(two, "exp"));
    assert_null(json_get(two, "ttl"));
}

static int read_payload(struct fixture *f, struct str payload, struct status_list *l,
                        struct err *err)
{
    _cleanup_(freep) char *text = fixture_sign(f, STATUS_TYP, payload, STR(""));
    struct jws jws;
    int r;

    assert_int_equal(jws_parse(str_of(text), STATUS_TYP, LIMIT_STATUS_TOKEN, &jws, err), 0);
    r = status_list_read(&jws, l, err);
    jws_clear(&jws);
    return r;
}

static void test_read_vectors(void **state)
{
    static const char *const foreign =
        "{\"exp\":2291720170,\"iat\":1686920170,\"status_list\":{\"bits\":%u,\"lst\":\"%s\"},"
        "\"sub\":\"https://example.com/statuslists/1\",\"ttl\":43200}";
    struct status_list l;
    char payload[256];
    unsigned value;

    snprintf(payload, sizeof(payload), foreign, 1u, "eNrbuRgAAhcBXQ");
    assert_int_equal(read_payload(*state, str_of(payload), &l, NULL), 0);
    assert_string_equal(l.iss, "");
    assert_string_equal(l.uri, "https://example.com/statuslists/1");
    assert_int_equal(l.iat, 1686920170);
    assert_int_equal(l.exp, 2291720170);
    assert_int_equal(l.ttl, 43200);
    for (uint32_t i = 0; i < 16; i++) {
        assert_int_equal(status_list_get(&l, i, &value), 0);
        assert_int_equal(value, one_bit[i]);
    }
    assert_int_equal(status_list_get(&l, 16, &value), STATUS_E_RANGE);
    status_list_clear(&l);

    snprintf(payload, sizeof(payload), foreign, 2u, "eNo76fITAAPfAgc");
    assert_int_equal(read_payload(*state, str_of(payload), &l, NULL), 0);
    for (uint32_t i = 0; i < 12; i++) {
        assert_int_equal(status_list_get(&l, i, &value), 0);
        assert_int_equal(value, two_bits[i]);
    }
    status_list_clear(&l);
}

/* The payload of a good list with one member of it (or of status_list) replaced or left out. */
static void expect_without(struct fixture *f, const char *member, const char *value,
                           const char *word)
{
    static const char *const inner[] = {"bits", "lst"};
    _cleanup_(json_freep) struct json *p = NULL, *list = NULL;
    _cleanup_(buf_clear) struct buf text = {0};
    struct json *target;
    struct status_list l;
    struct err err = {0};
    bool in_list = strcmp(member, inner[0]) == 0 || strcmp(member, inner[1]) == 0;

    p = status_list_payload(HOME, HOME "/status/0", NOW, NOW + 604800, 3600, 1,
                            (const uint8_t *)"\xb9\xa3", 2);
    list = json_copy(json_get(p, "status_list"));
    target = in_list ? list : p;
    json_remove(target, member);
    if (value)
        json_put(target, member, fixture_json(value));
    if (in_list)
        json_put(p, "status_list", json_ref(list));
    json_write(p, &text);
    if (read_payload(f, buf_as_str(&text), &l, &err) != STATUS_E_MALFORMED ||
        !strstr(err.text, word))
        fail_msg("%s = %s: \"%s\", wanted \"%s\"", member, value, err.text, word);
}

static void test_claims(void **state)
{
    static const char *const bad[][3] = {
        {"sub", NULL, "sub is missing"},
        {"sub", "1", "sub is not a string"},
        {"sub", "\"\"", "sub is empty"},
        {"iss", "1", "iss is not a string"},
        {"iss", "\"a\\nb\"", "not printable"},
        {"iat", NULL, "iat is missing"},
        {"iat", "\"1\"", "iat is not an integer"},
        {"iat", "1.5", "iat is not an integer"},
        {"iat", "0", "iat is not positive"},
        {"exp", "\"1\"", "exp is not an integer"},
        {"exp", "-1", "exp is not positive"},
        {"exp", "1795000000", "exp is not after iat"},
        {"ttl", "null", "ttl is not an integer"},
        {"ttl", "0", "ttl is not positive"},
        {"status_list", NULL, "status_list is missing"},
        {"status_list", "[]", "status_list is not an object"},
        {"bits", NULL, "bits is neither"},
        {"bits", "\"1\"", "bits is neither"},
        {"bits", "0", "bits is neither"},
        {"bits", "4", "bits is neither"},
        {"bits", "8", "bits is neither"},
        {"bits", "4294967297", "bits is neither"},
        {"lst", NULL, "lst is not a string"},
        {"lst", "[]", "lst is not a string"},
        {"lst", "\"\"", "lst"},
        {"lst", "\"!\"", "lst is not base64url"},
        {"lst", "\"eNrbuRgAAhcBXQ==\"", "lst is not base64url"},
        {"lst", "\"eNrbuRgAAhcBXR\"", "lst is not base64url"},
        {"lst", "\"AAAA\"", "lst is not a zlib stream"},
        {"lst", "\"eNrbuRgAAhcBXg\"", "lst is not a zlib stream"},   /* check value */
        {"lst", "\"eNrbuRgAAhcB\"", "lst ends before or after"},     /* cut */
        {"lst", "\"eNrbuRgAAhcBXQA\"", "lst ends before or after"},  /* a byte more */
        {"lst", "\"eNrbuRgAAhcBXXja\"", "lst ends before or after"}, /* another stream's start */
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_without(*state, bad[i][0], bad[i][1], bad[i][2]);
}

static int read_zeros(struct fixture *f, size_t n, unsigned bits, struct status_list *l,
                      struct err *err)
{
    _cleanup_(freep) uint8_t *zeros = calloc(1, n);
    _cleanup_(buf_clear) struct buf packed = {0}, lst = {0}, payload = {0};

    assert_int_equal(flate_deflate(zeros, n, &packed), 0);
    assert_int_equal(b64_append(&lst, packed.p, packed.n), 0);
    buf_printf(&payload, "{\"sub\":\"x\",\"iat\":1,\"status_list\":{\"bits\":%u,\"lst\":\"%s\"}}",
               bits, lst.p);
    return read_payload(f, buf_as_str(&payload), l, err);
}

static void test_bounds(void **state)
{
    struct status_list l;
    struct err err = {0};

    for (unsigned bits = 1; bits <= 2; bits++) {
        assert_int_equal(read_zeros(*state, LIMIT_STATUS_ENTRIES * bits / 8, bits, &l, &err), 0);
        assert_int_equal(l.plain_len, LIMIT_STATUS_ENTRIES * bits / 8);
        status_list_clear(&l);
        assert_int_equal(read_zeros(*state, LIMIT_STATUS_ENTRIES * bits / 8 + 1, bits, &l, &err),
                         STATUS_E_MALFORMED);
    }
    /* A bomb: 8 MiB of zeros in 8 KiB. */
    assert_int_equal(read_zeros(*state, 8 << 20, 2, &l, &err), STATUS_E_MALFORMED);
    assert_non_null(strstr(err.text, "more than 32768 entries"));
    assert_null(status_list_payload(HOME, HOME "/status/0", NOW, 0, 0, 4, NULL, 0));
    assert_null(status_list_payload(HOME, HOME "/status/0", NOW, 0, 0, 1, NULL,
                                    LIMIT_STATUS_ENTRIES / 8 + 1));
}

/* A full list of two bits with revocations all over it stays within what a token may have. */
static void test_full_list_fits(void **state)
{
    static uint8_t bytes[LIMIT_STATUS_ENTRIES * 2 / 8];
    _cleanup_(json_freep) struct json *p = NULL;
    _cleanup_(freep) char *text = NULL;
    uint64_t seed = fixture_seed("status list");
    struct status_list l;
    struct jws jws;
    struct rand r;
    uint32_t idx;
    unsigned value;

    rand_seeded(&r, seed);
    memset(bytes, 0, sizeof(bytes));
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(rand_below(&r, LIMIT_STATUS_ENTRIES, &idx), 0);
        assert_int_equal(status_bits_set(bytes, sizeof(bytes), 2, idx, 1 + i % 2), 0);
    }
    p = status_list_payload(HOME, HOME "/status/0", NOW, NOW + 604800, 3600, 2, bytes,
                            sizeof(bytes));
    text = fixture_sign_json(*state, STATUS_TYP, p, STR(""));
    assert_int_equal(jws_parse(str_of(text), STATUS_TYP, LIMIT_STATUS_TOKEN, &jws, NULL), 0);
    assert_int_equal(status_list_read(&jws, &l, NULL), 0);
    for (idx = 0; idx < LIMIT_STATUS_ENTRIES; idx++) {
        assert_int_equal(status_list_get(&l, idx, &value), 0);
        assert_int_equal(value, bytes[idx / 4] >> idx % 4 * 2 & 3);
    }
    status_list_clear(&l);
    jws_clear(&jws);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_vectors_of_bits), T(test_vectors_of_payload), T(test_read_vectors), T(test_claims),
        T(test_bounds),          T(test_full_list_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

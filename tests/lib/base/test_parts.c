/* Clock, randomness, map and zlib. */
#include "lib/base/unit.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/flate.h"
#include "base/map.h"
#include "base/rand.h"

static void civil_dates(void **state)
{
    char text[RFC3339_LEN + 1];
    int64_t back;

    for (int64_t t = -70000000000; t < 250000000000; t += 12345678901 / 7) {
        struct civil c;
        time_t tt = (time_t)t;
        struct tm tm;

        civil_from_time(t, &c);
        assert_non_null(gmtime_r(&tt, &tm));
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.hour, tm.tm_hour);
        assert_int_equal(c.second, tm.tm_sec);
        assert_int_equal(c.weekday, (tm.tm_wday + 6) % 7);
        assert_true(civil_to_time(&c) == t);
        if (c.year < 0)
            continue;
        rfc3339_format(t, text);
        assert_int_equal(rfc3339_parse(str_of(text), &back), 0);
        assert_true(back == t);
    }
    rfc3339_format(INT64_MAX / 1000, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void dates_count_on(void **state)
{
    struct civil c = {.year = 2025, .month = 14, .day = 30}; /* 30 February 2026 */

    assert_true(civil_to_time(&c) == 1772409600); /* 2 March 2026 */
}

static void rfc3339(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-02-29",
        "2026-00-10",
        "2026-01-00",
        "2026-1-01",
        "2026-11-21T09:00",
        "2026-11-21T09:00:00",
        "2026-11-21 09:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T09:60:00Z",
        "2026-11-21T09:00:60Z",
        "2026-11-21T09:00:00.Z",
        "2026-11-21T09:00:00+1:00",
        "2026-11-21T09:00:00+24:00",
        "2026-11-21T09:00:00Zx",
        "-026-11-21",
    };
    int64_t t = 1;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(rfc3339_parse(str_of(bad[i]), &t), -EINVAL);
    assert_int_equal(t, 1);
    assert_int_equal(rfc3339_parse(STR("2026-11-21T09:00:00Z"), &t), 0);
    assert_int_equal(t, 1795251600);
    assert_int_equal(rfc3339_parse(STR("2026-11-21T11:30:00.25+02:30"), &t), 0);
    assert_int_equal(t, 1795251600);
    assert_int_equal(rfc3339_parse(STR("2024-02-29"), &t), 0);
    assert_int_equal(t, 1709164800);
}

static void seeded_randomness_is_reproducible(void **state)
{
    struct rand a, b, sys;
    uint8_t x[37], y[37], zero[37] = {0};
    char id[21], other[21];
    uint32_t seen[7] = {0}, n;

    rand_seeded(&a, 1);
    rand_seeded(&b, 1);
    assert_int_equal(rand_fill(&a, x, sizeof(x)), 0);
    assert_int_equal(rand_fill(&b, y, sizeof(y)), 0);
    assert_memory_equal(x, y, sizeof(x));
    rand_seeded(&b, 2);
    assert_int_equal(rand_fill(&b, y, sizeof(y)), 0);
    assert_memory_not_equal(x, y, sizeof(x));
    for (int i = 0; i < 7000; i++) {
        assert_int_equal(rand_below(&a, 7, &n), 0);
        assert_true(n < 7);
        seen[n]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_int_equal(rand_below(&a, 0, &n), -EINVAL);
    rand_system(&sys);
    assert_int_equal(rand_fill(&sys, x, sizeof(x)), 0);
    assert_memory_not_equal(x, zero, sizeof(x));
    assert_int_equal(rand_id(&sys, "mem_", id, sizeof(id)), 0);
    assert_int_equal(rand_id(&sys, "mem_", other, sizeof(other)), 0);
    assert_int_equal(strlen(id), 20);
    assert_memory_equal(id, "mem_", 4);
    assert_string_not_equal(id, other);
    assert_int_equal(rand_id(&sys, "mem_", id, 20), -ENOSPC);
}

static int freed;

static void count_free(void *value)
{
    freed++;
    free(value);
}

static void map_keeps_order_and_bound(void **state)
{
    struct map *m = NULL;
    struct str key;
    void *value;
    size_t at = 0;

    freed = 0;
    assert_int_equal(map_new(3, 99, count_free, &m), 0);
    assert_int_equal(map_put(m, STR("b"), strdup("1")), 0);
    assert_int_equal(map_put(m, STR("a"), strdup("2")), 0);
    assert_int_equal(map_put(m, STR(""), strdup("3")), 0);
    assert_int_equal(map_put(m, STR("x"), NULL), MAP_E_FULL);
    assert_int_equal(map_put(m, STR("b"), strdup("4")), 0);
    assert_int_equal(freed, 1);
    assert_string_equal(map_get(m, STR("b")), "4");
    assert_null(map_get(m, STR("bb")));
    map_remove(m, STR("a"));
    map_remove(m, STR("a"));
    assert_int_equal(map_count(m), 2);
    assert_true(map_each(m, &at, &key, &value) && str_eqz(key, "b"));
    assert_true(map_each(m, &at, &key, &value) && str_eqz(key, ""));
    assert_false(map_each(m, &at, &key, &value));
    map_free(m);
    assert_int_equal(freed, 4);
    map_free(NULL);
}

/* Against a plain array, with a seed that is printed. */
static void map_agrees_with_a_model(void **state)
{
    static bool present[500];
    uint64_t seed = (uint64_t)time(NULL);
    struct map *m = NULL;
    struct rand r;
    size_t count = 0;
    uint32_t k, op;
    char key[16];

    print_message("seed %llu\n", (unsigned long long)seed);
    rand_seeded(&r, seed);
    assert_int_equal(map_new(SIZE_MAX, 0, NULL, &m), -EINVAL);
    assert_int_equal(map_new(400, seed, NULL, &m), 0);
    for (int step = 0; step < 20000; step++) {
        assert_int_equal(rand_below(&r, 500, &k), 0);
        assert_int_equal(rand_below(&r, 2, &op), 0);
        snprintf(key, sizeof(key), "key-%u", k);
        assert_ptr_equal(map_get(m, str_of(key)), present[k] ? &present[k] : NULL);
        if (op) {
            int rc = map_put(m, str_of(key), &present[k]);

            assert_int_equal(rc, !present[k] && count == 400 ? MAP_E_FULL : 0);
            count += !rc && !present[k];
            present[k] |= !rc;
        } else {
            map_remove(m, str_of(key));
            count -= present[k];
            present[k] = false;
        }
        assert_int_equal(map_count(m), count);
    }
    map_free(m);
}

/* The example of the Token Status List: two bytes of bits, as zlib at its best level. */
static const uint8_t bits[] = {0xB9, 0xA3};
static const uint8_t stream[] = {0x78, 0xDA, 0xDB, 0xB9, 0x18, 0x00, 0x02, 0x17, 0x01, 0x5D};

static void deflates_as_published(void **state)
{
    struct buf b = {0};

    assert_int_equal(flate_deflate(bits, sizeof(bits), &b), 0);
    assert_int_equal(b.n, sizeof(stream));
    assert_memory_equal(b.p, stream, sizeof(stream));
    buf_reset(&b);
    assert_int_equal(flate_inflate(stream, sizeof(stream), 2, &b), 0);
    assert_int_equal(b.n, 2);
    assert_memory_equal(b.p, bits, 2);
    buf_clear(&b);
}

static void inflates_exactly_one_stream(void **state)
{
    uint8_t more[sizeof(stream) + 1];
    struct buf b = {0};

    buf_z(&b, "kept");
    memcpy(more, stream, sizeof(stream));
    more[sizeof(stream)] = 0;
    assert_int_equal(flate_inflate(more, sizeof(more), 100, &b), FLATE_E_TRAILING);
    for (size_t n = 0; n < sizeof(stream); n++)
        assert_int_equal(flate_inflate(stream, n, 100, &b), FLATE_E_TRAILING);
    for (size_t i = 0; i < sizeof(stream); i++) {
        memcpy(more, stream, sizeof(stream));
        more[i] ^= 0x04;
        assert_int_not_equal(flate_inflate(more, sizeof(stream), 100, &b), 0);
    }
    more[0] = 0x1F; /* gzip is another format */
    assert_int_equal(flate_inflate(more, sizeof(stream), 100, &b), FLATE_E_CORRUPT);
    assert_int_equal(flate_inflate(stream, sizeof(stream), 1, &b), FLATE_E_BOMB);
    assert_string_equal(b.p, "kept");
    assert_int_equal(b.n, 4);
    buf_clear(&b);
}

static void stops_bombs_at_the_bound(void **state)
{
    size_t n = 8 << 20;
    char *zeros = calloc(1, n);
    struct buf bomb = {0}, out = {.max = 8192};

    assert_int_equal(flate_deflate(zeros, n, &bomb), 0);
    assert_true(bomb.n < 10000);
    assert_int_equal(flate_inflate(bomb.p, bomb.n, 8192, &out), FLATE_E_BOMB);
    assert_int_equal(buf_error(&out), 0);
    assert_true(out.cap <= 8193);
    bomb.n = 0;
    assert_int_equal(flate_deflate(zeros, 8192, &bomb), 0);
    assert_int_equal(flate_inflate(bomb.p, bomb.n, 8191, &out), FLATE_E_BOMB);
    assert_int_equal(flate_inflate(bomb.p, bomb.n, 8192, &out), 0);
    assert_int_equal(out.n, 8192);
    buf_clear(&bomb);
    buf_clear(&out);
    free(zeros);
}

static void crc_of_the_png_standard(void **state)
{
    assert_int_equal(flate_crc32(0, "IEND", 4), 0xAE426082);
    assert_int_equal(flate_crc32(flate_crc32(0, "IE", 2), "ND", 2), 0xAE426082);
}

/* Nothing is given twice, what was given is not kept, and a key is not taken ahead. */
static void randomness_ahead(void **state)
{
    uint8_t given[400][18] = {0}, key[32] = {0};
    static const uint8_t zeros[32];
    struct rand r = {0};
    size_t before;

    assert_int_equal(rand_buffered(&r), 0);
    for (size_t i = 0; i < 400; i++) {
        assert_int_equal(rand_fill(&r, given[i], sizeof(given[i])), 0);
        assert_memory_equal(r.ahead + r.n_ahead, zeros, sizeof(given[i]));
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(given[i], given[k], sizeof(given[i]));
    }
    before = r.n_ahead;
    assert_int_equal(rand_fill(&r, key, sizeof(key)), 0);
    assert_int_equal(r.n_ahead, before);
    assert_memory_not_equal(key, zeros, sizeof(key));
    rand_clear(&r);
    assert_null(r.ahead);
    rand_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_dates),
        cmocka_unit_test(dates_count_on),
        cmocka_unit_test(rfc3339),
        cmocka_unit_test(seeded_randomness_is_reproducible),
        cmocka_unit_test(randomness_ahead),
        cmocka_unit_test(map_keeps_order_and_bound),
        cmocka_unit_test(map_agrees_with_a_model),
        cmocka_unit_test(deflates_as_published),
        cmocka_unit_test(inflates_exactly_one_stream),
        cmocka_unit_test(stops_bombs_at_the_bound),
        cmocka_unit_test(crc_of_the_png_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

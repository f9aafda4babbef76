#include "lib/base/unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/tz.h"

static struct tz *zone(const char *name)
{
    struct tz *tz = NULL;
    struct err err = {0};

    if (tz_load(TZ_DIR, name, &tz, &err))
        fail_msg("%s: %s", name, err.text);
    return tz;
}

/* The offset changes from `before` to `after` at that UTC time. */
struct change {
    const char *zone, *utc;
    int before, after; /* minutes east */
};

static const struct change changes[] = {
    {"Europe/Lisbon", "2026-03-29T01:00:00Z", 0, 60},
    {"Europe/Lisbon", "2026-10-25T01:00:00Z", 60, 0},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", 60, 120},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", 120, 60},
    {"America/New_York", "2026-03-08T07:00:00Z", -300, -240},
    {"America/New_York", "2026-11-01T06:00:00Z", -240, -300},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", 660, 630},
    {"Australia/Lord_Howe", "2026-10-03T15:30:00Z", 630, 660},
    {"America/Sao_Paulo", "2018-11-04T03:00:00Z", -180, -120}, /* at midnight */
    /* beyond every file's table, by its footer's rule */
    {"Europe/Berlin", "2200-03-30T01:00:00Z", 60, 120},
    {"America/New_York", "2300-11-04T06:00:00Z", -240, -300},
    {"Europe/Dublin", "2100-03-28T01:00:00Z", 0, 60}, /* its "daylight" time is the winter's */
    {"Asia/Gaza", "2200-10-24T23:00:00Z", 180, 120},  /* the rule counts 50 hours */
};

static void changes_when_the_clocks_do(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        _cleanup_(tz_freep) struct tz *tz = zone(changes[i].zone);
        int64_t t;

        assert_int_equal(rfc3339_parse(str_of(changes[i].utc), &t), 0);
        if (tz_offset(tz, t - 1) != changes[i].before * 60 ||
            tz_offset(tz, t) != changes[i].after * 60)
            fail_msg("%s at %s: %d, %d", changes[i].zone, changes[i].utc, tz_offset(tz, t - 1),
                     tz_offset(tz, t));
    }
}

static void zones_without_daylight_saving(void **state)
{
    _cleanup_(tz_freep) struct tz *utc = zone("UTC"), *kolkata = zone("Asia/Kolkata");

    for (int64_t t = 0; t < 20000000000; t += 86400 * 97) {
        assert_int_equal(tz_offset(utc, t), 0);
        assert_int_equal(tz_offset(kolkata, t), 19800);
    }
}

static int64_t at(const char *rfc3339)
{
    int64_t t;

    assert_int_equal(rfc3339_parse(str_of(rfc3339), &t), 0);
    return t;
}

static void local_days(void **state)
{
    _cleanup_(tz_freep) struct tz *berlin = zone("Europe/Berlin"), *york = zone("America/New_York");
    _cleanup_(tz_freep) struct tz *paulo = zone("America/Sao_Paulo"), *apia = zone("Pacific/Apia");
    int32_t day = (int32_t)(at("2026-03-29") / 86400);
    struct civil c;

    assert_int_equal(tz_day(berlin, at("2026-03-28T22:59:59Z")), day - 1);
    assert_int_equal(tz_day(berlin, at("2026-03-28T23:00:00Z")), day);
    assert_int_equal(tz_day_start(berlin, day), at("2026-03-28T23:00:00Z"));
    assert_int_equal(tz_day_start(berlin, day + 1), at("2026-03-29T22:00:00Z")); /* 23 hours */
    assert_int_equal(tz_day_start(york, day), at("2026-03-29T04:00:00Z"));
    tz_local(york, at("2026-03-29T03:59:00Z"), &c);
    assert_int_equal(c.day, 28);
    assert_int_equal(c.hour, 23);
    assert_int_equal(c.weekday, 5); /* Saturday */
    /* midnight did not exist: the day began at one */
    day = (int32_t)(at("2018-11-04") / 86400);
    assert_int_equal(tz_day_start(paulo, day), at("2018-11-04T03:00:00Z"));
    /* the whole day did not exist */
    day = (int32_t)(at("2011-12-30") / 86400);
    assert_int_equal(tz_day_start(apia, day), tz_day_start(apia, day + 1));
    /* before the epoch */
    assert_int_equal(tz_day(york, at("1969-12-31T12:00:00Z")), -1);
}

static void refuses_what_is_no_zone(void **state)
{
    static const char *const names[] = {
        "",
        "/etc/passwd",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "Europe",
        "Europe/",
        "Nowhere/City",
        "Europe//Berlin",
        "tzdata.zi",
        "zone.tab",
        "Europe/Berlin\n",
        "Europe/Lisb\xc3\xb3n",
        "UTC/UTC",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct tz *tz = NULL;
        struct err err = {0};

        assert_int_equal(tz_load(TZ_DIR, names[i], &tz, &err), TZ_E_UNKNOWN);
        assert_null(tz);
        assert_true(err.text[0] != '\0' && err.next[0] != '\0');
    }
}

/* One data block of version 1 is all of a file: UTC+1, one change to UTC+2 at 1000. */
static const uint8_t v1[] = {
    'T', 'Z', 'i',  'f',  0, 0, 0, 0, 0,    0,    0, 0, 0,   0,   0,   0,
    0,   0,   0,    0,                                  /* magic, reserved */
    0,   0,   0,    0,    0, 0, 0, 0, 0,    0,    0, 0, /* isut, isstd, leap */
    0,   0,   0,    1,    0, 0, 0, 2, 0,    0,    0, 4, /* times, types, chars */
    0,   0,   3,    0xE8, 1,                            /* 1000 -> type 1 */
    0,   0,   0x0E, 0x10, 0, 0, 0, 0, 0x1C, 0x20, 1, 0, 'X', 'Y', 'Z', 0};

static void reads_version_1(void **state)
{
    _cleanup_(tz_freep) struct tz *tz = NULL;

    assert_int_equal(tz_parse(v1, sizeof(v1), &tz, NULL), 0);
    assert_int_equal(tz_offset(tz, 999), 3600);
    assert_int_equal(tz_offset(tz, 1000), 7200);
    assert_int_equal(tz_offset(tz, 4000000000), 7200);
}

/* Every prefix of a file, and every byte of it changed, is read or refused without harm. */
static void survives_damage(void **state)
{
    static char file[8192];
    FILE *f = fopen(TZ_DIR "/Australia/Lord_Howe", "rb");
    size_t n, refused = 0;

    assert_non_null(f);
    n = fread(file, 1, sizeof(file), f);
    fclose(f);
    for (size_t len = 0; len < n; len++) {
        struct tz *tz = NULL;
        char *exact = malloc(len + !len); /* so that reading on is noticed */

        memcpy(exact, file, len);
        refused += tz_parse(exact, len, &tz, NULL) == TZ_E_UNKNOWN;
        tz_free(tz);
        free(exact);
    }
    assert_int_equal(refused, n);
    for (size_t i = 0; i < n; i++) {
        struct tz *tz = NULL;
        char kept = file[i];

        file[i] = (char)0xFF;
        if (!tz_parse(file, n, &tz, NULL))
            tz_day_start(tz, 20000);
        tz_free(tz);
        file[i] = kept;
    }
}

static void names_the_systems_zone(void **state)
{
    char name[65];

    setenv("TZ", "Europe/Lisbon", 1);
    tz_system_name(name);
    assert_string_equal(name, "Europe/Lisbon");
    setenv("TZ", ":Asia/Kolkata", 1);
    tz_system_name(name);
    assert_string_equal(name, "Asia/Kolkata");
    unsetenv("TZ");
    tz_system_name(name);
    tz_free(zone(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_when_the_clocks_do),
        cmocka_unit_test(zones_without_daylight_saving),
        cmocka_unit_test(local_days),
        cmocka_unit_test(refuses_what_is_no_zone),
        cmocka_unit_test(reads_version_1),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(names_the_systems_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* When peers are looked at again: bounds, jitter, back-off. */
#include "lib/base/unit.h"

#include "network_schedule.h"

#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define NOW (UINT64_C(1000) * HOUR)

static const uint32_t ends[] = {0, UINT32_MAX};

static void configuration_each_hour_or_so(void **state)
{
    struct schedule_rule rule;
    struct schedule s = {.failures = 3};

    schedule_configuration_rule(&rule);
    schedule_succeeded(&s, &rule, NOW, ends[0]);
    assert_int_equal(s.due, NOW + HOUR * 3 / 4);
    assert_int_equal(s.failures, 0);
    schedule_succeeded(&s, &rule, NOW, ends[1]);
    assert_int_equal(s.due, NOW + HOUR * 5 / 4);
    schedule_succeeded(&s, &rule, NOW, UINT32_MAX / 2 + 1);
    assert_int_equal(s.due, NOW + HOUR);
}

static void status_as_often_as_asked(void **state)
{
    struct schedule_rule rule;
    struct schedule s = {0};

    schedule_status_rule(&rule, 5);
    schedule_succeeded(&s, &rule, NOW, ends[0]);
    assert_int_equal(s.due, NOW + 4 * SECOND);
    schedule_succeeded(&s, &rule, NOW, ends[1]);
    assert_int_equal(s.due, NOW + 6 * SECOND);
    /* nonsense is brought into range */
    schedule_status_rule(&rule, 0);
    schedule_succeeded(&s, &rule, NOW, ends[0]);
    assert_int_equal(s.due, NOW + 800);
    schedule_status_rule(&rule, UINT32_MAX);
    schedule_succeeded(&s, &rule, NOW, ends[1]);
    assert_int_equal(s.due, NOW + 86400 * SECOND * 6 / 5);
}

/* The bound of each failure in a row, and that the wait is anywhere below it. */
static void backs_off(const struct schedule_rule *rule, const uint64_t *bounds, size_t n)
{
    struct schedule s = {0};

    for (size_t i = 0; i < n; i++) {
        struct schedule low = s;

        schedule_failed(&low, rule, NOW, ends[0]);
        assert_int_equal(low.due, NOW + SCHEDULE_RETRY_MIN);
        schedule_failed(&s, rule, NOW, ends[1]);
        assert_int_equal(s.due, NOW + bounds[i] * SECOND);
        assert_int_equal(s.failures, i + 1);
    }
    schedule_succeeded(&s, rule, NOW, 0);
    schedule_failed(&s, rule, NOW, ends[1]);
    assert_int_equal(s.due, NOW + bounds[0] * SECOND);
}

static void failures_double_up_to_a_bound(void **state)
{
    static const uint64_t configuration[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600};
    static const uint64_t status[] = {5, 10, 20, 40, 60, 60, 60};
    static const uint64_t slow[] = {60, 60};
    struct schedule_rule rule;

    schedule_configuration_rule(&rule);
    backs_off(&rule, configuration, sizeof(configuration) / sizeof(configuration[0]));
    schedule_status_rule(&rule, 5);
    backs_off(&rule, status, sizeof(status) / sizeof(status[0]));
    /* a peer that is down is asked more often than one that is not looked at often */
    schedule_status_rule(&rule, 600);
    backs_off(&rule, slow, sizeof(slow) / sizeof(slow[0]));
}

static void failing_for_ever_stays_in_bounds(void **state)
{
    struct schedule_rule rule;
    struct schedule s = {0};

    schedule_configuration_rule(&rule);
    for (int i = 0; i < 100000; i++)
        schedule_failed(&s, &rule, NOW, ends[1]);
    assert_int_equal(s.due, NOW + HOUR);
    assert_in_range(s.failures, 1000, 100000);
}

static void begins_where_it_left_off(void **state)
{
    struct schedule_rule rule;
    struct schedule s = {.failures = 7};

    schedule_configuration_rule(&rule);
    schedule_begin(&s, &rule, NOW, 20 * 60 * SECOND, 500, ends[0]); /* of 45 min */
    assert_int_equal(s.due, NOW + 25 * 60 * SECOND);
    assert_int_equal(s.failures, 0);
    schedule_begin(&s, &rule, NOW, 45 * 60 * SECOND, 500, ends[0]);
    assert_int_equal(s.due, NOW);
    schedule_begin(&s, &rule, NOW, UINT64_MAX, 500, ends[0]);
    assert_int_equal(s.due, NOW);
    schedule_begin(&s, &rule, NOW, UINT64_MAX, 500, ends[1]);
    assert_int_equal(s.due, NOW + 500);
    schedule_begin(&s, &rule, NOW, 0, 500, ends[1]);
    assert_int_equal(s.due, NOW + HOUR * 5 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration_each_hour_or_so),
        cmocka_unit_test(status_as_often_as_asked),
        cmocka_unit_test(failures_double_up_to_a_bound),
        cmocka_unit_test(failing_for_ever_stays_in_bounds),
        cmocka_unit_test(begins_where_it_left_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

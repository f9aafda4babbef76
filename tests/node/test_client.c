/* Who is at the other end, behind proxies that are trusted or not; and who failed too often. */
#include "lib/base/unit.h"

#include "client.h"

#include <stdio.h>
#include <sys/socket.h>

static void addresses_are_read_in_every_form_that_proxies_write(void **state)
{
    static const struct {
        const char *text, *address; /* NULL: refused */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:4711", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:4711", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"", NULL},
        {"unknown", NULL},
        {"192.0.2", NULL},
        {"192.0.2.1, 192.0.2.2", NULL},
        {"[2001:db8::1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c;
        char text[CLIENT_TEXT];
        int r = client_parse(str_of(cases[i].text), &c);

        if ((r == 0) != (cases[i].address != NULL))
            fail_msg("%s: %d", cases[i].text, r);
        if (r)
            continue;
        client_text(&c, text);
        assert_string_equal(text, cases[i].address);
    }
}

static void the_client_is_the_rightmost_that_is_not_trusted(void **state)
{
    static const struct {
        const char *peer, *first, *second, *client;
    } cases[] = {
        {"127.0.0.1", NULL, NULL, "127.0.0.1"},
        {"127.0.0.1", "192.0.2.1", NULL, "192.0.2.1"},
        {"127.0.0.1", "203.0.113.9, 192.0.2.1", NULL, "192.0.2.1"}, /* the left one is invented */
        {"127.0.0.1", "192.0.2.1, 10.0.0.7", NULL, "192.0.2.1"},
        {"127.0.0.1", "192.0.2.1", "10.0.0.7", "192.0.2.1"},
        {"127.0.0.1", "192.0.2.1", "198.51.100.2", "198.51.100.2"},
        {"127.0.0.1", "10.0.0.8, 10.0.0.7", NULL, "10.0.0.8"},
        {"127.0.0.1", "192.0.2.1, rubbish", NULL, "127.0.0.1"},
        {"127.0.0.1", "192.0.2.1, rubbish, 10.0.0.7", NULL, "10.0.0.7"},
        {"127.0.0.1", "192.0.2.1,", NULL, "127.0.0.1"},
    };
    struct cidr trusted[2];

    (void)state;
    assert_int_equal(cidr_parse(STR("127.0.0.1/32"), &trusted[0]), 0);
    assert_int_equal(cidr_parse(STR("10.0.0.0/8"), &trusted[1]), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_header headers[3];
        struct client c;
        char text[CLIENT_TEXT];
        size_t n = 0;

        if (cases[i].first)
            headers[n++] = (struct http_header){STR("x-forwarded-for"), str_of(cases[i].first)};
        headers[n++] = (struct http_header){STR("x-real-ip"), STR("203.0.113.1")};
        if (cases[i].second)
            headers[n++] = (struct http_header){STR("x-forwarded-for"), str_of(cases[i].second)};
        assert_int_equal(client_parse(str_of(cases[i].peer), &c), 0);
        client_forwarded(headers, n, trusted, 2, &c);
        client_text(&c, text);
        if (strcmp(text, cases[i].client) != 0)
            fail_msg("case %zu: %s, not %s", i, text, cases[i].client);
    }
}

static void one_customer_is_one_client(void **state)
{
    struct client a, b;

    (void)state;
    client_parse(STR("2001:db8:1:2::1"), &a);
    client_parse(STR("2001:db8:1:2:ffff::9"), &b);
    assert_true(client_same(&a, &b));
    client_parse(STR("2001:db8:1:3::1"), &b);
    assert_false(client_same(&a, &b));
    client_parse(STR("192.0.2.1"), &a);
    client_parse(STR("192.0.2.2"), &b);
    assert_false(client_same(&a, &b));
}

static void failures_are_counted_by_client_and_minute(void **state)
{
    static struct throttle t;
    struct client a, b;
    uint64_t now = 1000000;

    (void)state;
    client_parse(STR("192.0.2.1"), &a);
    client_parse(STR("192.0.2.2"), &b);
    for (int i = 0; i < THROTTLE_FAILURES; i++)
        assert_int_equal(throttle_failed(&t, &a, now + (uint64_t)i), 0);
    assert_in_range(throttle_failed(&t, &a, now + 30000), 30, 31);
    assert_int_equal(throttle_failed(&t, &b, now + 30000), 0);
    assert_int_equal(throttle_failed(&t, &a, now + THROTTLE_WINDOW_MS), 0);
    /* a crowd pushes out the oldest, and nothing else happens */
    for (int i = 0; i < 2 * THROTTLE_CLIENTS; i++) {
        char text[32];

        snprintf(text, sizeof(text), "198.51.%d.%d", i / 256, i % 256);
        client_parse(str_of(text), &b);
        assert_int_equal(throttle_failed(&t, &b, now + 90000 + (uint64_t)i), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_in_every_form_that_proxies_write),
        cmocka_unit_test(the_client_is_the_rightmost_that_is_not_trusted),
        cmocka_unit_test(one_customer_is_one_client),
        cmocka_unit_test(failures_are_counted_by_client_and_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every edge of every range that may not be fetched from, and what opens it. */
#include "lib/base/unit.h"

#include <arpa/inet.h>

#include "fetch.h"

static bool allowed(const struct fetch_rules *rules, const char *host, const char *text,
                    const char **why)
{
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    uint8_t address[16] = {0};

    *why = NULL;
    assert_int_equal(inet_pton(family, text, address), 1);
    return fetch_address_allowed(rules, host, family, address, why);
}

static void global_unicast_only(void **state)
{
    static const struct {
        const char *address;
        bool allowed;
    } cases[] = {
        {"0.0.0.0", false},
        {"0.255.255.255", false},
        {"1.0.0.0", true},
        {"9.255.255.255", true},
        {"10.0.0.0", false},
        {"10.255.255.255", false},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.64.0.0", false},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"126.255.255.255", true},
        {"127.0.0.0", false},
        {"127.0.0.1", false},
        {"127.255.255.255", false},
        {"128.0.0.0", true},
        {"169.253.255.255", true},
        {"169.254.0.0", false},
        {"169.254.169.254", false},
        {"169.254.255.255", false},
        {"169.255.0.0", true},
        {"172.15.255.255", true},
        {"172.16.0.0", false},
        {"172.31.255.255", false},
        {"172.32.0.0", true},
        {"191.255.255.255", true},
        {"192.0.0.0", false},
        {"192.0.0.255", false},
        {"192.0.1.0", true},
        {"192.0.2.0", false},
        {"192.0.2.255", false},
        {"192.0.3.0", true},
        {"192.88.98.255", true},
        {"192.88.99.0", false},
        {"192.88.99.255", false},
        {"192.88.100.0", true},
        {"192.167.255.255", true},
        {"192.168.0.0", false},
        {"192.168.255.255", false},
        {"192.169.0.0", true},
        {"198.17.255.255", true},
        {"198.18.0.0", false},
        {"198.19.255.255", false},
        {"198.20.0.0", true},
        {"198.51.99.255", true},
        {"198.51.100.0", false},
        {"198.51.100.255", false},
        {"198.51.101.0", true},
        {"203.0.112.255", true},
        {"203.0.113.0", false},
        {"203.0.113.255", false},
        {"203.0.114.0", true},
        {"223.255.255.255", true},
        {"224.0.0.0", false},
        {"239.255.255.255", false},
        {"240.0.0.0", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"::2", false},
        {"::10.0.0.1", false},
        {"::8.8.8.8", false},
        {"::ffff:0:0", false},
        {"::ffff:8.8.8.8", false},
        {"::ffff:127.0.0.1", false},
        {"::1:0:0:0", false},
        {"64:ff9b::", false},
        {"64:ff9b::8.8.8.8", false},
        {"64:ff9b::ffff:ffff", false},
        {"64:ff9b:1::", false},
        {"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", false},
        {"64:ff9b:2::", false},
        {"100::1", false},
        {"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2000::", true},
        {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"2001::", false},
        {"2001:0:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2001:1::1", false},
        {"2001:2::", false},
        {"2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2001:200::", true},
        {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"2001:db8::", false},
        {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2001:db9::", true},
        {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"2002::", false},
        {"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2003::", true},
        {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"3fff::", false},
        {"3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"3fff:1000::", true},
        {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"4000::", false},
        {"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"fc00::", false},
        {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"fe00::", false},
        {"fe80::", false},
        {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"fec0::", false},
        {"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"ff00::", false},
        {"ff02::1", false},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
    };
    const struct fetch_rules rules = {0}, trial = {.trial = true};
    const char *why;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (allowed(&rules, "a.example", cases[i].address, &why) != cases[i].allowed)
            fail_msg("%s: %s", cases[i].address, why ? why : "allowed");
        if (!cases[i].allowed)
            assert_non_null(why);
        /* a trial opens nothing to names that are not of loopback */
        if (allowed(&trial, "a.example", cases[i].address, &why) != cases[i].allowed)
            fail_msg("trial, %s: %s", cases[i].address, why ? why : "allowed");
    }
}

static void allow_list_opens_neighbours_only(void **state)
{
    static const struct {
        const char *cidr, *address;
        bool allowed;
    } cases[] = {
        {"10.1.0.0/16", "10.1.2.3", true},
        {"10.1.0.0/16", "10.2.0.0", false},
        {"172.16.0.0/12", "172.20.0.1", true},
        {"192.168.5.0/24", "192.168.5.255", true},
        {"100.64.0.0/10", "100.100.0.1", true},
        {"198.18.0.0/15", "198.18.0.1", true},
        {"fd00::/8", "fd12::1", true},
        {"fd00::/8", "fc00::1", false},
        {"64:ff9b::/96", "64:ff9b::8.8.8.8", true},
        {"0.0.0.0/0", "10.0.0.1", true},
        {"0.0.0.0/0", "127.0.0.1", false},
        {"0.0.0.0/0", "169.254.169.254", false},
        {"0.0.0.0/0", "224.0.0.1", false},
        {"0.0.0.0/0", "255.255.255.255", false},
        {"0.0.0.0/0", "0.0.0.0", false},
        {"::/0", "::1", false},
        {"::/0", "::", false},
        {"::/0", "::ffff:10.0.0.1", false},
        {"::/0", "fe80::1", false},
        {"::/0", "ff02::1", false},
        {"::/0", "2002:a00:1::", false},
        {"::/0", "2001:0:1::", false},
        {"::/0", "fd00::1", true},
    };
    const char *why;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cidr cidr;
        const struct fetch_rules rules = {.allow_private = &cidr, .n_allow_private = 1};

        assert_int_equal(cidr_parse(str_of(cases[i].cidr), &cidr), 0);
        if (allowed(&rules, "a.example", cases[i].address, &why) != cases[i].allowed)
            fail_msg("%s by %s: %s", cases[i].address, cases[i].cidr, why ? why : "allowed");
    }
}

static void loopback_for_trials_by_its_names(void **state)
{
    const struct fetch_rules trial = {.trial = true}, real = {0};
    const char *why;

    assert_true(allowed(&trial, "lisbon.localhost", "127.0.0.1", &why));
    assert_true(allowed(&trial, "localhost", "127.0.0.1", &why));
    assert_true(allowed(&trial, "lisbon.localhost", "::1", &why));
    assert_false(allowed(&trial, "lisbon.example", "127.0.0.1", &why));
    assert_false(allowed(&trial, "notlocalhost", "127.0.0.1", &why));
    assert_false(allowed(&trial, "localhost.example", "127.0.0.1", &why));
    assert_false(allowed(&trial, "lisbon.localhost", "10.0.0.1", &why));
    assert_false(allowed(&trial, "lisbon.localhost", "169.254.1.1", &why));
    assert_false(allowed(&real, "lisbon.localhost", "127.0.0.1", &why));
    assert_string_equal(why, "loopback, 127.0.0.0/8");
    assert_false(fetch_address_allowed(&trial, "localhost", AF_UNIX, (uint8_t[16]){127}, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(global_unicast_only),
        cmocka_unit_test(allow_list_opens_neighbours_only),
        cmocka_unit_test(loopback_for_trials_by_its_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Which addresses may be fetched from: the special-purpose registries of IANA (RFC 6890 and its
 * updates) as one table, so that no name leads into a machine's own networks.
 */
#include "fetch.h"

#include <string.h>
#include <sys/socket.h>

enum opens {
    NEVER,    /* no setting opens it */
    ALLOWED,  /* the allow-list may: a neighbour could live there */
    LOOPBACK, /* a trial may, for names of loopback */
};

struct range {
    uint8_t address[16];
    unsigned bits;
    enum opens opens;
    const char *name;
};

static const struct range ranges4[] = {
    {{0}, 8, NEVER, "\"this network\", 0.0.0.0/8"},
    {{10}, 8, ALLOWED, "private, 10.0.0.0/8"},
    {{100, 64}, 10, ALLOWED, "carrier-grade NAT, 100.64.0.0/10"},
    {{127}, 8, LOOPBACK, "loopback, 127.0.0.0/8"},
    {{169, 254}, 16, NEVER, "link-local, 169.254.0.0/16"},
    {{172, 16}, 12, ALLOWED, "private, 172.16.0.0/12"},
    {{192, 0, 0}, 24, NEVER, "protocol assignments, 192.0.0.0/24"},
    {{192, 0, 2}, 24, ALLOWED, "documentation, 192.0.2.0/24"},
    {{192, 88, 99}, 24, NEVER, "6to4 relays, 192.88.99.0/24"},
    {{192, 168}, 16, ALLOWED, "private, 192.168.0.0/16"},
    {{198, 18}, 15, ALLOWED, "benchmarks, 198.18.0.0/15"},
    {{198, 51, 100}, 24, ALLOWED, "documentation, 198.51.100.0/24"},
    {{203, 0, 113}, 24, ALLOWED, "documentation, 203.0.113.0/24"},
    {{224}, 4, NEVER, "multicast, 224.0.0.0/4"},
    {{240}, 4, NEVER, "reserved, 240.0.0.0/4"},
};

/* The first that matches counts. What is outside 2000::/3 is no global unicast (RFC 4291, 2.4). */
static const struct range ranges6[] = {
    {{0}, 128, NEVER, "unspecified, ::"},
    {{[15] = 1}, 128, LOOPBACK, "loopback, ::1"},
    {{[10] = 0xFF, [11] = 0xFF}, 96, NEVER, "IPv4-mapped, ::ffff:0:0/96"},
    {{0}, 96, NEVER, "IPv4-compatible, ::/96"},
    {{0x00, 0x64, 0xFF, 0x9B}, 96, ALLOWED, "NAT64, 64:ff9b::/96"},
    {{0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01}, 48, ALLOWED, "NAT64, 64:ff9b:1::/48"},
    {{0x20, 0x01}, 32, NEVER, "Teredo, 2001::/32"},
    {{0x20, 0x01}, 23, NEVER, "protocol assignments, 2001::/23"},
    {{0x20, 0x01, 0x0D, 0xB8}, 32, ALLOWED, "documentation, 2001:db8::/32"},
    {{0x20, 0x02}, 16, NEVER, "6to4, 2002::/16"},
    {{0x3F, 0xFF}, 20, ALLOWED, "documentation, 3fff::/20"},
    {{0xFC}, 7, ALLOWED, "unique local, fc00::/7"},
    {{0xFE, 0x80}, 10, NEVER, "link-local, fe80::/10"},
    {{0xFE, 0xC0}, 10, NEVER, "site-local, fec0::/10"},
    {{0xFF}, 8, NEVER, "multicast, ff00::/8"},
};

static const struct range global6 = {{0x20}, 3, NEVER, "global unicast, 2000::/3"};

static bool in_range(const struct range *r, const uint8_t *address)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    if (memcmp(r->address, address, whole) != 0)
        return false;
    return !rest || (r->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static bool listed(const struct fetch_rules *rules, int family, const uint8_t *address)
{
    for (size_t i = 0; i < rules->n_allow_private; i++)
        if (cidr_contains(&rules->allow_private[i], family, address))
            return true;
    return false;
}

/* RFC 6761 section 6.3: these names mean loopback and nothing else. */
static bool is_loopback_name(const char *host)
{
    struct str s = str_of(host);

    return str_eqz(s, "localhost") || str_ends(s, STR(".localhost"));
}

bool fetch_address_allowed(const struct fetch_rules *rules, const char *host, int family,
                           const uint8_t address[static 16], const char **why)
{
    const struct range *table = family == AF_INET ? ranges4 : ranges6;
    size_t n = family == AF_INET ? ARRAY_SIZE(ranges4) : ARRAY_SIZE(ranges6);

    if (family != AF_INET && family != AF_INET6) {
        *why = "no internet address";
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!in_range(&table[i], address))
            continue;
        if (table[i].opens == ALLOWED && listed(rules, family, address))
            return true;
        if (table[i].opens == LOOPBACK && rules->trial && is_loopback_name(host))
            return true;
        *why = table[i].name;
        return false;
    }
    if (family == AF_INET6 && !in_range(&global6, address)) {
        *why = "reserved, outside 2000::/3";
        return false;
    }
    return true;
}

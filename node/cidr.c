#include <arpa/inet.h>
#include <errno.h>

#include "config.h"

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

/* RFC 4632 section 3.1, RFC 4291 section 2.3. Bits after the prefix must be zero: 10.1.0.0/8 is
 * more likely a slip than a wish. */
int cidr_parse(struct str text, struct cidr *out)
{
    struct cidr c = {.family = AF_INET};
    struct str address, length;
    char z[INET6_ADDRSTRLEN];
    bool has_length = str_cut(text, '/', &address, &length);

    if (str_copy(z, sizeof(z), address) < 0)
        return -EINVAL;
    if (memchr(address.p, ':', address.n))
        c.family = AF_INET6;
    if (inet_pton(c.family, z, c.address) != 1)
        return -EINVAL;

    int64_t bits = c.family == AF_INET ? 32 : 128;
    if (has_length && str_to_int(length, 0, bits, &bits) < 0)
        return -EINVAL;
    c.bits = (unsigned)bits;

    size_t n = c.family == AF_INET ? 4 : 16;
    for (size_t i = 0; i < n; i++) {
        unsigned kept = c.bits <= i * 8 ? 0 : c.bits - (unsigned)i * 8;
        if (kept < 8 && (c.address[i] & (0xff >> kept)))
            return -EINVAL;
    }
    *out = c;
    return 0;
}

bool cidr_contains(const struct cidr *c, int family, const uint8_t address[static 16])
{
    return c->family == family && bits_equal(c->address, address, c->bits);
}

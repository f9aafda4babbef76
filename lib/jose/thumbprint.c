#include "jose/thumbprint.h"

#include <assert.h>
#include <errno.h>

#include "base/b64.h"
#include "crypto/digest.h"

/* RFC 7638 section 3: {"name":"value",...} without white space, hashed with SHA-256. */
int thumbprint_of(const struct thumbprint_member *members, size_t n,
                  char out[static THUMBPRINT_LEN + 1])
{
    uint8_t digest[SHA256_LEN];
    struct buf b = {0};
    int r;

    for (size_t i = 0; i < n; i++) {
        assert(i == 0 || strcmp(members[i - 1].name, members[i].name) < 0);
        buf_z(&b, i ? ",\"" : "{\"");
        buf_z(&b, members[i].name);
        buf_z(&b, "\":\"");
        buf_str(&b, members[i].value);
        buf_ch(&b, '"');
    }
    buf_ch(&b, '}');
    r = buf_error(&b);
    if (!r)
        r = sha256(b.p, b.n, digest);
    buf_clear(&b);
    if (r)
        return r;
    b64_encode(digest, sizeof(digest), out);
    out[THUMBPRINT_LEN] = '\0';
    return 0;
}

int jwk_thumbprint(const struct key *key, char out[static THUMBPRINT_LEN + 1])
{
    char x[B64_LEN(32)], y[B64_LEN(32)];
    const struct thumbprint_member ec[] = {
        {"crv", STR("P-256")}, {"kty", STR("EC")}, {"x", {x, sizeof(x)}}, {"y", {y, sizeof(y)}}};
    const struct thumbprint_member okp[] = {
        {"crv", STR("Ed25519")}, {"kty", STR("OKP")}, {"x", {x, sizeof(x)}}};

    b64_encode(key->bytes, 32, x);
    b64_encode(key->bytes + 32, 32, y);
    switch (key->type) {
    case KEY_P256: /* section 3.2 */
        return thumbprint_of(ec, ARRAY_SIZE(ec), out);
    case KEY_ED25519: /* RFC 8037 section 2 */
        return thumbprint_of(okp, ARRAY_SIZE(okp), out);
    }
    return -EINVAL;
}

void fingerprint_format(const char *thumbprint, char out[static FINGERPRINT_LEN + 1])
{
    size_t at = 0;

    assert(strlen(thumbprint) == THUMBPRINT_LEN);
    for (size_t i = 0; i < THUMBPRINT_LEN; i++) {
        if (i && i % 4 == 0)
            out[at++] = '-';
        out[at++] = thumbprint[i];
    }
    out[at] = '\0';
}

/* '-' is also a character of base64url, so separators are known by their place alone. */
bool fingerprint_equal(const char *thumbprint, struct str typed)
{
    char groups[FINGERPRINT_LEN + 1], bare[FINGERPRINT_LEN + 1];
    size_t n = 0;

    if (strlen(thumbprint) != THUMBPRINT_LEN)
        return false;
    for (size_t i = 0; i < typed.n; i++) {
        if (strchr(" \t\r\n", typed.p[i]) && typed.p[i])
            continue;
        if (n == FINGERPRINT_LEN)
            return false;
        bare[n++] = typed.p[i];
    }
    fingerprint_format(thumbprint, groups);
    return str_eqz((struct str){bare, n}, thumbprint) || str_eqz((struct str){bare, n}, groups);
}

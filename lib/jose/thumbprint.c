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

static void grouped(const char *thumbprint, char separator, char out[static FINGERPRINT_LEN + 1])
{
    size_t at = 0;

    assert(strlen(thumbprint) == THUMBPRINT_LEN);
    for (size_t i = 0; i < THUMBPRINT_LEN; i++) {
        if (i && i % 4 == 0)
            out[at++] = separator;
        out[at++] = thumbprint[i];
    }
    out[at] = '\0';
}

void fingerprint_format(const char *thumbprint, char out[static FINGERPRINT_LEN + 1])
{
    grouped(thumbprint, ' ', out);
}

/* Without white space. False if it is too long for a fingerprint. */
static bool bare_of(struct str typed, char bare[static FINGERPRINT_LEN + 1], size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < typed.n; i++) {
        if (strchr(" \t\r\n", typed.p[i]) && typed.p[i])
            continue;
        if (*n == FINGERPRINT_LEN)
            return false;
        bare[(*n)++] = typed.p[i];
    }
    return true;
}

/* '-' is also a character of base64url, so such separators are known by their place alone. */
bool fingerprint_equal(const char *thumbprint, struct str typed)
{
    char groups[FINGERPRINT_LEN + 1], bare[FINGERPRINT_LEN + 1];
    size_t n;

    if (strlen(thumbprint) != THUMBPRINT_LEN || !bare_of(typed, bare, &n))
        return false;
    grouped(thumbprint, '-', groups);
    return str_eqz((struct str){bare, n}, thumbprint) || str_eqz((struct str){bare, n}, groups);
}

bool fingerprint_whole(struct str typed)
{
    char bare[FINGERPRINT_LEN + 1];
    size_t n;
    return bare_of(typed, bare, &n) && (n == THUMBPRINT_LEN || n == FINGERPRINT_LEN);
}

#include <errno.h>

#include "base/b64.h"
#include "cred/sdjwt.h"
#include "crypto/digest.h"

#define SALT_BYTES 16 /* RFC 9901 section 9.3 recommends 128 bits */

/* Appends base64url of the JSON text [salt, name, value] to tail and writes its digest. */
static int make_disclosure(const char *name, struct json *value, struct rand *rand,
                           struct buf *tail, char digest[static SDJWT_DIGEST_LEN])
{
    _cleanup_(json_freep) struct json *array = json_array();
    _cleanup_(buf_clear) struct buf text = {0};
    uint8_t salt[SALT_BYTES], hash[SHA256_LEN];
    char salt_text[B64_LEN(SALT_BYTES)];
    size_t start = tail->n;
    int r = rand_fill(rand, salt, sizeof(salt));

    b64_encode(salt, sizeof(salt), salt_text);
    if (r || !array) {
        json_free(value);
        return r ? r : -ENOMEM;
    }
    r = json_append(array, json_string((struct str){salt_text, sizeof(salt_text)}));
    if (!r)
        r = json_append_z(array, name);
    if (r) {
        json_free(value);
        return r;
    }
    r = json_append(array, value);
    if (!r)
        r = json_write(array, &text);
    if (!r)
        r = b64_append(tail, text.p, text.n);
    if (!r)
        r = sha256(tail->p + start, tail->n - start, hash);
    if (r)
        return r;
    b64_encode(hash, sizeof(hash), digest);
    return buf_ch(tail, '~');
}

/* Sorted by their text, so that the order of digests says nothing (RFC 9901 section 4.2.4.1). */
static int add_digest(struct json *payload, struct str digest)
{
    const struct json *old = json_get(payload, "_sd");
    _cleanup_(json_freep) struct json *sd = json_array();
    struct json *made;
    bool placed = false;
    int r = sd ? 0 : -ENOMEM;

    for (size_t i = 0; !r && i < json_count(old); i++) {
        struct str other = json_as_str(json_at(old, i));

        if (!placed && other.n == digest.n && memcmp(digest.p, other.p, digest.n) < 0) {
            r = json_append(sd, json_string(digest));
            placed = true;
        }
        if (!r)
            r = json_append(sd, json_ref(json_at(old, i)));
    }
    if (!r && !placed)
        r = json_append(sd, json_string(digest));
    if (r)
        return r;
    made = sd;
    sd = NULL;
    return json_put(payload, "_sd", made);
}

int sdjwt_conceal(struct json *payload, const char *name, struct json *value, struct rand *rand,
                  struct buf *tail)
{
    char digest[SDJWT_DIGEST_LEN];
    int r;

    if (!value)
        return -ENOMEM;
    if (!*name || strlen(name) > SDJWT_NAME_MAX || strcmp(name, "_sd") == 0 ||
        strcmp(name, "...") == 0 || strcmp(name, "_sd_alg") == 0 || json_get(payload, name)) {
        json_free(value);
        return -EINVAL;
    }
    r = make_disclosure(name, value, rand, tail, digest);
    if (r)
        return r;
    return add_digest(payload, (struct str){digest, sizeof(digest)});
}

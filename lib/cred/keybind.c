#include "cred/keybind.h"

#include <errno.h>

#include "base/b64.h"
#include "crypto/digest.h"

static bool nonce_ok(struct str nonce)
{
    if (nonce.n < KEYBIND_NONCE_MIN || nonce.n > KEYBIND_NONCE_MAX)
        return false;
    for (size_t i = 0; i < nonce.n; i++)
        if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e)
            return false;
    return true;
}

/* RFC 9901 section 4.3: what the payload must have; borrowed from the parsed payload. */
struct claims {
    int64_t iat;
    struct str aud, nonce, sd_hash;
};

static int read_claims(const struct json *payload, struct claims *c, struct err *err)
{
    if (json_get_int(payload, "iat", &c->iat) || c->iat < 0)
        return err_set(err, KEYBIND_E_MALFORMED, "iat of the holder proof is no time in seconds");
    if (json_get_str(payload, "aud", &c->aud) || c->aud.n == 0)
        return err_set(err, KEYBIND_E_MALFORMED, "aud of the holder proof is not one string");
    if (json_get_str(payload, "nonce", &c->nonce) || !nonce_ok(c->nonce))
        return err_set(err, KEYBIND_E_MALFORMED,
                       "nonce of the holder proof is not a string of %d to %d visible characters",
                       KEYBIND_NONCE_MIN, KEYBIND_NONCE_MAX);
    if (json_get_str(payload, "sd_hash", &c->sd_hash))
        return err_set(err, KEYBIND_E_MALFORMED, "sd_hash of the holder proof is not a string");
    return 0;
}

static int check_signature(struct verifier *v, const struct jws *jws, const struct key *device,
                           struct err *err)
{
    int r = jws_check(v, jws, device);

    switch (r) {
    case JWS_E_KEY:
        return err_set(err, KEYBIND_E_MALFORMED, "alg %s does not go with the pass's device key",
                       jws->alg->name);
    case JWS_E_SIGNATURE:
        return err_set(err, KEYBIND_E_SIGNATURE,
                       "the holder proof is not signed by the device that the pass is bound to");
    default:
        return r;
    }
}

/* RFC 9901 section 7.3, steps 5.5 to 5.7. */
static int check_claims(struct verifier *v, const struct claims *c, struct str issued,
                        const char *audience, int64_t now, int64_t not_before, struct err *err)
{
    uint8_t hash[SHA256_LEN];
    char hash_text[B64_LEN(SHA256_LEN)];
    int r = verifier_sha256(v, issued.p, issued.n, hash);

    if (r)
        return r;
    b64_encode(hash, sizeof(hash), hash_text);
    if (!str_eq(c->sd_hash, (struct str){hash_text, sizeof(hash_text)}))
        return err_set(err, KEYBIND_E_HASH, "the holder proof was made for another presentation");
    if (!str_eqz(c->aud, audience) && !str_eqz(c->aud, KEYBIND_ANY_DESK))
        return err_set(err, KEYBIND_E_AUDIENCE, "the holder proof is for another host");
    if (c->iat < now - LIMIT_PROOF_AGE || c->iat > now + LIMIT_PROOF_AHEAD)
        return err_set(err, KEYBIND_E_TIME,
                       "the holder proof was made %lld s ago; -%d to %d s are accepted",
                       (long long)(now - c->iat), LIMIT_PROOF_AHEAD, LIMIT_PROOF_AGE);
    if (c->iat < not_before)
        return err_set(err, KEYBIND_E_TIME, "the holder proof is older than this node's start");
    return 0;
}

static int check_parsed(struct verifier *v, const struct jws *jws, struct str issued,
                        const struct key *device, const char *audience, int64_t now,
                        int64_t not_before, struct keybind *out, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    struct claims c;
    int r = json_parse(buf_as_str(&jws->payload), &json_bounds_wire, &payload, err);

    if (r)
        return err_prefix(err, r < 0 ? r : KEYBIND_E_MALFORMED, "holder proof");
    r = read_claims(payload, &c, err);
    if (!r)
        r = check_signature(v, jws, device, err);
    if (!r)
        r = check_claims(v, &c, issued, audience, now, not_before, err);
    if (r)
        return r;
    out->iat = c.iat;
    str_copy(out->nonce, sizeof(out->nonce), c.nonce); /* fits: nonce_ok() */
    out->any_desk = str_eqz(c.aud, KEYBIND_ANY_DESK);
    return 0;
}

int keybind_check(struct verifier *v, const struct sdjwt *presented, const struct key *device,
                  const char *audience, int64_t now, int64_t not_before, struct keybind *out,
                  struct err *err)
{
    struct jws jws;
    int r;

    if (!presented->proof.n)
        return err_set(err, KEYBIND_E_MALFORMED, "the presentation has no holder proof");
    r = jws_parse(presented->proof, KEYBIND_TYP, LIMIT_PRESENTATION, &jws, err);
    if (r)
        return err_prefix(err, r < 0 ? r : KEYBIND_E_MALFORMED, "holder proof");
    r = check_parsed(v, &jws, presented->issued, device, audience, now, not_before, out, err);
    jws_clear(&jws);
    return r;
}

/* Appends protected.payload.signature. Unlike jws_sign() it writes no kid: the key is the one in
 * cnf, and a proof is drawn in a QR symbol with every character. */
static int sign_proof(const struct key_pair *device, struct str payload, struct buf *out)
{
    _cleanup_(buf_clear) struct buf header = {0};
    uint8_t sig[SIG_LEN];
    size_t start = out->n;
    int r = buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"" KEYBIND_TYP "\"}",
                       jose_alg_of(key_pair_public(device)->type)->name);

    if (!r)
        r = b64_append(out, header.p, header.n);
    if (!r)
        r = buf_ch(out, '.');
    if (!r)
        r = b64_append(out, payload.p, payload.n);
    if (!r)
        r = sign_bytes(device, out->p + start, out->n - start, sig);
    if (!r)
        r = buf_ch(out, '.');
    return r ? r : b64_append(out, sig, sizeof(sig));
}

int keybind_present(const struct key_pair *device, struct str issued, const char *audience,
                    const char *nonce, int64_t now, struct buf *out)
{
    _cleanup_(json_freep) struct json *payload = json_object();
    _cleanup_(buf_clear) struct buf text = {0};
    uint8_t hash[SHA256_LEN];
    char hash_text[B64_LEN(SHA256_LEN)];
    int r;

    if (!issued.n || issued.p[issued.n - 1] != '~' || !nonce_ok(str_of(nonce)))
        return -EINVAL;
    if (!payload)
        return -ENOMEM;
    r = sha256(issued.p, issued.n, hash);
    if (r)
        return r;
    b64_encode(hash, sizeof(hash), hash_text);
    if (json_put_int(payload, "iat", now) || json_put_z(payload, "aud", audience) ||
        json_put_z(payload, "nonce", nonce) ||
        json_put_str(payload, "sd_hash", (struct str){hash_text, sizeof(hash_text)}))
        return -ENOMEM;
    r = json_write(payload, &text);
    if (!r)
        r = buf_str(out, issued);
    return r ? r : sign_proof(device, buf_as_str(&text), out);
}

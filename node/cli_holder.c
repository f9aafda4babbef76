#include <errno.h>

#include "base/b64.h"
#include "base/clock.h"
#include "cli.h"
#include "cli_qr.h"
#include "clock.h"
#include "cred/keybind.h"
#include "cred/qr.h"
#include "crypto/digest.h"
#include "fed/entity.h"
#include "jose/jwk.h"

#define NONCE_BYTES 16

/* ---- holder key ---- */

static int parse_key(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--out", OPTION_TEXT}};
    int r = options_parse(a, options, ARRAY_SIZE(options), NULL, 0, 0, request, err);
    if (r == 0 && !json_get(request, "out"))
        return err_set(err, -EINVAL, "--out FILE is missing: where the private key goes");
    return r;
}

static int run_key(struct verb_call *c)
{
    _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
    _cleanup_(json_freep) struct json *jwk = NULL;
    _cleanup_(buf_clear) struct buf text = {0};

    int r = key_pair_generate(KEY_P256, &pair);
    if (r != 0)
        return r < 0 ? r : -EIO;
    jwk = jwk_write_pair(pair);
    if (!jwk || json_write(jwk, &text) < 0 || buf_ch(&text, '\n') < 0)
        return -ENOMEM;
    r = cli_write_file(json_z(c->request, "out"), buf_as_str(&text), true, &c->err);
    secret_wipe(text.p, text.n);
    if (r == -EEXIST)
        return err_next(&c->err, APP_E_EXISTS, "Name another file: a key is never overwritten.");
    if (r != 0)
        return r;
    c->reply = jwk_write(key_pair_public(pair));
    return c->reply ? 0 : -ENOMEM;
}

static void show_json(const struct json *request, const struct json *reply, const struct show *how)
{
    _cleanup_(buf_clear) struct buf text = {0};
    if (json_write(reply, &text) == 0)
        fprintf(how->out, "%.*s\n", (int)text.n, text.p);
}

const struct verb verb_holder_key = {
    .name = "holder key",
    .about = "for trials: a device key in place of a phone",
    .usage = "--out FILE",
    .help = "For trials and scripts, in place of a phone: makes a P-256 device key, writes it\n"
            "as a private JWK that only you may read, and prints the public JWK.\n",
    .place = VERB_HERE,
    .no_space = true,
    .parse = parse_key,
    .run = run_key,
    .show = show_json,
};

/* ---- holder present ---- */

static int parse_present(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {
        {"--key", OPTION_TEXT}, {"--for", OPTION_TEXT}, {"--omit", OPTION_TEXT}};
    static const char *const words[] = {"token"};
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    if (r == 0 && !json_get(request, "key"))
        return err_set(err, -EINVAL, "--key FILE is missing: the device key of the pass");
    return r == 0 ? cli_text(request, "token", LIMIT_QR_TEXT, err) : r;
}

static bool omitted(const char *list, const char *name)
{
    struct str rest = str_of(list), one;
    while (rest.n > 0) {
        str_cut(rest, ',', &one, &rest);
        if (str_eqz(str_trim(one), name))
            return true;
    }
    return false;
}

/* The pass with the disclosures that are not omitted, ending in '~'; and who issued it. */
static int choose(struct verb_call *c, struct str token, struct buf *out,
                  char home[static LIMIT_ENTITY_ID + 1])
{
    const char *keep[LIMIT_DISCLOSURES], *omit = json_z(c->request, "omit");
    struct sdjwt *s = calloc(1, sizeof(*s));
    size_t n = 0;
    struct str iss = {0};

    if (!s)
        return -ENOMEM;
    int r = sdjwt_parse(token, "dc+sd-jwt", s, &c->err);
    if (r == 0) {
        for (size_t i = 0; i < s->n_disclosures; i++)
            if (s->disclosures[i].name[0] && !(omit && omitted(omit, s->disclosures[i].name)))
                keep[n++] = s->disclosures[i].name;
        if (json_get_str(s->payload, "iss", &iss) != 0 ||
            str_copy(home, LIMIT_ENTITY_ID + 1, iss) < 0)
            r = err_set(&c->err, APP_E_INVALID, "the pass does not say who issued it");
    }
    if (r == 0)
        r = sdjwt_present(s->issued, omit ? keep : NULL, n, out, &c->err);
    if (r == 0 || s->payload)
        sdjwt_clear(s);
    free(s);
    return r > 0 ? APP_E_INVALID : r;
}

static int put_presentation(struct json *reply, struct str presentation, const char *home,
                            const char *audience, const char *nonce, int64_t now)
{
    _cleanup_(buf_clear) struct buf qr = {0};
    int r = qr_text(home, presentation, &qr);
    if (r == 0)
        r = json_put_str(reply, "presentation", presentation);
    if (r == 0)
        r = json_put_str(reply, "qr", buf_as_str(&qr));
    if (r == 0)
        r = json_put_z(reply, "aud", audience);
    if (r == 0)
        r = json_put_z(reply, "nonce", nonce);
    if (r == 0)
        r = cli_put_time(reply, "iat", "issued_at", now);
    return r > 0 ? -EBADMSG : r;
}

static int run_present(struct verb_call *c)
{
    _cleanup_(key_pair_freep) struct key_pair *pair = NULL;
    _cleanup_(buf_clear) struct buf token = {0}, issued = {0}, out = {0};
    char home[LIMIT_ENTITY_ID + 1], audience[LIMIT_ENTITY_ID + 1] = KEYBIND_ANY_DESK;
    char nonce[B64_LEN(NONCE_BYTES) + 1] = "";
    uint8_t random[NONCE_BYTES];
    struct app_clock clock;
    struct rand rand;
    struct key key;
    const char *host = json_z(c->request, "for");

    rand_system(&rand);
    int r = host ? entity_canonical(str_of(host), audience, &c->err) : 0;
    if (r == 0)
        r = qr_read(json_as_str(json_get(c->request, "token")), &token, &c->err);
    if (r > 0)
        return APP_E_INVALID;
    if (r == 0)
        r = holder_key_read(json_z(c->request, "key"), &key, &pair, &c->err);
    if (r == 0)
        r = choose(c, buf_as_str(&token), &issued, home);
    if (r == 0)
        /* A holder's clock may say what it likes: hosts judge it. */
        r = clock_real(true, &clock, &c->err);
    if (r == 0)
        r = rand_fill(&rand, random, sizeof(random));
    if (r != 0)
        return r;
    b64_encode(random, sizeof(random), nonce);
    int64_t now = clock.now(&clock);
    r = keybind_present(pair, buf_as_str(&issued), audience, nonce, now, &out);
    if (r == 0 && !(c->reply = json_object()))
        r = -ENOMEM;
    return r == 0  ? put_presentation(c->reply, buf_as_str(&out), home, audience, nonce, now)
           : r > 0 ? -EBADMSG
                   : r;
}

static void show_present(const struct json *request, const struct json *reply,
                         const struct show *how)
{
    fprintf(how->out, "%s\n", json_z(reply, "presentation"));
}

const struct verb verb_holder_present = {
    .name = "holder present",
    .about = "for trials: a pass with a fresh proof",
    .usage = "TOKEN|- --key FILE [--for HOST-URL] [--omit NAME,...]",
    .help = "For trials and scripts, in place of a phone: prints the pass with a fresh proof\n"
            "of its device key, good for 90 seconds.\n"
            "  --for URL       the proof is for that host only; else for any desk\n"
            "  --omit NAME,... does not disclose these, such as name\n",
    .place = VERB_HERE,
    .no_space = true,
    .parse = parse_present,
    .run = run_present,
    .show = show_present,
};

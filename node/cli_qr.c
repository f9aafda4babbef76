#include "cli_qr.h"

#include <errno.h>

#include "cred/qr.h"
#include "cred/sdjwt.h"
#include "crypto/digest.h"
#include "jose/jwk.h"

#define QUIET_WANTED 4 /* modules around the symbol, ISO/IEC 18004 section 6.3.8 */
#define QUIET_LEAST 1  /* what readers manage on a dark screen */
#define PNG_SCALE 6
#define KEY_FILE_MAX ((size_t)8 * 1024)

static unsigned columns_needed(const struct qr *qr)
{
    return qr_width(qr) + 2 * QUIET_LEAST;
}

static bool fits(const struct show *how, const struct qr *qr)
{
    return how->columns == 0 || columns_needed(qr) <= how->columns;
}

static void put_qr(const struct show *how, const struct qr *qr)
{
    _cleanup_(buf_clear) struct buf picture = {0};
    unsigned quiet = QUIET_WANTED;
    while (how->columns && quiet > QUIET_LEAST && qr_width(qr) + 2 * quiet > how->columns)
        quiet--;
    if (qr_terminal(qr, quiet, how->colour, &picture) == 0)
        fwrite(picture.p, 1, picture.n, how->out);
}

/* The part of the QR text before "/p#". */
static bool home_of(const char *qr, char out[static LIMIT_ENTITY_ID + 1])
{
    const char *end = strstr(qr, "/p#");
    return end && str_copy(out, LIMIT_ENTITY_ID + 1, (struct str){qr, (size_t)(end - qr)}) == 0;
}

/* The pass with nothing disclosed but what must be: NULL if that is no shorter. */
static int bare_qr(const char *token, const char *qr, struct qr **out)
{
    _cleanup_(buf_clear) struct buf bare = {0}, text = {0};
    static const char *const nothing[] = {""};
    char home[LIMIT_ENTITY_ID + 1];

    if (!home_of(qr, home))
        return -EINVAL;
    int r = sdjwt_present(str_of(token), nothing, 0, &bare, NULL);
    if (r != 0 || bare.n >= strlen(token))
        return -EINVAL;
    r = qr_text(home, buf_as_str(&bare), &text);
    return r == 0 ? qr_encode(buf_as_str(&text), out) : r;
}

void qr_show(const struct show *how, const char *token, const char *text)
{
    _cleanup_(qr_freep) struct qr *qr = NULL, *bare = NULL;
    if (qr_encode(str_of(text), &qr) != 0) {
        show_words(how, "This pass is too long for a QR code.");
        return;
    }
    if (fits(how, qr)) {
        put_qr(how, qr);
        return;
    }
    if (bare_qr(token, text, &bare) == 0 && fits(how, bare)) {
        put_qr(how, bare);
        show_words(how, "This is the pass without the holder's name and other details: with them "
                        "the QR code is wider than this terminal. --qr-svg F writes all of it.");
        return;
    }
    fprintf(how->out, "The QR code needs %u columns, and this terminal has %u.\n",
            columns_needed(bare ? bare : qr), how->columns);
    show_words(how, "Widen it, or write a picture with --qr-svg F or --qr-png F.");
}

static int write_picture(const char *path, struct str text, bool svg, struct err *err)
{
    _cleanup_(qr_freep) struct qr *qr = NULL;
    _cleanup_(buf_clear) struct buf picture = {0};

    if (!path)
        return 0;
    int r = qr_encode(text, &qr);
    if (r == 0)
        r = svg ? qr_svg(qr, &picture) : qr_png(qr, PNG_SCALE, &picture);
    if (r > 0)
        return err_set(err, APP_E_INVALID, "the pass is too long for a QR code");
    return r < 0 ? r : cli_write_file(path, buf_as_str(&picture), false, err);
}

int qr_write_svg(const char *path, struct str text, struct err *err)
{
    return write_picture(path, text, true, err);
}

int qr_write_png(const char *path, struct str text, struct err *err)
{
    return write_picture(path, text, false, err);
}

int holder_key_read(const char *path, struct key *key, struct key_pair **pair, struct err *err)
{
    _cleanup_(buf_clear) struct buf text = {.max = KEY_FILE_MAX};
    _cleanup_(json_freep) struct json *jwk = NULL;
    _cleanup_(key_pair_freep) struct key_pair *both = NULL;
    struct err why = {0};

    int r = cli_read_file(path, &text, err);
    if (r != 0)
        return r;
    r = json_parse(buf_as_str(&text), &json_bounds_wire, &jwk, &why);
    if (text.p)
        secret_wipe(text.p, text.n);
    if (r == 0 && !pair && !json_get(jwk, "d"))
        r = jwk_parse(jwk, key, &why);
    else if (r == 0 && pair && !json_get(jwk, "d"))
        r = err_set(&why, JWK_E_MALFORMED, "it holds only the public part of a key");
    else if (r == 0) {
        r = jwk_parse_pair(jwk, &both, &why);
        if (r == 0)
            *key = *key_pair_public(both);
    }
    if (r != 0) {
        err_set(err, 0, "%.200s is no JWK that fits here: %.200s", path, why.text);
        return err_next(err, r < 0 ? r : APP_E_INVALID,
                        "`comity holder key --out FILE` makes one.");
    }
    if (pair) {
        *pair = both;
        both = NULL;
    }
    return 0;
}

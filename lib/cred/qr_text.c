#include <errno.h>

#include "base/limits.h"
#include "cred/qr.h"

#define FIRST '-' /* 00; '~' is 81 */
#define LAST '~'

/* The alphabet of an SD-JWT: base64url, '.' and '~'. A table, since every scan of a desk passes
 * here. */
static const bool token_chars[256] = {
    ['-'] = true,         ['.'] = true,         ['_'] = true,         ['~'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

static bool is_token_char(char c)
{
    return token_chars[(unsigned char)c];
}

static bool is_token(struct str s)
{
    bool good = true;
    for (size_t i = 0; i < s.n; i++)
        good &= token_chars[(unsigned char)s.p[i]];
    return good;
}

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

int qr_text(const char *home, struct str token, struct buf *out)
{
    for (size_t i = 0; i < token.n; i++)
        if (!is_token_char(token.p[i]))
            return -EINVAL;
    if (!token.n || token.n > LIMIT_PRESENTATION || buf_z(out, home) || buf_z(out, "/p#"))
        return buf_error(out) ? buf_error(out) : -EINVAL;
    for (size_t i = 0; i < token.n; i++) {
        unsigned code = (unsigned)(token.p[i] - FIRST);
        const char pair[2] = {(char)('0' + code / 10), (char)('0' + code % 10)};

        buf_add(out, pair, sizeof(pair));
    }
    return buf_error(out);
}

static int read_digits(struct str digits, struct buf *token, struct err *err)
{
    char out[LIMIT_PRESENTATION];
    size_t n = digits.n / 2;

    if (digits.n % 2)
        return err_set(err, QR_E_MALFORMED, "%zu digits: the last character has only one",
                       digits.n);
    if (n > sizeof(out))
        return err_set(err, QR_E_MALFORMED, "%zu digits; at most %d are read", digits.n,
                       2 * LIMIT_PRESENTATION);
    for (size_t i = 0; i < n; i++) {
        int code = (digits.p[2 * i] - '0') * 10 + (digits.p[2 * i + 1] - '0');

        if (code > LAST - FIRST || !is_token_char((char)(FIRST + code)))
            return err_set(err, QR_E_MALFORMED, "digits %zu and %zu stand for no character",
                           2 * i + 1, 2 * i + 2);
        out[i] = (char)(FIRST + code);
    }
    return buf_add(token, out, n);
}

/* https://<host>/p#<digits>; whose host is not looked at: the token's own iss says who issued it.
 */
static int read_url(struct str url, struct buf *token, struct err *err)
{
    struct str head, digits, host = {url.p + 8, url.n - 8}, path;

    if (!str_cut(url, '#', &head, &digits) || !str_ends(head, STR("/p")) ||
        !str_cut(host, '/', &host, &path) || !host.n || head.n != 8 + host.n + 2)
        return err_set(err, QR_E_MALFORMED,
                       "this link is not to a pass: https://<host>/p#<digits>");
    if (!is_digits(digits))
        return err_set(err, QR_E_MALFORMED, "after the '#' of the link there are not only digits");
    return read_digits(digits, token, err);
}

static int read_token(struct str text, struct buf *token, struct err *err)
{
    if (text.n > LIMIT_PRESENTATION)
        return err_set(err, QR_E_MALFORMED, "%zu characters; at most %d are read", text.n,
                       LIMIT_PRESENTATION);
    if (!is_token(text)) {
        size_t at = 0;
        while (is_token_char(text.p[at]))
            at++;
        return err_set(err, QR_E_MALFORMED,
                       "neither digits, nor a link, nor a pass: character %zu is in none of them",
                       at + 1);
    }
    if (!memchr(text.p, '~', text.n) || !memchr(text.p, '.', text.n))
        return err_set(err, QR_E_MALFORMED, "this text is no pass: it has no '~' or no '.'");
    return buf_str(token, text);
}

int qr_read(struct str text, struct buf *token, struct err *err)
{
    text = str_trim(text);
    if (!text.n)
        return err_set(err, QR_E_MALFORMED, "there is no text");
    if (text.n > LIMIT_QR_TEXT)
        return err_set(err, QR_E_MALFORMED, "%zu characters; at most %d are read", text.n,
                       LIMIT_QR_TEXT);
    if (is_digits(text))
        return read_digits(text, token, err);
    if (str_starts(text, STR("https://")))
        return read_url(text, token, err);
    return read_token(text, token, err);
}

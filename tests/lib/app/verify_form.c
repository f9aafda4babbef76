/* Steps 1, 2 and 4: keys, algorithms, types, signatures, encodings. */
#include "lib/app/craft.h"

#include <stdio.h>

#include "base/b64.h"
#include "crypto/digest.h"

#define MISSING REASON_HOLDER_PROOF_MISSING /* what a good bound pass gets: its proof lacks */

/* What a letter of a table means. */
static enum reason letter(char c)
{
    switch (c) {
    case '.':
        return MISSING;
    case 'm':
        return REASON_MALFORMED;
    case 'u':
        return REASON_UNSUPPORTED;
    case 'b':
        return REASON_BAD_SIGNATURE;
    default:
        fail_msg("no such letter: %c", c);
        return REASON_NONE;
    }
}

static char *quoted(const char *text)
{
    return text ? text_of("\"%s\"", text) : NULL;
}

static const char *const algs[] = {"ES256", "ES384", "ES512",   "ES256K", "es256",  "none", "HS256",
                                   "RS256", "EdDSA", "Ed25519", "Ed448",  "ES256 ", ""};

/* Who signs, under whose kid, and what each of the algorithms above gives. */
static void keys_and_algorithms(struct craft *c)
{
    char other_kid[44], federation_kid[44], device_kid[44], stranger_kid[44];
    const struct {
        const char *name;
        const struct key_pair *key;
        const char *kid;
        const char *expected;
    } rows[] = {
        {"the pass key", c->pass, c->kid, ".uuuuuuubbuuu"},
        {"the pass key, no kid", c->pass, NULL, "buuuuuuubbuuu"},
        {"the pass key, kid of the federation key", c->pass, federation_kid, "buuuuuuubbuuu"},
        {"the pass key, kid of nobody", c->pass, stranger_kid, "buuuuuuubbuuu"},
        {"the federation key", c->federation, federation_kid, "buuuuuuubbuuu"},
        {"the federation key, kid of the pass key", c->federation, c->kid, "buuuuuuubbuuu"},
        {"another space's pass key", c->other_pass, other_kid, "buuuuuuubbuuu"},
        {"another space's pass key, right kid", c->other_pass, c->kid, "buuuuuuubbuuu"},
        {"the device key", c->w->device, device_kid, "buuuuuuubbuuu"},
        {"the device key, right kid", c->w->device, c->kid, "buuuuuuubbuuu"},
        {"an unlisted key", c->stranger, stranger_kid, "buuuuuuubbuuu"},
        {"an unlisted key, right kid", c->stranger, c->kid, "buuuuuuubbuuu"},
    };

    assert_int_equal(jwk_thumbprint(key_pair_public(c->other_pass), other_kid), 0);
    assert_int_equal(jwk_thumbprint(key_pair_public(c->federation), federation_kid), 0);
    assert_int_equal(jwk_thumbprint(key_pair_public(c->w->device), device_kid), 0);
    assert_int_equal(jwk_thumbprint(key_pair_public(c->stranger), stranger_kid), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(strlen(rows[i].expected), ARRAY_SIZE(algs));
        for (size_t k = 0; k < ARRAY_SIZE(algs); k++) {
            _cleanup_(freep) char *name = text_of("%s, alg \"%s\"", rows[i].name, algs[k]);
            _cleanup_(freep) char *kid = quoted(rows[i].kid), *alg = quoted(algs[k]);
            _cleanup_(freep) char *header =
                craft_header(c, (struct member[]){{"alg", alg}, {"kid", kid}, {0}});
            _cleanup_(freep) char *payload = craft_payload(c, NULL);
            _cleanup_(freep) char *jws = craft_jws(rows[i].key, header, payload);
            _cleanup_(freep) char *pass = text_of("%s~", jws);

            craft_expect(c, name, pass, letter(rows[i].expected[k]));
        }
    }
}

/* RFC 8725 section 2.1: an HMAC whose key is the public key, and no signature at all. */
static void key_confusion(struct craft *c)
{
    static const char *const names[] = {"HS256", "none", "ES256"};
    _cleanup_(freep) char *payload = craft_payload(c, NULL);
    _cleanup_(json_freep) struct json *jwk = jwk_write(key_pair_public(c->pass));
    _cleanup_(buf_clear) struct buf text = {0};
    static const struct {
        size_t mac;
        enum reason expected[3];
    } rows[] = {
        {SHA256_LEN, {REASON_UNSUPPORTED, REASON_UNSUPPORTED, REASON_MALFORMED}},
        {0, {REASON_UNSUPPORTED, REASON_UNSUPPORTED, REASON_MALFORMED}},
    };

    assert_int_equal(json_write(jwk, &text), 0);
    for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
        _cleanup_(freep) char *alg = quoted(names[k]);
        _cleanup_(freep) char *header = craft_header(c, (struct member[]){{"alg", alg}, {0}});
        _cleanup_(freep) char *input = craft_with_signature(header, payload, NULL, 0);
        const struct str keys[] = {{(const char *)key_pair_public(c->pass)->bytes, KEY_BYTES},
                                   buf_as_str(&text)};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            for (size_t n = 0; n < ARRAY_SIZE(keys); n++) {
                uint8_t mac[SHA256_LEN];
                _cleanup_(freep) char *jws = NULL, *pass = NULL;

                assert_int_equal(hmac_sha256(keys[n].p, keys[n].n, input, strlen(input) - 1, mac),
                                 0);
                jws = craft_with_signature(header, payload, mac, rows[i].mac);
                pass = text_of("%s~", jws);
                craft_expect(c, "public key as HMAC key", pass, rows[i].expected[k]);
            }
        }
    }
}

static void headers(struct craft *c)
{
    const struct {
        const char *name, *value;
        char expected;
    } rows[] = {
        {"typ", "\"dc+sd-jwt\"", '.'},
        {"typ", "\"vc+sd-jwt\"", 'u'},
        {"typ", "\"JWT\"", 'u'},
        {"typ", "\"kb+jwt\"", 'u'},
        {"typ", "\"statuslist+jwt\"", 'u'},
        {"typ", "\"entity-statement+jwt\"", 'u'},
        {"typ", "\"comity-stamp+jwt\"", 'u'},
        {"typ", "\"DC+SD-JWT\"", 'u'},
        {"typ", "\"application/dc+sd-jwt\"", 'u'},
        {"typ", "\"dc+sd-jwt \"", 'u'},
        {"typ", "\"dc+sd-jwt\\u0000\"", 'm'},
        {"typ", "\"\"", 'u'},
        {"typ", NULL, 'u'},
        {"typ", "null", 'u'},
        {"typ", "1", 'u'},
        {"typ", "[\"dc+sd-jwt\"]", 'u'},
        {"typ", "{}", 'u'},
        {"typ", "\"dc+sd-jwt\",\"typ\":\"dc+sd-jwt\"", 'm'},
        {"alg", NULL, 'u'},
        {"alg", "null", 'u'},
        {"alg", "7", 'u'},
        {"alg", "[\"ES256\"]", 'u'},
        {"alg", "\"ES256\\u0000\"", 'm'},
        {"alg", "\"none\",\"alg\":\"ES256\"", 'm'},
        {"kid", "null", 'm'},
        {"kid", "1", 'm'},
        {"kid", "\"\"", 'b'},
        {"kid", "\"0123456789012345678901234567890123456789012345678901234567890123456789\"", 'm'},
        {"crit", "[\"exp\"]", 'u'},
        {"crit", "[]", 'u'},
        {"crit", "null", 'u'},
        {"b64", "false", 'u'},
        {"b64", "true", 'u'},
        {"jwk", "{\"kty\":\"EC\"}", 'u'},
        {"jku", "\"https://evil.example/jwks\"", 'u'},
        {"x5u", "\"https://evil.example/x5u\"", 'u'},
        {"x5c", "[\"MIIB\"]", 'u'},
        {"cty", "\"anything\"", '.'},
        {"x5t", "\"ignored\"", '.'},
        {"extra", "9007199254740991", '.'},
        {"extra", "9007199254740992", 'm'},
        {"extra", "1e400", 'm'},
        {"extra", "-9007199254740992", 'm'},
        {"extra", "\"\\u0000\"", 'm'},
        {"extra", "\"\\ud800\"", 'm'},
        {"extra", "[[1]]", '.'},
        {"extra", "[[[1]]]", 'm'}, /* deeper than a header needs */
        {"extra", "{\"a\":1,\"a\":1}", 'm'},
        {"extra", "01", 'm'},
        {"extra", "nul", 'm'},
        {"extra", "\"a", 'm'},
        {"extra", "1}{", 'm'},
        {"extra", "\"\xff\"", 'm'},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct member change[] = {{rows[i].name, rows[i].value}, {0}};
        _cleanup_(freep) char *pass = craft_pass(c, change, NULL);
        _cleanup_(freep) char *name =
            text_of("header %s: %s", rows[i].name, rows[i].value ? rows[i].value : "(none)");

        craft_expect(c, name, pass, letter(rows[i].expected));
    }
}

static void whole_headers(struct craft *c)
{
    static const char *const texts[] = {"",          "null", "1",   "[]",
                                        "\"ES256\"", "{",    "{}}", "\xef\xbb\xbf{}"};
    _cleanup_(freep) char *payload = craft_payload(c, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_(freep) char *jws = craft_jws(c->pass, texts[i], payload);
        _cleanup_(freep) char *pass = text_of("%s~", jws);

        craft_expect(c, texts[i], pass, REASON_MALFORMED);
    }
}

#define N_MINUS_1                                                                                  \
    "\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3" \
    "\xB9\xCA\xC2\xFC\x63\x25\x50"
#define N                                                                                          \
    "\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3" \
    "\xB9\xCA\xC2\xFC\x63\x25\x51"
#define ZERO32 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ONE32 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define ONES "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"

/* RFC 7518 section 3.4, and the bounds of FIPS 186-4 section 6.4.2. */
static void signatures(struct craft *c)
{
    static const struct {
        const char *name;
        const char sig[81];
        size_t n;
        char expected;
    } rows[] = {
        {"no bytes", "", 0, 'm'},
        {"63 bytes", ZERO32 ONE32, 63, 'm'},
        {"65 bytes", ZERO32 ONE32 "\0", 65, 'm'},
        {"96 bits", ONE32, 12, 'm'},
        {"zeros", ZERO32 ZERO32, 64, 'b'},
        {"ones", ONES ONES ONES ONES, 64, 'b'},
        {"r = 0", ZERO32 ONE32, 64, 'b'},
        {"s = 0", ONE32 ZERO32, 64, 'b'},
        {"r = n", N ONE32, 64, 'b'},
        {"s = n", ONE32 N, 64, 'b'},
        {"r = s = n", N N, 64, 'b'},
        {"r = s = 1", ONE32 ONE32, 64, 'b'},
        {"r = s = n - 1", N_MINUS_1 N_MINUS_1, 64, 'b'},
        {"DER of 1, 1", "\x30\x06\x02\x01\x01\x02\x01\x01", 8, 'm'},
        {"DER of 70 bytes", "\x30\x44\x02\x20" ONE32 "\x02\x20" ONE32, 70, 'm'},
        {"DER cut to 64 bytes", "\x30\x44\x02\x20" ONE32 "\x02\x20" ONE32, 64, 'b'},
    };
    _cleanup_(freep) char *header = craft_header(c, NULL), *payload = craft_payload(c, NULL);
    _cleanup_(freep) char *good = craft_jws(c->pass, header, payload), *pass = text_of("%s~", good);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(freep) char *jws = craft_with_signature(header, payload, rows[i].sig, rows[i].n);
        _cleanup_(freep) char *bad = text_of("%s~", jws);

        craft_expect(c, rows[i].name, bad, letter(rows[i].expected));
    }
    craft_expect(c, "a good one", pass, MISSING);
    craft_flip(pass); /* as good: nothing is known by its signature */
    craft_expect(c, "(r, n - s)", pass, MISSING);
    _cleanup_(freep) char *later = craft_payload(c, (struct member[]){{"tier", "\"other\""}, {0}});
    _cleanup_(freep) char *bits = craft_b64(later);
    char *dot = strchr(good, '.'), *last = strrchr(good, '.');
    _cleanup_(freep) char *moved = text_of("%.*s.%s%s~", (int)(dot - good), good, bits, last);
    craft_expect(c, "the signature of another payload", moved, REASON_BAD_SIGNATURE);
}

/* Signatures of which only the text is wrong; `at` is where the JWS's signature begins. */
static void encodings(struct craft *c)
{
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL);
    size_t n = strlen(pass) - 1, sig = (size_t)(strrchr(pass, '.') - pass) + 1;
    size_t payload = (size_t)(strchr(pass, '.') - pass) + 1;
    int len = (int)n;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t last = (size_t)(strchr(digits, pass[n - 1]) - digits);
    struct {
        const char *name;
        char *text;
        enum reason expected;
    } rows[] = {
        {"as it is", text_of("%s", pass), MISSING},
        {"white space around it", text_of(" \t\r\n%s\r\n ", pass), MISSING},
        {"a line break in it", text_of("%.*s\n%s", (int)sig, pass, pass + sig), REASON_MALFORMED},
        {"a space in it", text_of("%.*s %s", (int)payload, pass, pass + payload), REASON_MALFORMED},
        {"padded", text_of("%.*s==~", len, pass), REASON_MALFORMED},
        {"padded payload", text_of("%.*s=.%s", (int)sig - 1, pass, pass + sig), REASON_MALFORMED},
        {"bits behind the last byte", text_of("%.*s%c~", len - 1, pass, digits[last | 1]),
         REASON_MALFORMED},
        {"standard alphabet +", text_of("%.*s+%s", (int)n - 1, pass, pass + n), REASON_MALFORMED},
        {"standard alphabet /", text_of("%.*s/%s", (int)sig, pass, pass + sig + 1),
         REASON_MALFORMED},
        {"no tilde", text_of("%.*s", len, pass), REASON_MALFORMED},
        {"only a tilde", text_of("~"), REASON_MALFORMED},
        {"two tildes", text_of("%s~", pass), REASON_MALFORMED},
        {"a tilde before it", text_of("~%s", pass), REASON_MALFORMED},
        {"four parts", text_of("%.*s.AAAA~", len, pass), REASON_MALFORMED},
        {"two parts", text_of("%.*s~", (int)sig - 1, pass), REASON_MALFORMED},
        {"one part", text_of("%.*s~", (int)payload - 1, pass), REASON_MALFORMED},
        {"dots", text_of("..~"), REASON_MALFORMED},
        {"no header", text_of("%s", pass + payload - 1), REASON_MALFORMED},
        {"no payload", text_of("%.*s%s", (int)payload, pass, pass + sig - 1), REASON_MALFORMED},
        {"no signature", text_of("%.*s~", (int)sig, pass), REASON_MALFORMED},
        {"a disclosure of nothing", text_of("%s~~", pass), REASON_MALFORMED},
        {"a disclosure that is none", text_of("%sAAAA~", pass), REASON_MALFORMED},
        {"a proof that is none", text_of("%sAAAA", pass), REASON_MALFORMED},
        {"JSON serialisation", text_of("{\"payload\":\"%.*s\"}", 40, pass), REASON_MALFORMED},
        {"twice", text_of("%s%s", pass, pass), REASON_MALFORMED},
        {"no text", text_of("%s", ""), REASON_MALFORMED},
        {"only white space", text_of("  \n"), REASON_MALFORMED},
        {"a link to elsewhere", text_of(HOME "/q#1234"), REASON_MALFORMED},
        {"an odd number of digits", text_of("123"), REASON_MALFORMED},
        {"digits of no character", text_of("9999"), REASON_MALFORMED},
        {"UTF-8", text_of("p\xc3\xa4ss.a.b~"), REASON_MALFORMED},
        {"no UTF-8", text_of("%.*s\xff~", len, pass), REASON_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        craft_expect(c, rows[i].name, rows[i].text, rows[i].expected);
        free(rows[i].text);
    }
    for (size_t at = 0; at <= n; at += at < 8 ? 1 : 97) { /* a NUL anywhere */
        char copy[4096];

        memcpy(copy, pass, n + 1);
        copy[at] = '\0';
        craft_expect_bytes(c, "NUL in it", (struct str){copy, n + 1}, REASON_MALFORMED);
    }
    for (size_t cut = 0; cut < n; cut += 13)
        craft_expect_bytes(c, "cut off", (struct str){pass, cut}, REASON_MALFORMED);
}

/* LIMIT_PASS and LIMIT_PRESENTATION: at the bound, and one beyond. */
static void lengths(struct craft *c)
{
    _cleanup_(freep) char *pass = craft_pass(c, NULL, NULL), *filler = malloc(20000);
    const size_t base = strlen(pass);

    memset(filler, 'A', 19999);
    filler[19999] = '\0';
    /* "extra":"AAA" grows the payload by three bytes, and the text by four characters */
    for (size_t n = (LIMIT_PASS - base) / 4 * 3 - 30; n < 2000; n += n < 1100 ? 1 : 300) {
        _cleanup_(freep) char *value = text_of("\"%.*s\"", (int)n, filler);
        _cleanup_(freep) char *text = craft_pass(c, NULL, (struct member[]){{"extra", value}, {0}});

        craft_expect(c, "long payload", text,
                     strlen(text) <= LIMIT_PASS ? MISSING : REASON_MALFORMED);
    }
    const size_t sizes[] = {LIMIT_PRESENTATION, LIMIT_PRESENTATION + 1, LIMIT_QR_TEXT,
                            LIMIT_QR_TEXT + 1, 15000};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        _cleanup_(freep) char *text = text_of("%s%.*s", pass, (int)(sizes[i] - base), filler);

        craft_expect(c, "long text", text, REASON_MALFORMED);
    }
}

void verify_form(struct craft *c)
{
    keys_and_algorithms(c);
    key_confusion(c);
    headers(c);
    whole_headers(c);
    signatures(c);
    encodings(c);
    lengths(c);
}

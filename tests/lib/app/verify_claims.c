/* Steps 1 and 2: every claim of a pass, in every wrong form. */
#include "lib/app/craft.h"

#include <stdio.h>

#define MISSING REASON_HOLDER_PROOF_MISSING /* what a good bound pass gets: its proof lacks */

static enum reason letter(char c)
{
    switch (c) {
    case '.':
        return MISSING;
    case 'm':
        return REASON_MALFORMED;
    case 'u':
        return REASON_UNSUPPORTED;
    case 'i':
        return REASON_UNKNOWN_ISSUER;
    case 'e':
        return REASON_EXPIRED;
    case 'n':
        return REASON_NOT_YET_VALID;
    case 'p':
        return REASON_PRINTED_PASS;
    case 's':
        return REASON_STATUS_STALE;
    default:
        fail_msg("no such letter: %c", c);
        return REASON_NONE;
    }
}

#define NUMBER_MAX "9007199254740991"
static const char *const variants[] = {
    NULL,
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "\"x\"",
    "[]",
    "{}",
    NUMBER_MAX,
    "9007199254740992",
    "1e400",
    "\"\\u0000\"",
    "\"\"",
};
#define VARIANTS ARRAY_SIZE(variants)

/* A pass whose payload lacks that claim, and has it in a disclosure. */
static char *disclosed(struct craft *c, const char *name, const char *good)
{
    char digest[44];
    _cleanup_(freep) char *array = text_of("[\"salt\",\"%s\",%s]", name, good);
    _cleanup_(freep) char *text = craft_disclosure(array, digest);
    _cleanup_(freep) char *sd = text_of("[\"%s\"]", digest);
    _cleanup_(freep) char *pass =
        craft_pass(c, NULL, (struct member[]){{name, NULL}, {"_sd", sd}, {0}});

    return text_of("%s%s~", pass, text);
}

/*
 * One column for each of the variants above, then: the good value twice; the good value, but in a
 * disclosure.
 */
static const struct {
    const char *name, *good, *expected;
} claims[] = {
    /*                                       none null true 0 -1 1.5 "x" [] {} max 2^53 1e400
                                                U+0000 "" twice disclosed */
    {"iss", "\"" HOME "\"",
     "mmmmmm"
     "mmmmmm"
     "mm"
     "mm"},
    {"vct", "\"urn:coworking:pass:1\"",
     "mmmmmm"
     "ummmmm"
     "mu"
     "mm"},
    {"iat", "1790000000",
     "mmmmmm"
     "mmmmmm"
     "mm"
     "mm"},
    {"exp", "1790086400",
     "mmmmmm"
     "mmmmmm"
     "mm"
     "mm"},
    {"nbf", "1790000000",
     ".mmmmm"
     "mmmmmm"
     "mm"
     "mm"},
    {"sub", "\"abc\"",
     "mmmmmm"
     ".mmmmm"
     "mm"
     "mm"},
    {"tier", "\"member\"",
     "mmmmmm"
     ".mmmmm"
     "mm"
     "mm"},
    {"status", "{\"status_list\":{\"idx\":1,\"uri\":\"" HOME "/status/0\"}}",
     "mmmmmm"
     "mmmmmm"
     "mm"
     "mm"},
    {"cnf",
     "{\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
     "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}}",
     "pmmmmm"
     "mmmmmm"
     "mm"
     "mm"},
    {"_sd_alg", "\"sha-256\"",
     ".mmmmm"
     "ummmmm"
     "mu"
     "mm"},
    {"_sd", "[]",
     ".mmmmm"
     "m.mmmm"
     "mm"
     "mm"},
    /* what the profile knows nothing of is left alone, if it is JSON that we read at all */
    {"extra", "1",
     "......"
     "....mm"
     "m."
     "m."},
    {"name", "\"Ana\"",
     "......"
     "....mm"
     "m."
     "m."},
    {"...", "1",
     ".mmmmm"
     "mmmmmm"
     "mm"
     "mm"},
};

static void each_claim(struct craft *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
        const char *name = claims[i].name, *expected = claims[i].expected;
        _cleanup_(freep) char *title = NULL, *twice = NULL, *inside = NULL;

        assert_int_equal(strlen(expected), VARIANTS + 2);
        for (size_t k = 0; k < VARIANTS; k++) {
            const struct member change[] = {{name, variants[k]}, {0}};
            _cleanup_(freep) char *pass = craft_pass(c, NULL, change);
            _cleanup_(freep) char *row =
                text_of("claim %s: %s", name, variants[k] ? variants[k] : "(none)");

            craft_expect(c, row, pass, letter(expected[k]));
        }
        title = text_of("claim %s twice, disclosed", name);
        twice = craft_pass(c, NULL,
                           (struct member[]){{name, claims[i].good}, {name, claims[i].good}, {0}});
        craft_expect(c, title, twice, letter(expected[VARIANTS]));
        inside = disclosed(c, name, claims[i].good);
        craft_expect(c, title, inside, letter(expected[VARIANTS + 1]));
    }
}

#define LIST(idx, uri) "{\"status_list\":{\"idx\":" idx ",\"uri\":" uri "}}"
#define URI "\"" HOME "/status/0\""
#define X "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC(members) "{\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\"," members "}}"
#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

/* Values of claims that are neither of the wrong type nor missing. */
static const struct {
    const char *name, *value;
    char expected;
} values[] = {
    {"iss", "\"https://nobody.example\"", 'm'}, /* the status list is not below it */
    {"iss", "\"http://lisbon.example\"", 'm'},
    {"iss", "\"https://\"", 'm'},
    {"iss", "\"https://Lisbon.example\"", 'm'},
    {"iss", "\"https://lisbon.example/\"", 'm'},
    {"iss", "\"https://user@lisbon.example\"", 'm'},
    {"iss", "\"https://lisbon.example\\n\"", 'm'},
    {"vct", "\"urn:coworking:pass:2\"", 'u'},
    {"vct", "\"urn:coworking:pass:1 \"", 'u'},
    {"sub", "\"" A64 "\"", '.'},
    {"sub", "\"" A64 "a\"", 'm'},
    {"sub", "\"a b\"", 'm'},
    {"sub", "\"\xc3\xa4\"", 'm'},
    {"tier", "\"" A16 A16 "\"", '.'},
    {"tier", "\"" A16 A16 "a\"", 'm'},
    {"tier", "\"a\\nb\"", 'm'},
    {"tier", "\"\\u202e\"", 'm'},
    {"tier", "\"\\ud800\"", 'm'},
    {"iat", "1790000000.0", 'm'},
    {"iat", "179e7", 'm'},
    {"iat", "01790000000", 'm'},
    {"iat", "+1790000000", 'm'},
    {"iat", "0x6AB13380", 'm'},
    {"iat", "NaN", 'm'},
    {"iat", "Infinity", 'm'},
    {"iat", "-0", 'm'},
    {"iat", "9223372036854775808", 'm'},
    {"iat", "-9223372036854775809", 'm'},
    {"iat", "1", 'm'}, /* more than 30 days before exp */
    {"exp", "1790000000", 'm'},
    {"exp", "1789999999", 'm'},
    {"exp", "1792592000", '.'}, /* 30 days */
    {"exp", "1792592001", 'm'},
    {"nbf", "1790086399", 'n'},
    {"nbf", "1790086400", 'm'},
    {"status", LIST("0", URI), '.'},
    {"status", LIST("32767", URI), '.'},
    {"status", LIST("32768", URI), 'm'},
    {"status", LIST("-1", URI), 'm'},
    {"status", LIST("1.5", URI), 'm'},
    {"status", LIST("\"1\"", URI), 'm'},
    {"status", LIST("null", URI), 'm'},
    {"status", LIST("1,\"idx\":1", URI), 'm'},
    {"status", LIST("4294967297", URI), 'm'},
    {"status", LIST("1", "7"), 'm'},
    {"status", LIST("1", "\"\""), 'm'},
    {"status", LIST("1", "\"https://other.example/status/0\""), 'm'},
    {"status", LIST("1", "\"" HOME "\""), 'm'},
    {"status", LIST("1", "\"" HOME "/\""), 'm'},
    {"status", LIST("1", "\"" HOME ".evil.example/status/0\""), 'm'},
    {"status", LIST("1", "\"" HOME "/status/0 \""), 'm'},
    {"status", LIST("1", "\"" HOME "/elsewhere\""), 's'},
    {"status", LIST("1", "\"" HOME "/status/00\""), 's'},
    {"status", LIST("1", "\"" HOME "/status/1\""), 's'},
    {"status", LIST("1", "\"" HOME "/status/4\""), 's'},
    {"status", "{\"status_list\":{\"uri\":" URI "}}", 'm'},
    {"status", "{\"status_list\":{\"idx\":1}}", 'm'},
    {"status", "{\"status_list\":[]}", 'm'},
    {"status", "{\"status_list\":null}", 'm'},
    {"status", "{\"other\":1}", 'u'},
    {"cnf", EC("\"x\":" X ",\"y\":" Y), '.'},
    {"cnf", EC("\"x\":" Y ",\"y\":" X), '.'}, /* no point: nothing was proven with it yet */
    {"cnf", EC("\"x\":" X), 'm'},
    {"cnf", EC("\"y\":" Y), 'm'},
    {"cnf", EC("\"x\":7,\"y\":" Y), 'm'},
    {"cnf", EC("\"x\":\"AAAA\",\"y\":" Y), 'm'},
    {"cnf", EC("\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\",\"y\":" Y), 'm'},
    {"cnf", EC("\"x\":" X ",\"y\":" Y ",\"d\":" X), 'm'},
    {"cnf", EC("\"x\":" X ",\"y\":" Y ",\"x\":" X), 'm'},
    {"cnf", EC("\"x\":" X ",\"y\":" Y ",\"use\":\"enc\""), 'u'},
    {"cnf", "{\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":" X ",\"y\":" Y "}}", 'u'},
    {"cnf", "{\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}}", 'u'},
    {"cnf", "{\"jwk\":{\"kty\":\"oct\",\"k\":\"AQAB\"}}", 'u'},
    {"cnf", "{\"jwk\":{\"crv\":\"P-256\",\"x\":" X ",\"y\":" Y "}}", 'm'},
    {"cnf", "{\"jwk\":{}}", 'm'},
    {"cnf", "{\"jwk\":null}", 'm'},
    {"cnf", "{\"jwk\":[]}", 'm'},
    {"cnf", "{\"kid\":\"a\"}", 'u'},
    {"cnf", "{\"jkt\":" X "}", 'u'},
    {"_sd_alg", "\"sha-512\"", 'u'},
    {"_sd_alg", "\"SHA-256\"", 'u'},
    {"_sd", "[1]", 'm'},
    {"_sd", "[\"a\",\"a\"]", 'm'},
    {"_sd", "[null]", 'm'},
    {"_sd", "[\"a\",\"b\"]", '.'}, /* decoys */
    {"extra", "{\"_sd_alg\":\"sha-256\"}", 'm'},
    {"extra", "{\"...\":\"a\"}", 'm'},
    {"extra", "[{\"...\":1}]", 'm'},
    {"extra", "[{\"...\":\"a\",\"b\":1}]", 'm'},
    {"extra", "[{\"...\":\"a\"}]", '.'},
    {"extra", "[[[[[[[1]]]]]]]", '.'},   /* eight levels with the payload's own */
    {"extra", "[[[[[[[[1]]]]]]]]", 'm'}, /* nine */
    {"extra", "{\"a\":{\"b\":1,\"b\":2}}", 'm'},
    {"extra", "{\"a\":1,\"\\u0061\":2}", 'm'}, /* one name, written in two ways */
    {"extra", "\"a", 'm'},
    {"extra", "\"\\x\"", 'm'},
    {"extra", "\"\t\"", 'm'},
    {"extra", "\"\xc0\x80\"", 'm'},
    {"extra", "\"\xed\xa0\x80\"", 'm'},
    {"extra", "1,", 'm'},
    {"extra", "1}", 'm'},
    {"extra", "1}{", 'm'},
    {"extra", "1 // comment\n", 'm'},
    {"extra", "'a'", 'm'},
    {"extra", "-9007199254740991", '.'},
    {"extra", "-9007199254740992", 'm'},
    {"extra", "-1e309", 'm'},
    {"extra", "1e-400", '.'},
};

static void each_value(struct craft *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        const struct member change[] = {{values[i].name, values[i].value}, {0}};
        _cleanup_(freep) char *pass = craft_pass(c, NULL, change);
        _cleanup_(freep) char *row = text_of("claim %s: %s", values[i].name, values[i].value);

        craft_expect(c, row, pass, letter(values[i].expected));
    }
}

static void many_members(struct craft *c)
{
    for (unsigned n = 63; n <= 66; n++) {
        _cleanup_(buf_clear) struct buf value = {0};
        _cleanup_(freep) char *pass = NULL;

        buf_ch(&value, '{');
        for (unsigned i = 0; i < n; i++)
            buf_printf(&value, "%s\"%u\":1", i > 0 ? "," : "", i);
        assert_int_equal(buf_ch(&value, '}'), 0);
        pass = craft_pass(c, NULL, (struct member[]){{"extra", value.p}, {0}});
        craft_expect(c, "many members", pass, n <= LIMIT_JSON_MEMBERS ? MISSING : REASON_MALFORMED);
    }
}

/* Payloads that are no object, or none of JSON's. */
static void whole_payloads(struct craft *c)
{
    static const char *const texts[] = {"",
                                        "null",
                                        "1",
                                        "[]",
                                        "\"a\"",
                                        "{",
                                        "{}",
                                        "{}{}",
                                        "{\"a\"}",
                                        "\xef\xbb\xbf{}",
                                        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
    _cleanup_(freep) char *header = craft_header(c, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_(freep) char *jws = craft_jws(c->pass, header, texts[i]);
        _cleanup_(freep) char *pass = text_of("%s~", jws);

        craft_expect(c, texts[i], pass, REASON_MALFORMED);
    }
}

/* Disclosures of the top level, each named by the payload: two at most. */
static const struct {
    const char *first, *second;
    char expected;
} disclosures[] = {
    {"[\"s\",\"name\",\"Ana Sousa\"]", NULL, '.'},
    {"[\"s\",\"name\",\"Ana Sousa\"]", "[\"s\",\"member_since\",\"2024-01-01\"]", '.'},
    {"[\"s\",\"name\",\"Ana\"]", "[\"t\",\"name\",\"Eva\"]", 'm'},
    {"[\"s\",\"name\",7]", NULL, 'm'},
    {"[\"s\",\"name\",null]", NULL, 'm'},
    {"[\"s\",\"name\",\"\"]", NULL, 'm'},
    {"[\"s\",\"name\",{}]", NULL, 'm'},
    {"[\"s\",\"name\",\"a\\nb\"]", NULL, 'm'},
    {"[\"s\",\"name\",\"\\u0000\"]", NULL, 'm'},
    {"[\"s\",\"name\",\"" A64 A64 "\"]", NULL, '.'},
    {"[\"s\",\"name\",\"" A64 A64 "a\"]", NULL, 'm'},
    {"[\"s\",\"x\",{\"a\":1,\"a\":2}]", NULL, 'm'},
    {"[\"s\",\"x\",9007199254740992]", NULL, 'm'},
    {"[\"s\",\"x\",1e400]", NULL, 'm'},
    {"[\"s\",\"x\",[[[[[[[[1]]]]]]]]]", NULL, 'm'},
    {"[\"s\",\"x\",[[[[[[[1]]]]]]]]", NULL, '.'},
    {"[\"s\",\"x\",1]x", NULL, 'm'},
    {"[\"s\",\"x\"]", NULL, 'm'}, /* of an item, where a member is named */
    {"[\"s\"]", NULL, 'm'},
    {"[]", NULL, 'm'},
    {"{}", NULL, 'm'},
    {"\"a\"", NULL, 'm'},
    {"[\"s\",\"x\",1,2]", NULL, 'm'},
    {"[1,\"x\",1]", NULL, 'm'},
    {"[null,\"x\",1]", NULL, 'm'},
    {"[\"s\",7,1]", NULL, 'm'},
    {"[\"s\",\"\",1]", NULL, 'm'},
    {"[\"s\",\"_sd\",[]]", NULL, 'm'},
    {"[\"s\",\"...\",1]", NULL, 'm'},
    {"[\"s\",\"_sd_alg\",\"sha-256\"]", NULL, 'm'},
    {"[\"s\",\"tier\",\"staff\"]", NULL, 'm'}, /* would replace what is signed in the open */
    {"[\"s\",\"nbf\",1]", NULL, 'm'},
    {"[\"s\",\"" A64 "\",1]", NULL, '.'},
    {"[\"s\",\"" A64 "a\",1]", NULL, 'm'},
};

static void each_disclosure(struct craft *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(disclosures); i++) {
        const char *second = disclosures[i].second;
        char one[44], two[44];
        _cleanup_(freep) char *first_text = craft_disclosure(disclosures[i].first, one);
        _cleanup_(freep) char *second_text = second ? craft_disclosure(second, two) : NULL;
        _cleanup_(freep) char *sd =
            second ? text_of("[\"%s\",\"%s\"]", one, two) : text_of("[\"%s\"]", one);
        _cleanup_(freep) char *pass = craft_pass(c, NULL, (struct member[]){{"_sd", sd}, {0}});
        _cleanup_(freep) char *text =
            text_of("%s%s~%s%s", pass, first_text, second ? second_text : "", second ? "~" : "");

        craft_expect(c, disclosures[i].first, text, letter(disclosures[i].expected));
    }
}

/* Digests that are there twice, nowhere, or in the wrong place. */
static void digests(struct craft *c)
{
    char digest[44];
    _cleanup_(freep) char *text = craft_disclosure("[\"s\",\"name\",\"Ana\"]", digest);
    const struct {
        const char *name, *member, *value, *tail;
        char expected;
    } rows[] = {
        {"named", "_sd", "[\"%s\"]", "%s~", '.'},
        {"named, not shown", "_sd", "[\"%s\"]", "", '.'},
        {"shown twice", "_sd", "[\"%s\"]", "%s~%1$s~", 'm'},
        {"named twice", "_sd", "[\"%s\",\"%1$s\"]", "%s~", 'm'},
        {"named twice, not shown", "_sd", "[\"%s\",\"%1$s\"]", "", 'm'},
        {"named here and below", "_sd", "[\"%s\"],\"extra\":{\"_sd\":[\"%1$s\"]}", "%s~", 'm'},
        {"not named", "_sd", "[]", "%s~", 'm'},
        {"named below", "extra", "{\"_sd\":[\"%s\"]}", "%s~", '.'},
        {"named in status", "status",
         "{\"_sd\":[\"%s\"],\"status_list\":{\"idx\":1,\"uri\":" URI "}}", "%s~", 'm'},
        {"named as an item", "extra", "[{\"...\":\"%s\"}]", "%s~", 'm'},
        {"named with padding", "_sd", "[\"%s=\"]", "%s~", 'm'},
    };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char value[512], tail[512];
        _cleanup_(freep) char *pass = NULL, *whole = NULL;

        snprintf(value, sizeof(value), rows[i].value, digest);
        snprintf(tail, sizeof(tail), rows[i].tail, text);
        pass = craft_pass(c, NULL, (struct member[]){{rows[i].member, value}, {0}});
        whole = text_of("%s%s", pass, tail);
        craft_expect(c, rows[i].name, whole, letter(rows[i].expected));
    }
#pragma GCC diagnostic pop
}

void verify_claims(struct craft *c)
{
    each_claim(c);
    each_value(c);
    many_members(c);
    whole_payloads(c);
    each_disclosure(c);
    digests(c);
}

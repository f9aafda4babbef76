/* RFC 9421: the signature base and the published signatures of appendix B. */
#include "lib/base/unit.h"

#include "base/b64.h"
#include "jose/httpsig_base.h"

/* Appendix B.1.3 and B.1.4. */
#define P256_X "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA"
#define P256_Y "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"
#define ED_X "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"

#define HEADERS(list) .headers = (list), .n_headers = ARRAY_SIZE(list)

/* Appendix B.2: test-request and test-response. */
static const struct httpsig_header request_headers[] = {
    {STR("host"), STR("example.com")},
    {STR("date"), STR("Tue, 20 Apr 2021 02:07:55 GMT")},
    {STR("content-type"), STR("application/json")},
    {STR("content-digest"),
     STR("sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiY"
         "llu7BNNyealdVLvRwEmTHWXvJwew==:")},
    {STR("content-length"), STR("18")},
};
static const struct httpsig_header response_headers[] = {
    {STR("date"), STR("Tue, 20 Apr 2021 02:07:56 GMT")},
    {STR("content-type"), STR("application/json")},
    {STR("content-digest"),
     STR("sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oG"
         "X69wWdXymyU0rjJuahq4l5aGgfLQ==:")},
    {STR("content-length"), STR("23")},
};

/* Appendix B.3: what the proxy adds. */
static const struct httpsig_header proxied_headers[] = {
    {STR("client-cert"),
     STR(":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNV"
         "BAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMA"
         "k"
         "JDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/"
         "3YC8Ot"
         "hxM4+"
         "k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct"
         "0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/"
         "BBMwEYEPYmRjQGV4YW1w"
         "bGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/"
         "kHSB4urm"
         "iZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:")},
};

/* Appendix B.4: one request, and what intermediaries may and may not make of it. */
static const struct httpsig_header accept_twice[] = {
    {STR("accept"), STR(" application/json ")},
    {STR("date"), STR("Fri, 15 Jul 2022 14:24:55 GMT")},
    {STR("accept"), STR("*/*\t")},
};
static const struct httpsig_header accept_once[] = {
    {STR("referer"), STR("https://developer.example.org/demo")},
    {STR("accept"), STR("application/json, */*")},
};
static const struct httpsig_header accept_swapped[] = {
    {STR("accept"), STR("*/*")},
    {STR("accept"), STR("application/json")},
};

#define B4_INPUT                                                                                   \
    "transform=(\"@method\" \"@path\" \"@authority\" \"accept\");created=1618884473;"              \
    "keyid=\"test-key-ed25519\""
#define B4_SIG                                                                                     \
    "ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA=="

static const struct vector {
    const char *name;
    struct httpsig_message msg;
    const char *input, *sig;
    enum key_type type;
    int check;
} vectors[] = {
    {"B.2.4",
     {.status = STR("200"), HEADERS(response_headers)},
     "sig-b24=(\"@status\" \"content-type\" \"content-digest\" \"content-length\")"
     ";created=1618884473;keyid=\"test-key-ecc-p256\"",
     "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
     KEY_P256,
     0},
    {"B.2.6",
     {.method = STR("POST"),
      .authority = STR("example.com"),
      .path = STR("/foo"),
      .query = STR("?param=Value&Pet=dog"),
      HEADERS(request_headers)},
     "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")"
     ";created=1618884473;keyid=\"test-key-ed25519\"",
     "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
     KEY_ED25519,
     0},
    {"B.3",
     {.method = STR("POST"),
      .authority = STR("service.internal.example"),
      .path = STR("/foo"),
      .query = STR("?param=Value&Pet=dog"),
      HEADERS(proxied_headers)},
     "ttrp=(\"@path\" \"@query\" \"@method\" \"@authority\" \"client-cert\")"
     ";created=1618884473;keyid=\"test-key-ecc-p256\"",
     "xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==",
     KEY_P256,
     0},
    {"B.4",
     {.method = STR("GET"),
      .authority = STR("example.org"),
      .path = STR("/demo"),
      HEADERS(accept_twice)},
     B4_INPUT,
     B4_SIG,
     KEY_ED25519,
     0},
    {"B.4, query added",
     {.method = STR("GET"),
      .authority = STR("example.org"),
      .path = STR("/demo"),
      .query = STR("?name1=Value1&Name2=value2&param=added"),
      HEADERS(accept_twice)},
     B4_INPUT,
     B4_SIG,
     KEY_ED25519,
     0},
    {"B.4, one line",
     {.method = STR("GET"),
      .authority = STR("example.org"),
      .path = STR("/demo"),
      HEADERS(accept_once)},
     B4_INPUT,
     B4_SIG,
     KEY_ED25519,
     0},
    {"B.4, other method and authority",
     {.method = STR("POST"),
      .authority = STR("example.com"),
      .path = STR("/demo"),
      HEADERS(accept_twice)},
     B4_INPUT,
     B4_SIG,
     KEY_ED25519,
     SIG_E_BAD},
    {"B.4, other order",
     {.method = STR("GET"),
      .authority = STR("example.org"),
      .path = STR("/demo"),
      HEADERS(accept_swapped)},
     B4_INPUT,
     B4_SIG,
     KEY_ED25519,
     SIG_E_BAD},
};

static void read_list(const char *input, struct sfv_inner_list *out)
{
    struct str label;
    struct sfv s;

    sfv_begin(&s, str_of(input));
    assert_int_equal(sfv_key(&s, &label), 1);
    assert_int_equal(sfv_inner_list(&s, out), 0);
    assert_int_equal(sfv_end_member(&s), 0);
    assert_int_equal(sfv_key(&s, &label), 0);
}

static void verifies_appendix_b(void **state)
{
    _cleanup_(verifier_freep) struct verifier *v = NULL;
    struct key p256 = {.type = KEY_P256}, ed = {.type = KEY_ED25519};

    assert_int_equal(verifier_new(2, &v), 0);
    assert_int_equal(b64_decode_exact(STR(P256_X), p256.bytes, 32), 0);
    assert_int_equal(b64_decode_exact(STR(P256_Y), p256.bytes + 32, 32), 0);
    assert_int_equal(b64_decode_exact(STR(ED_X), ed.bytes, 32), 0);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct sfv_inner_list list;
        struct buf base = {0};
        uint8_t sig[SIG_LEN];
        size_t n;
        int r;

        read_list(vectors[i].input, &list);
        assert_int_equal(httpsig_write_base(&vectors[i].msg, &list, &base), 0);
        assert_int_equal(b64std_decode(str_of(vectors[i].sig), sig, sizeof(sig), &n), 0);
        assert_int_equal(n, SIG_LEN);
        r = verifier_check(v, vectors[i].type == KEY_P256 ? &p256 : &ed, base.p, base.n, sig);
        if (r != vectors[i].check)
            fail_msg("%s: %d, over\n%s", vectors[i].name, r, base.p);
        buf_clear(&base);
    }
}

/* Appendix B.2.6, the text of its base. */
static void writes_the_published_base(void **state)
{
    struct sfv_inner_list list;
    struct buf base = {0};

    read_list(vectors[1].input, &list);
    assert_int_equal(httpsig_write_base(&vectors[1].msg, &list, &base), 0);
    assert_string_equal(base.p, "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
                                "\"@method\": POST\n"
                                "\"@path\": /foo\n"
                                "\"@authority\": example.com\n"
                                "\"content-type\": application/json\n"
                                "\"content-length\": 18\n"
                                "\"@signature-params\": (\"date\" \"@method\" \"@path\" "
                                "\"@authority\" \"content-type\" \"content-length\")"
                                ";created=1618884473;keyid=\"test-key-ed25519\"");
    buf_clear(&base);
}

/* Section 2.2, the examples of each derived component. */
static void derives_components(void **state)
{
    static const struct {
        const char *name, *value;
    } components[] = {
        {"@method", "POST"},
        {"@target-uri", "https://www.example.com/path?param=value"},
        {"@authority", "www.example.com"},
        {"@scheme", "https"},
        {"@request-target", "/path?param=value"},
        {"@path", "/path"},
        {"@query", "?param=value"},
    };
    struct httpsig_message msg = {.method = STR("POST"),
                                  .scheme = STR("https"),
                                  .authority = STR("www.example.com"),
                                  .path = STR("/path"),
                                  .query = STR("?param=value")};
    struct sfv_inner_list list;
    struct buf base = {0}, input = {0}, want = {0};

    for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
        buf_reset(&base);
        buf_reset(&input);
        buf_reset(&want);
        buf_printf(&input, "s=(\"%s\")", components[i].name);
        buf_printf(&want, "\"%s\": %s\n\"@signature-params\": (\"%s\")", components[i].name,
                   components[i].value, components[i].name);
        read_list(input.p, &list);
        assert_int_equal(httpsig_write_base(&msg, &list, &base), 0);
        assert_string_equal(base.p, want.p);
    }
    msg.path = msg.query = (struct str){NULL, 0};
    buf_reset(&base);
    read_list("s=(\"@path\" \"@query\")", &list);
    assert_int_equal(httpsig_write_base(&msg, &list, &base), 0);
    assert_string_equal(base.p, "\"@path\": /\n\"@query\": ?\n\"@signature-params\": "
                                "(\"@path\" \"@query\")");
    buf_clear(&base);
    buf_clear(&input);
    buf_clear(&want);
}

static void refuses_other_components(void **state)
{
    static const struct {
        const char *input;
        int code;
    } inputs[] = {
        {"s=(\"@status\")", HTTPSIG_E_COVERAGE}, /* of a response */
        {"s=(\"@unknown\")", HTTPSIG_E_COVERAGE},
        {"s=(\"@signature-params\")", HTTPSIG_E_COVERAGE},
        {"s=(\"\")", HTTPSIG_E_COVERAGE},
        {"s=(\"x-absent\")", HTTPSIG_E_COVERAGE},
        {"s=(\"Date\")", HTTPSIG_E_COVERAGE}, /* names are lower case */
        {"s=(\"date\";sf)", HTTPSIG_E_COVERAGE},
        {"s=(\"@query-param\";name=\"a\")", HTTPSIG_E_COVERAGE},
        {"s=(\"@method\";req)", HTTPSIG_E_COVERAGE},
        {"s=(\"date\" \"date\")", HTTPSIG_E_MALFORMED},
        {"s=(date)", HTTPSIG_E_MALFORMED},
        {"s=(\"x-broken\")", HTTPSIG_E_MALFORMED},
    };
    static const struct httpsig_header headers[] = {
        {STR("date"), STR("Tue, 20 Apr 2021 02:07:55 GMT")},
        {STR("x-broken"), STR("a\n\"@method\": DELETE")},
    };
    const struct httpsig_message msg = {.method = STR("GET"), HEADERS(headers)};

    for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
        struct sfv_inner_list list;
        struct buf base = {0};

        read_list(inputs[i].input, &list);
        if (httpsig_write_base(&msg, &list, &base) != inputs[i].code)
            fail_msg("%s", inputs[i].input);
        buf_clear(&base);
    }
}

/* Structured fields: what is read, and how it is written again. */
static void reads_structured_fields(void **state)
{
    static const struct {
        const char *text, *written; /* NULL: refused */
    } fields[] = {
        {"a=()", "()"},
        {"  a=( \"x\"   tok ;p  );q=1; r  ", NULL}, /* no space before ';' nor after a key */
        {"a=( \"x\"   tok;  p=?1 );q=-1;r=?0", "(\"x\" tok;p);q=-1;r=?0"},
        {"a=(1 -2 1.5 0.125 @1700000000 :aGk=: *t/o:k)",
         "(1 -2 1.5 0.125 @1700000000 :aGk=: *t/o:k)"},
        {"a=(\"q\\\"\\\\\");k-_.*9=\"\"", "(\"q\\\"\\\\\");k-_.*9=\"\""},
        {"a", NULL},
        {"=()", NULL},
        {"A=()", NULL},
        {"1=()", NULL},
        {"a =()", NULL},
        {"a= ()", NULL},
        {"a=(", NULL},
        {"a=(\"x\"", NULL},
        {"a=(\"x\"\"y\")", NULL},
        {"a=(\"x\",\"y\")", NULL},
        {"a=(\"x\"\t\"y\")", NULL},
        {"a=(\"x)", NULL},
        {"a=(\"\\x\")", NULL},
        {"a=(\"\x01\")", NULL},
        {"a=(\"é\")", NULL},
        {"a=('x')", NULL},
        {"a=(01)", NULL},
        {"a=(-)", NULL},
        {"a=(-0)", NULL},
        {"a=(1234567890123456)", NULL},
        {"a=(1.)", NULL},
        {"a=(1.50)", NULL},
        {"a=(1.0)", "(1.0)"},
        {"a=(1.1234)", NULL},
        {"a=(1234567890123.1)", NULL},
        {"a=(?2)", NULL},
        {"a=(?)", NULL},
        {"a=(@1.5)", NULL},
        {"a=(:aGk:)", NULL},
        {"a=(:aGk=)", NULL},
        {"a=(%\"x\")", NULL},
        {"a=();", NULL},
        {"a=();P", NULL},
        {"a=();p=", NULL},
        {"a=();p;p", NULL}, /* the last would win */
        {"a=();p=1;q;p=2", NULL},
        {"a=(),", NULL},
        {"a=() b=()", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        struct sfv_inner_list list;
        struct buf out = {0};
        struct str key;
        struct sfv s;
        bool ok;

        sfv_begin(&s, str_of(fields[i].text));
        ok = sfv_key(&s, &key) == 1 && !sfv_inner_list(&s, &list) && !sfv_end_member(&s) &&
             sfv_key(&s, &key) == 0;
        if (ok != (fields[i].written != NULL))
            fail_msg("%s", fields[i].text);
        if (ok) {
            sfv_write_inner_list(&list, &out);
            assert_string_equal(out.p, fields[i].written);
        }
        buf_clear(&out);
    }
}

static void bounds_structured_fields(void **state)
{
    struct sfv_inner_list list;
    struct buf b = {0};
    struct str key;
    struct sfv s;

    for (int over = 0; over < 2; over++) {
        buf_reset(&b);
        buf_z(&b, "a=(");
        for (int i = 0; i < SFV_LIST_ITEMS + over; i++)
            buf_printf(&b, " %d;a;b;c;d", i);
        buf_ch(&b, ')');
        for (int i = 0; i < SFV_LIST_PARAMS; i++)
            buf_printf(&b, ";p%d", i);
        sfv_begin(&s, buf_as_str(&b));
        assert_int_equal(sfv_key(&s, &key), 1);
        assert_int_equal(sfv_inner_list(&s, &list), over ? SFV_E_TOO_MANY : 0);
    }
    sfv_begin(&s, STR("a=(1;a;b;c;d;e)"));
    assert_int_equal(sfv_key(&s, &key), 1);
    assert_int_equal(sfv_inner_list(&s, &list), SFV_E_TOO_MANY);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_appendix_b),     cmocka_unit_test(writes_the_published_base),
        cmocka_unit_test(derives_components),      cmocka_unit_test(refuses_other_components),
        cmocka_unit_test(reads_structured_fields), cmocka_unit_test(bounds_structured_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the vault signs, and what it refuses. */
#include "lib/base/unit.h"

#include "node/vault_fixture.h"

/* A good one of each kind: typ, key and times are the vault's doing. */

static void signs_token(struct fixture *f, enum sign_kind kind, const char *typ,
                        const struct key *key, int64_t lifetime)
{
    _cleanup_(json_freep) struct json *p = payload_of(f, kind), *made = NULL;
    struct sign_request req;
    struct jws jws = {0};
    struct err err = {0};
    int64_t iat, exp;

    if (sign(f, kind, SPACE, p, &req) != 0)
        fail_msg("%s: %s", typ, req.err.text);
    if (jws_parse(buf_as_str(&req.token), typ, LIMIT_STATUS_TOKEN, &jws, &err) != 0)
        fail_msg("%s: %s", typ, err.text);
    assert_int_equal(jws_check(f->verifier, &jws, key), 0);
    assert_int_equal(json_parse(buf_as_str(&jws.payload), &json_bounds_wire, &made, NULL), 0);
    assert_int_equal(json_get_int(made, "iat", &iat), 0);
    assert_int_equal(iat, f->scratch.now);
    assert_int_equal(req.iat, iat);
    if (lifetime) {
        assert_int_equal(json_get_int(made, "exp", &exp), 0);
        assert_int_equal(exp - iat, lifetime);
    }
    jws_clear(&jws);
    sign_request_clear(&req);
}

static void signs_every_kind(void **state)
{
    struct fixture *f = *state;

    signs_token(f, SIGN_PASS, "dc+sd-jwt", &f->pass, 86400);
    signs_token(f, SIGN_STATUS_LIST, "statuslist+jwt", &f->pass, 7 * 86400);
    signs_token(f, SIGN_CONFIGURATION, "entity-statement+jwt", &f->federation, 30 * 86400);
    signs_token(f, SIGN_STAMP, "comity-stamp+jwt", &f->federation, 0);
    signs_token(f, SIGN_RECEIPT, "comity-receipt+jwt", &f->federation, 0);
}

static void its_configuration_verifies(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_CONFIGURATION);
    struct configuration c;
    struct sign_request req;
    struct err err = {0};

    assert_int_equal(sign(f, SIGN_CONFIGURATION, SPACE, p, &req), 0);
    if (configuration_verify(f->verifier, buf_as_str(&req.token), SPACE, f->scratch.now, &c, &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.n_federation, 1);
    assert_true(key_equal(&c.federation[0], &f->federation));
    assert_true(key_equal(&c.pass[0], &f->pass));
    sign_request_clear(&req);
}

static void its_requests_verify(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_REQUEST);
    struct str body = STR("{}"), input, signature;
    const struct httpsig_request http = {.method = STR("POST"),
                                         .authority = STR("berlin.localhost:8442"),
                                         .path = STR("/node/v1/stamps"),
                                         .content_type = STR("application/json"),
                                         .body = body};
    struct buf digest = {0};
    struct httpsig sig = {0};
    struct sign_request req;
    struct err err = {0};

    assert_int_equal(httpsig_digest_header(body, &digest), 0);
    json_put_str(p, "content_digest", buf_as_str(&digest));
    if (sign(f, SIGN_REQUEST, SPACE, p, &req) != 0)
        fail_msg("%s", req.err.text);
    assert_true(str_cut(buf_as_str(&req.token), '\n', &input, &signature));
    const struct httpsig_header headers[] = {
        {STR("content-type"), STR("application/json")},
        {STR("content-digest"), buf_as_str(&digest)},
        {STR("signature-input"), input},
        {STR("signature"), signature},
    };
    if (httpsig_parse(&http, headers, ARRAY_SIZE(headers), f->scratch.now, &sig, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(httpsig_check(f->verifier, &sig, &f->federation), 0);
    httpsig_clear(&sig);
    buf_clear(&digest);
    sign_request_clear(&req);
}

/* Each of these alone makes a good payload one that must not be signed. */
static const struct {
    enum sign_kind kind;
    const char *path;  /* of the member, "a.b" */
    const char *value; /* JSON; NULL: left out */
} wrong[] = {
    {SIGN_PASS, "iss", NULL},
    {SIGN_PASS, "iss", "\"https://berlin.localhost:8442\""},
    {SIGN_PASS, "iss", "\"https://lisbon.localhost:8441/\""},
    {SIGN_PASS, "iss", "7"},
    {SIGN_PASS, "vct", NULL},
    {SIGN_PASS, "vct", "\"urn:coworking:pass:2\""},
    {SIGN_PASS, "sub", NULL},
    {SIGN_PASS, "sub", "\"\""},
    {SIGN_PASS, "tier", NULL},
    {SIGN_PASS, "iat", NULL},
    {SIGN_PASS, "iat", "1.5"},
    {SIGN_PASS, "iat", "1789999879"}, /* 121 s ago */
    {SIGN_PASS, "iat", "1790000121"},
    {SIGN_PASS, "exp", NULL},
    {SIGN_PASS, "exp", "1790000000"},
    {SIGN_PASS, "exp", "1792592001"}, /* 30 d and 1 s */
    {SIGN_PASS, "status", NULL},
    {SIGN_PASS, "status.status_list", NULL},
    {SIGN_PASS, "status.status_list.idx", NULL},
    {SIGN_PASS, "status.status_list.idx", "-1"},
    {SIGN_PASS, "status.status_list.idx", "32768"},
    {SIGN_PASS, "status.status_list.uri", NULL},
    {SIGN_PASS, "status.status_list.uri", "\"https://berlin.localhost:8442/status/0\""},
    {SIGN_PASS, "status.status_list.uri", "\"https://lisbon.localhost:8441/status/\""},
    {SIGN_PASS, "status.status_list.uri", "\"https://lisbon.localhost:8441/status/4\""},
    {SIGN_PASS, "status.status_list.uri", "\"https://lisbon.localhost:8441/status/00\""},
    {SIGN_PASS, "status.status_list.uri", "\"https://lisbon.localhost:8441.evil/status/0\""},
    {SIGN_STATUS_LIST, "iss", "\"https://berlin.localhost:8442\""},
    {SIGN_STATUS_LIST, "sub", NULL},
    {SIGN_STATUS_LIST, "sub", "\"https://berlin.localhost:8442/status/0\""},
    {SIGN_STATUS_LIST, "sub", "\"https://lisbon.localhost:8441/status/x\""},
    {SIGN_STATUS_LIST, "sub", "\"https://lisbon.localhost:8441\""},
    {SIGN_STATUS_LIST, "status_list", "[]"},
    {SIGN_STATUS_LIST, "status_list.bits", "4"},
    {SIGN_STATUS_LIST, "status_list.bits", NULL},
    {SIGN_STATUS_LIST, "status_list.lst", NULL},
    {SIGN_CONFIGURATION, "iss", "\"https://berlin.localhost:8442\""},
    {SIGN_CONFIGURATION, "sub", "\"https://berlin.localhost:8442\""},
    {SIGN_CONFIGURATION, "comity_versions", NULL},
    {SIGN_CONFIGURATION, "metadata", NULL},
    {SIGN_CONFIGURATION, "metadata.comity_space", NULL},
    {SIGN_CONFIGURATION, "metadata.comity_space.pass_jwks", NULL},
    {SIGN_CONFIGURATION, "metadata.comity_space.pass_jwks", "{\"keys\":[]}"},
    {SIGN_CONFIGURATION, "metadata.comity_space.pass_jwks",
     "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
     "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}"},
    {SIGN_STAMP, "iss", "\"https://berlin.localhost:8442\""},
    {SIGN_STAMP, "aud", NULL},
    {SIGN_STAMP, "aud", "\"https://lisbon.localhost:8441\""},
    {SIGN_STAMP, "aud", "\"berlin\""},
    {SIGN_STAMP, "jti", "\"\""},
    {SIGN_STAMP, "rev", "0"},
    {SIGN_STAMP, "rev", "\"1\""},
    {SIGN_STAMP, "iat", "1789999879"},
    {SIGN_STAMP, "iat", "1790000121"},
    {SIGN_STAMP, "in", NULL},
    {SIGN_STAMP, "day", NULL},
    {SIGN_RECEIPT, "iss", "\"https://berlin.localhost:8442\""},
    {SIGN_RECEIPT, "aud", "\"https://lisbon.localhost:8441\""},
    {SIGN_RECEIPT, "iat", "1789999879"},
    {SIGN_RECEIPT, "stamp_sha256", NULL},
    {SIGN_RECEIPT, "stamp_sha256", "\"short\""},
    {SIGN_REQUEST, "method", "\"GET\""},
    {SIGN_REQUEST, "method", "\"POST\\n\""},
    {SIGN_REQUEST, "authority", NULL},
    {SIGN_REQUEST, "authority", "\"127.0.0.1\""},
    {SIGN_REQUEST, "authority", "\"berlin.localhost\\n\\\"@path\\\": /x\""},
    {SIGN_REQUEST, "path", "\"/api/v1/verify\""},
    {SIGN_REQUEST, "path", "\"/node/v1/stamps?x\""},
    {SIGN_REQUEST, "path", "\"/node/v1/stamps\\n\\\"content-type\\\": x\""},
    {SIGN_REQUEST, "content_type", "\"text/plain\\n\""},
    {SIGN_REQUEST, "content_digest", "\"sha-512=:x:\""},
    {SIGN_REQUEST, "content_digest", "\"sha-256=:x:\\n\\\"@method\\\": GET\""},
    {SIGN_REQUEST, "nonce", "\"\""},
    {SIGN_REQUEST, "nonce", "\"a\\\";tag=\\\"other\""},
    {SIGN_REQUEST, "created", "1789999879"},
    {SIGN_REQUEST, "created", "1790000121"},
    {SIGN_REQUEST, "expires", "1790000000"},
    {SIGN_REQUEST, "expires", "1790000121"},
    {SIGN_REQUEST, "expires", NULL},
};

/* Replaces the member at path. */
static void put_at(struct json *p, const char *path, const char *value)
{
    struct str rest = str_of(path), head;
    char name[64];
    struct json *new = NULL;

    while (str_cut(rest, '.', &head, &rest)) {
        assert_int_equal(str_copy(name, sizeof(name), head), 0);
        p = (struct json *)json_get(p, name);
        assert_non_null(p);
    }
    assert_int_equal(str_copy(name, sizeof(name), head), 0);
    assert_non_null(json_get(p, name)); /* it is the good payload's own */
    json_remove(p, name);
    if (!value)
        return;
    assert_int_equal(json_parse(str_of(value), &json_bounds_wire, &new, NULL), 0);
    assert_int_equal(json_put(p, name, new), 0);
}

static void refuses_each_wrong_member(void **state)
{
    struct fixture *f = *state;
    struct sign_request req;

    assert_int_equal(f->scratch.now, 1790000000); /* which the table counts from */
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        _cleanup_(json_freep) struct json *p = payload_of(f, wrong[i].kind);

        put_at(p, wrong[i].path, wrong[i].value);
        if (sign(f, wrong[i].kind, SPACE, p, &req) != SIGNER_E_REFUSED)
            fail_msg("kind %d with %s %s: %d %s", wrong[i].kind, wrong[i].path,
                     wrong[i].value ? wrong[i].value : "left out", req.result, req.err.text);
        sign_request_clear(&req);
    }
}

static void refuses_the_federation_key_as_pass_key(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_CONFIGURATION);
    struct key both[] = {f->pass, f->federation};
    struct json *space = (struct json *)json_get(json_get(p, "metadata"), "comity_space");
    struct sign_request req;

    json_put(space, "pass_jwks", jwks_write(both, 2));
    assert_int_equal(sign(f, SIGN_CONFIGURATION, SPACE, p, &req), SIGNER_E_REFUSED);
    sign_request_clear(&req);
}

/* A payload of one kind is no payload of another, whatever it is called. */
static void refuses_one_kind_as_another(void **state)
{
    struct fixture *f = *state;

    for (int kind = 1; kind < SIGN_KIND_COUNT; kind++)
        for (int as = 0; as <= SIGN_KIND_COUNT; as++) {
            _cleanup_(json_freep) struct json *p = payload_of(f, (enum sign_kind)kind);
            struct sign_request req;

            /* a stamp is a receipt's payload, and more */
            if (as == kind || (kind == SIGN_STAMP && as == SIGN_RECEIPT))
                continue;
            if (sign(f, (enum sign_kind)as, SPACE, p, &req) != SIGNER_E_REFUSED)
                fail_msg("kind %d as %d: %d", kind, as, req.result);
            sign_request_clear(&req);
        }
}

static void refuses_what_is_no_object(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "", "{", "[]", "7", "null", "{\"iss\":1,\"iss\":2}", "{} ", "{}{}", "\xff",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (int kind = 1; kind < SIGN_KIND_COUNT; kind++) {
            struct sign_request req = {.kind = (enum sign_kind)kind, .space = SPACE};

            buf_z(&req.payload, texts[i]);
            vault_sign(f->vault, &req);
            assert_int_equal(req.result, SIGNER_E_REFUSED);
            sign_request_clear(&req);
        }
}

static void refuses_what_is_too_long(void **state)
{
    struct fixture *f = *state;
    char text[60 * 1024];
    struct sign_request req;

    memset(text, 'x', sizeof(text));
    for (size_t n = LIMIT_STAMP; n <= sizeof(text); n += sizeof(text) - LIMIT_STAMP) {
        _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_STAMP);

        json_put_str(p, "proof", (struct str){text, n});
        assert_int_equal(sign(f, SIGN_STAMP, SPACE, p, &req), SIGNER_E_REFUSED);
        sign_request_clear(&req);
    }
}

static void knows_its_spaces_only(void **state)
{
    static const char *const others[] = {
        "https://berlin.localhost:8442",
        "https://../../etc",
        "",
        "lisbon.localhost:8441",
        "https://lisbon.localhost:8441/",
        "https://lisbon.localhost:8441/../lisbon.localhost:8441",
    };
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_STAMP);
    struct sign_request req;
    struct key a, b;

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(sign(f, SIGN_STAMP, others[i], p, &req), SIGNER_E_SPACE);
        sign_request_clear(&req);
        assert_int_equal(vault_keys(f->vault, others[i], &a, &b, NULL), SIGNER_E_SPACE);
    }
    assert_int_equal(vault_create(f->vault, "https://../../etc", NULL), SIGNER_E_SPACE);
}

static void the_local_signer_is_the_vault(void **state)
{
    struct fixture *f = *state;
    _cleanup_(json_freep) struct json *p = payload_of(f, SIGN_STAMP);
    struct sign_request one = {.kind = SIGN_STAMP, .space = SPACE}, two = one;
    struct sign_request *const reqs[] = {&one, &two};
    struct signer *signer;
    struct key a, b;

    assert_int_equal(signer_local(f->vault, &signer), 0);
    json_write(p, &one.payload);
    buf_z(&two.payload, "{}");
    assert_int_equal(signer->sign(signer, reqs, 2), 0);
    assert_int_equal(one.result, 0);
    assert_int_equal(two.result, SIGNER_E_REFUSED);
    assert_int_equal(signer->create(signer, "https://second.localhost", NULL), 0);
    assert_int_equal(signer->keys(signer, "https://second.localhost", &a, &b, NULL), 0);
    assert_false(key_equal(&a, &f->federation));
    sign_request_clear(&one);
    sign_request_clear(&two);
    signer_free(signer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signs_every_kind),
        TEST(its_configuration_verifies),
        TEST(its_requests_verify),
        TEST(refuses_each_wrong_member),
        TEST(refuses_the_federation_key_as_pass_key),
        TEST(refuses_one_kind_as_another),
        TEST(refuses_what_is_no_object),
        TEST(refuses_what_is_too_long),
        TEST(knows_its_spaces_only),
        TEST(the_local_signer_is_the_vault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

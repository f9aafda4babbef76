#include "lib/cred/fixture.h"

#include <inttypes.h>
#include <stdio.h>

int fixture_setup(void **state)
{
    static const uint8_t secrets[3][32] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(key_pair_from_secret(KEY_P256, secrets[0], &f->issuer), 0);
    assert_int_equal(key_pair_from_secret(KEY_P256, secrets[1], &f->device), 0);
    assert_int_equal(key_pair_from_secret(KEY_ED25519, secrets[2], &f->other), 0);
    assert_int_equal(verifier_new(8, &f->verifier), 0);
    rand_seeded(&f->rand, 1);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    key_pair_free(f->issuer);
    key_pair_free(f->device);
    key_pair_free(f->other);
    verifier_free(f->verifier);
    free(f);
    return 0;
}

struct pass fixture_pass(const struct fixture *f)
{
    return (struct pass){
        .iss = HOME,
        .sub = "h7Jx2kQ9vT4mW1aZ",
        .tier = "member",
        .iat = NOW - 3600,
        .exp = NOW + 14 * 86400,
        .status_idx = 4711,
        .status_uri = HOME "/status/0",
        .bound = true,
        .device = *key_pair_public(f->device),
        .name = "Ana Sousa",
    };
}

struct json *fixture_payload(struct fixture *f, struct buf *tail)
{
    struct pass p = fixture_pass(f);
    struct json *payload = NULL;

    assert_int_equal(pass_payload(&(struct pass_claims){&p, 0}, &f->rand, &payload, tail), 0);
    return payload;
}

char *fixture_sign(const struct fixture *f, const char *typ, struct str payload, struct str tail)
{
    struct buf out = {0};

    assert_int_equal(jws_sign(f->issuer, typ, payload, &out), 0);
    assert_int_equal(buf_str(&out, tail), 0);
    return buf_take(&out);
}

char *fixture_sign_json(const struct fixture *f, const char *typ, const struct json *payload,
                        struct str tail)
{
    _cleanup_(buf_clear) struct buf text = {0};

    assert_int_equal(json_write(payload, &text), 0);
    return fixture_sign(f, typ, buf_as_str(&text), tail);
}

char *fixture_issue(struct fixture *f, const struct pass *p, int64_t member_since)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    _cleanup_(buf_clear) struct buf tail = {0};

    assert_int_equal(
        pass_payload(&(struct pass_claims){p, member_since}, &f->rand, &payload, &tail), 0);
    return fixture_sign_json(f, PASS_TYP, payload, buf_as_str(&tail));
}

struct json *fixture_json(const char *text)
{
    struct json *v = NULL;
    struct err err = {0};

    if (json_parse(str_of(text), &json_bounds_wire, &v, &err))
        fail_msg("%s: %s", text, err.text);
    return v;
}

uint64_t fixture_seed(const char *what)
{
    const char *given = getenv("COMITY_SEED");
    struct rand r;
    uint64_t seed;

    rand_system(&r);
    assert_int_equal(rand_fill(&r, &seed, sizeof(seed)), 0);
    if (given)
        seed = strtoull(given, NULL, 10);
    printf("%s: COMITY_SEED=%" PRIu64 "\n", what, seed);
    return seed;
}

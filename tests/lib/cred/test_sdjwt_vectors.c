/* The published presentations of RFC 9901, end to end: form, digests, both signatures, claims. */
#include "lib/cred/fixture.h"

#include "cred/keybind.h"
#include "jose/jwk.h"
#include "lib/cred/vectors.h"

#define CNF                                                                                        \
    "\"cnf\":{\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","                                          \
    "\"x\":\"TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc\","                                       \
    "\"y\":\"ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ\"}}"

struct vector {
    const char *section, *text, *typ, *claims;
    bool proven;
};

static const struct vector vectors[] = {
    {"5.2", rfc9901_5_2, "example+sd-jwt",
     "{\"iss\":\"https://issuer.example.com\",\"iat\":1683000000,\"exp\":1883000000,"
     "\"sub\":\"user_42\",\"nationalities\":[\"US\"]," CNF ",\"family_name\":\"Doe\","
     "\"address\":{\"street_address\":\"123 Main St\",\"locality\":\"Anytown\","
     "\"region\":\"Anystate\",\"country\":\"US\"},\"given_name\":\"John\"}",
     true},
    {"A.1", rfc9901_a_1, "example+sd-jwt",
     "{\"iss\":\"https://issuer.example.com\",\"iat\":1683000000,\"exp\":1883000000,"
     "\"address\":{\"region\":\"港区\",\"country\":\"JP\"}}",
     false},
    {"A.2", rfc9901_a_2, "example+sd-jwt",
     "{\"iss\":\"https://issuer.example.com\",\"iat\":1683000000,\"exp\":1883000000,"
     "\"verified_claims\":{\"verification\":{\"trust_framework\":\"de_aml\","
     "\"evidence\":[{\"method\":\"pipp\"}],\"time\":\"2012-04-23T18:25Z\"},"
     "\"claims\":{\"given_name\":\"Max\",\"family_name\":\"Müller\","
     "\"address\":{\"locality\":\"Maxstadt\",\"postal_code\":\"12344\",\"country\":\"DE\","
     "\"street_address\":\"Weidenstraße 22\"}}}}",
     false},
    {"A.3", rfc9901_a_3, "dc+sd-jwt",
     "{\"iss\":\"https://pid-issuer.bund.de.example\",\"iat\":1683000000,\"exp\":1883000000,"
     "\"vct\":\"urn:eudi:pid:de:1\"," CNF ",\"age_equal_or_over\":{\"18\":true},"
     "\"nationalities\":[\"DE\"]}",
     true},
    {"A.4", rfc9901_a_4, "example+sd-jwt",
     "{\"@context\":[\"https://www.w3.org/2018/credentials/v1\",\"https://w3id.org/vaccination/"
     "v1\"],\"type\":[\"VerifiableCredential\",\"VaccinationCertificate\"],"
     "\"issuer\":\"https://example.com/issuer\",\"issuanceDate\":\"2023-02-09T11:01:59Z\","
     "\"expirationDate\":\"2028-02-08T11:01:59Z\",\"name\":\"COVID-19 Vaccination Certificate\","
     "\"description\":\"COVID-19 Vaccination Certificate\",\"credentialSubject\":{\"vaccine\":{"
     "\"type\":\"Vaccine\",\"atcCode\":\"J07BX03\",\"medicinalProductName\":\"COVID-19 Vaccine "
     "Moderna\"},\"recipient\":{\"type\":\"VaccineRecipient\"},\"type\":\"VaccinationEvent\","
     "\"order\":\"3/3\",\"dateOfVaccination\":\"2021-06-23T13:40:12Z\"}," CNF "}",
     true},
};

static struct key key_of(const char *jwk)
{
    _cleanup_(json_freep) struct json *v = fixture_json(jwk);
    struct key key;

    assert_int_equal(jwk_parse(v, &key, NULL), 0);
    return key;
}

static void check(struct fixture *f, const struct vector *vec, struct verifier *lent)
{
    _cleanup_(json_freep) struct json *want = fixture_json(vec->claims), *got = NULL;
    struct key issuer = key_of(rfc9901_issuer_key), holder = key_of(rfc9901_holder_key);
    struct keybind proof;
    struct err err = {0};
    struct sdjwt s;

    if (sdjwt_parse_with(lent, str_of(vec->text), vec->typ, LIMIT_PRESENTATION, &s, &err))
        fail_msg("RFC 9901 section %s: %s", vec->section, err.text);
    assert_int_equal(jws_check(f->verifier, &s.issuer, &issuer), 0);
    assert_int_equal(jws_check(f->verifier, &s.issuer, &holder), JWS_E_SIGNATURE);
    got = sdjwt_claims(&s);
    if (!json_equal(want, got)) {
        struct buf text = {0};

        json_write(got, &text);
        fail_msg("RFC 9901 section %s gives %s", vec->section, text.p);
    }
    assert_int_equal(s.proof.n > 0, vec->proven);
    if (vec->proven) {
        assert_int_equal(keybind_check(f->verifier, &s, &holder, "https://verifier.example.org",
                                       1748537244, 0, &proof, &err),
                         0);
        assert_string_equal(proof.nonce, "1234567890");
        assert_int_equal(proof.iat, 1748537244);
        assert_int_equal(keybind_check(f->verifier, &s, &issuer, "https://verifier.example.org",
                                       1748537244, 0, &proof, &err),
                         KEYBIND_E_SIGNATURE);
    }
    sdjwt_clear(&s);
}

static void test_presentations(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        check(f, &vectors[i], NULL);
        check(f, &vectors[i], f->verifier);
    }
}

/* Sections 4.2.1 to 4.2.3: the disclosures and digests printed there, in a payload that has them.
 */
static void test_disclosures(void **state)
{
    static const char payload[] =
        "{\"_sd\":[\"X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0\"],"
        "\"nationalities\":[\"DE\",{\"...\":\"w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs\"},"
        "\"US\"]}";
    static const char tail[] =
        "~WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
        "~WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0~";
    _cleanup_(json_freep) struct json *want = NULL, *got = NULL;
    _cleanup_(freep) char *text = NULL;
    struct sdjwt s;

    want = fixture_json("{\"family_name\":\"Möbius\",\"nationalities\":[\"DE\",\"FR\",\"US\"]}");
    text = fixture_sign(*state, "example+sd-jwt", STR(payload), STR(tail));
    assert_int_equal(sdjwt_parse(str_of(text), "example+sd-jwt", &s, NULL), 0);
    got = sdjwt_claims(&s);
    assert_true(json_equal(want, got));
    sdjwt_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_presentations, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_disclosures, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

"""What our node signs, read by code that was not written here."""

import json
import zlib

import pytest
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws

from harness import jose
from harness.holder import Holder


@pytest.fixture(scope="module")
def home(shared_world):
    return shared_world.node("lisbon.localhost", serve=True)


@pytest.fixture(scope="module")
def client(home):
    return home.client()


@pytest.fixture(scope="module", params=["bound to a phone", "printed"])
def token(home, request):
    holder = Holder() if request.param != "printed" else None
    return home.issue(home.member(f"Ana {request.param}"), holder)["token"]


@pytest.fixture(scope="module")
def issuer_keys(home, client):
    """The pass keys, as SD-JWT VC section 5 has any verifier find them."""
    metadata = client.get("/.well-known/jwt-vc-issuer").json
    assert metadata["issuer"] == home.url
    return metadata["jwks"]


def check_with_jwcrypto(token, jwks):
    kid = jose.decode(token)[0]["kid"]
    jwk = next(key for key in jwks["keys"] if key["kid"] == kid)
    read = jwcrypto_jws.JWS()
    read.deserialize(token, jwcrypto_jwk.JWK(**jwk))
    return json.loads(read.payload)


def test_jose_verifies_the_pass(js, home, token, issuer_keys):
    read = js.must("verify", token=token.split("~")[0], jwks=issuer_keys, typ="dc+sd-jwt",
                   issuer=home.url)
    assert read["payload"]["vct"] == "urn:coworking:pass:1"


def test_jwcrypto_verifies_the_pass(home, token, issuer_keys):
    assert check_with_jwcrypto(token.split("~")[0], issuer_keys)["iss"] == home.url


def test_a_changed_pass_is_refused_by_both(js, token, issuer_keys):
    header, payload, signature = token.split("~")[0].split(".")
    claims = json.loads(jose.unb64(payload))
    claims["tier"] = "founder"
    forged = f"{header}.{jose.b64(jose.compact(claims))}.{signature}"
    assert js.ask("verify", token=forged, jwks=issuer_keys)["error"] == \
        "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
    with pytest.raises(jwcrypto_jws.InvalidJWSSignature):
        check_with_jwcrypto(forged, issuer_keys)


def test_both_verify_the_status_list(js, home, client, token, issuer_keys):
    status = jose.decode(token.split("~")[0])[1]["status"]["status_list"]
    assert status["uri"].startswith(home.url + "/status/")
    answer = client.get(status["uri"][len(home.url):])
    assert answer.headers["content-type"] == "application/statuslist+jwt"
    read = js.must("verify", token=answer.text, jwks=issuer_keys, typ="statuslist+jwt",
                   issuer=home.url)["payload"]
    assert read == check_with_jwcrypto(answer.text, issuer_keys)
    assert read["sub"] == status["uri"]
    bits = read["status_list"]["bits"]
    lst = zlib.decompress(jose.unb64(read["status_list"]["lst"]))
    at = status["idx"] * bits
    assert lst[at // 8] >> (at % 8) & ((1 << bits) - 1) == 0


def test_both_verify_the_entity_configuration(js, home, client, issuer_keys):
    answer = client.get("/.well-known/openid-federation")
    assert answer.headers["content-type"] == "application/entity-statement+jwt"
    jwks = jose.decode(answer.text)[1]["jwks"]
    read = js.must("verify", token=answer.text, jwks=jwks, typ="entity-statement+jwt",
                   issuer=home.url)["payload"]
    assert read == check_with_jwcrypto(answer.text, jwks)
    assert read["sub"] == home.url
    assert read["metadata"]["comity_space"]["pass_jwks"] == issuer_keys


def test_key_ids_are_thumbprints_for_all(js, client, issuer_keys):
    federation = jose.decode(client.get("/.well-known/openid-federation").text)[1]["jwks"]
    for jwk in issuer_keys["keys"] + federation["keys"]:
        assert jwk["kid"] == js.must("thumbprint", jwk=jwk)["kid"]
        assert jwk["kid"] == jwcrypto_jwk.JWK(**jwk).thumbprint()
        assert jwk["kid"] == jose.thumbprint(jwk)

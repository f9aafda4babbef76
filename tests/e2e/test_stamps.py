"""Stamps at home: forged, replayed, foreign and disputed ones are refused; good ones are receipted.

Here the host is tests/harness/peer.py, and the home is the node.
"""

import json

import pytest

from harness import jose
from harness.holder import Holder


class Stage:
    def __init__(self, world):
        self.home = world.node("lisbon.localhost", serve=True)
        self.peer = world.peer("abroad.localhost")
        self.home.peer(self.peer)
        self.host = self.peer.issuer
        self.stranger = world.peer("stranger.localhost").issuer
        member = self.home.member("Ana Martins")
        self.token = self.home.issue(member, Holder())["token"]
        self.claims = jose.decode(self.token.split("~")[0])[1]
        self.client = self.home.client()

    def stamp(self, **options):
        return self.host.stamp(self.home.url, self.claims, **options)

    def post(self, stamps, issuer=None, headers=None, body=None, **options):
        body = body if body is not None else json.dumps({"stamps": stamps}).encode()
        sent = (issuer or self.host).request_headers("POST", self.home.authority,
                                                     "/node/v1/stamps", body, **options)
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        self.last = (body, sent)
        return self.client.post("/node/v1/stamps", body, headers=sent)

    def count(self):
        return len(self.home.stamps())


@pytest.fixture(scope="module")
def stage(shared_world):
    return Stage(shared_world)


def only(answer):
    assert answer.status == 200, answer
    results = answer.json["results"]
    assert len(results) == 1
    return results[0]


def test_a_good_stamp_is_receipted(stage):
    before, token = stage.count(), stage.stamp()
    result = only(stage.post([token]))
    keys = jose.decode(stage.client.get("/.well-known/openid-federation").text)[1]["jwks"]["keys"]
    header, receipt = jose.verify(result["receipt"], keys[0])
    assert header["typ"] == "comity-receipt+jwt"
    assert (receipt["iss"], receipt["aud"]) == (stage.home.url, stage.host.url)
    assert receipt["jti"] == jose.decode(token)[1]["jti"]
    assert stage.count() == before + 1


def test_the_same_stamp_again_is_receipted_and_counted_once(stage):
    token = stage.stamp()
    first, before = only(stage.post([token])), stage.count()
    assert only(stage.post([token]))["receipt"]
    assert only(stage.post([jose.twin(token)]))["receipt"], "(r, n - s) is no other stamp"
    assert first["receipt"] and stage.count() == before


def test_the_same_id_with_other_claims_is_a_dispute(stage):
    token = stage.stamp(visit="vis_disputed")
    assert only(stage.post([token]))["receipt"]
    changed = stage.stamp(visit="vis_disputed",
                          change=lambda c: c.update({"in": c["in"] + 30}))
    result = only(stage.post([changed]))
    assert "receipt" not in result and result["code"] == "dispute"


def test_a_correction_is_a_higher_revision(stage):
    token = stage.stamp(visit="vis_corrected")
    assert only(stage.post([token]))["receipt"]
    out = stage.stamp(visit="vis_corrected", revision=2,
                      change=lambda c: c.update({"out": c["in"] + 30}))
    assert only(stage.post([out]))["receipt"]
    [newest] = [s for s in stage.home.stamps() if s["visit"] == "vis_corrected"]
    assert newest["revision"] == 2 and newest["checked_out"]
    every = stage.home.must("stamp", "list", "--all", "--json")["items"]
    assert [s["revision"] for s in every if s["visit"] == "vis_corrected"] == [2, 1]


BAD_STAMPS = {
    "signed by a key of no one": lambda s: s.stamp(key=jose.Key()),
    "signed by the pass key": lambda s: s.stamp(key=s.host.passes),
    "of another host": lambda s: s.stamp(change=lambda c: c.update(iss=s.stranger.url)),
    "for another home": lambda s: s.host.stamp("https://elsewhere.example", s.claims),
    "of somebody who never was a member": lambda s: s.stamp(
        change=lambda c: c.update(sub="nobody-here")),
    "of an index that was never issued": lambda s: s.stamp(
        change=lambda c: c.update(status={**c["status"], "idx": (c["status"]["idx"] + 1) % 32768})),
    "without a day": lambda s: s.stamp(change=lambda c: c.pop("day")),
    "of the far future": lambda s: s.stamp(
        change=lambda c: c.update({"in": c["in"] + 864000, "iat": c["iat"] + 864000})),
    "a word": lambda s: "hello",
    "a number": lambda s: 5,
}


@pytest.mark.parametrize("name", BAD_STAMPS)
def test_bad_stamps_are_refused(stage, name):
    before = stage.count()
    answer = stage.post([BAD_STAMPS[name](stage)])
    if answer.status == 200:
        result = only(answer)
        assert "receipt" not in result and result["code"], result
    else:
        assert answer.status in (400, 401, 403, 422), answer
        assert answer.headers["content-type"] == "application/problem+json"
    assert stage.count() == before


def test_a_bad_stamp_does_not_spoil_the_others(stage):
    answer = stage.post([stage.stamp(key=jose.Key()), stage.stamp()])
    results = answer.json["results"]
    assert "receipt" not in results[0] and results[1]["receipt"]


BAD_REQUESTS = {
    "unsigned": dict(headers={"Signature": None, "Signature-Input": None}),
    "without digest": dict(headers={"Content-Digest": None}),
    "of another body": dict(headers={"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}),
    "signed by a key of no one": dict(key=jose.Key()),
    "signed by the pass key": dict(key="passes"),
    "expired": dict(created=-200),
    "of the future": dict(created=+400),
    "valid for too long": dict(lifetime=600),
    "with another tag": dict(tag="something"),
    "without @path": dict(covered=["@method", "@authority", "content-type", "content-digest"]),
    "without content-digest": dict(covered=["@method", "@authority", "@path", "content-type"]),
    "with another algorithm": dict(alg="rsa-pss-sha512"),
    "with hmac": dict(alg="hmac-sha256"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_requests_are_refused(stage, name):
    options = dict(BAD_REQUESTS[name])
    if options.get("key") == "passes":
        options["key"] = stage.host.passes
    if "created" in options:
        options["created"] += stage.host.now()
    before = stage.count()
    answer = stage.post([stage.stamp()], **options)
    assert answer.status in (400, 401, 403), answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert stage.count() == before


def test_a_request_is_not_replayed(stage):
    token = stage.stamp()
    assert stage.post([token], nonce="one-nonce-only-once").status == 200
    body, headers = stage.last
    again = stage.client.post("/node/v1/stamps", body, headers=headers)
    assert again.status == 401, again


def test_strangers_are_not_heard(stage):
    stamp = stage.stranger.stamp(stage.home.url, stage.claims)
    answer = stage.post([stamp], issuer=stage.stranger)
    assert answer.status in (401, 403), answer


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"stamps":5}', b'{"stamps":[]}', b"{" * 40,
                                  b'{"stamps":[],"stamps":[]}', b"\xff\xfe"])
def test_bodies_that_are_none(stage, body):
    answer = stage.post(None, body=body)
    assert answer.status in (200, 400, 411, 415, 422), answer
    assert answer.status != 200 or answer.json["results"] == []


def test_more_stamps_than_a_request_may_hold(stage):
    answer = stage.post([stage.stamp() for _ in range(17)])
    assert answer.status in (400, 413, 422), answer

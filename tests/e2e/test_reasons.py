"""Every reason of steps 1 to 7, by what an issuer or a holder did, at the desk's API and at the
command line. The peer is tests/harness/peer.py: what it signs was written from the specification.
"""

import json

import pytest

from harness import jose
from harness.holder import Holder, issued_part, qr_digits
from harness.node import codes
from harness.peer import FakePeer

VERDICT_EXIT = {"admit": 0, "refuse": 3, "ask": 4}
N = jose.P256_ORDER


class Stage:
    """A host with one pinned peer, and holders with passes of it."""

    def __init__(self, world, ca):
        self.host = world.node("berlin.localhost", serve=True, zone="Europe/Berlin")
        self.peer = FakePeer(ca, "home.localhost")
        world.peers.append(self.peer)
        self.issuer = self.peer.issuer
        self.issuer.statuses = {900: 1, 901: 2, 902: 3}
        self.host.peer(self.peer)
        self.client = self.host.desk()
        self.holder = Holder()
        self.stranger = FakePeer(ca, "stranger.localhost")
        world.peers.append(self.stranger)

    def live(self, token=None, **options):
        """A pass with a good proof, unless options say otherwise."""
        return self.holder.present(token or self.issuer.issue(self.holder), self.host.url, **options)

    def claim(self, change, **options):
        """A live pass whose claims were edited before it was signed."""
        return self.live(self.issuer.issue(self.holder, change=change, **options))


@pytest.fixture(scope="module")
def stage(shared_world, ca):
    return Stage(shared_world, ca)


def set_to(name, value):
    def change(claims):
        claims[name] = value
    return change


def drop(name):
    return lambda claims: claims.pop(name)


def at(path, value):
    def change(claims):
        *parents, last = path.split(".")
        for parent in parents:
            claims = claims[parent]
        claims[last] = value
    return change


def replace_part(token, part, edit):
    """Edits one of the three parts of the issuer's JWT; the signature is no longer of it."""
    jwt, tilde, tail = token.partition("~")
    parts = jwt.split(".")
    parts[part] = edit(parts[part])
    return ".".join(parts) + tilde + tail


def signed_raw(s, payload):
    """A pass whose payload is exactly these bytes."""
    return jose.sign(s.issuer.passes, "dc+sd-jwt", payload) + "~"


def raw_claims(s):
    return json.dumps(s.issuer.claims())[1:-1]


def with_disclosure(s, array, name="_sd", digest=True):
    import hashlib
    text = jose.b64(jose.compact(array) if not isinstance(array, bytes) else array)

    def change(claims):
        if digest:
            claims[name] = [jose.b64(hashlib.sha256(text.encode()).digest())]
    return s.issuer.issue(None, name=None, change=change) + text + "~"


def signature_of(s, r, v):
    token = s.issuer.issue()
    return replace_part(token, 2, lambda _: jose.b64(r.to_bytes(32, "big") + v.to_bytes(32, "big")))


MALFORMED = {
    "a word": lambda s: "hello",
    "no text but blanks": lambda s: "  \t ",
    "only a tilde": lambda s: "~",
    "two dots": lambda s: "..~",
    "half a token": lambda s: s.issuer.issue()[:200],
    "no tilde": lambda s: s.issuer.issue().split("~")[0],
    "the last tilde cut off": lambda s: s.issuer.issue().rstrip("~"),
    "a picture of another QR": lambda s: "https://example.org/menu",
    "an odd number of digits": lambda s: qr_digits(s.issuer.issue()) + "5",
    "digits beyond the alphabet": lambda s: "99" * 40,
    "too long": lambda s: s.issuer.issue() + "A" * 4000,
    "a disclosure twice": lambda s: (lambda t: t + t.split("~")[1] + "~")(s.issuer.issue()),
    "a disclosure nobody named": lambda s: s.issuer.issue() + jose.b64(b'["salt","x",1]') + "~",
    "a disclosure that is no array": lambda s: with_disclosure(s, {"name": "x"}),
    "a disclosure that is no JSON": lambda s: with_disclosure(s, b"[nonsense"),
    "a disclosure named _sd": lambda s: with_disclosure(s, ["salt", "_sd", ["x"]]),
    "a disclosure named ...": lambda s: with_disclosure(s, ["salt", "...", "x"]),
    "exp inside a disclosure": lambda s: with_disclosure(s, ["salt", "exp", 1 << 33]),
    "cnf inside a disclosure": lambda s: with_disclosure(s, ["salt", "cnf", {"jwk": {}}]),
    "one digest twice": lambda s: s.claim(lambda c: c.update(_sd=c["_sd"] * 2)),
    "a digest that is a number": lambda s: s.claim(lambda c: c.update(_sd=[7])),
    "duplicate members": lambda s: signed_raw(
        s, f'{{{raw_claims(s)}, "tier": "founder"}}'.encode()),
    "too deep": lambda s: signed_raw(
        s, f'{{{raw_claims(s)}, "x": {"[" * 50 + "]" * 50}}}'.encode()),
    "a huge integer": lambda s: signed_raw(
        s, f'{{{raw_claims(s)}, "x": {"9" * 40}}}'.encode()),
    "a real beyond all": lambda s: signed_raw(s, f'{{{raw_claims(s)}, "x": 1e999}}'.encode()),
    "no UTF-8": lambda s: signed_raw(s, f'{{{raw_claims(s)}, "x": "'.encode() + b'\xff"}'),
    "a U+0000": lambda s: signed_raw(s, f'{{{raw_claims(s)}, "x": "a\\u0000b"}}'.encode()),
    "two values": lambda s: signed_raw(s, f'{{{raw_claims(s)}}} {{}}'.encode()),
    "an array": lambda s: signed_raw(s, b"[1]"),
    "padded base64": lambda s: replace_part(s.issuer.issue(), 2, lambda x: x + "=="),
    "standard base64": lambda s: replace_part(s.issuer.issue(), 1, lambda x: "+" + x[1:]),
    "bits left over in the base64": lambda s: replace_part(
        s.issuer.issue(), 2, lambda x: x[:-1] + chr(ord(x[-1]) + 1)),
    "a DER signature": lambda s: replace_part(
        s.issuer.issue(), 2, lambda _: jose.b64(s.issuer.passes.sign_der(b"x"))),
    "a signature of 63 bytes": lambda s: replace_part(
        s.issuer.issue(), 2, lambda x: jose.b64(jose.unb64(x)[:63])),
    "a signature of 65 bytes": lambda s: replace_part(
        s.issuer.issue(), 2, lambda x: jose.b64(jose.unb64(x) + b"\0")),
    "no signature": lambda s: replace_part(s.issuer.issue(), 2, lambda _: ""),
    **{f"{name} missing": (lambda name: lambda s: s.claim(drop(name)))(name)
       for name in ("iss", "vct", "iat", "exp", "sub", "tier", "status")},
    **{f"{name} a string": (lambda name: lambda s: s.claim(set_to(name, "1795224630")))(name)
       for name in ("iat", "exp", "nbf", "status", "cnf")},
    **{f"{name} a number": (lambda name: lambda s: s.claim(set_to(name, 5)))(name)
       for name in ("iss", "vct", "sub", "tier", "status", "cnf")},
    **{f"{name} null": (lambda name: lambda s: s.claim(set_to(name, None)))(name)
       for name in ("iss", "vct", "iat", "exp", "sub", "tier", "status", "cnf", "nbf")},
    "exp a real": lambda s: s.claim(set_to("exp", 1795224630.5)),
    "exp before iat": lambda s: s.claim(lambda c: c.update(exp=c["iat"] - 1)),
    "31 days": lambda s: s.claim(lambda c: None, days=31),
    "iat negative": lambda s: s.claim(set_to("iat", -5)),
    "iss with a path": lambda s: s.claim(lambda c: c.update(iss=c["iss"] + "/x")),
    "iss by http": lambda s: s.claim(set_to("iss", "http://home.localhost")),
    "sub empty": lambda s: s.claim(set_to("sub", "")),
    "sub too long": lambda s: s.claim(set_to("sub", "x" * 65)),
    "tier with a line break": lambda s: s.claim(set_to("tier", "a\nb")),
    "index negative": lambda s: s.claim(at("status.status_list.idx", -1)),
    "index beyond any list": lambda s: s.claim(at("status.status_list.idx", 32768)),
    "index a string": lambda s: s.claim(at("status.status_list.idx", "7")),
    "status list of somebody else": lambda s: s.claim(
        at("status.status_list.uri", s.stranger.url + "/status/0")),
    "status list without uri": lambda s: s.claim(lambda c: c["status"]["status_list"].pop("uri")),
    "status empty": lambda s: s.claim(set_to("status", {})),
    "cnf empty": lambda s: s.claim(set_to("cnf", {})),
    "a device key with a short coordinate": lambda s: s.claim(lambda c: c["cnf"]["jwk"].update(
        x=jose.b64(b"\1" * 31))),
}

UNSUPPORTED = {
    "typ of something else": lambda s: s.live(s.issuer.issue(s.holder, typ="statuslist+jwt")),
    "typ missing": lambda s: s.live(s.issuer.issue(s.holder, typ=None)),
    "typ in another case": lambda s: s.live(s.issuer.issue(s.holder, typ="DC+SD-JWT")),
    "alg none": lambda s: replace_part(
        s.issuer.issue(header={"alg": "none"}), 2, lambda _: ""),
    **{f"alg {alg}": (lambda alg: lambda s: s.live(s.issuer.issue(s.holder, header={"alg": alg})))(alg)
       for alg in ("HS256", "RS256", "ES384", "ES512", "ES256K", "PS256", "Ed448", "es256")},
    "crit": lambda s: s.live(s.issuer.issue(s.holder, header={"crit": ["x"], "x": 1})),
    "b64 false": lambda s: s.live(s.issuer.issue(s.holder, header={"b64": False,
                                                                   "crit": ["b64"]})),
    "vct of something else": lambda s: s.claim(set_to("vct", "urn:coworking:pass:2")),
    "_sd_alg sha-512": lambda s: s.claim(set_to("_sd_alg", "sha-512")),
    "cnf by kid": lambda s: s.claim(set_to("cnf", {"kid": "abc"})),
    "another status method": lambda s: s.claim(set_to("status", {"other": {}})),
    "a device key of P-384": lambda s: s.claim(lambda c: c["cnf"]["jwk"].update(crv="P-384")),
}

OTHER_KEY = jose.Key()
ED_KEY = jose.Key("EdDSA")

BAD_SIGNATURE = {
    "r of 0": lambda s: signature_of(s, 0, 5),
    "s of 0": lambda s: signature_of(s, 5, 0),
    "r of n": lambda s: signature_of(s, N, 5),
    "s of n": lambda s: signature_of(s, 5, N),
    "s of 2^256 - 1": lambda s: signature_of(s, 5, (1 << 256) - 1),
    "another signature": lambda s: signature_of(s, 5, 5),
    "signed by a key of no one": lambda s: s.live(s.issuer.issue(s.holder, key=OTHER_KEY)),
    "signed by another, with its kid": lambda s: s.live(s.issuer.issue(
        s.holder, key=OTHER_KEY, header={"kid": s.issuer.passes.kid})),
    "signed by the federation key": lambda s: s.live(s.issuer.issue(
        s.holder, key=s.issuer.federation)),
    "another algorithm under its kid": lambda s: s.live(s.issuer.issue(
        s.holder, key=ED_KEY, header={"kid": s.issuer.passes.kid})),
    "a claim changed": lambda s: replace_part(
        s.issuer.issue(), 1, lambda x: jose.b64(jose.unb64(x).replace(b"resident", b"founder!"))),
    "the header changed": lambda s: replace_part(
        s.issuer.issue(), 0, lambda x: jose.b64(jose.unb64(x).replace(b'{"alg"', b'{ "alg"'))),
}

TIMES_AND_STATUS = {
    ("not_yet_valid", "nbf in an hour"): lambda s: s.claim(
        lambda c: c.update(nbf=c["iat"] + 3600)),
    ("not_yet_valid", "iat in an hour"): lambda s: s.claim(
        lambda c: c.update(iat=c["iat"] + 3600)),
    ("expired", "exp an hour ago"): lambda s: s.claim(
        lambda c: c.update(iat=c["iat"] - 86400, exp=c["iat"] - 3600)),
    ("revoked", "1 in the list"): lambda s: s.claim(lambda c: None, idx=900),
    ("member_suspended", "2 in the list"): lambda s: s.claim(lambda c: None, idx=901),
    ("revoked", "3, which means nothing yet"): lambda s: s.claim(lambda c: None, idx=902),
    ("status_stale", "an index beyond the list"): lambda s: s.claim(lambda c: None, idx=5000),
    ("unknown_issuer", "a space nobody knows"): lambda s: s.stranger.issuer.issue(),
}


def other_hash(s):
    first, second = s.issuer.issue(s.holder), s.issuer.issue(s.holder)
    return first + s.holder.proof(second, s.host.url)


PROOFS = {
    ("holder_proof_missing", "cut off"): lambda s: s.issuer.issue(s.holder),
    ("printed_pass", "a pass on paper"): lambda s: s.issuer.issue(),
    ("printed_pass", "a proof that proves nothing"): lambda s: s.holder.present(
        s.issuer.issue(), s.host.url),
    ("holder_proof_bad", "by another device"): lambda s: s.live(key=jose.Key()),
    ("holder_proof_bad", "by another algorithm"): lambda s: s.live(key=ED_KEY),
    ("holder_proof_bad", "for another host"): lambda s: s.holder.present(
        s.issuer.issue(s.holder), "https://elsewhere.example"),
    ("holder_proof_bad", "for a list of hosts"): lambda s: s.live(aud=[s.host.url]),
    ("holder_proof_bad", "an hour old"): lambda s: s.live(now=s.issuer.now() - 3600),
    ("holder_proof_bad", "100 s old"): lambda s: s.live(now=s.issuer.now() - 100),
    ("holder_proof_bad", "of the future"): lambda s: s.live(now=s.issuer.now() + 60),
    ("holder_proof_bad", "of another presentation"): other_hash,
    ("holder_proof_bad", "without sd_hash"): lambda s: s.live(without=["sd_hash"]),
    ("holder_proof_bad", "without nonce"): lambda s: s.live(without=["nonce"]),
    ("holder_proof_bad", "without aud"): lambda s: s.live(without=["aud"]),
    ("holder_proof_bad", "without iat"): lambda s: s.live(without=["iat"]),
    ("holder_proof_bad", "a nonce of 3"): lambda s: s.live(nonce="abc"),
    ("holder_proof_bad", "a nonce of 65"): lambda s: s.live(nonce="x" * 65),
    ("holder_proof_bad", "typ JWT"): lambda s: s.live(typ="JWT"),
    ("holder_proof_bad", "alg none"): lambda s: s.live(header={"alg": "none"}),
    ("holder_proof_bad", "under a device key off the curve"): lambda s: s.claim(
        lambda c: c["cnf"]["jwk"].update(x=jose.b64(b"\1" * 32))),
    ("holder_proof_bad", "two dots"): lambda s: s.issuer.issue(s.holder) + "a.b.c",
    ("holder_proof_bad", "a disclosure dropped after signing"): lambda s: (
        lambda t: t.split("~")[0] + "~" + t.rsplit("~", 1)[1])(s.live()),
}

CASES = ([("malformed", name, make) for name, make in MALFORMED.items()]
         + [("unsupported", name, make) for name, make in UNSUPPORTED.items()]
         + [("bad_signature", name, make) for name, make in BAD_SIGNATURE.items()]
         + [(code, name, make) for (code, name), make in {**TIMES_AND_STATUS, **PROOFS}.items()])


@pytest.fixture(scope="module")
def table():
    """code -> verdict, as proto/ fixes it."""
    from pathlib import Path
    text = (Path(__file__).resolve().parents[2] / "proto" / "reasons.json").read_text()
    return {reason["code"]: reason for reason in json.loads(text)["reasons"]}


@pytest.mark.parametrize("code,name,make", CASES, ids=[f"{c}-{n}" for c, n, _ in CASES])
def test_reason(stage, table, code, name, make):
    text = make(stage)
    answer = stage.client.verify(text)
    assert answer.status == 200, answer
    verdict = answer.json
    assert codes(verdict)[0] == code, verdict
    assert verdict["verdict"] == table[code]["verdict"]
    assert verdict["reasons"][0]["text"] == table[code]["text"]
    assert verdict["reasons"][0]["next"]
    if verdict["verdict"] == "refuse":
        assert verdict.get("verification") is None, "a refusal promises nothing"
    if code in ("malformed", "unsupported", "unknown_issuer", "bad_signature"):
        assert verdict["pass"] is None, "what nobody vouches for is not shown"


SEVEN = {code: (name, make) for code, name, make in reversed(CASES)}


@pytest.mark.parametrize("code", SEVEN)
def test_reason_at_the_command_line(stage, table, code):
    """One of each at the command line: exit 3 refuse, 4 ask."""
    exit_code, verdict = stage.host.verify(SEVEN[code][1](stage))
    assert codes(verdict)[0] == code, verdict
    assert exit_code == VERDICT_EXIT[table[code]["verdict"]]


def test_a_good_pass_is_admitted_in_every_form(stage):
    token = stage.issuer.issue(stage.holder)
    forms = {
        "the token": lambda t: t,
        "with blanks around it": lambda t: f"  {t}\n",
        "the digits": qr_digits,
        "the address of the QR code": lambda t: f"{stage.issuer.url}/p#{qr_digits(t)}",
        "the token behind the address": lambda t: f"{stage.issuer.url}/p#{t}",
    }
    for name, form in forms.items():
        verdict = stage.client.verify(form(stage.live(token))).json
        if name == "the token behind the address":
            continue  # not one of the three forms: whatever it says, it must not crash
        assert verdict["verdict"] == "admit", (name, verdict)
        assert verdict["home"] == {"id": stage.peer.url, "name": "Home", "country": "DE"}
        assert verdict["pass"]["name"] == "Mara Vogt"
        assert verdict["verification"].startswith("ver_")


def test_both_algorithms_and_any_desk(stage, world):
    for alg in ("EdDSA", "Ed25519"):
        peer = world.peer(f"{alg.lower()}.localhost", alg=alg)
        stage.host.peer(peer)
        holder = Holder(alg)
        verdict = stage.client.verify(holder.present(peer.issuer.issue(holder))).json
        assert verdict["verdict"] == "admit", verdict


def test_explain_names_each_step(stage):
    result = stage.host.cli("verify", "-", "--json", "--explain", stdin=stage.live())
    steps = result.json["steps"]
    assert [step["step"] for step in steps] == sorted(step["step"] for step in steps)
    assert {step["step"] for step in steps} >= {1, 2, 3, 4, 5, 6, 7}
    assert all(step["section"] and step["found"] and step["micros"] >= 0 for step in steps)
    words = stage.host.cli("verify", "-", "--explain", stdin=stage.live())
    assert words.code == 0 and "RFC 7515" in words.out


def test_errors_echo_no_secret(stage):
    """A refusal repeats neither the token nor a claim of somebody nobody vouches for."""
    text = stage.stranger.issuer.issue(name="Secret Person")
    answer = stage.client.verify(text)
    assert issued_part(text)[:60] not in answer.text
    assert "Secret Person" not in answer.text
    assert "Mara Vogt" not in stage.host.log() and "eyJ" not in stage.host.log()

"""What other code signs, read by our node: a whole peer whose tokens npm's jose or jwcrypto makes."""

import pytest

from harness import jose
from harness.holder import Holder
from harness.node import codes


@pytest.fixture(scope="module")
def berlin(shared_world):
    return shared_world.node("berlin.localhost", zone="Europe/Berlin")


@pytest.fixture(params=["ES256", "EdDSA"])
def foreign(request, world, make_key, berlin):
    """A pinned peer, and a holder, with keys of the other library."""
    peer = world.peer(f"home-{request.param.lower()}.localhost")
    peer.issuer.federation, peer.issuer.passes = make_key(request.param), make_key(request.param)
    berlin.peer(peer)
    holder = Holder()
    holder.key = make_key(request.param)
    return peer, holder


def test_its_passes_are_admitted(foreign, berlin):
    peer, holder = foreign
    code, verdict = berlin.verify(holder.present(peer.issuer.issue(holder), berlin.url))
    assert (code, verdict["verdict"]) == (0, "admit"), verdict
    assert verdict["home"]["id"] == peer.url
    assert verdict["pass"]["name"] == "Mara Vogt"


def test_its_fingerprint_is_its_thumbprint(foreign, berlin):
    peer, _ = foreign
    listed = {p["peer"]: p for p in berlin.must("peer", "list", "--json")["items"]}
    assert listed[peer.url]["fingerprint"] == peer.issuer.federation.kid


def test_its_revocations_are_obeyed(foreign, berlin):
    peer, holder = foreign
    token = peer.issuer.issue(holder, idx=77)
    peer.issuer.statuses[77] = 1
    berlin.must("peer", "refresh", peer.url)
    code, verdict = berlin.verify(holder.present(token, berlin.url))
    assert (code, codes(verdict)) == (3, ["revoked"])


def test_a_key_it_did_not_publish_is_refused(foreign, berlin, make_key):
    peer, holder = foreign
    token = peer.issuer.issue(holder, key=make_key(peer.issuer.passes.alg))
    code, verdict = berlin.verify(holder.present(token, berlin.url))
    assert (code, codes(verdict)) == (3, ["bad_signature"])


def test_the_name_ed25519_of_rfc_9864_is_read_too(world, berlin):
    peer = world.peer("fully-specified.localhost", alg="Ed25519")
    berlin.peer(peer)
    holder = Holder("Ed25519")
    assert jose.decode(peer.issuer.issue(holder).split("~")[0])[0]["alg"] == "Ed25519"
    code, verdict = berlin.verify(holder.present(peer.issuer.issue(holder), berlin.url))
    assert (code, verdict["verdict"]) == (0, "admit"), verdict

"""Peers that misbehave: each is refused with its reason, and the last good record stays.

Also: which addresses may be peers at all, and how a pinned key is held on to.
"""

import time

import pytest

from harness import jose, peer as ways
from harness.holder import Holder
from harness.node import codes
from harness.peer import CONFIGURATION, STATUS
from harness.wait import wait_for


def add(host, url, *words):
    return host.cli("peer", "add", url, *(words or ("--yes",)), "--json", timeout=60)


def listed(host):
    return {item["peer"]: item for item in host.must("peer", "list", "--json")["items"]}


# at first sight

BEHAVIOURS = {
    "garbage": (ways.garbage, ""),
    "html": (ways.html, ""),
    "2 GB without a length": (ways.endless, "byte"),
    "2 GB, announced": (ways.announces_2_gb, "byte"),
    "a redirect": (ways.redirects, "redirect"),
    "not found": (ways.says(404), "404"),
    "an error": (ways.says(500), "500"),
    "something that is not HTTP": (ways.not_http, ""),
}


@pytest.fixture(scope="module")
def host(shared_world):
    return shared_world.node("berlin.localhost")


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_peer_that_misbehaves_is_not_added(host, world, name):
    behaviour, word = BEHAVIOURS[name]
    peer = world.peer()
    peer.behave(CONFIGURATION, behaviour)
    result = add(host, peer.url)
    assert result.code == 1, result
    problem = result.json
    assert word in problem["detail"] and len(problem["detail"]) > 10, problem
    assert peer.url not in listed(host)


@pytest.mark.parametrize("name,behaviour", [("drips", ways.drips), ("hangs", ways.hangs)])
def test_a_peer_that_takes_for_ever_is_left(host, world, name, behaviour):
    """10 seconds in all, whatever arrives meanwhile."""
    peer = world.peer()
    peer.behave(CONFIGURATION, behaviour)
    began = time.monotonic()
    result = add(host, peer.url)
    assert result.code == 1 and 8 < time.monotonic() - began < 16, result
    assert peer.url not in listed(host)


CONFIGURATIONS = {
    "of another space": lambda p: p.configuration(
        lambda c: c.update(iss="https://other.localhost", sub="https://other.localhost")),
    "about another space": lambda p: p.configuration(
        lambda c: c.update(sub="https://other.localhost")),
    "signed by a key it does not list": lambda p: p.configuration(key=jose.Key()),
    "signed by the pass key": lambda p: p.configuration(key=p.passes),
    "expired": lambda p: p.configuration(
        lambda c: c.update(iat=c["iat"] - 31 * 86400, exp=c["exp"] - 31 * 86400)),
    "of the future": lambda p: p.configuration(
        lambda c: c.update(iat=c["iat"] + 86400, exp=c["exp"] + 86400)),
    "of another lifetime": lambda p: p.configuration(lambda c: c.update(exp=c["exp"] + 1)),
    "with crit": lambda p: p.configuration(lambda c: c.update(crit=["x"])),
    "with another typ": lambda p: jose.sign(p.federation, "JWT", p.configuration_payload()),
    "without versions": lambda p: p.configuration(lambda c: c.pop("comity_versions")),
    "of a version to come": lambda p: p.configuration(lambda c: c.update(comity_versions=[2])),
    "without keys": lambda p: p.configuration(lambda c: c.update(jwks={"keys": []})),
    "with one key for both": lambda p: p.configuration(
        lambda c: c["metadata"]["comity_space"].update(pass_jwks=c["jwks"])),
    "with a pass key off the curve": lambda p: p.configuration(
        lambda c: c["metadata"]["comity_space"]["pass_jwks"].update(
            keys=[{**p.passes.jwk, "x": jose.b64(b"\1" * 32)}])),
    "with status lists elsewhere": lambda p: p.configuration(
        lambda c: c["metadata"]["comity_space"].update(
            status_lists=["https://other.localhost/status/0"])),
    "with stamps going elsewhere": lambda p: p.configuration(
        lambda c: c["metadata"]["comity_space"].update(
            endpoints={"stamps": "https://other.localhost/node/v1/stamps"})),
    "with a name of control characters": lambda p: p.configuration(
        lambda c: c["metadata"]["comity_space"]["listing"].update(name="a\x1b[31mb")),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_that_is_not_right_is_not_pinned(host, world, name):
    peer = world.peer()
    token = CONFIGURATIONS[name](peer.issuer)
    peer.behave(CONFIGURATION, lambda handler: handler.reply(
        200, "application/entity-statement+jwt", token))
    result = add(host, peer.url)
    assert result.code == 1, result
    assert "\x1b" not in result.out and peer.url not in listed(host)


def test_a_wrong_certificate_is_refused(host, world, folder):
    from harness.ca import TrialCA
    other_ca = TrialCA(folder / "other", "other")
    for peer in (world.peer(certificate_host="someone-else.localhost"), world.peer(expired=True)):
        result = add(host, peer.url)
        assert result.code == 1 and "certificate" in result.json["detail"].lower(), result
    from harness.peer import FakePeer
    unknown = FakePeer(other_ca, "mallory.localhost")
    world.peers.append(unknown)
    result = add(host, unknown.url)
    assert result.code == 1 and "certificate" in result.json["detail"].lower(), result


@pytest.mark.parametrize("url", [
    "http://plain.localhost:8080", "https://127.0.0.1:8441", "https://[::1]:8441",
    "https://user@mallory.localhost", "https://user:word@mallory.localhost:8441",
    "https://mallory.localhost:8441/path", "https://10.0.0.1", "https://0x7f.1", "https://2130706433",
    "ftp://mallory.localhost", "mallory", "https://", "", "https://mallory.localhost:99999",
    "file:///etc/passwd",
])
def test_what_cannot_be_a_peer(host, url):
    result = add(host, url)
    assert result.code in (1, 2), result
    assert result.json["detail"]
    assert listed(host) == {}


def test_nobody_there(host):
    from harness.ports import free_port
    result = add(host, f"https://mallory.localhost:{free_port()}")
    assert result.code == 1 and result.json["next"], result


def test_names_of_private_networks_are_refused_without_a_trial(world, ca, folder):
    """A name that resolves into loopback: refused by address, whoever asks."""
    host = world.node("berlin.localhost", init=False)
    certificate, key = ca.leaf("berlin.example")
    host.must("init", "https://berlin.example", "--name", "Berlin", "--listen",
              f"127.0.0.1:{host.port}", "--tls-cert", certificate, "--tls-key", key,
              "--timezone", "Europe/Berlin")
    peer = world.peer()
    result = add(host, peer.url)
    assert result.code == 1 and peer.requests == [], result
    assert "trial" in (result.json["detail"] + result.json.get("next", "")).lower() \
        or "loopback" in result.json["detail"]
    refused = host.cli("config", "check")
    assert refused.code == 0


def test_a_trial_authority_needs_a_trial(world, ca):
    host = world.node("berlin.localhost", init=False)
    certificate, key = ca.leaf("berlin.example")
    result = host.cli("init", "https://berlin.example", "--name", "Berlin", "--listen",
                      f"127.0.0.1:{host.port}", "--tls-cert", certificate, "--tls-key", key,
                      "--tls-ca", ca.path, "--timezone", "Europe/Berlin", "--json")
    assert result.code in (1, 2) and "trial" in result.json["detail"], result


# the fingerprint

def test_the_fingerprint_is_shown_and_must_fit(host, world):
    peer = world.peer("fingerprint.localhost")
    wrong = add(host, peer.url, "--fingerprint", "A" * 43)
    assert wrong.code == 1 and "fingerprint" in wrong.json["detail"], wrong
    assert peer.url not in listed(host)
    unasked = host.cli("peer", "add", peer.url, "--json")
    assert unasked.code in (1, 2, 4), "nobody confirmed it"
    assert peer.url not in listed(host)
    right = add(host, peer.url, "--fingerprint", peer.issuer.federation.kid)
    assert right.code == 0, right
    assert peer.url in listed(host)
    host.must("peer", "remove", peer.url)
    assert peer.url not in listed(host)


# once pinned

@pytest.fixture
def pinned(world):
    host = world.node("berlin.localhost", serve=True)
    peer = world.peer("home.localhost")
    host.peer(peer)
    holder = Holder()
    return host, peer, holder, peer.issuer.issue(holder)


def verdict_of(pinned):
    host, _, holder, token = pinned
    return host.verify(holder.present(token, host.url))[1]


def test_the_last_good_record_stays(pinned):
    host, peer, holder, token = pinned
    for name, (behaviour, _) in BEHAVIOURS.items():
        peer.behave(ways.ANY, behaviour)
        refreshed = host.cli("peer", "refresh", peer.url, "--json")
        assert refreshed.code == 1, (name, refreshed)
        assert verdict_of(pinned)["verdict"] == "admit", name
        error = listed(host)[peer.url]
        assert error["failure"] and error["failed_at"], error
    peer.behave(ways.ANY, None)
    host.must("peer", "refresh", peer.url)
    assert verdict_of(pinned)["verdict"] == "admit"


def test_a_pinned_key_is_held_on_to(pinned):
    """A configuration by a new key is not taken over, however well it verifies itself."""
    host, peer, holder, token = pinned
    old = peer.issuer.federation, peer.issuer.passes
    peer.issuer.federation, peer.issuer.passes = jose.Key(), jose.Key()
    stolen = peer.issuer.issue(holder)
    refreshed = host.cli("peer", "refresh", peer.url, "--json")
    assert refreshed.code == 1, refreshed
    assert codes(host.verify(holder.present(stolen, host.url))[1]) == ["bad_signature"]
    peer.issuer.federation, peer.issuer.passes = old
    host.must("peer", "refresh", peer.url)
    assert verdict_of(pinned)["verdict"] == "admit"


def test_a_new_pass_key_is_learned(pinned):
    host, peer, holder, token = pinned
    peer.issuer.passes = jose.Key()
    fresh = peer.issuer.issue(holder)
    host.must("peer", "refresh", peer.url)
    assert host.verify(holder.present(fresh, host.url))[0] == 0


STATUS_LISTS = {
    "signed by a key of no one": lambda p: p.status_list(key=jose.Key()),
    "signed by the federation key": lambda p: p.status_list(key=p.federation),
    "of another issuer": lambda p: p.status_list(lambda c: c.update(iss="https://x.localhost")),
    "at another address": lambda p: p.status_list(uri=p.url + "/status/1"),
    "older than what is known": lambda p: p.status_list(
        lambda c: c.update(iat=c["iat"] - 7200, exp=c["exp"] - 7200)),
    "of 3 bits": lambda p: p.status_list(lambda c: c["status_list"].update(bits=3)),
    "that is no zlib stream": lambda p: p.status_list(
        lambda c: c["status_list"].update(lst=jose.b64(b"nonsense"))),
    "with bytes after the stream": lambda p: p.status_list(
        lambda c: c["status_list"].update(
            lst=jose.b64(jose.unb64(c["status_list"]["lst"]) + b"more"))),
    "that inflates to 64 MB": lambda p: p.status_list(
        lambda c: c["status_list"].update(lst=jose.b64(_bomb()))),
    "expired": lambda p: p.status_list(
        lambda c: c.update(iat=c["iat"] - 8 * 86400, exp=c["iat"] - 86400)),
}


def _bomb():
    import zlib
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(8)) + packer.flush()


def test_a_bad_status_list_does_not_replace_a_good_one(pinned):
    host, peer, holder, token = pinned
    index = jose.decode(token.split("~")[0])[1]["status"]["status_list"]["idx"]
    good = dict(peer.issuer.statuses)
    peer.issuer.statuses[index] = 1  # what the bad lists would say
    for name, make in STATUS_LISTS.items():
        bad = make(peer.issuer)
        peer.behave(STATUS, lambda handler: handler.reply(200, "application/statuslist+jwt", bad))
        refreshed = host.cli("peer", "refresh", peer.url, "--json")
        assert verdict_of(pinned)["verdict"] == "admit", (name, refreshed)
    peer.issuer.statuses = good
    peer.issuer.statuses[index] = 1
    peer.behave(STATUS, None)
    wait_for(lambda: codes(verdict_of(pinned)) == ["revoked"], 20, "the true list")


def test_an_older_list_does_not_undo_a_revocation(pinned):
    host, peer, holder, token = pinned
    index = jose.decode(token.split("~")[0])[1]["status"]["status_list"]["idx"]
    before = peer.issuer.status_list()
    peer.issuer.statuses[index] = 1
    host.must("peer", "refresh", peer.url)
    assert codes(verdict_of(pinned)) == ["revoked"]
    peer.behave(STATUS, lambda h: h.reply(200, "application/statuslist+jwt", before))
    host.cli("peer", "refresh", peer.url)
    assert codes(verdict_of(pinned)) == ["revoked"]


def test_the_node_polls_by_itself_and_backs_off(pinned):
    host, peer, holder, token = pinned
    seen = peer.seen(STATUS)
    wait_for(lambda: peer.seen(STATUS) > seen + 1, 20, "the node to look by itself")
    peer.behave(ways.ANY, ways.says(500))
    wait_for(lambda: listed(host)[peer.url]["failure"], 20, "the failure to be noted")
    peer.behave(ways.ANY, None)


def test_a_peer_removed_is_a_stranger(pinned):
    host, peer, holder, token = pinned
    assert verdict_of(pinned)["verdict"] == "admit"
    host.must("peer", "remove", peer.url)
    assert codes(verdict_of(pinned))[0] in ("unknown_issuer", "not_recognised")

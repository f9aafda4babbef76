"""One proof, one desk: whatever the connection, the loop thread, or the form of the signature."""

import concurrent.futures

import pytest

from harness.holder import Holder, issued_part, proof_part
from harness import jose
from harness.node import codes


@pytest.fixture(scope="module")
def stage(shared_world):
    host = shared_world.node("berlin.localhost", serve=True, zone="Europe/Berlin")
    peer = shared_world.peer("home.localhost")
    host.peer(peer)
    host.first, host.second = host.desk("first"), host.desk("second")
    return host, peer.issuer, Holder()


def present(stage, **options):
    host, issuer, holder = stage
    return holder.present(issuer.issue(holder), host.url, **options)


def test_a_second_desk_is_told(stage):
    host = stage[0]
    text = present(stage)
    assert host.first.verify(text).json["verdict"] == "admit"
    assert codes(host.second.verify(text).json) == ["replayed"]


def test_the_first_desk_may_look_again(stage):
    host = stage[0]
    text = present(stage)
    assert host.first.verify(text).json["verdict"] == "admit"
    assert host.first.verify(text).json["verdict"] == "admit"


def test_every_loop_thread_knows(stage):
    """Twelve new connections spread over the loops; each is told the same."""
    host = stage[0]
    text = present(stage)
    assert host.first.verify(text).json["verdict"] == "admit"
    bearer = host.second.bearer

    def again(_):
        client = host.client(bearer)
        try:
            return codes(client.verify(text).json)
        finally:
            client.close()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(again, range(12))) == [["replayed"]] * 12


def test_of_two_desks_at_once_one_wins(stage):
    host = stage[0]
    for _ in range(5):
        text = present(stage)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda desk: desk.verify(text).json["verdict"],
                                 [host.first, host.second]))
        assert sorted(both) == ["admit", "refuse"]


def test_the_other_form_of_the_signature_is_the_same_proof(stage):
    """(r, n - s) is as valid as (r, s); nothing is known by its signature."""
    host = stage[0]
    text = present(stage)
    twin = issued_part(text) + jose.twin(proof_part(text))
    assert twin != text
    assert host.first.verify(text).json["verdict"] == "admit"
    assert codes(host.second.verify(twin).json) == ["replayed"]


def test_the_other_form_of_the_home_s_signature_changes_nothing(stage):
    host, issuer, holder = stage
    token = issuer.issue(holder)
    twin = jose.twin(token.split("~")[0]) + "~" + token.split("~", 1)[1]
    nonce = "one-nonce-for-both"
    assert host.first.verify(holder.present(token, host.url, nonce=nonce)).json["verdict"] == "admit"
    assert codes(host.second.verify(holder.present(twin, host.url, nonce=nonce)).json) == \
        ["replayed"]


def test_the_desk_s_command_line_is_another_desk(stage):
    host = stage[0]
    text = present(stage)
    assert host.first.verify(text).json["verdict"] == "admit"
    assert codes(host.verify(text)[1]) == ["replayed"]


def test_checking_in_after_looking_is_no_replay(stage):
    host = stage[0]
    text = present(stage)
    promised = host.first.verify(text).json["verification"]
    refused = host.second.checkin(promised)
    assert refused.status == 404, "the promise was made to another desk"
    answer = host.first.checkin(promised)
    assert answer.status in (200, 201), answer
    assert answer.json["visit"].startswith("vis_")


def test_a_proof_checks_in_once(stage):
    """Presented whole at another desk after the visit began: the proof was used."""
    host = stage[0]
    text = present(stage)
    assert host.first.checkin(text).status in (200, 201)
    refused = host.second.checkin(text)
    assert refused.status == 403, refused
    assert "replayed" in refused.text


def test_a_proof_from_before_the_start_is_refused(world):
    host = world.node("berlin.localhost", serve=True)
    peer = world.peer("home.localhost")
    host.peer(peer)
    holder = Holder()
    token = peer.issuer.issue(holder)
    early = holder.present(token, host.url, now=peer.issuer.now() - 30)
    desk = host.desk()
    assert codes(desk.verify(early).json) == ["holder_proof_bad"]
    assert desk.verify(holder.present(token, host.url)).json["verdict"] == "admit"

"""The whole path between two nodes: pass, verdict, check-in, stamp, revocation; and what breaks it.

Real processes, real TLS; every wait is for a condition.
"""

import time

import pytest

from harness.holder import Holder
from harness.node import codes
from harness.wait import wait_for

HOUR, DAY = 3600, 86400


@pytest.fixture
def pair(world):
    return world.pair()


@pytest.fixture
def holder():
    return Holder()


def passed(home, holder, name="Ana Martins"):
    """A member with a pass bound to a phone."""
    member = home.member(name, tier="resident")
    return member, home.issue(member, holder)


def stamps_of(home, visit):
    return [stamp for stamp in home.stamps() if stamp["stamp"] == visit]


def refusal(host, holder, token):
    """The codes if the host refuses, else nothing."""
    code, verdict = host.verify(holder.present(token, host.url))
    return codes(verdict) if code == 3 else None


def test_from_a_pass_to_a_stamp(pair, holder):
    home, host = pair
    member, issued = passed(home, holder)
    desk = host.desk()

    verdict = desk.verify(holder.present(issued["token"], host.url)).json
    assert verdict["verdict"] == "admit" and verdict["reasons"] == []
    assert verdict["home"]["id"] == home.url and verdict["home"]["name"] == "Lisbon"
    assert verdict["pass"]["name"] == "Ana Martins" and verdict["pass"]["proven"] is True
    assert 0 <= verdict["data_age_s"] < 60

    visit = desk.checkin(verdict["verification"]).json
    assert visit["home"]["id"] == home.url and visit["checked_out"] is None
    assert visit["proven"] is True and visit["verdict"] == "admit"

    stamp = wait_for(lambda: stamps_of(home, visit["visit"]), 20, "the stamp at home")[0]
    assert stamp["host"] == host.url and stamp["pass"] == issued["pass"]
    assert stamp["member"] == member and stamp["proven"] is True
    wait_for(lambda: host.visits()[0]["stamp"] == "receipted", 20, "the receipt")

    out = desk.checkout(visit["visit"]).json
    assert out["checked_out"] >= out["checked_in"]
    assert desk.checkout(visit["visit"]).status == 409, "is out already"
    wait_for(lambda: any(s.get("checked_out") for s in stamps_of(home, visit["visit"])), 20,
             "the corrected stamp at home")


def test_a_revocation_reaches_a_running_host(pair, holder):
    home, host = pair
    _, issued = passed(home, holder)
    assert refusal(host, holder, issued["token"]) is None
    began = time.monotonic()
    home.must("pass", "revoke", issued["pass"], "--json")
    assert wait_for(lambda: refusal(host, holder, issued["token"]), 20) == ["revoked"]
    assert time.monotonic() - began < 15, "within seconds"
    assert home.must("pass", "revoke", issued["pass"], "--json"), "revoking twice is success"


def test_a_revocation_holds_with_home_down_and_after_a_restart(pair, holder):
    home, host = pair
    _, issued = passed(home, holder)
    home.must("pass", "revoke", issued["pass"], "--json")
    wait_for(lambda: refusal(host, holder, issued["token"]), 20, "the refusal")
    home.stop()
    assert refusal(host, holder, issued["token"]) == ["revoked"]
    host.stop()
    assert refusal(host, holder, issued["token"]) == ["revoked"], "the verb without a node"
    host.serve()
    assert refusal(host, holder, issued["token"]) == ["revoked"], "from the disk"


def test_suspending_a_member_pauses_their_passes(pair, holder):
    home, host = pair
    member, issued = passed(home, holder)
    home.must("member", "suspend", member, "--json")
    assert wait_for(lambda: refusal(host, holder, issued["token"]), 20) == ["member_suspended"]
    home.must("member", "restore", member, "--json")
    wait_for(lambda: refusal(host, holder, issued["token"]) is None, 20, "the pass to be good again")
    home.must("member", "remove", member, "--json", "--yes")
    assert wait_for(lambda: refusal(host, holder, issued["token"]), 20) == ["revoked"]


def test_home_is_down_at_check_in(pair, holder):
    home, host = pair
    _, issued = passed(home, holder)
    desk = host.desk()
    home.stop()
    verdict = desk.verify(holder.present(issued["token"], host.url)).json
    assert verdict["verdict"] == "admit" and verdict["data_age_s"] >= 0
    visit = desk.checkin(verdict["verification"]).json["visit"]
    assert host.visits()[0]["stamp"] == "pending"
    home.serve()
    wait_for(lambda: stamps_of(home, visit), 60, "the stamp at home")
    wait_for(lambda: host.visits()[0]["stamp"] == "receipted", 30, "the receipt")


def test_data_age_is_shown(world, holder):
    """Seven hours without a line: admitted, saying so; four days: staff are asked."""
    home, host = world.pair(serve=False)
    _, issued = passed(home, holder)
    for clock, verdict, reasons in ((7 * HOUR, "admit", []), (4 * DAY, "ask", ["status_stale"])):
        host.clock = clock
        host.serve()
        desk = host.desk(f"desk-{clock}")
        seen = desk.verify(holder.present(issued["token"], host.url, now=time.time() + clock)).json
        assert (seen["verdict"], codes(seen)) == (verdict, reasons), seen
        assert seen["data_age_s"] >= clock - 60
        assert verdict == "admit" or seen["reasons"][0]["params"]["age_s"] >= clock - 60
        host.stop()


def test_an_expired_status_list_is_not_an_admit(world, holder):
    home, host = world.pair(serve=False)
    _, issued = passed(home, holder)
    host.clock = 8 * DAY
    code, verdict = host.verify(holder.present(issued["token"], host.url,
                                               now=time.time() + host.clock))
    assert (code, verdict["verdict"]) == (4, "ask")
    assert codes(verdict) == ["status_stale"]


def test_an_expired_configuration_asks_then_forgets(world, holder):
    host = world.node("berlin.localhost")
    peer = world.peer("home.localhost")
    host.peer(peer)
    peer.stop()
    for days, exit_code, expected in ((31, 4, "stale_directory"), (45, 3, "unknown_issuer")):
        peer.issuer.clock = host.clock = days * DAY
        text = holder.present(peer.issuer.issue(holder), host.url, now=peer.issuer.now())
        code, verdict = host.verify(text)
        assert (code, codes(verdict)[0]) == (exit_code, expected), verdict


def test_a_host_killed_before_delivery_loses_nothing_and_doubles_nothing(pair, holder):
    home, host = pair
    _, issued = passed(home, holder)
    desk = host.desk()
    home.stop()
    visit = desk.checkin(holder.present(issued["token"], host.url), key="once").json["visit"]
    host.kill()
    host.serve()
    home.serve()
    wait_for(lambda: stamps_of(home, visit), 60, "the stamp at home")
    wait_for(lambda: host.visits()[0]["stamp"] == "receipted", 60, "the receipt")
    host.kill()
    host.serve()
    assert len(home.stamps()) == 1 and len(host.visits()) == 1
    again = desk.checkin("whatever was scanned", key="once")
    assert again.status == 409, "the key is bound to what it was used with, across a crash"


def test_a_home_killed_while_stamps_arrive(pair):
    """Stamps are delivered until receipted, and counted once."""
    home, host = pair
    desk = host.desk()
    visits = set()
    for number in range(6):
        holder = Holder()
        _, issued = passed(home, holder, f"Member {number}")
        visits.add(desk.checkin(holder.present(issued["token"], host.url)).json["visit"])
        if number % 2:
            home.kill()
            home.serve()
    wait_for(lambda: all(v["stamp"] == "receipted" for v in host.visits()), 90, "all receipts")
    assert sorted(stamp["stamp"] for stamp in home.stamps()) == sorted(visits)


def test_one_key_is_one_visit(pair, holder):
    home, host = pair
    _, issued = passed(home, holder)
    desk, other = host.desk("front"), host.desk("back")
    text = holder.present(issued["token"], host.url)
    first = desk.checkin(text, key="k-1")
    again = desk.checkin(text, key="k-1")
    assert first.status in (200, 201) and again.status in (200, 201)
    assert first.json["visit"] == again.json["visit"]
    conflict = desk.checkin(holder.present(issued["token"], host.url), key="k-1")
    assert conflict.status == 409
    assert conflict.headers["content-type"] == "application/problem+json"
    assert conflict.json["code"] == "conflict" and conflict.json["next"]
    elsewhere = other.checkin(holder.present(issued["token"], host.url), key="k-1")
    assert elsewhere.status != 409 or elsewhere.json["code"] != "conflict", "keys are a desk's own"
    assert len(host.visits()) == 1


def test_somebody_inside_is_not_checked_in_twice(pair, holder):
    """Two tablets and a flaky network: one visit; the second tablet asks."""
    home, host = pair
    _, issued = passed(home, holder)
    first, second = host.desk("front"), host.desk("back")
    visit = first.checkin(holder.present(issued["token"], host.url)).json["visit"]
    again = second.checkin(holder.present(issued["token"], host.url))
    assert "already_checked_in" in again.text or again.json.get("visit") == visit
    assert len(host.visits()) == 1


def test_an_ask_needs_somebody_who_settles_it(pair):
    home, host = pair
    member = home.member("Paper Person")
    token = home.issue(member)["token"]
    desk = host.desk()
    asked = desk.checkin(token)
    assert asked.status == 403 and "printed_pass" in asked.text
    assert host.visits() == []
    settled = desk.checkin(token, confirm=True)
    assert settled.status in (200, 201), settled
    assert settled.json["confirmed"] is True and settled.json["verdict"] == "ask"
    assert settled.json["proven"] is False
    wait_for(lambda: stamps_of(home, settled.json["visit"]), 20, "the stamp at home")
    assert stamps_of(home, settled.json["visit"])[0]["proven"] is False


def test_a_refusal_is_not_confirmed_away(pair, holder):
    home, host = pair
    _, issued = passed(home, holder)
    home.must("pass", "revoke", issued["pass"], "--json")
    wait_for(lambda: refusal(host, holder, issued["token"]), 20, "the refusal")
    desk = host.desk()
    answer = desk.checkin(holder.present(issued["token"], host.url), confirm=True)
    assert answer.status == 403 and "revoked" in answer.text
    result = host.cli("checkin", "-", "--confirm", "--json",
                      stdin=holder.present(issued["token"], host.url))
    assert result.code == 3 and result.json["code"] == "refused"
    assert host.visits() == []


def test_check_in_at_the_command_line(pair, holder):
    home, host = pair
    _, issued = passed(home, holder)
    _, verdict = host.verify(holder.present(issued["token"], host.url))
    visit = host.must("checkin", verdict["verification"], "--key", "c-1", "--json")
    same = host.must("checkin", verdict["verification"], "--key", "c-1", "--json")
    assert visit["visit"] == same["visit"]
    other = host.cli("checkin", "-", "--key", "c-1", "--json",
                     stdin=holder.present(issued["token"], host.url))
    assert other.code == 1 and other.json["status"] == 409
    wait_for(lambda: stamps_of(home, visit["visit"]), 20, "the stamp at home")
    assert host.must("checkout", visit["visit"], "--json")["checked_out"]


def test_verify_and_check_in_without_a_node(world, holder):
    """Between two verbs nothing runs; the promise of `verify` is kept on disk."""
    home, host = world.pair(serve=False)
    _, issued = passed(home, holder)
    code, verdict = host.verify(holder.present(issued["token"], host.url))
    assert code == 0 and verdict["verification"]
    visit = host.must("checkin", verdict["verification"], "--json")
    assert host.visits()[0]["visit"] == visit["visit"]
    assert host.visits()[0]["stamp"] == "pending"
    home.serve()
    host.serve()
    wait_for(lambda: stamps_of(home, visit["visit"]), 60, "the stamp, when a node runs again")

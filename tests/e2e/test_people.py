"""The four "ten minutes" of docs/people.md, as far as the node goes today."""

import concurrent.futures
import time

from harness.holder import Holder, qr_digits
from harness.node import codes
from harness.wait import wait_for


def test_a_manager_with_only_a_phone(world):
    """A visitor's code in front of the camera: what the phone opens says what it is, and no more."""
    home, host = world.pair()
    manager = host.desk("marta's phone", role="manager")
    holder = Holder()
    issued = home.issue(home.member("Ana Martins"), holder)
    presented = holder.present(issued["token"], host.url)

    # The camera opens the address in the code. What follows '#' never leaves the phone.
    address, _, fragment = f"{home.url}/p#{qr_digits(presented)}".partition("#")
    page = home.client().get(address[len(home.url):])
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "Ana Martins" not in page.text and fragment not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"

    # Her own node gives the verdict: one call, with the token that she keeps on her phone.
    verdict = manager.verify(f"{address}#{fragment}").json
    assert verdict["verdict"] == "admit" and verdict["pass"]["name"] == "Ana Martins"
    visit = manager.checkin(verdict["verification"], key="marta-1").json
    assert manager.checkout(visit["visit"]).status == 200
    # A lost phone is one verb at the host.
    host.must("token", "revoke", "marta's phone")
    assert manager.verify(presented).status == 401


def test_an_operator_with_forty_spaces(world):
    """One process, one port; each space has its own name, certificate, keys, people and desks."""
    node = world.node("space-00.localhost", name="Space 00")
    spaces = [node.url]
    for number in range(1, 40):
        host = f"space-{number:02d}.localhost"
        certificate, key = node.ca.leaf(host)
        url = f"https://{host}:{node.port}"
        node.must("space", "add", url, "--name", f"Space {number:02d}", "--tls-cert", certificate,
                  "--tls-key", key, "--timezone", "Europe/Berlin")
        spaces.append(url)
    node.serve()
    assert len(node.must("space", "list", "--json")["items"]) == 40

    def look(url):
        client = node.client(url=url)
        try:
            return client.get("/.well-known/jwt-vc-issuer").json["issuer"], \
                client.peer_certificate()["subject"][0][0][1]
        finally:
            client.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(look, spaces))
    assert [issuer for issuer, _ in seen] == spaces
    assert len({name for _, name in seen}) == 40

    # From one space to another, as between strangers: they are peers, or they are not.
    first, last = (url[len("https://"):] for url in (spaces[0], spaces[39]))
    node.must("peer", "add", spaces[0], "--yes", space=last)
    member = node.must("member", "add", "Ana Martins", "--json", space=first)["member"]
    holder = Holder()
    token = node.must("pass", "issue", member, "--json", "--holder-key",
                      holder.write_jwk(node.folder / "k.jwk"), space=first)["token"]
    desk = node.desk("front", space=last, url=spaces[39])
    assert desk.verify(holder.present(token, spaces[39])).json["verdict"] == "admit"
    other = node.desk("front", space=spaces[20][len("https://"):], url=spaces[20])
    assert codes(other.verify(holder.present(token, spaces[20])).json) == ["not_recognised"]
    began = time.monotonic()
    assert node.stop() == 0 and time.monotonic() - began < 10


def test_a_traveller_at_a_host_without_a_node(world):
    """No server at the host: a laptop with a state folder and the verbs is enough to decide."""
    home = world.node("lisbon.localhost", serve=True)
    holder = Holder()
    issued = home.issue(home.member("Ana Martins"), holder)
    page = home.client().get("/p")
    assert page.status == 200, "whoever scans the code learns what it is"

    laptop = world.node("cafe.localhost", zone="Europe/Berlin")  # founded, and never served
    assert codes(laptop.verify(issued["token"])[1]) == ["unknown_issuer"]
    laptop.peer(home)
    home.stop()  # from now on no network is needed
    code, verdict = laptop.verify(holder.present(issued["token"], laptop.url))
    assert (code, verdict["verdict"]) == (0, "admit")
    paper = laptop.verify(issued["token"])[1]
    assert codes(paper) == ["holder_proof_missing"], "a copy is looked at by a person"
    visit = laptop.must("checkin", verdict["verification"], "--json")
    assert laptop.visits()[0]["visit"] == visit["visit"]
    assert visit["stamp"] == "pending", "it goes home when a node runs"


def test_the_desk_at_nine_with_the_line_down(world):
    home, host = world.pair()
    early = [(Holder(), number) for number in range(5)]
    passes = [(holder, home.issue(home.member(f"Guest {n}"), holder)) for holder, n in early]
    paper = home.issue(home.member("Paper Person"))
    desk, second = host.desk("front"), host.desk("bar")
    home.stop()  # the line is down

    visits = []
    for holder, issued in passes:
        began = time.monotonic()
        verdict = desk.verify(holder.present(issued["token"], host.url)).json
        assert verdict["verdict"] == "admit" and verdict["data_age_s"] >= 0
        visits.append(desk.checkin(verdict["verification"]).json["visit"])
        assert time.monotonic() - began < 3, "nobody waits for a line that is down"

    # The flaky tablet sends again; the second tablet scans the same guest.
    holder, issued = passes[0]
    assert len(host.visits()) == len(passes)
    again = second.verify(holder.present(issued["token"], host.url)).json
    assert again["verdict"] in ("admit", "ask")

    # Paper: a person looks at an ID, and says so.
    asked = desk.checkin(paper["token"])
    assert asked.status == 403 and "printed_pass" in asked.text
    visits.append(desk.checkin(paper["token"], confirm=True).json["visit"])
    assert {visit["stamp"] for visit in host.visits()} == {"pending"}

    # Meanwhile, at home, one pass is withdrawn. Then the line is back.
    home.must("pass", "revoke", passes[1][1]["pass"])
    home.serve()
    wait_for(lambda: {visit["stamp"] for visit in host.visits()} == {"receipted"}, 90,
             "every stamp to be receipted")
    assert sorted(stamp["stamp"] for stamp in home.stamps()) == sorted(visits), \
        "the visit stays; history is not rewritten"
    holder, issued = passes[1]
    wait_for(lambda: codes(host.verify(holder.present(issued["token"], host.url))[1])
             == ["revoked"], 30, "the refusal")

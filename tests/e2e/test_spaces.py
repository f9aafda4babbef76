"""Several spaces in one process: neither's API, files or errors show the other's people."""

import sqlite3

import pytest

from harness.client import Client
from harness.holder import Holder
from harness.node import codes


def add_space(node, host, name=None, zone="Europe/Madrid"):
    """Another space in the node's process; its entity id."""
    url = f"https://{host}:{node.port}"
    certificate, key = node.ca.leaf(host)
    node.must("space", "add", url, "--name", name or host.split(".")[0].title(),
              "--tls-cert", certificate, "--tls-key", key, "--timezone", zone)
    return url


class House:
    def __init__(self, world):
        self.node = world.node("lisbon.localhost")
        self.first = self.node.url
        self.second = add_space(self.node, "porto.localhost", "Porto")
        self.node.serve()
        self.spaces = {}
        for url, person in ((self.first, "Ana Martins"), (self.second, "Rui Tavares")):
            authority = url[len("https://"):]
            member = self.node.must("member", "add", person, "--email", person.split()[0] +
                                    "@example.org", "--json", space=authority)["member"]
            issued = self.node.must("pass", "issue", member, "--json", space=authority)
            desk = self.node.desk("front", space=authority, url=url)
            self.spaces[url] = (authority, person, member, issued, desk)


@pytest.fixture(scope="module")
def house(shared_world):
    return House(shared_world)


def test_each_is_found_by_its_name(house):
    for url in house.spaces:
        client = house.node.client(url=url)
        assert client.peer_certificate()["subject"][0][0][1] == client.host
        assert client.get("/.well-known/jwt-vc-issuer").json["issuer"] == url


def test_verbs_ask_which_space_is_meant(house):
    unclear = house.node.cli("member", "list", "--json")
    assert unclear.code in (1, 2), unclear
    assert "--space" in unclear.json["detail"] + unclear.json.get("next", "")
    unknown = house.node.cli("member", "list", "--json", space="nowhere.localhost")
    assert unknown.code in (1, 2) and "nowhere.localhost" in unknown.json["detail"]
    urls = [item["space"] for item in house.node.must("space", "list", "--json")["items"]]
    assert sorted(urls) == sorted(house.spaces)


def test_lists_show_one_s_own(house):
    for url, (authority, person, member, issued, _) in house.spaces.items():
        members = house.node.must("member", "list", "--json", space=authority)["items"]
        assert [m["member"] for m in members] == [member]
        passes = house.node.must("pass", "list", "--json", space=authority)["items"]
        assert [p["pass"] for p in passes] == [issued["pass"]]


def test_what_is_the_other_s_does_not_exist(house):
    (a, _, _, _, _), (b, person, member, issued, _) = house.spaces.values()
    for words in (("member", "show", member), ("member", "suspend", member),
                  ("pass", "show", issued["pass"]), ("pass", "revoke", issued["pass"]),
                  ("pass", "issue", member)):
        result = house.node.cli(*words, "--json", space=a)
        assert result.code == 1 and result.json["status"] == 404, result
        assert person not in result.out + result.err
    assert house.node.must("pass", "show", issued["pass"], "--json", space=b)


def test_a_desk_s_token_is_good_at_its_own_space_only(house):
    (_, _, _, _, first), (_, _, _, _, second) = house.spaces.values()
    for desk, url in ((first, house.second), (second, house.first)):
        stranger = house.node.client(desk.bearer, url=url)
        for answer in (stranger.verify("hello"), stranger.checkin("hello"),
                       stranger.checkout("vis_x")):
            assert answer.status == 401, answer


def test_a_visit_is_not_ended_by_the_other(house, world):
    (_, _, _, _, first), (_, _, _, _, second) = house.spaces.values()
    peer = world.peer("visitors.localhost")
    house.node.must("peer", "add", peer.url, "--yes",
                    space=house.first[len("https://"):])
    visit = first.checkin(peer.issuer.issue(), confirm=True).json["visit"]
    assert second.checkout(visit).status == 404
    assert first.checkout(visit).status == 200


def test_a_member_of_the_house_is_no_failure(house):
    """Somebody shows their own space's pass: whatever the answer, it is one."""
    (_, _, _, issued, first), _ = house.spaces.values()
    answer = first.checkin(issued["token"], confirm=True)
    assert answer.status < 500, answer


def test_the_pass_of_one_is_not_recognised_by_the_other(house):
    """Under one roof, yet strangers until they are peers."""
    (_, _, _, issued, _), (_, person, _, other, second) = house.spaces.values()
    verdict = second.verify(issued["token"]).json
    assert verdict["verdict"] == "refuse"
    assert codes(verdict)[0] in ("not_recognised", "unknown_issuer")
    assert "Ana Martins" not in str(verdict)


def test_a_peer_of_one_is_not_recognised_by_the_other(house, world):
    peer = world.peer("guest.localhost")
    (a, _, _, _, first), (b, _, _, _, second) = house.spaces.values()
    house.node.must("peer", "add", peer.url, "--yes", "--json", space=a)
    holder = Holder()
    token = peer.issuer.issue(holder)
    assert first.verify(holder.present(token, house.first)).json["verdict"] == "admit"
    verdict = second.verify(holder.present(token, house.second)).json
    assert codes(verdict) == ["not_recognised"]
    assert verdict["home"] is None and "Mara Vogt" not in str(verdict)
    assert house.node.must("peer", "list", "--json", space=b)["items"] == []


def test_host_and_sni_must_agree(house):
    """A connection that was opened as one space does not speak for the other."""
    client = house.node.client(url=house.first)
    other = Client(house.second, house.node.ca.path)
    answer = client.get("/.well-known/jwt-vc-issuer", headers={"Host": other.authority})
    assert answer.status in (200, 421)
    assert answer.status == 421 or answer.json["issuer"] == house.second
    nowhere = client.get("/.well-known/jwt-vc-issuer", headers={"Host": "nowhere.localhost"})
    assert nowhere.status == 421, nowhere
    for _, person, *_ in house.spaces.values():
        assert person not in answer.text + nowhere.text


def _texts(path):
    """Everything that a database holds, as text."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return "\n".join(db.iterdump())


def test_files_are_apart(house):
    folders = sorted((house.node.dir / "spaces").iterdir())
    assert len(folders) == 2
    for url, (authority, person, member, issued, _) in house.spaces.items():
        own = [f for f in folders if f.name.startswith(authority.split(".")[0])]
        assert len(own) == 1
        text = _texts(own[0] / "space.db")
        assert person in text and member in text
        for other_url, (_, other, other_member, *_) in house.spaces.items():
            if other_url != url:
                assert other not in text and other_member not in text
    shared = _texts(house.node.dir / "directory.db")
    for _, person, member, *_ in house.spaces.values():
        assert person not in shared and member not in shared


def test_keys_and_databases_are_private(house):
    assert house.node.dir.stat().st_mode & 0o077 == 0
    for path in house.node.dir.rglob("*"):
        if path.suffix == ".key" or path.name in ("space.db", "comity.sock"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_logs_name_no_people(house):
    log = house.node.log()
    for _, person, member, issued, desk in house.spaces.values():
        assert person not in log and issued["token"][:40] not in log and desk.bearer not in log


def test_spaces_of_one_house_can_be_peers(world):
    """They talk over HTTPS like everybody else."""
    node = world.node("lisbon.localhost")
    other = add_space(node, "porto.localhost", "Porto")
    node.serve()
    a, b = node.authority, other[len("https://"):]
    node.must("peer", "add", other, "--yes", space=a)
    node.must("peer", "add", node.url, "--yes", space=b)
    member = node.must("member", "add", "Ana Martins", "--json", space=a)["member"]
    holder = Holder()
    token = node.must("pass", "issue", member, "--json", "--holder-key",
                      holder.write_jwk(node.folder / "k.jwk"), space=a)["token"]
    desk = node.desk("front", space=b, url=other)
    verdict = desk.verify(holder.present(token, other)).json
    assert verdict["verdict"] == "admit", verdict

"""The command line, exactly: others script it. Shapes, exit codes, errors; with a node and without."""

import json
import re

import pytest

from harness import schema
from harness.holder import Holder, from_qr, qr_digits
from harness.jose import b64
from harness.node import BINARY, comity
from harness.wait import wait_for

VERBS = """init; space add; space list; serve; reload; config check; member add; member list;
member show; member suspend; member restore; member remove; member import; pass issue; pass show;
pass list; pass revoke; peer add; peer list; peer refresh; peer remove; verify; checkin; checkout;
visit list; stamp list; token create; token list; token revoke; status; version; help;
completion""".replace("\n", " ").split("; ")

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


@pytest.fixture(scope="module", params=["with a node", "without a node"])
def node(request, shared_world):
    """The same verbs, through the socket of a running node and under the lock."""
    host = "lisbon.localhost" if request.param == "with a node" else "porto.localhost"
    return shared_world.node(host, serve=request.param == "with a node")


def checked(node, verb, *words, code=0, **options):
    """Runs a verb with --json and holds what it prints against its schema."""
    result = node.cli(*verb.split(), *words, "--json", **options)
    assert result.code == code, result
    schema.check(result.json, f"cli/{verb.replace(' ', '-')}.json")
    return result.json


# words

def test_version():
    assert re.match(r"comity \d+\.\d+\.\d+", comity("version").out)
    schema.check(comity("version", "--json").json, "cli/version.json")


def test_help_names_every_verb_and_fits_a_terminal():
    text = comity("help").out
    for verb in VERBS:
        assert verb in text, verb
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help(verb):
    result = comity("help", *verb.split())
    assert result.code == 0 and verb in result.out, result
    assert max(map(len, result.out.splitlines())) <= 80, result.out
    assert comity(*verb.split(), "--help").out == result.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell, tmp_path):
    import shutil
    import subprocess
    script = comity("completion", shell)
    assert script.code == 0 and "checkin" in script.out
    if shutil.which(shell):
        subprocess.run([shell, "-n", "/dev/stdin"], input=script.out, text=True, check=True)
    assert comity("completion", "csh").code == 2


@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["member"], ["member", "ad"], ["member", "add"], ["member", "add", "a", "b"],
    ["member", "add", "Ana", "--teir", "x"], ["member", "add", "Ana", "--tier"], ["pass", "issue"],
    ["pass", "issue", "mem_x", "--days", "many"], ["pass", "issue", "mem_x", "--days", "31"],
    ["pass", "issue", "mem_x", "--days", "0"], ["verify"], ["checkin"], ["checkout"],
    ["token", "create", "x"], ["token", "create", "x", "--role", "king"], ["peer", "add"], ["init"],
    ["init", "one.localhost"], ["help", "frob"], ["space", "add", "https://x.localhost", "--name",
                                                  "X", "--country", "Germany"],
    ["peer", "add", "https://x.localhost", "--fingerprint", "AAAA-BBBB"],
])
def test_wrong_usage_is_exit_2(node, words):
    result = node.cli(*words)
    assert result.code == 2, result
    assert "comity" in result.err and len(result.err.splitlines()) <= 12, result
    if words:
        problem = node.cli(*words, "--json")
        assert problem.code == 2 and problem.json["status"] == 400, problem
        assert problem.json["detail"] and problem.err, "the object on stdout, words on stderr"


def test_errors_say_what_with_what_and_what_to_do(node):
    for words, name in ((("member", "show", "mem_nobody"), "mem_nobody"),
                        (("pass", "show", "pas_none"), "pas_none"),
                        (("pass", "revoke", "pas_none"), "pas_none"),
                        (("pass", "issue", "mem_nobody"), "mem_nobody"),
                        (("checkout", "vis_none"), "vis_none"),
                        (("peer", "remove", "https://nobody.example"), "nobody.example"),
                        (("token", "revoke", "none-such"), "none-such")):
        result = node.cli(*words, "--json")
        assert result.code == 1, result
        problem = result.json
        assert set(problem) >= {"type", "title", "status", "detail", "code"}, problem
        assert problem["status"] == 404 and name in problem["detail"], problem
        schema.check(problem, "cli/problem.json")
        words_only = node.cli(*words)
        assert words_only.out == "" and name in words_only.err, words_only


def test_no_state_is_said(folder):
    result = comity("--state", folder / "nothing", "member", "list")
    assert result.code == 1 and str(folder / "nothing") in result.err and "init" in result.err


def test_state_by_environment(node):
    result = comity("member", "list", "--json", env={"COMITY_STATE": str(node.dir)})
    assert result.code == 0, result


def test_a_bad_certificate_is_found_before_anything_is_made(node, ca, folder):
    one, two = ca.leaf("one.localhost"), ca.leaf("two.localhost")
    for cert, key, name in ((one[0], two[1], "one"), (two[0], two[1], "one"),
                            (one[0], one[0], "one")):
        options = ["--name", "X", "--tls-cert", cert, "--tls-key", key]
        state = folder / "bad-certificate"
        made = comity("--state", state, "init", f"https://{name}.localhost", "--trial", *options)
        assert made.code == 1 and ".localhost" in made.err and not state.exists(), made
        before = (node.dir / "comity.ini").read_text()
        added = node.cli("space", "add", f"https://{name}.localhost", *options)
        assert added.code == 1 and (node.dir / "comity.ini").read_text() == before, added
        assert not (node.dir / "spaces" / f"{name}.localhost").exists()


def on_a_terminal(node, *words, answer):
    """Runs a verb as a person would, and answers its question; the exit code and what was shown."""
    import os
    import pty
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(str(BINARY), [str(BINARY), "--state", str(node.dir), *map(str, words)])
    shown = b""
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break
        if not more:
            break
        if b"Go on?" in more:
            os.write(terminal, answer + b"\n")
        shown += more
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_what_cannot_be_undone_is_asked_on_a_terminal(node):
    member = node.member("Ana Martins")
    code, shown = on_a_terminal(node, "member", "remove", member, answer=b"n")
    assert code == 1 and "Go on?" in shown and "nothing was changed" in shown, shown
    assert checked(node, "member show", member)["state"] == "active"
    code, shown = on_a_terminal(node, "member", "remove", member, answer=b"y")
    assert code == 0 and checked(node, "member show", member)["state"] == "removed", shown
    code, shown = on_a_terminal(node, "pass", "revoke", "pas_none", "--yes", answer=b"")
    assert code == 1 and "Go on?" not in shown, shown


def test_init_twice_is_refused(node, ca):
    before = (node.dir / "comity.ini").read_text()
    result = node.cli("init", "https://other.localhost", "--name", "Other", "--trial")
    assert result.code == 1, result
    assert (node.dir / "comity.ini").read_text() == before


# shapes

def test_members(node):
    added = checked(node, "member add", "Ana Martins", "--tier", "resident", "--email",
                    "ana@example.org", "--external-id", "17", "--language", "pt")
    member = added["member"]
    assert member.startswith("mem_")
    listed = checked(node, "member list")
    assert set(listed) >= {"items", "next"} and listed["next"] is None
    assert member in [item["member"] for item in listed["items"]]
    shown = checked(node, "member show", member)
    assert (shown["name"], shown["tier"], shown["email"]) == \
        ("Ana Martins", "resident", "ana@example.org")
    assert checked(node, "member suspend", member)["state"] == "suspended"
    assert checked(node, "member restore", member)["state"] == "active"
    assert checked(node, "member remove", member, "--yes")["state"] == "removed"


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a\nb", "a\x1b[31mb", "a\u202eb"])
def test_names_that_are_none(node, name):
    result = node.cli("member", "add", name, "--json")
    assert result.code in (1, 2), result
    assert "\x1b" not in result.err and "\n\n" not in result.err


def test_names_of_the_world(node):
    for name in ("Åse Łukasz Ñandú", "李小龍", "O'Connor; DROP TABLE members", "محمد", "👩🏽‍💻 Kim"):
        member = checked(node, "member add", name)["member"]
        assert checked(node, "member show", member)["name"] == name


def test_import(node, folder):
    table = folder / "members.csv"
    table.write_text("name,tier,email,external_id\nAna Sousa,resident,a@example.org,900\n"
                     "\"Sousa, Rui\",flex,,901\n")
    dry = checked(node, "member import", table, "--dry-run")
    assert (dry["added"], dry["dry_run"]) == (2, True)
    assert checked(node, "member import", table)["added"] == 2
    again = checked(node, "member import", table)
    assert (again["added"], again["unchanged"]) == (0, 2)
    table.write_text(table.read_text().replace("flex", "resident"))
    assert checked(node, "member import", table)["updated"] == 1
    table.write_text("name,tier\n,resident\nRita,resident\n" + "x" * 200 + ",a\n")
    before = len(checked(node, "member list")["items"])
    bad = node.cli("member", "import", table, "--json")
    assert bad.code == 1, bad
    assert "2" in bad.out and len(checked(node, "member list")["items"]) == before, "all or none"
    table.write_text("Name;Tier;Email\nAna;resident;\n")
    semicolons = node.cli("member", "import", table)
    assert semicolons.code == 1 and "commas" in semicolons.err, semicolons
    assert "1 mistake" in semicolons.err, semicolons
    table.write_text("nom,tier\nAna,resident\n")
    assert node.cli("member", "import", table, "--json").code == 1


def test_passes(node, folder):
    holder = Holder()
    member = node.member("Ana Martins")
    svg, png = folder / "pass.svg", folder / "pass.png"
    issued = checked(node, "pass issue", member, "--days", "7", "--holder-key",
                     holder.write_jwk(folder / "k.jwk"), "--qr-svg", svg, "--qr-png", png)
    assert issued["pass"].startswith("pas_") and RFC3339.match(issued["expires_at"])
    assert issued["qr"].startswith(node.url + "/p#") and from_qr(issued["qr"]) == issued["token"]
    assert len(issued["token"]) <= 2000
    assert svg.read_text().startswith("<?xml") or svg.read_text().startswith("<svg")
    assert png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    shown = checked(node, "pass show", issued["pass"])
    assert "token" not in shown and issued["token"] not in json.dumps(shown)
    assert issued["pass"] in [p["pass"] for p in checked(node, "pass list")["items"]]
    assert "already" not in checked(node, "pass revoke", issued["pass"])
    assert checked(node, "pass revoke", issued["pass"])["already"] is True
    assert "already" in node.cli("pass", "revoke", issued["pass"]).out
    words = node.cli("pass", "issue", member)
    assert words.code == 0 and re.search("[▀▄█]", words.out), "the QR in the terminal"


def test_qr_pictures_are_read_by_others(node, folder):
    """zbar, where the machine has it."""
    import shutil
    import subprocess
    if not shutil.which("zbarimg"):
        pytest.skip("zbarimg is not installed")
    png = folder / "pass.png"
    issued = node.must("pass", "issue", node.member("Ana"), "--qr-png", png, "--json")
    read = subprocess.run(["zbarimg", "--raw", "-q", str(png)], capture_output=True, text=True)
    assert read.stdout.strip() == issued["qr"]


def test_a_holder_key_that_is_none(node, folder):
    member = node.member("Ana Martins")
    path = folder / "bad.jwk"
    for text in ("", "{", "{}", '{"kty":"oct","k":"AAAA"}', '{"kty":"RSA","n":"AQAB","e":"AQAB"}',
                 '{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}',
                 json.dumps({"kty": "EC", "crv": "P-256", "x": b64(b"\1" * 32),
                             "y": b64(b"\1" * 32)})):
        path.write_text(text)
        result = node.cli("pass", "issue", member, "--holder-key", path, "--json")
        assert result.code in (1, 2), result
        assert re.search("bad.jwk|holder key", result.json["detail"]), result
    assert node.cli("pass", "issue", member, "--holder-key", folder / "absent.jwk").code in (1, 2)


def test_verdicts(node, world):
    peer = world.peer("home.localhost")
    added = checked(node, "peer add", peer.url, "--yes")
    assert added["fingerprint"]
    assert peer.url in [item["peer"] for item in checked(node, "peer list")["items"]]
    checked(node, "peer refresh", peer.url)
    holder = Holder()
    text = holder.present(peer.issuer.issue(holder), node.url)
    verdict = checked(node, "verify", "-", stdin=text)
    assert verdict["verdict"] == "admit"
    checked(node, "verify", qr_digits(holder.present(peer.issuer.issue(holder), node.url)),
            "--explain")
    malformed = checked(node, "verify", "-", stdin="hello", code=3)
    assert malformed["reasons"][0]["code"] == "malformed"
    printed = checked(node, "verify", "-", stdin=peer.issuer.issue(), code=4)
    assert node.cli("checkin", "-", "--json", stdin=peer.issuer.issue()).code == 4
    visit = checked(node, "checkin", printed["verification"], "--confirm")
    assert visit["visit"].startswith("vis_")
    checked(node, "checkout", visit["visit"])
    assert visit["visit"] in [v["visit"] for v in checked(node, "visit list")["items"]]
    checked(node, "stamp list")
    words = node.cli("verify", "-", stdin=holder.present(peer.issuer.issue(holder), node.url))
    assert words.code == 0 and "admit" in words.out.lower() and "Mara Vogt" in words.out
    refused = node.cli("verify", "-", stdin="hello")
    assert refused.code == 3 and "refuse" in refused.out.lower()
    checked(node, "peer remove", peer.url)


def test_tokens(node):
    name = "window desk"
    made = checked(node, "token create", name, "--role", "manager")
    assert made["token"].startswith("cmt_")
    assert node.cli("token", "create", name, "--role", "desk", "--json").json["status"] == 409
    assert made["token"] not in node.cli("token", "list", "--json").out
    checked(node, "token list")
    checked(node, "token revoke", name)


def test_status_and_space_list(node):
    status = checked(node, "status")
    assert status
    assert node.url in [item["space"] for item in checked(node, "space list")["items"]]
    assert node.cli("config", "check").code == 0


def test_quiet_is_quiet(node):
    assert node.cli("member", "add", "Quiet Person", "--quiet").out.count("\n") <= 1


def test_no_colour_where_nobody_looks(node):
    for words in (("help",), ("member", "list"), ("status",)):
        assert "\x1b" not in node.cli(*words).out


def test_lists_have_pages(node):
    for number in range(7):
        node.member(f"Page {number}")
    seen, after = [], None
    while True:
        words = ["--limit", "3"] + (["--after", after] if after else [])
        page = checked(node, "member list", *words)
        assert len(page["items"]) <= 3
        seen += [item["member"] for item in page["items"]]
        after = page["next"]
        if not after:
            break
    everybody = [item["member"] for item in node.must("member", "list", "--json")["items"]]
    assert seen == everybody and len(set(seen)) == len(seen)


def test_reload_needs_a_node(node):
    result = node.cli("reload")
    assert result.code == (0 if node.process else 1), result
    if not node.process:
        assert "serve" in result.err


def test_verbs_at_once(node):
    """Many at a time: each waits its turn, none is lost."""
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda n: node.cli("member", "add", f"At once {n}", "--json"),
                             range(12)))
    assert all(result.code == 0 for result in made), made
    assert len({result.json["member"] for result in made}) == 12


def test_a_pass_survives_the_way_between_node_and_no_node(world):
    node = world.node("lisbon.localhost")
    member = node.member("Ana Martins")
    first = node.issue(member)["pass"]
    node.serve()
    second = node.issue(member)["pass"]
    node.stop()
    third = node.issue(member)["pass"]
    assert {p["pass"] for p in node.must("pass", "list", "--json")["items"]} == \
        {first, second, third}
    node.must("pass", "revoke", second)
    node.serve()
    wait_for(lambda: node.client().get("/status/0").status == 200, 10)

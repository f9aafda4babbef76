"""The node as a server: certificates, signals, deadlines, limits, listeners."""

import os
import signal
import socket
import ssl
import threading
import time

import pytest

from harness.client import Client
from harness.holder import Holder
from harness.node import comity
from harness.ports import free_port
from harness.wait import wait_for


def connect(node, timeout=30):
    context = ssl.create_default_context(cafile=str(node.ca.path))
    raw = socket.create_connection(("127.0.0.1", node.port), timeout)
    return context.wrap_socket(raw, server_hostname=node.host)


def closed_after(secured, limit):
    """Seconds until the other side closes."""
    began = time.monotonic()
    secured.settimeout(limit)
    try:
        while secured.recv(4096):
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    return time.monotonic() - began


@pytest.fixture(scope="module")
def node(shared_world):
    return shared_world.node("lisbon.localhost", serve=True)


@pytest.fixture(scope="module")
def client(node):
    return node.client()


# what is served

def test_public_documents(client):
    for path, kind in (("/.well-known/openid-federation", "application/entity-statement+jwt"),
                       ("/.well-known/jwt-vc-issuer", "application/json"),
                       ("/status/0", "application/statuslist+jwt")):
        answer = client.get(path)
        assert answer.status == 200 and answer.headers["content-type"].startswith(kind), answer
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status, again.body) == (304, b""), again
        head = client.request("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(answer.body))
    # a cache in between must ask each time, or it would keep a revocation back
    assert client.get("/status/0").headers["cache-control"] == "public, no-cache"
    assert client.get("/healthz").status == 200


def test_the_page_of_a_pass_shows_no_verdict(client):
    answer = client.get("/p")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"]
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    for word in ("ADMIT", "verified", "is valid", "✓", "✔"):
        assert word not in answer.text


@pytest.mark.parametrize("method,path,status", [
    ("GET", "/nothing-here", 404), ("GET", "/status/9", 404), ("GET", "/status/x", 404),
    ("GET", "/status/", 404), ("GET", "/status/0/1", 404), ("GET", "/status/00", 404),
    ("POST", "/status/0", 405), ("GET", "/api/v1/verify", 405), ("DELETE", "/healthz", 405),
    ("BREW", "/healthz", 405), ("GET", "/../etc/passwd", 404), ("GET", "/%2e%2e/x", 404),
    ("POST", "/api/v1/verify", 401), ("POST", "/api/v1/checkin", 401),
    ("POST", "/api/v1/checkout", 401),
])
def test_refusals_are_problems(client, method, path, status):
    body = {"token": "x"} if path.startswith("/api") and method == "POST" else None
    answer = client.request(method, path, body)
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status and answer.json["title"] and answer.json["code"]
    if status == 405:
        assert answer.headers["allow"]
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("body,headers,status", [
    (b"{", {"Content-Type": "application/json"}, 400),
    (b"[]", {"Content-Type": "application/json"}, 400),
    (b"{}", {"Content-Type": "application/json"}, 400),
    (b'{"token":5}', {"Content-Type": "application/json"}, 400),
    (b'{"token":"a","token":"b"}', {"Content-Type": "application/json"}, 400),
    (b'{"token":"a"}', {"Content-Type": "text/plain"}, 415),
    (b'{"token":"' + b"a" * 70000 + b'"}', {"Content-Type": "application/json"}, 413),
])
def test_bodies_that_are_not_acceptable(node, body, headers, status):
    desk = node.desk(f"desk-{abs(hash((body[:20], len(body))))}")
    answer = desk.post("/api/v1/verify", body, headers=headers)
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"


def test_tokens_of_desks(node):
    made = node.must("token", "create", "gone", "--role", "desk", "--json")
    desk = node.client(made["token"])
    assert desk.verify("hello").status == 200
    listed = node.must("token", "list", "--json")
    assert made["token"] not in str(listed), "only its digest is kept"
    node.must("token", "revoke", "gone")
    assert desk.verify("hello").status == 401
    for bearer in ("", "x", "cmt_" + "A" * 43, made["token"][:-1]):
        assert node.client(bearer or "-").verify("hello").status == 401
    answer = node.client().post("/api/v1/verify", {"token": "x"},
                                headers={"Authorization": "Basic eDp5"})
    assert answer.status == 401


# limits and deadlines

RAW = {
    "chunked": (b"POST /api/v1/verify HTTP/1.1\r\nHost: {host}\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (411, 400)),
    "two lengths": (b"POST /healthz HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\n"
                    b"Content-Length: 2\r\n\r\nab", (400,)),
    "length and chunked": (b"POST /healthz HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\na", (400, 411)),
    "a length that is no number": (b"POST /healthz HTTP/1.1\r\nHost: {host}\r\n"
                                   b"Content-Length: +5\r\n\r\nabcde", (400,)),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", (400,)),
    "two hosts": (b"GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n", (400,)),
    "a blank before the colon": (b"GET /healthz HTTP/1.1\r\nHost : {host}\r\n\r\n", (400,)),
    "a folded header": (b"GET /healthz HTTP/1.1\r\nHost: {host}\r\nX: a\r\n b\r\n\r\n", (400,)),
    "a NUL": (b"GET /healthz HTTP/1.1\r\nHost: {host}\r\nX: a\0b\r\n\r\n", (400,)),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (400,)),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    "HTTP/3.1": (b"GET /healthz HTTP/3.1\r\nHost: {host}\r\n\r\n", (400, 505)),
    "headers without end": (b"GET /healthz HTTP/1.1\r\nHost: {host}\r\n" + b"X: y\r\n" * 3000
                            + b"\r\n", (400, 431)),
    "a long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n",
                      (400, 414, 431)),
}


@pytest.mark.parametrize("name", RAW)
def test_requests_that_are_none(node, name):
    text, statuses = RAW[name]
    with connect(node) as secured:
        try:
            secured.sendall(text.replace(b"{host}", node.authority.encode()))
            line = secured.recv(4096)
        except ConnectionError:
            line = b""
    if line:
        assert int(line.split()[1]) in statuses, line
    else:
        assert name in ("garbage", "headers without end", "HTTP/2 preface", "a long target")
    assert node.client().get("/healthz").status == 200


def test_two_requests_in_one_packet(node):
    with connect(node) as secured:
        request = f"GET /healthz HTTP/1.1\r\nHost: {node.authority}\r\n\r\n".encode()
        secured.sendall(request * 2)
        text = b""
        while text.count(b"HTTP/1.1 200") < 2:
            part = secured.recv(4096)
            assert part, text
            text += part


def test_deadlines_are_absolute(node):
    """A byte now and then buys no time: 5 s for headers, 10 s for a body, none for a handshake."""
    def drip(secured, text):
        def run():
            for byte in text:
                try:
                    secured.send(bytes([byte]))
                except OSError:
                    return
                time.sleep(0.5)
        threading.Thread(target=run, daemon=True).start()

    found = {}

    def headers():
        with connect(node) as secured:
            drip(secured, b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 100)
            found["headers"] = closed_after(secured, 20)

    def body():
        with connect(node) as secured:
            secured.sendall(f"POST /node/v1/stamps HTTP/1.1\r\nHost: {node.authority}\r\nContent-"
                            "Type: application/json\r\nContent-Length: 500\r\n\r\n".encode())
            drip(secured, b"x" * 100)
            found["body"] = closed_after(secured, 25)

    def handshake():
        with socket.create_connection(("127.0.0.1", node.port), 30) as raw:
            raw.settimeout(25)
            began = time.monotonic()
            try:
                raw.recv(1)
            except ConnectionError:
                pass
            found["handshake"] = time.monotonic() - began

    threads = [threading.Thread(target=part) for part in (headers, body, handshake)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert 4 < found["headers"] < 9, found
    assert 8 < found["body"] < 15, found
    assert found["handshake"] < 15, found


def test_old_tls_is_refused(node):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", node.port), 10) as raw:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(raw, server_hostname=node.host)


# one at a time

def test_a_second_node_on_one_state_is_refused(node):
    result = node.cli("serve", timeout=30)
    assert result.code == 1 and str(node.dir) in result.err, result
    assert node.client().get("/healthz").status == 200


def test_a_port_that_is_taken_is_named(world):
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    other = world.node("porto.localhost", port=taken.getsockname()[1])
    result = other.cli("serve", timeout=30)
    assert result.code == 1 and str(other.port) in result.err, result
    taken.close()


def test_the_trial_clock_is_for_trials(world, ca):
    node = world.node("berlin.localhost", init=False)
    certificate, key = ca.leaf("berlin.example")
    node.must("init", "https://berlin.example", "--name", "Berlin", "--listen",
              f"127.0.0.1:{node.port}", "--tls-cert", certificate, "--tls-key", key,
              "--timezone", "Europe/Berlin")
    result = node.cli("member", "list", clock=86400)
    assert result.code == 1 and "COMITY_TRIAL_CLOCK" in result.err, result


# signals

def test_sighup_reloads_certificates(world, ca):
    node = world.node("lisbon.localhost", serve=True)
    client = node.client()
    before = client.peer_certificate()["serialNumber"]
    kept = node.client()
    assert kept.get("/healthz").status == 200
    ca.leaf("lisbon.localhost", serial=0x5EED0001)
    os.kill(node.process.pid, signal.SIGHUP)
    wait_for(lambda: int(client.peer_certificate()["serialNumber"], 16) == 0x5EED0001, 10,
             "the new certificate")
    assert before != client.peer_certificate()["serialNumber"]
    assert kept.get("/healthz").status == 200, "open connections go on"


def test_a_bad_certificate_keeps_the_old_one(world, ca):
    node = world.node("madrid.localhost", serve=True)
    client = node.client()
    before = client.peer_certificate()["serialNumber"]
    (ca.folder / "madrid.localhost.pem").write_text("no certificate")
    reload = node.cli("reload", "--json")
    assert reload.code == 1 and "madrid.localhost.pem" in reload.out, reload
    assert client.peer_certificate()["serialNumber"] == before
    check = node.cli("config", "check")
    assert check.code == 1 and "madrid.localhost.pem" in check.err, check
    ca.leaf("madrid.localhost", serial=0x5EED0002)
    node.must("reload")
    wait_for(lambda: int(client.peer_certificate()["serialNumber"], 16) == 0x5EED0002, 10,
             "the new certificate")


def test_sigterm_finishes_requests(world):
    """Check-ins are under way when it is told to stop: each is answered, or was never begun."""
    home, host = world.pair()
    desk = host.desk()
    tokens = []
    for number in range(8):
        holder = Holder()
        issued = home.issue(home.member(f"Member {number}"), holder)
        tokens.append(holder.present(issued["token"], host.url))
    answers, lock = {}, threading.Lock()

    def check_in(number):
        client = host.client(desk.bearer)
        try:
            answer = client.checkin(tokens[number], key=f"key-{number}")
            with lock:
                answers[number] = answer
        except (OSError, ValueError):
            pass

    threads = [threading.Thread(target=check_in, args=(n,)) for n in range(len(tokens))]
    for thread in threads:
        thread.start()
    wait_for(lambda: answers, 10, "a first answer")
    assert host.stop() == 0
    for thread in threads:
        thread.join(30)
    told = {answer.json["visit"] for answer in answers.values() if answer.status < 300}
    kept = {visit["visit"] for visit in host.visits()}
    assert told == kept, "whoever was told is kept, and nobody else"
    assert not (host.dir / "comity.sock").exists() or host.cli("status").code == 0


def test_nothing_stays_behind(world):
    node = world.node("lisbon.localhost", serve=True)
    group = node.process.pid
    assert node.stop() == 0
    from harness.node import _group_alive
    wait_for(lambda: not _group_alive(group), 5, "the signer to be gone")


def test_kill_9_of_the_node_ends_the_signer_and_it_starts_again(world):
    node = world.node("lisbon.localhost", serve=True)
    member = node.member("Ana Martins")
    first = node.issue(member)
    node.kill()
    node.serve()
    assert node.must("pass", "show", first["pass"], "--json")["pass"] == first["pass"]
    assert node.issue(member)["pass"] != first["pass"]


# behind a proxy

def test_a_plain_listener_is_for_this_machine_only(world):
    node = world.node("lisbon.localhost")
    for address in ("0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080", "10.0.0.5:8080"):
        node.setting("plain", address)
        result = node.cli("serve", timeout=30)
        assert result.code == 1 and "plain" in result.err, result
        assert node.cli("config", "check").code == 1


def test_a_plain_listener_serves_a_proxy(world):
    node = world.node("lisbon.localhost")
    port = free_port()
    node.setting("plain", f"127.0.0.1:{port}")
    node.setting("trusted_proxies", "127.0.0.1/32")
    node.serve()
    with socket.create_connection(("127.0.0.1", port), 10) as raw:
        raw.sendall(f"GET /.well-known/jwt-vc-issuer HTTP/1.1\r\nHost: {node.authority}\r\n"
                    "X-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n".encode())
        text = b""
        while part := raw.recv(4096):
            text += part
    assert text.startswith(b"HTTP/1.1 200") and node.url.encode() in text


def test_a_unix_socket_serves_a_proxy(world):
    node = world.node("lisbon.localhost")
    path = node.folder / "plain.sock"
    node.setting("plain", f"unix:{path}")
    node.serve()
    raw = socket.socket(socket.AF_UNIX)
    raw.settimeout(10)
    raw.connect(str(path))
    raw.sendall(f"GET /healthz HTTP/1.1\r\nHost: {node.authority}\r\n\r\n".encode())
    assert raw.recv(4096).startswith(b"HTTP/1.1 200")
    raw.close()


# settings

@pytest.mark.parametrize("line", ["listen = nonsense", "loops = 0", "loops = many",
                                  "trusted_proxies = 300.1.2.3/8", "no_such_setting = 1",
                                  "status_poll = -1", "trial = perhaps"])
def test_a_bad_setting_is_named_with_its_line(world, line):
    node = world.node("lisbon.localhost")
    name, _, value = line.partition(" = ")
    node.setting(name, value)
    number = node.dir.joinpath("comity.ini").read_text().splitlines().index(line) + 1
    result = node.cli("config", "check")
    assert result.code == 1, result
    assert name in result.err and f"{number}" in result.err, result


def test_an_unknown_zone_is_refused(world, ca):
    node = world.node("lisbon.localhost", init=False)
    result = comity("--state", node.dir, "init", node.url, "--name", "Lisbon", "--trial",
                    "--timezone", "Europe/Lisboa")
    assert result.code in (1, 2) and "Europe/Lisboa" in result.err, result
    assert not (node.dir / "comity.ini").exists()


def test_a_started_node_answers_soon(world):
    node = world.node("lisbon.localhost")
    client = Client(node.url, node.ca.path)
    began = time.monotonic()
    node.serve()
    assert time.monotonic() - began < 10
    assert client.get("/healthz").status == 200

"""A peer in Python, over real TLS: it serves what an Issuer signs, and misbehaves when asked to.

    peer.behave(path, lambda handler: ...)     answers a path in its own way
    peer.behave(path, None)                    is itself again
"""

import http.server
import json
import socketserver
import ssl
import threading
import time

from .issuer import Issuer
from .ports import free_port

CONFIGURATION = "/.well-known/openid-federation"
STATUS = "/status/0"
STAMPS = "/node/v1/stamps"
ANY = "*"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def reply(self, status, content_type, body, **headers):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _serve(self):
        peer = self.server.peer
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with peer.lock:
            peer.requests.append((self.command, self.path, dict(self.headers), body))
            behaviour = peer.behaviours.get(self.path) or peer.behaviours.get(ANY)
        self.body = body
        try:
            (behaviour or peer.answer)(self)
        except (BrokenPipeError, ConnectionError, ssl.SSLError, TimeoutError):
            pass
        if behaviour:
            self.close_connection = True

    do_GET = do_POST = do_HEAD = _serve


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, peer):
        self.peer = peer
        super().__init__(address, _Handler)

    def get_request(self):
        raw, address = super().get_request()
        raw.settimeout(30)
        return raw, address

    def finish_request(self, request, client_address):
        """The handshake happens in the connection's own thread."""
        try:
            with self.peer.context.wrap_socket(request, server_side=True) as secured:
                self.RequestHandlerClass(secured, client_address, self)
        except (OSError, ssl.SSLError):
            pass

    def handle_error(self, request, client_address):
        pass


class FakePeer:
    def __init__(self, ca, host="mallory.localhost", alg="ES256", certificate_host=None,
                 expired=False, port=None):
        self.port = port or free_port()
        self.host, self.url = host, f"https://{host}:{self.port}"
        self.issuer = Issuer(self.url, host.split(".")[0].title(), alg)
        self.behaviours, self.requests, self.lock = {}, [], threading.Lock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = ca.leaf(certificate_host or host, stem=f"{host}-{self.port}",
                                   expired=expired)
        self.context.load_cert_chain(certificate, key)
        self.server = None
        self.start()

    def start(self):
        self.server = _Server(("127.0.0.1", self.port), self)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
        self.server = None

    def behave(self, path, behaviour):
        with self.lock:
            self.behaviours[path] = behaviour

    def seen(self, path):
        """How often a path was asked for."""
        with self.lock:
            return sum(1 for request in self.requests if request[1] == path)

    def answer(self, handler):
        if handler.path == CONFIGURATION:
            handler.reply(200, "application/entity-statement+jwt", self.issuer.configuration())
        elif handler.path == STATUS:
            handler.reply(200, "application/statuslist+jwt", self.issuer.status_list())
        elif handler.path == "/healthz":
            handler.reply(200, "text/plain", "ok\n")
        else:
            handler.reply(404, "application/problem+json", json.dumps({"status": 404}))


# Ways to misbehave.

def garbage(handler):
    handler.reply(200, "application/entity-statement+jwt", b"\x00\xff not a token \xfe" * 40)


def html(handler):
    handler.reply(200, "text/html", "<h1>It works!</h1>")


def endless(handler):
    """2 GB and no Content-Length, as fast as they are taken."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/entity-statement+jwt")
    handler.send_header("Connection", "close")
    handler.end_headers()
    block = b"A" * 65536
    for _ in range(2 * 1024 * 1024 * 1024 // len(block)):
        handler.wfile.write(block)


def announces_2_gb(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/entity-statement+jwt")
    handler.send_header("Content-Length", str(2 * 1024 * 1024 * 1024))
    handler.end_headers()
    handler.wfile.write(b"A" * 65536)


def drips(handler):
    """A byte a second, for longer than anybody should wait."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/entity-statement+jwt")
    handler.send_header("Content-Length", "2000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b"e")
        handler.wfile.flush()
        time.sleep(1)


def redirects(handler):
    handler.reply(302, "text/plain", "over there", Location="https://elsewhere.localhost/")


def hangs(handler):
    time.sleep(40)


def says(status):
    return lambda handler: handler.reply(status, "text/plain", "no")


def not_http(handler):
    handler.wfile.write(b"220 mail.localhost ESMTP\r\n")

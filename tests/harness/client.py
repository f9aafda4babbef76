"""HTTPS to a node on loopback: the right name in SNI and Host, our own CA, nothing else."""

import http.client
import json
import socket
import ssl


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


class _Connection(http.client.HTTPSConnection):
    def __init__(self, host, port, context, timeout, sni):
        super().__init__("127.0.0.1", port, timeout=timeout, context=context)
        self._sni, self._context_own = sni, context

    def connect(self):
        raw = socket.create_connection((self.host, self.port), self.timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._context_own.wrap_socket(raw, server_hostname=self._sni)


class Client:
    """Kept-alive calls to one space. `bearer` is a desk's token."""

    def __init__(self, entity, ca, bearer=None, timeout=30):
        self.entity = entity
        self.authority = entity[len("https://"):]
        host, _, port = self.authority.partition(":")
        self.host, self.port = host, int(port or 443)
        self.context = ssl.create_default_context(cafile=str(ca))
        self.bearer, self.timeout = bearer, timeout
        self._connection = None

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def peer_certificate(self):
        """The certificate that a new connection is shown."""
        with socket.create_connection(("127.0.0.1", self.port), self.timeout) as raw:
            with self.context.wrap_socket(raw, server_hostname=self.host) as secured:
                return secured.getpeercert()

    def request(self, method, path, body=None, headers=None, fresh=False):
        sent = {"Host": self.authority}
        if self.bearer:
            sent["Authorization"] = f"Bearer {self.bearer}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        elif isinstance(body, str):
            body = body.encode()
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        if fresh:
            self.close()
        for last in (False, True):
            reused = self._connection is not None
            if not reused:
                self._connection = _Connection(self.host, self.port, self.context, self.timeout,
                                               self.host)
            try:
                self._connection.request(method, path, body, sent)
                answer = Answer(self._connection.getresponse())
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
                self.close()
                if last or not reused:  # an idle connection may have been closed meanwhile
                    raise
                continue
            if answer.headers.get("connection", "").lower() == "close":
                self.close()
            return answer
        raise AssertionError("not reached")

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    # what a desk does

    def verify(self, text, **members):
        return self.post("/api/v1/verify", {"token": text, **members})

    def checkin(self, text, key=None, **members):
        """`text` is what was scanned, or the id of a verification."""
        headers = {"Idempotency-Key": key} if key else {}
        name = "verification" if text.startswith("ver_") else "token"
        return self.post("/api/v1/checkin", {name: text, **members}, headers=headers)

    def checkout(self, visit, **members):
        return self.post("/api/v1/checkout", {"visit": visit, **members})

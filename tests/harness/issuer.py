"""A space in Python: it signs configurations, passes, status lists and requests of its own.

Written from the specification, not from the node: where the two disagree, a test fails.
"""

import base64
import hashlib
import secrets
import time
import zlib

from . import jose

VCT = "urn:coworking:pass:1"
DAY = 86400


class Issuer:
    """The keys and the lists of one space. `clock` seconds are added to the system's time."""

    def __init__(self, url, name="Pretend", alg="ES256"):
        self.url, self.name, self.clock = url, name, 0
        self.federation, self.passes = jose.Key(alg), jose.Key(alg)
        self.statuses = {}  # index -> 1 or 2
        self.status_bits = 2
        self.status_entries = 1024
        self.last_iat = 0
        self.next_idx = 1

    def now(self):
        return int(time.time()) + self.clock

    def fresh_iat(self):
        """Never two records with one iat; never in the future of others by more than the skew."""
        self.last_iat = max(self.now(), self.last_iat + 1)
        return self.last_iat

    # the entity configuration: OpenID Federation 1.0 sections 3 and 9

    def configuration_payload(self):
        iat = self.fresh_iat()
        return {
            "iss": self.url, "sub": self.url, "iat": iat, "exp": iat + 30 * DAY,
            "jwks": {"keys": [{**self.federation.jwk, "kid": self.federation.kid}]},
            "comity_versions": [1],
            "metadata": {
                "federation_entity": {"organization_name": self.name},
                "comity_space": {
                    "pass_jwks": {"keys": [{**self.passes.jwk, "kid": self.passes.kid}]},
                    "status_lists": [f"{self.url}/status/0"],
                    "endpoints": {"stamps": f"{self.url}/node/v1/stamps"},
                    "listing": {"name": self.name, "country": "DE", "timezone": "Europe/Berlin",
                                "lat": 52.5, "lon": 13.4},
                    "terms": {},
                },
            },
        }

    def configuration(self, change=None, key=None, header=None):
        payload = self.configuration_payload()
        if change:
            change(payload)
        return jose.sign(key or self.federation, "entity-statement+jwt", payload, header)

    # the status list: IETF draft Token Status List

    def status_payload(self, uri=None, bits=None, exp=None):
        bits = bits or self.status_bits
        data = bytearray(self.status_entries * bits // 8)
        for index, value in self.statuses.items():
            data[index * bits // 8] |= value << (index * bits % 8)
        iat = self.fresh_iat()
        return {"iss": self.url, "sub": uri or f"{self.url}/status/0", "iat": iat,
                "exp": exp or iat + 7 * DAY, "ttl": 3600,
                "status_list": {"bits": bits, "lst": jose.b64(zlib.compress(bytes(data), 9))}}

    def status_list(self, change=None, key=None, header=None, **options):
        payload = self.status_payload(**options)
        if change:
            change(payload)
        return jose.sign(key or self.passes, "statuslist+jwt", payload, header)

    # the pass: RFC 9901, SD-JWT VC, proto/pass.md

    def claims(self, holder=None, idx=None, days=30):
        if idx is None:
            idx, self.next_idx = self.next_idx, self.next_idx + 1
        now = self.now()
        claims = {"iss": self.url, "vct": VCT, "iat": now - 5, "exp": now - 5 + days * DAY,
                  "sub": secrets.token_urlsafe(16), "tier": "resident",
                  "status": {"status_list": {"idx": idx, "uri": f"{self.url}/status/0"}}}
        if holder:
            claims["cnf"] = {"jwk": dict(holder.jwk)}
        return claims

    def issue(self, holder=None, name="Mara Vogt", change=None, typ="dc+sd-jwt", key=None,
              header=None, **options):
        """A pass with its disclosures, ending in '~'. `change` may edit the claims."""
        claims = self.claims(holder, **options)
        tail = "~"
        if name:
            disclosure = jose.b64(jose.compact([secrets.token_urlsafe(16), "name", name]))
            claims["_sd"] = [jose.b64(hashlib.sha256(disclosure.encode()).digest())]
            tail += disclosure + "~"
        if change:
            change(claims)
        return jose.sign(key or self.passes, typ, claims, header) + tail

    # stamps and the requests that carry them: RFC 9421, RFC 9530, proto/stamp.md

    def request_headers(self, method, authority, path, body, key=None, nonce=None, created=None,
                        lifetime=60, tag="comity", alg=None, covered=None):
        key = key or self.federation
        digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
        names = covered or ["@method", "@authority", "@path", "content-type", "content-digest"]
        values = {"@method": method, "@authority": authority, "@path": path,
                  "content-type": "application/json", "content-digest": digest}
        created = created if created is not None else self.now()
        alg = alg or {"ES256": "ecdsa-p256-sha256"}.get(key.alg, "ed25519")
        quoted = " ".join(f'"{name}"' for name in names)
        params = (f"({quoted});created={created};expires={created + lifetime};"
                  f'nonce="{nonce or secrets.token_urlsafe(16)}";keyid="{key.kid}";'
                  f'alg="{alg}";tag="{tag}"')
        base = "".join(f'"{name}": {values[name]}\n' for name in names)
        base += f'"@signature-params": {params}'
        signature = base64.b64encode(key.sign(base.encode())).decode()
        return {"Content-Type": "application/json", "Content-Digest": digest,
                "Signature-Input": f"comity={params}", "Signature": f"comity=:{signature}:"}

    def stamp(self, home, pass_claims, key=None, change=None, revision=1, visit=None):
        now = self.now()
        claims = {"iss": self.url, "aud": home, "jti": visit or "vis_" + secrets.token_hex(8),
                  "iat": self.fresh_iat(), "rev": revision, "sub": pass_claims["sub"],
                  "status": pass_claims["status"]["status_list"], "tier": pass_claims["tier"],
                  "in": now - 60, "day": time.strftime("%Y-%m-%d", time.gmtime(now)),
                  "tz": "Europe/Berlin", "verdict": "ask", "data_age": 5, "unproven": True}
        if change:
            change(claims)
        return jose.sign(key or self.federation, "comity-stamp+jwt", claims)

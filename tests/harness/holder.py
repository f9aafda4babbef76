"""A holder's device: it keeps a key, and presents a pass with a proof (RFC 9901 section 4.3)."""

import hashlib
import json
import secrets
import time

from . import jose

ANY_DESK = "urn:comity:any-desk"


def issued_part(token):
    """The pass with its disclosures, ending in '~'."""
    return token[:token.rindex("~") + 1]


def proof_part(token):
    return token[token.rindex("~") + 1:]


class Holder:
    def __init__(self, alg="ES256"):
        self.key = jose.Key(alg)

    @property
    def jwk(self):
        return self.key.jwk

    def write_jwk(self, path):
        """The public key, as `pass issue --holder-key` wants it."""
        path.write_text(json.dumps(self.jwk))
        return path

    def proof(self, issued, audience, now=None, nonce=None, key=None, typ="kb+jwt", header=None,
              without=(), **claims):
        payload = {"iat": int(now if now is not None else time.time()), "aud": audience,
                   "nonce": nonce or secrets.token_urlsafe(16),
                   "sd_hash": jose.b64(hashlib.sha256(issued.encode()).digest())}
        payload.update(claims)
        payload = {name: value for name, value in payload.items() if name not in without}
        return jose.sign(key or self.key, typ, payload, header, kid=False)

    def present(self, token, audience=ANY_DESK, **options):
        issued = issued_part(token)
        return issued + self.proof(issued, audience, **options)


def qr_digits(token):
    """Each character as two decimal digits, code - 45."""
    return "".join(f"{ord(c) - 45:02d}" for c in token)


def from_qr(text):
    digits = text.rpartition("#")[2]
    return "".join(chr(int(digits[i:i + 2]) + 45) for i in range(0, len(digits), 2))

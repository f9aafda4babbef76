"""JOSE, read a second time: RFC 7515, 7517, 7518, 7638, 8037, on python3-cryptography."""

import base64
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def thumbprint(jwk):
    names = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}[jwk["kty"]]
    return b64(hashlib.sha256(compact({name: jwk[name] for name in names})).digest())


class Key:
    """A private key: P-256 ("ES256") or Ed25519 ("EdDSA")."""

    def __init__(self, alg="ES256"):
        self.alg = alg
        if alg == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
            numbers = self.private.public_key().public_numbers()
            self.jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")),
                        "y": b64(numbers.y.to_bytes(32, "big"))}
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()
            raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        self.kid = thumbprint(self.jwk)

    def sign(self, data):
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def sign_der(self, data):
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


def sign(key, typ, payload, header=None, kid=True):
    """A compact JWS. `header` adds or replaces members; payload is a dict or bytes."""
    protected = {"alg": key.alg, "typ": typ}
    if kid:
        protected["kid"] = key.kid
    protected.update(header or {})
    protected = {name: value for name, value in protected.items() if value is not None}
    body = payload if isinstance(payload, bytes) else compact(payload)
    if hasattr(key, "sign_token"):  # a key of another library, which makes the whole token
        return key.sign_token(protected, body)
    signing_input = f"{b64(compact(protected))}.{b64(body)}"
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"


def decode(token):
    """Header and payload, without checking anything."""
    parts = token.split(".")
    return json.loads(unb64(parts[0])), json.loads(unb64(parts[1]))


def verify(token, jwk):
    """Checks a compact JWS against a public JWK, and returns header and payload."""
    header_text, payload_text, signature_text = token.split(".")
    header = json.loads(unb64(header_text))
    signing_input, signature = f"{header_text}.{payload_text}".encode(), unb64(signature_text)
    if jwk["kty"] == "OKP":
        assert header["alg"] in ("EdDSA", "Ed25519")
        ed25519.Ed25519PublicKey.from_public_bytes(unb64(jwk["x"])).verify(signature, signing_input)
    else:
        assert header["alg"] == "ES256" and len(signature) == 64
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(unb64(jwk["x"]), "big"),
                                                int.from_bytes(unb64(jwk["y"]), "big"),
                                                ec.SECP256R1())
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                         int.from_bytes(signature[32:], "big"))
        numbers.public_key().verify(der, signing_input, ec.ECDSA(hashes.SHA256()))
    return header, json.loads(unb64(payload_text))


def verifies(token, jwk):
    try:
        verify(token, jwk)
    except (InvalidSignature, AssertionError):
        return False
    return True


def twin(token):
    """The same ES256 token with (r, n - s): as valid as the original."""
    head, _, signature_text = token.rpartition(".")
    signature = unb64(signature_text)
    s = P256_ORDER - int.from_bytes(signature[32:], "big")
    return f"{head}.{b64(signature[:32] + s.to_bytes(32, 'big'))}"

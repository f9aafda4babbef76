"""`jose` of npm as a process, and keys whose tokens other code makes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws

from harness.node import BUILD

HERE = Path(__file__).resolve().parent


def install():
    """node_modules in the build folder, after the lockfile; nothing in the tree, nothing at home."""
    place = BUILD / "interop"
    place.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_text()
    done = place / "installed.json"
    for name in ("package.json", "package-lock.json", ".npmrc", "jose.mjs"):
        shutil.copy(HERE / name, place / name)
    if not done.exists() or done.read_text() != lock:
        env = {**os.environ, "npm_config_cache": str(BUILD / "npm-cache"),
               "npm_config_update_notifier": "false"}
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                        "--loglevel=error"], cwd=place, env=env, check=True, timeout=300)
        done.write_text(lock)
    return place


class JoseJs:
    def __init__(self, place):
        self.process = subprocess.Popen(["node", "jose.mjs"], cwd=place, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, do, **members):
        self.process.stdin.write(json.dumps({"do": do, **members}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def must(self, do, **members):
        answer = self.ask(do, **members)
        assert "error" not in answer, answer
        return answer

    def key(self, alg):
        return JsKey(self, alg)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class JsKey:
    """In the place of a harness.jose.Key."""

    def __init__(self, js, alg):
        made = js.must("make", alg=alg)
        self.js, self.alg, self.jwk, self.kid = js, alg, made["jwk"], made["kid"]

    def sign_token(self, header, payload):
        return self.js.must("sign", kid=self.kid, header=header, payload=payload.decode())["token"]


class JwcryptoKey:
    """Likewise, by python3-jwcrypto."""

    def __init__(self, alg):
        self.alg = alg
        kind = {"kty": "EC", "crv": "P-256"} if alg == "ES256" else {"kty": "OKP", "crv": "Ed25519"}
        self.key = jwcrypto_jwk.JWK.generate(**kind)
        self.jwk = json.loads(self.key.export_public())
        self.kid = self.key.thumbprint()

    def sign_token(self, header, payload):
        token = jwcrypto_jws.JWS(payload)
        token.add_signature(self.key, None, json.dumps({**header, "alg": self.alg}))
        return token.serialize(compact=True)


@pytest.fixture(scope="session")
def js():
    made = JoseJs(install())
    yield made
    made.close()


@pytest.fixture(params=["npm jose", "jwcrypto"])
def make_key(request):
    """Makes a key of an algorithm, whose tokens that library makes."""
    if request.param == "jwcrypto":
        return JwcryptoKey
    return request.getfixturevalue("js").key

// JOSE by npm's `jose`: a request a line on stdin, an answer a line on stdout, both JSON.
import * as jose from "jose";
import readline from "node:readline";

const keys = new Map(); // kid -> {alg, private}
const text = (bytes) => new TextDecoder().decode(bytes);

const verbs = {
  async make({ alg }) {
    const pair = await jose.generateKeyPair(alg, { extractable: true });
    const jwk = await jose.exportJWK(pair.publicKey);
    const kid = await jose.calculateJwkThumbprint(jwk);
    keys.set(kid, { alg, private: pair.privateKey });
    return { jwk, kid };
  },
  // The whole token is made by jose: header, payload, encoding, signature.
  async sign({ kid, header, payload }) {
    const key = keys.get(kid);
    const token = await new jose.CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ ...header, alg: key.alg })
      .sign(key.private);
    return { token };
  },
  async verify({ token, jwks, typ, issuer, now }) {
    const done = await jose.jwtVerify(token, jose.createLocalJWKSet(jwks), {
      typ,
      issuer,
      currentDate: now ? new Date(now * 1000) : undefined,
    });
    return { header: done.protectedHeader, payload: done.payload };
  },
  async thumbprint({ jwk }) {
    return { kid: await jose.calculateJwkThumbprint(jwk) };
  },
  async decode({ token }) {
    return { header: jose.decodeProtectedHeader(token), payload: jose.decodeJwt(token) };
  },
  async flattened({ token, jwk }) {
    const [header, payload, signature] = token.split(".");
    const done = await jose.flattenedVerify(
      { protected: header, payload, signature },
      await jose.importJWK(jwk, jose.decodeProtectedHeader(token).alg),
    );
    return { payload: JSON.parse(text(done.payload)) };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = await verbs[request.do](request);
  } catch (error) {
    answer = { error: error.code ?? String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}

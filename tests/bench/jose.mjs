// The same passes verified by `jose`: parsed keys, one signature check and the claims of each.
// Prints microseconds of wall time and of CPU for one pass, one at a time and many at once.
import { readFileSync } from 'node:fs'
import { compactVerify, importJWK } from 'jose'

const { passes } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const keys = new Map()
for (const { jwk } of passes) {
  const id = jwk.x
  if (!keys.has(id)) keys.set(id, await importJWK(jwk, 'ES256'))
}
const decoder = new TextDecoder()

async function verify({ token, jwk }) {
  const jwt = token.slice(0, token.indexOf('~'))
  const { payload } = await compactVerify(jwt, keys.get(jwk.x), { algorithms: ['ES256'] })
  const claims = JSON.parse(decoder.decode(payload))
  if (claims.vct !== 'urn:coworking:pass:1' || claims.exp * 1000 < Date.now()) throw new Error('claims')
}

async function round(run) {
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  await run()
  const wall = Number(process.hrtime.bigint() - start) / 1e3
  const { user, system } = process.cpuUsage(cpu)
  return { wall_us: wall / passes.length, cpu_us: (user + system) / passes.length }
}

const one = async () => { for (const p of passes) await verify(p) }
const many = async () => { await Promise.all(passes.map(verify)) }
await one()
await many()
const median = (rows, name) => rows.map((r) => r[name]).sort((a, b) => a - b)[rows.length >> 1]
const out = {}
for (const [name, run] of [['one', one], ['many', many]]) {
  const rows = []
  for (let i = 0; i < 9; i++) rows.push(await round(run))
  out[name] = { wall_us: median(rows, 'wall_us'), cpu_us: median(rows, 'cpu_us') }
}
console.log(JSON.stringify(out))

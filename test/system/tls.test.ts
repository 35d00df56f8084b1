import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { HTTPCheck } from '../../lib/checks/http-check.js'
import { TLSCheck } from '../../lib/checks/tls-check.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { day, second } from '../../lib/core/units.js'
import type { Status } from '../../types/status.js'

const folder = mkdtempSync(join(tmpdir(), 'tls-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string): string => join(folder, name)

function openssl (...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** As `openssl ca` wants it: 20240131120000Z. */
function date (daysFromNow: number): string {
  return new Date(Date.now() + daysFromNow * day(1).milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
}

writeFileSync(file('ca.conf'), `
[ca]
default_ca = tests
[tests]
new_certs_dir = ${folder}
database = ${file('index')}
serial = ${file('serial')}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[issuer]
basicConstraints = critical, CA:true
[req]
distinguished_name = none
[none]
`)
writeFileSync(file('index'), '')
writeFileSync(file('serial'), '01\n')

/** A key and a request for a certificate of that name. */
function request (name: string, alternativeNames: string): void {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`)
  openssl('req', '-new', '-config', 'ca.conf', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-addext', `subjectAltName = ${alternativeNames}`, '-out', `${name}.csr`)
}

function issuer (name: string, from: number, to: number): void {
  request(name, 'DNS:issuer.example')
  openssl('ca', '-batch', '-config', 'ca.conf', '-selfsign', '-keyfile', `${name}.key`, '-extensions', 'issuer', '-notext', '-startdate', date(from), '-enddate', date(to), '-in', `${name}.csr`, '-out', `${name}.pem`)
}

function certificate (name: string, { by = 'issuer', names = 'DNS:localhost, IP:127.0.0.1', from = -30, to = 90 } = {}): void {
  request(name, names)
  const signed = by === name ? ['-selfsign', '-keyfile', `${name}.key`] : ['-cert', `${by}.pem`, '-keyfile', `${by}.key`]
  openssl('ca', '-batch', '-config', 'ca.conf', ...signed, '-notext', '-startdate', date(from), '-enddate', date(to), '-in', `${name}.csr`, '-out', `${name}.pem`)
}

issuer('issuer', -60, 600)
issuer('stranger', -60, 600)
issuer('old', -60, -1)
certificate('good')
certificate('ends', { to: 5.5 })
certificate('expired', { to: -1 })
certificate('early', { from: 1 })
certificate('other-name', { names: 'DNS:other.example' })
certificate('from-stranger', { by: 'stranger' })
certificate('from-old', { by: 'old' })
certificate('itself', { by: 'itself' })

const ca = [readFileSync(file('issuer.pem')), readFileSync(file('old.pem'), 'utf8')]

/** A server of openssl's with that certificate, and its port. */
async function serve (t: { teardown (action: () => Promise<void>): unknown }, name: string, ...args: string[]): Promise<number> {
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', `${name}.pem`, '-key', `${name}.key`, '-www', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(server, 'close')
  t.teardown(async () => {
    server.kill()
    await closed
  })
  server.stderr.resume()
  for await (const line of createInterface(server.stdout)) {
    const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1]
    if (port !== undefined) return Number(port)
  }
  throw new Error('openssl s_server does not listen')
}

async function ask (port: number, options: object = {}): Promise<Status> {
  return await new TLSCheck({ host: '127.0.0.1', port, ca, timeout: second(30), ...options }).getStatus()
}

const cases: Array<[name: string, options: object, state: string, detail: RegExp | undefined, daysLeft: [number, number]]> = [
  ['good', {}, OK, undefined, [89, 90]],
  ['good', { servername: 'localhost' }, OK, undefined, [89, 90]],
  ['good', { warnBefore: day(100) }, YELLOW, /ends in 89 days, on \d{4}-\d\d-\d\d$/, [89, 90]],
  ['good', { servername: 'other.example' }, RED, /is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)$/, [89, 90]],
  ['good', { ca: undefined }, RED, /has an unknown issuer \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)$/, [89, 90]],
  ['ends', {}, YELLOW, /ends in 5 days, on \d{4}-\d\d-\d\d$/, [5, 5.5]],
  ['ends', { warnBefore: day(5) }, OK, undefined, [5, 5.5]],
  ['expired', {}, RED, /expired on \d{4}-\d\d-\d\d$/, [-2, -1]],
  ['early', {}, RED, /is not valid yet, or one of its issuers is not \(CERT_NOT_YET_VALID\)$/, [89, 90]],
  ['other-name', {}, RED, /is for another name/, [89, 90]],
  ['other-name', { servername: 'other.example' }, OK, undefined, [89, 90]],
  ['from-stranger', {}, RED, /has an unknown issuer \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)$/, [89, 90]],
  ['from-old', {}, RED, /has expired, or one of its issuers has \(CERT_HAS_EXPIRED\)$/, [89, 90]],
  ['itself', {}, RED, /is self-signed \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/, [89, 90]]
]

for (const [name, options, state, detail, [least, most]] of cases) {
  t.test(`the certificate "${name}", asked with ${JSON.stringify(Object.keys(options))}, is ${state}`, async (t) => {
    const status = await ask(await serve(t, name), options)
    t.equal(status.state, state, JSON.stringify(status))
    if (detail === undefined) t.notOk('detail' in status)
    else t.match(status.detail, detail)
    const left = status.metrics?.certificate_days_left as number
    t.ok(left >= least && left <= most, `${left} days left`)
  })
}

t.test('a chain with its issuer in it is verified', async (t) => {
  t.match(await ask(await serve(t, 'from-stranger', '-cert_chain', 'stranger.pem')), { state: RED, detail: /has an unknown issuer \(SELF_SIGNED_CERT_IN_CHAIN\)$/ })
  t.match(await ask(await serve(t, 'good', '-cert_chain', 'issuer.pem')), { state: OK })
})

t.test('TLS 1.2 is spoken, TLS 1.1 is not', async (t) => {
  t.match(await ask(await serve(t, 'good', '-tls1_2')), { state: OK })
  t.match(await ask(await serve(t, 'good', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')), { state: RED, detail: /^no TLS connection to 127\.0\.0\.1:\d+: E[A-Z\d_]+$/ })
})

t.test('the server sees no broken handshake', async (t) => {
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', 'good.pem', '-key', 'good.key', '-naccept', '1'], { cwd: folder, stdio: 'pipe' })
  let output = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => { output += text })
  const closed = once(server, 'close')
  let port = 0
  for await (const line of createInterface(server.stdout)) {
    output += `${line}\n`
    if (port !== 0) continue
    port = Number(/^ACCEPT .*:(\d+)$/.exec(line)?.[1] ?? 0)
    if (port !== 0) t.match(await ask(port), { state: OK })
  }
  await closed
  t.match(output, /CIPHER is/)
  t.notMatch(output, /error/i)
})

t.test('HTTPCheck verifies the same certificates', async (t) => {
  const get = async (name: string): Promise<Status> => {
    const check = new HTTPCheck({ url: `https://127.0.0.1:${await serve(t, name)}/`, ca, timeout: second(30) })
    t.teardown(() => check.stop())
    return await check.getStatus()
  }
  t.match(await get('good'), { state: OK, metrics: { status_code: 200 } })
  t.match(await get('expired'), { state: RED, detail: /: CERT_HAS_EXPIRED$/ })
  t.match(await get('other-name'), { state: RED, detail: /: ERR_TLS_CERT_ALTNAME_INVALID$/ })
  t.match(await get('from-stranger'), { state: RED, detail: /: UNABLE_TO_VERIFY_LEAF_SIGNATURE$/ })
  t.match(await get('itself'), { state: RED, detail: /: DEPTH_ZERO_SELF_SIGNED_CERT$/ })
})

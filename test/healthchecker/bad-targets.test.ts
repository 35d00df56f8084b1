import dns from 'node:dns'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createTlsServer } from 'node:tls'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Healthchecker, WatchedFleet } from '../../lib/healthchecker/index.js'
import type { FleetOptions, Protocol, Registration } from '../../types/healthchecker.js'
import { ca, certificate } from '../checks/support/certificates.js'
import { closedPort, listen, misbehaving, misbehavingInHTTP, peer } from '../checks/support/peers.js'
import { registration } from './support/apps.js'
import { HandSchedule, target, type Answer } from './support/target.js'

interface Watching {
  readonly fleet: WatchedFleet
  readonly address: string
  readonly schedule: HandSchedule
  /** The names of the apps whose checks ended, in that order. */
  readonly checked: string[]
  /** Gives apps their turns, and waits for their checks. */
  check (names: readonly string[]): Promise<void>
}

async function watching (t: Test, options: FleetOptions = {}): Promise<Watching> {
  const schedule = new HandSchedule()
  const fleet = new WatchedFleet({ schedule, ca, ...options })
  const checker = new Healthchecker({ fleet, port: 0, announce: false })
  t.teardown(() => checker.close())
  const checked: string[] = []
  fleet.on('check', (name) => checked.push(name))
  const check = async (names: readonly string[]): Promise<void> => {
    const left = new Set(names)
    await new Promise<void>((resolve) => {
      const done = (name: string): void => {
        left.delete(name)
        if (left.size > 0) return
        fleet.off('check', done)
        resolve()
      }
      fleet.on('check', done)
      for (const name of names) schedule.turn(name)
    })
  }
  return { fleet, address: await checker.listen(), schedule, checked, check }
}

/** In seconds: nobody who registers can have it as short as those that hang, for which a test waits; the others have all the time of a slow machine. */
const timeouts = { hangs: 0.8, ends: 30 }

interface Bad {
  readonly state: 'HEALTHY' | 'UNHEALTHY'
  /** What its status handler says of it. */
  readonly detail: RegExp | undefined
  readonly given: Partial<Registration>
}

const timedOut = /^no answer from it: timed out after 800 ms$/
const brokenOff = /^no (?:whole )?answer from it: timed out after 800 ms$/
const reset = /^no answer from it: (?:ECONNRESET|EPIPE|the connection was closed)$/

const expected: Readonly<Record<string, RegExp | undefined>> = {
  'accepts and says nothing': timedOut,
  'sends a byte now and then': timedOut,
  resets: reset,
  'resets when it is asked': reset,
  closes: reset,
  'closes when it is asked': reset,
  'sends 100 MB': /^no answer from it: HPE_INVALID_CONSTANT$/,
  'sends garbage': /^no answer from it: HPE_INVALID_CONSTANT$/,
  // What is not read says nothing: the status code does.
  'sends a body of 100 MB': undefined,
  'sends chunks without an end': undefined,
  'drips a body': brokenOff,
  'sends headers without an end': /^no answer from it: HPE_HEADER_OVERFLOW$/,
  'says wait and nothing more': timedOut,
  'closes within the body': /^no whole answer from it: (?:ECONNRESET|the connection was closed)$/,
  'resets within the body': /^no whole answer from it: (?:ECONNRESET|the connection was closed)$/,
  'breaks its chunks': /^no whole answer from it: HPE_INVALID_CHUNK_SIZE$/,
  'switches protocols': /^no answer from it: the connection was closed$/
}

const gigabyte = 2 ** 30

/** Answers of HTTP that are whole, and of no use. */
const answers: Readonly<Record<string, readonly [Answer, RegExp]>> = {
  'redirects to itself': [(request, response) => { response.writeHead(302, { location: request.url }).end() }, /^it answered 302$/],
  'redirects to the metadata of a cloud': [(_request, response) => { response.writeHead(301, { location: 'http://169.254.169.254/' }).end() }, /^it answered 301$/],
  'fails with a body of 1 GB': [(_request, response) => {
    response.writeHead(500, { 'content-length': gigabyte })
    const zeros = Buffer.alloc(65_536)
    const go = (): void => { while (response.write(zeros)); }
    response.on('drain', go)
    go()
  }, /^it answered 500$/],
  'says of itself that it fails, in very many words': [(_request, response) => {
    response.setHeader('content-type', 'application/health+json').end(JSON.stringify({ status: 'fail', output: `\u001b[31m<script>${'x'.repeat(60_000)}` }))
  }, /^status RED: .{1,200}$/]
}

async function badApps (t: Test): Promise<Map<string, Bad>> {
  const apps = new Map<string, Bad>()
  const app = (name: string, detail: RegExp | undefined, port: number, given: Partial<Registration> = {}): void => {
    const timeout = timeouts[/timed out/.test(String(detail)) ? 'hangs' : 'ends']
    apps.set(name, { state: detail === undefined ? 'HEALTHY' : 'UNHEALTHY', detail, given: { port, timeout, path: '/health?key=secret', ...given } })
  }
  for (const [name, act] of Object.entries<(socket: Socket) => void>({ ...misbehaving, ...misbehavingInHTTP })) {
    app(name, expected[name], await listen(t, peer(act)))
  }
  for (const [name, [answer, detail]] of Object.entries(answers)) app(name, detail, (await target(t, answer)).port)
  app('is not there', /^no answer from it: ECONNREFUSED$/, await closedPort())
  app('has a name that leads nowhere', /^no answer from it: ENOTFOUND$/, 80, { host: 'nowhere.example' })
  app('has a name whose resolver does not answer', timedOut, 80, { host: 'hangs.example' })
  app('has a name that leads to what is refused', /^no answer from it: ERR_TARGET_REFUSED$/, 80, { host: 'metadata.example' })

  const secure: Array<[protocol: Protocol, name: Parameters<typeof certificate>[0], detail: RegExp]> = [
    ['HTTPS', 'expired', /^no answer from it: CERT_HAS_EXPIRED$/],
    ['HTTPS', 'early', /^no answer from it: CERT_NOT_YET_VALID$/],
    ['HTTPS', 'other-name', /^no answer from it: ERR_TLS_CERT_ALTNAME_INVALID$/],
    ['SSL', 'expired', /^the certificate of it expired on 2020-02-01$/],
    ['SSL', 'early', /^the certificate of it is not valid yet, or one of its issuers is not \(CERT_NOT_YET_VALID\)$/],
    ['SSL', 'other-name', /^the certificate of it is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)$/]
  ]
  for (const [protocol, name, detail] of secure) {
    const server = protocol === 'SSL' ? createTlsServer(certificate(name)) : createSecureServer(certificate(name), (_request, response) => response.end('OK'))
    app(`${protocol} with the certificate ${name}`, detail, await listen(t, server), { protocol, ...protocol === 'SSL' && { path: '' } })
  }
  const withoutTls = [['accepts and says nothing', 'timed out after 800 ms'], ['sends garbage', '(?:EPROTO|ERR_SSL_\\w+)'], ['sends 100 MB', '(?:EPROTO|ERR_SSL_\\w+)'], ['closes when it is asked', 'ECONNRESET']] as const
  for (const [name, reason] of withoutTls) {
    const port = await listen(t, peer(misbehaving[name]))
    app(`HTTPS: ${name}`, new RegExp(`^no answer from it: ${reason}$`), port, { protocol: 'HTTPS' })
    app(`SSL: ${name}`, new RegExp(`^no TLS connection to it: ${reason}$`), port, { protocol: 'SSL', path: '' })
  }
  app('TCP: is not there', /^no connection to it: ECONNREFUSED$/, await closedPort(), { protocol: 'TCP', path: '' })
  app('TCP: closes when it is asked', undefined, await listen(t, peer(misbehaving['closes when it is asked'])), { protocol: 'TCP', path: '' })
  return apps
}

/** Names that nobody asks the network for. */
function names (t: Test): void {
  const { lookup } = dns
  const found: Record<string, (callback: (error: Error | null, addresses: unknown) => void) => void> = {
    'nowhere.example': (callback) => callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), undefined),
    'hangs.example': () => {},
    'metadata.example': (callback) => callback(null, [{ address: '169.254.169.254', family: 4 }, { address: 'fd00:ec2::254', family: 6 }])
  }
  type Lookup = (host: string, options: object, callback: Parameters<typeof found[string]>[0]) => void
  const ours: Lookup = (host, options, callback) => {
    if (host in found) setImmediate(() => found[host](callback))
    else (lookup as unknown as Lookup)(host, options, callback)
  }
  dns.lookup = ours as unknown as typeof lookup
  t.teardown(() => { dns.lookup = lookup })
}

t.test('whatever targets do, each has the state and the error that it deserves, and disturbs nobody', async (t) => {
  names(t)
  const apps = await badApps(t)
  const good = await target(t)
  const { fleet, address, check } = await watching(t)
  const fine = Array.from({ length: 20 }, (_item, index) => `fine ${index}`)
  for (const name of fine) await fleet.register(registration(name, { port: good.port }))
  for (const [name, { given }] of apps) await fleet.register(registration(name, given))
  const before = process.memoryUsage().rss
  for (let turn = 0; turn < 2; turn++) await check([...apps.keys(), ...fine])
  const grown = (process.memoryUsage().rss - before) / 2 ** 20
  t.ok(grown < 150, `${Math.round(grown)} MB more`)

  const shown = await (await fetch(`${address}/svc_status.json`)).json() as Record<string, { state: string, detail?: string }>
  for (const [name, { state, detail }] of apps) {
    t.equal(fleet.get(name)?.state, state, name)
    t.equal(shown[name].state, state === 'HEALTHY' ? 'OK' : 'RED', name)
    if (detail === undefined) t.notOk('detail' in shown[name], name)
    else t.match(shown[name].detail, detail, name)
    const { status, lastCheck } = await (await fetch(`${address}/apps/${encodeURIComponent(name)}`)).json() as { status: string, lastCheck: { error?: string } }
    t.equal(status, shown[name].state, name)
    t.equal(lastCheck.error, shown[name].detail, name)
    t.ok((lastCheck.error ?? '').length <= 200, name)
  }
  t.notMatch(JSON.stringify(shown), 'secret')
  const page = await (await fetch(`${address}/status/${encodeURIComponent('says of itself that it fails, in very many words')}`)).text()
  t.notMatch(page, '<script>x')
  for (const name of fine) t.equal(fleet.get(name)?.state, 'HEALTHY', name)
  t.equal(good.asked, 40)
})

t.test('of an endless answer no more is taken than is looked at', async (t) => {
  const sockets: Socket[] = []
  const port = await listen(t, peer((socket) => {
    sockets.push(socket)
    misbehavingInHTTP['sends chunks without an end'](socket)
  }))
  const { fleet, check } = await watching(t)
  await fleet.register(registration('endless', { port }))
  const heap = process.memoryUsage().arrayBuffers
  for (let turn = 0; turn < 20; turn++) await check(['endless'])
  t.match(fleet.get('endless'), { state: 'HEALTHY', lastCheck: { result: 'OK' } })
  await Promise.all(sockets.map(async (socket) => { if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve)) }))
  t.equal(sockets.length, 20)
  // What is under way in the kernel counts as sent.
  const most = Math.max(...sockets.map(({ bytesWritten }) => bytesWritten)) / 2 ** 20
  t.ok(most < 32, `${Math.round(most)} MB sent at most`)
  const kept = (process.memoryUsage().arrayBuffers - heap) / 2 ** 20
  t.ok(kept < 64, `${Math.round(kept)} MB kept`)
})

t.test('targets that hang delay each other, and those that answer are checked while they hang', async (t) => {
  const hanging = await target(t, () => {})
  const good = await target(t)
  const { fleet, checked, check, schedule } = await watching(t, { maxConcurrent: 4 })
  const hang = Array.from({ length: 4 }, (_item, index) => `hangs ${index}`)
  const fine = Array.from({ length: 10 }, (_item, index) => `fine ${index}`)
  for (const name of hang) await fleet.register(registration(name, { port: hanging.port, timeout: 1.2 }))
  for (const name of fine) await fleet.register(registration(name, { port: good.port }))
  // Nobody knows of them yet.
  await check(hang)
  checked.length = 0
  for (const name of hang) schedule.turn(name)
  await check(fine)
  t.same(checked.toSorted(), fine, 'none of those that hang is over')
  await check(fine)
  t.same(checked.toSorted(), [...fine, ...fine].toSorted())
  t.equal(fleet.counts.HEALTHY, 10)
  t.same(fleet.trouble, [])
})

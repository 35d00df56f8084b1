import { request as httpRequest } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { appendFile, rename, rm, writeFile } from 'node:fs/promises'
import { chdir, cwd } from 'node:process'
import { dirname, join } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { htpasswdAuth, htpasswdFile, within } from '../../lib/auth/htpasswd.js'
import type { Check } from '../../lib/auth/htpasswd-users.js'
import { systemClock } from '../../lib/core/clock.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { statusPlugin } from '../../lib/plugin.js'
import type { Auth } from '../../types/auth.js'
import type { HtpasswdOptions } from '../../types/htpasswd.js'
import { basic, headersOf } from './support/basic.js'
import { ask, guardedApp } from './support/guarded-app.js'
import { foreignHashes, foreignPassword, hashes, lengths, password, refused } from './support/htpasswd-lines.js'
import { until } from './support/until.js'

// The thread of these tests compiles TypeScript first.
const timeout = 60_000
const all = Object.values(hashes).map((hash, index) => `user${index}:${hash}\n`).join('')
const alice = `alice:${hashes['bcrypt 4']}\n`

function file (t: Test, content?: string): string {
  return join(t.testdir(content === undefined ? {} : { htpasswd: content }), 'htpasswd')
}

/** A verifier that a test answers for. */
class Asked {
  readonly checks: Check[] = []
  readonly answers: Array<{ resolve (answer: boolean): void, reject (error: Error): void, isWanted: () => boolean }> = []
  took = 0

  async verify (check: Check, _timeout: number, isWanted: () => boolean): Promise<boolean> {
    this.checks.push(check)
    return await new Promise((resolve, reject) => this.answers.push({ resolve, reject, isWanted }))
  }

  async until (number: number): Promise<void> {
    await until(`${number} were asked for`, () => this.checks.length >= number)
  }
}

const withAsked = (path: string, options: HtpasswdOptions = {}): { auth: Auth, asked: Asked } => {
  const asked = new Asked()
  return { auth: htpasswdAuth(path, options, asked, systemClock), asked }
}

t.test('lets in the users of the file, whatever the kind of hash, and nobody else', async (t) => {
  const foreign = Object.values(foreignHashes).map((hash, index) => `üser${index}:${hash}\n`).join('')
  const { app } = await guardedApp(t, htpasswdFile(file(t, all + foreign), { timeout }))
  for (const [index, kind] of Object.keys(hashes).entries()) {
    t.equal(await ask(app, basic(`user${index}`, password)), 200, kind)
    t.equal(await ask(app, basic(`user${index}`, `x${password}`)), 401, kind)
  }
  for (const [index, kind] of Object.keys(foreignHashes).entries()) t.equal(await ask(app, basic(`üser${index}`, foreignPassword)), 200, kind)
  for (const name of ['unknown', 'USER0', 'user0 ', ' user0', '__proto__', hashes.apr1]) t.equal(await ask(app, basic(name, password)), 401, name)
})

t.test('lets nobody in by a line of another kind, nor by the second line of a user', async (t) => {
  const lines = [...Object.values(refused).map((hash, index) => `user${index}:${hash}`), `user0:${hashes.sha1}`, `alice:${hashes.sha1}`, `alice:${lengths[0]}`]
  const { app, log, text } = await guardedApp(t, htpasswdFile(file(t, lines.join('\n')), { timeout }))
  for (const index of Object.keys(refused).keys()) t.equal(await ask(app, basic(`user${index}`, password)), 401, lines[index])
  t.equal(await ask(app, basic('alice', '')), 401)
  t.equal(await ask(app, basic('alice', password)), 200)
  t.same(log.filter(({ level }) => level >= 40).map(({ line }) => line), [1, 2, 3, 4, 5, 6, 8])
  t.notMatch(text(), new RegExp(`${password}|\\$[256]\\$`))
})

for (const [what, authorization] of [
  ['without credentials', undefined],
  ['with another scheme', 'Bearer x'],
  ['with malformed base64', 'Basic ***'],
  ['without a colon', `Basic ${Buffer.from('alice').toString('base64')}`],
  ['with a header of 10,000 characters', basic('alice', 'x'.repeat(7_500))]
] as const) {
  t.test(`a request ${what} gets 401 with the challenge, and nothing is verified`, async (t) => {
    const { auth, asked } = withAsked(file(t, alice))
    const { app } = await guardedApp(t, auth)
    const reply = await app.inject({ url: '/', headers: headersOf(authorization) })
    t.equal(reply.statusCode, 401)
    t.equal(reply.headers['www-authenticate'], 'Basic realm="svc_status", charset="UTF-8"')
    t.equal(reply.headers['cache-control'], 'no-store')
    t.equal(reply.json().message, 'you are not let in: this needs the name and the password of a user in its htpasswd file (HTTP Basic)')
    t.equal(asked.checks.length, 0)
  })
}

t.test('the file is asked at every request: a user that goes is refused, one that comes is let in', async (t) => {
  const path = file(t, `alice:${hashes.sha1}\n`)
  const { app } = await guardedApp(t, htpasswdFile(path, { timeout }))
  const bob = basic('bob', password)
  t.equal(await ask(app, bob), 401)
  await appendFile(path, `bob:${hashes.crypt}\n`)
  t.equal(await ask(app, bob), 200)
  await writeFile(`${path}.new`, '# all on holiday\n')
  await rename(`${path}.new`, path)
  t.equal(await ask(app, bob), 401)
  t.equal(await ask(app, basic('alice', password)), 401)
})

t.test('a file that is not there is 500, with credentials and without, an error in the log and never a pass', async (t) => {
  const path = file(t)
  const { app, log } = await guardedApp(t, htpasswdFile(path, { timeout }))
  for (const authorization of [undefined, basic('alice', password)]) {
    const reply = await app.inject({ url: '/', headers: headersOf(authorization) })
    t.equal(reply.statusCode, 500)
    t.same(reply.json(), { statusCode: 500, code: 'ERR_HTPASSWD_UNREADABLE', error: 'Internal Server Error', message: 'nobody is let in: the htpasswd file cannot be read' })
    t.notOk(reply.headers['www-authenticate'], 'nobody is asked for a password')
  }
  t.match(log.filter(({ msg }) => msg === 'the htpasswd file cannot be read: nobody is let in'), [{ level: 50, file: path, err: { code: 'ENOENT' } }])
  await writeFile(path, alice)
  t.equal(await ask(app, basic('alice', password)), 200, 'and it is there at once when it is there')
  await rm(path)
  t.equal(await ask(app, basic('alice', password)), 500)
})

t.test('a file system that hangs is an error after the timeout', async (t) => {
  await t.rejects(within(20, new Promise<never>(() => {})), { code: 'ERR_HTPASSWD_UNREADABLE', statusCode: 500, cause: { message: 'the htpasswd file was not read in 20 ms' } })
})

t.test('a relative path is one from where the process was when it was given', async (t) => {
  const path = file(t, alice)
  const before = cwd()
  t.teardown(() => chdir(before))
  chdir(dirname(path))
  const { auth, asked } = withAsked('htpasswd')
  chdir(before)
  const { app } = await guardedApp(t, auth)
  const reply = ask(app, basic('alice', password))
  await asked.until(1)
  asked.answers[0].resolve(true)
  t.equal(await reply, 200)
})

t.test('a name that is not in the file costs what one that is costs', async (t) => {
  for (const content of [all, alice, `quick:${hashes.sha1}\nslow:${hashes['bcrypt 10']}\nno:${refused['-5']}`]) {
    const { auth, asked } = withAsked(file(t, content))
    const { app } = await guardedApp(t, auth)
    const names = [...content.matchAll(/^\w+/gm)].map(([name]) => name)
    const costs: string[][] = []
    for (const [index, name] of [...names, 'unknown', '__proto__'].entries()) {
      const reply = ask(app, basic(name, 'wrong'))
      await asked.until(index + 1)
      const { own, others, password } = asked.checks[index]
      t.equal(password, 'wrong')
      costs.push([...own === undefined ? [] : [own], ...others].map(({ work }) => work).sort())
      asked.answers[index].resolve(false)
      t.equal(await reply, 401)
    }
    t.same(new Set(costs.map(String)).size, 1, costs.join(' '))
  }
})

t.test('who comes when the queue is full gets 429 with Retry-After, and the others their answer', async (t) => {
  const { auth, asked } = withAsked(file(t, alice), { queue: 2 })
  const { app } = await guardedApp(t, auth)
  const alices = basic('alice', password)
  const admitted = [ask(app, alices), ask(app, alices), ask(app, alices)]
  await asked.until(3)
  const reply = await app.inject({ url: '/', headers: { authorization: alices } })
  t.equal(reply.statusCode, 429)
  t.equal(reply.headers['retry-after'], '1')
  t.same(reply.json(), { statusCode: 429, code: 'ERR_AUTH_BUSY', error: 'Too Many Requests', message: 'too many passwords wait to be verified: try again later' })
  t.equal(await ask(app), 401, 'who brings nothing waits for nothing')
  asked.took = 1_500
  t.equal((await app.inject({ url: '/', headers: { authorization: alices } })).headers['retry-after'], '5', 'three verifications')
  asked.took = 60_000
  t.equal((await app.inject({ url: '/', headers: { authorization: alices } })).headers['retry-after'], '60', 'a minute at most')
  t.equal(asked.checks.length, 3)
  for (const { resolve } of asked.answers) resolve(true)
  t.same(await Promise.all(admitted), [200, 200, 200])
  const again = ask(app, alices)
  await asked.until(4)
  asked.answers[3].resolve(true)
  t.equal(await again, 200, 'there is room again')
})

t.test('with a queue of 0 one is verified and nobody waits', async (t) => {
  const { auth, asked } = withAsked(file(t, alice), { queue: 0 })
  const { app } = await guardedApp(t, auth)
  const first = ask(app, basic('alice', password))
  await asked.until(1)
  t.equal(await ask(app, basic('alice', password)), 429)
  asked.answers[0].resolve(true)
  t.equal(await first, 200)
})

t.test('a password that cannot be verified is 503, logged, and leaves its place in the queue', async (t) => {
  const { auth, asked } = withAsked(file(t, alice), { queue: 0 })
  const { app, log, text } = await guardedApp(t, auth)
  for (const time of [1, 2]) {
    const reply = app.inject({ url: '/', headers: { authorization: basic('alice', 'hunter2') } })
    await asked.until(time)
    asked.answers[time - 1].reject(new Error('the verification took longer than 15000 ms'))
    t.equal((await reply).statusCode, 503)
    t.same((await reply).json(), { statusCode: 503, code: 'ERR_AUTH_FAILED', error: 'Service Unavailable', message: 'the password could not be verified' })
  }
  t.equal(log.filter(({ level, msg }) => level === 50 && msg === 'a password could not be verified').length, 2)
  t.notMatch(text(), /hunter2/)
  t.notMatch(text(), Buffer.from('alice:hunter2').toString('base64'))
})

t.test('nothing is verified for a client that has left', async (t) => {
  const { auth, asked } = withAsked(file(t, alice))
  const { app } = await guardedApp(t, auth)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('alice', password)}\r\n\r\n`)
  await asked.until(1)
  t.equal(asked.answers[0].isWanted(), true)
  socket.destroy()
  await until('the client has left', () => !asked.answers[0].isWanted())
  asked.answers[0].resolve(false)
})

t.test('100 requests at once: 17 are verified one after the other, 83 get 429, and the service goes on meanwhile', async (t) => {
  const { app } = await guardedApp(t, htpasswdFile(file(t, `alice:${hashes['bcrypt 10']}\n`), { timeout }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const open = async (): Promise<number | undefined> => await new Promise((resolve, reject) => {
    httpRequest({ port, path: '/open' }, (reply) => reply.resume().on('end', () => resolve(reply.statusCode))).on('error', reject).end()
  })
  t.equal(await ask(app, basic('alice', password)), 200, 'the thread is up')

  let turns = 0
  const all = new AbortController()
  const others = async (): Promise<void> => {
    // Were passwords verified in this thread, there would be one turn for each of them.
    for (; !all.signal.aborted; turns++) if (await open() !== 200) t.fail('it is open')
  }
  const meanwhile = others()
  const statuses = await Promise.all(Array.from({ length: 100 }, async (_, index) => await ask(app, basic(index % 2 === 0 ? 'alice' : 'mallory', password))))
  all.abort()
  await meanwhile
  t.equal(statuses.filter((status) => status === 429).length, 83)
  t.equal(statuses.filter((status) => status === 200 || status === 401).length, 17)
  t.ok(turns > 50, `${turns} other requests were answered meanwhile`)
  t.equal(await ask(app, basic('alice', password)), 200)
})

t.test('decides who may decommission, as probeStatus.auth', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  await app.register(statusPlugin, { registry: new StatusRegistry(), probeStatus: { auth: htpasswdFile(file(t, alice), { timeout }) } })
  const post = async (authorization?: string): Promise<number> => (await app.inject({ method: 'POST', url: '/probe_status?body=OFF', headers: headersOf(authorization) })).statusCode
  t.equal(await post(), 401)
  t.equal(await post(basic('alice', 'wrong')), 401)
  t.equal((await app.inject('/probe_status')).body, 'OK')
  t.equal(await post(basic('alice', password)), 200)
  t.equal((await app.inject('/probe_status')).body, 'OFF')
})

for (const [what, path, options, code, message] of [
  ['no path', undefined, {}, 'ERR_INVALID_OPTION', 'the path of htpasswdFile() must be the path of a file, not undefined'],
  ['an empty path', '', {}, 'ERR_INVALID_OPTION', /the path of htpasswdFile\(\)/],
  ['a path with a NUL', 'a\0b', {}, 'ERR_INVALID_OPTION', /the path of htpasswdFile\(\)/],
  ['options that are none', 'x', 5, 'ERR_INVALID_OPTION', 'htpasswdFile() must be an object with options, not 5'],
  ['an unknown option', 'x', { realm: 'x' }, 'ERR_UNKNOWN_OPTION', 'htpasswdFile() has no option "realm"; it has queue, timeout'],
  ['a queue that is no number', 'x', { queue: '16' }, 'ERR_INVALID_OPTION', 'the option "queue" must be a number, not "16"'],
  ['a negative queue', 'x', { queue: -1 }, 'ERR_OPTION_OUT_OF_RANGE', 'the option "queue" must be from 0 to 1000, not -1'],
  ['an endless queue', 'x', { queue: Infinity }, 'ERR_OPTION_OUT_OF_RANGE', /"queue"/],
  ['half a place', 'x', { queue: 0.5 }, 'ERR_OPTION_OUT_OF_RANGE', /"queue" must be a whole number/],
  ['a timeout that is too short', 'x', { timeout: 999 }, 'ERR_OPTION_OUT_OF_RANGE', /"timeout" in milliseconds must be from 1000/],
  ['a timeout that is no time', 'x', { timeout: '15s' }, 'ERR_INVALID_OPTION', /"timeout"/]
] as const) {
  t.test(`refuses ${what}`, async (t) => {
    t.throws(() => htpasswdFile(path as never, options as never), { code, message })
  })
}

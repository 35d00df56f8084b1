import t from 'tap'
import { bearerToken, htpasswdFile, type Auth } from '../../lib/index.js'
import { everybody, logLines, statusApp } from '../support/app.js'
import { join } from 'node:path'
import { hashes, password } from '../auth/support/htpasswd-lines.js'
import { basic } from '../auth/support/basic.js'

const minutes = 60_000

for (const [query, length, reason] of [
  ['?body=OFF&for=30m', 30 * minutes, undefined],
  ['?for=1s&body=OFF', 1_000, undefined],
  ['?body=OFF&for=90s&reason=new%20disk', 90_000, 'new disk'],
  ['?body=OFF&for=24h', 1_440 * minutes, undefined],
  ['?body=OFF&for=365d', 365 * 1_440 * minutes, undefined],
  ['?body=OFF&for=0030m', 30 * minutes, undefined],
  ['?body=OFF&reason=neue+Platte+%F0%9F%9A%A7', undefined, 'neue Platte 🚧']
] as const) {
  t.test(`POST ${query} keeps the end and the reason`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
    const reply = await app.inject({ method: 'POST', url: `/probe_status${query}` })
    t.equal(reply.statusCode, 200)
    t.equal(reply.body, 'OFF')
    const { since = 0, until, ...rest } = app.svcStatus.decommissioned ?? {}
    t.equal(until, length === undefined ? undefined : since + length)
    t.strictSame(rest, { body: 'OFF', ...reason !== undefined && { reason } })
    t.equal((await app.inject('/probe_status')).body, 'OFF', 'the probe stays plain')
  })
}

for (const [query, message] of [
  ['?body=OFF&for=', /for must be a whole number and a unit \(s, m, h or d\), from 1s to 365d, such as 30m; it is ""/],
  ['?body=OFF&for', /it is ""/],
  ['?body=OFF&for=30', /it is "30"/],
  ['?body=OFF&for=30min', /it is "30min"/],
  ['?body=OFF&for=5000ms', /it is "5000ms"/],
  ['?body=OFF&for=30M', /it is "30M"/],
  ['?body=OFF&for=1.5h', /it is "1.5h"/],
  ['?body=OFF&for=-5m', /it is "-5m"/],
  ['?body=OFF&for=%2B5m', /it is "\+5m"/],
  ['?body=OFF&for=5+m', /it is "5 m"/],
  ['?body=OFF&for=1h30m', /it is "1h30m"/],
  ['?body=OFF&for=0s', /from 1s to 365d/],
  ['?body=OFF&for=366d', /from 1s to 365d/],
  ['?body=OFF&for=999999999d', /from 1s to 365d/],
  ['?body=OFF&for=9999999999s', /from 1s to 365d/],
  ['?body=OFF&for=%D9%A3m', /from 1s to 365d/],
  ['?body=OFF&for=5m&for=5m', /for more than once/],
  ['?body=OFF&reason=a&reason=b', /reason more than once/],
  ['?body=OFF&reason=', /the reason must have 1 to 256 characters/],
  [`?body=OFF&reason=${'x'.repeat(257)}`, /the reason must have 1 to 256 characters/],
  ['?body=OFF&reason=a%0D%0Ab', /the reason must have no control characters/],
  ['?body=OFF&by=root', /"by"; it takes body, for and reason/],
  ['?body=OFF&until=5', /"until"/],
  ['?for=30m', /has for or reason, but no body to decommission with/],
  ['?reason=new', /no body to decommission with/],
  ['?body=OK&for=30m', /no body to decommission with/],
  ['?body=ok&reason=done', /no body to decommission with/]
] as const) {
  t.test(`POST ${query.slice(0, 40)} is 400 that says what was expected, and nothing changes`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
    for (const before of [undefined, 'BEFORE']) {
      if (before !== undefined) await app.svcStatus.decommission(before)
      const reply = await app.inject({ method: 'POST', url: `/probe_status${query}` })
      t.equal(reply.statusCode, 400)
      t.match(reply.json(), { code: 'ERR_INVALID_DECOMMISSION', message })
      t.match(reply.json().message, /nothing was changed$/)
      t.equal(app.svcStatus.decommissioned?.body, before)
    }
  })
}

const who: Array<[string, Auth, string | undefined]> = [
  ['nothing, where the auth knows nobody', everybody, undefined],
  ['nothing of a token', bearerToken('s3cret'), undefined],
  ['the name that an auth gives', Object.assign(() => true, { who: () => 'alice' }), 'alice'],
  ['it without what no page can show', Object.assign(() => true, { who: () => `a\r\nl\0${'i'.repeat(300)}` }), `al${'i'.repeat(98)}`],
  ['nothing, where nothing is left', Object.assign(() => true, { who: () => '\n' }), undefined],
  ['nothing of what is no name', Object.assign(() => true, { who: (() => ({})) as unknown as () => string }), undefined]
]

for (const [what, auth, by] of who) {
  t.test(`of who decommissions is kept ${what}`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth } })
    const reply = await app.inject({ method: 'POST', url: '/probe_status?body=OFF', headers: { authorization: 'Bearer s3cret' } })
    t.equal(reply.statusCode, 200)
    t.equal(app.svcStatus.decommissioned?.by, by)
    t.notMatch(JSON.stringify(app.svcStatus.decommissioned), /s3cret/)
  })
}

t.test('the user of an htpasswd file is who did it', async (t) => {
  const path = join(t.testdir({ htpasswd: `alice:${hashes.bcrypt}\n` }), 'htpasswd')
  const { app } = await statusApp(t, { probeStatus: { auth: htpasswdFile(path) } })
  const reply = await app.inject({ method: 'POST', url: '/probe_status?body=OFF', headers: { authorization: basic('alice', password) } })
  t.equal(reply.statusCode, 200)
  t.equal(app.svcStatus.decommissioned?.by, 'alice')
  t.notMatch(JSON.stringify(app.svcStatus.decommissioned), password)
})

t.test('an auth that fails to tell who it was is logged, and the decommission holds', async (t) => {
  const { lines, stream } = logLines()
  const auth = Object.assign(() => true, { who: () => { throw new Error('ldap is away') } })
  const { app } = await statusApp(t, { probeStatus: { auth } }, { logger: { level: 'warn', stream } })
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 200)
  t.equal(app.svcStatus.decommissioned?.by, undefined)
  t.match(lines, [{ level: 40, err: { message: 'ldap is away' } }])
})

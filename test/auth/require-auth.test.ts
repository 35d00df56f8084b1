import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { bearerToken, localOnly, requireAuth, type Auth } from '../../lib/index.js'

interface Guarded {
  readonly app: FastifyInstance
  readonly ran: string[]
}

function guarded (t: Test, auth: Auth): Guarded {
  const app = Fastify()
  const ran: string[] = []
  t.teardown(async () => await app.close())
  app.get('/', { onRequest: requireAuth(auth), preHandler: async () => { ran.push('preHandler') } }, () => {
    ran.push('handler')
    return 'in'
  })
  return { app, ran }
}

async function refused (t: Test, { app, ran }: Guarded, statusCode: number): Promise<LightMyRequestResponse> {
  const reply = await app.inject('/')
  t.equal(reply.statusCode, statusCode)
  t.strictSame(ran, [], 'the handler is not run')
  return reply
}

t.test('who is let in reaches the handler', async (t) => {
  for (const auth of [() => true, async () => true]) {
    const { app, ran } = guarded(t, auth)
    t.equal((await app.inject('/')).body, 'in')
    t.strictSame(ran, ['preHandler', 'handler'])
  }
})

t.test('others get 401 with the challenge of the auth', async (t) => {
  const reply = await refused(t, guarded(t, bearerToken('s3cret')), 401)
  t.equal(reply.headers['www-authenticate'], 'Bearer realm="svc_status"')
  t.equal(reply.headers['cache-control'], 'no-store')
  t.strictSame(reply.json(), { statusCode: 401, error: 'Unauthorized', message: 'you are not let in: this needs the header "Authorization: Bearer" with the token' })
})

t.test('or 403 where it has none', async (t) => {
  const reply = await refused(t, guarded(t, Object.assign(() => false, { expects: 'a friend' })), 403)
  t.equal(reply.headers['www-authenticate'], undefined)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.strictSame(reply.json(), { statusCode: 403, error: 'Forbidden', message: 'you are not let in: this needs a friend' })
  t.equal((await refused(t, guarded(t, () => false), 403)).json().message, 'you are not let in')
})

const answers: Array<[string, unknown]> = [
  ['1', 1],
  ['a string', 'true'],
  ['an object', {}],
  ['a list', [true]],
  ['undefined', undefined],
  ['null', null],
  ['a promise of 1', Promise.resolve(1)],
  ['a promise of false', Promise.resolve(false)]
]

for (const [what, answer] of answers) {
  t.test(`an auth that answers ${what} lets nobody in`, async (t) => {
    await refused(t, guarded(t, (() => answer) as unknown as Auth), 403)
  })
}

t.test('an auth that fails lets nobody in', async (t) => {
  await refused(t, guarded(t, async () => { throw new Error('ldap is away') }), 500)
  const reply = await refused(t, guarded(t, () => { throw new Error('password=hunter2') }), 500)
  t.notMatch(reply.body, /hunter2/)
})

t.test('an auth that fails with a status code of its own is answered with it', async (t) => {
  await refused(t, guarded(t, async () => { throw Object.assign(new Error('busy'), { statusCode: 503 }) }), 503)
})

t.test('it is a hook for a whole scope as well', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  await app.register(async (scope) => {
    scope.addHook('onRequest', requireAuth(localOnly()))
    scope.get('/admin', () => 'in')
  })
  app.get('/open', () => 'in')
  t.equal((await app.inject({ url: '/admin', remoteAddress: '10.0.0.1' })).statusCode, 403)
  t.equal((await app.inject({ url: '/admin' })).statusCode, 200)
  t.equal((await app.inject({ url: '/open', remoteAddress: '10.0.0.1' })).statusCode, 200)
})

t.test('what is no function is refused', async (t) => {
  for (const auth of [undefined, null, 'token', true, {}]) {
    t.throws(() => requireAuth(auth as unknown as Auth), { code: 'ERR_INVALID_OPTION', message: /the argument of requireAuth\(\)/ }, String(auth))
  }
})

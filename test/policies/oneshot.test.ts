import type { FastifyRequest } from 'fastify'
import fc from 'fast-check'
import t from 'tap'
import { bearerToken } from '../../lib/auth/bearer-token.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { fail, OK, ok, RED, YELLOW } from '../../lib/core/state.js'
import { Oneshot } from '../../lib/policies/oneshot.js'
import type { OneshotOptions } from '../../types/policies.js'

const request = (authorization?: string): FastifyRequest => ({ headers: { authorization } }) as FastifyRequest

t.test('fired, it answers the opposite once', async (t) => {
  for (const [defaultState, usual, opposite] of [[fail, RED, OK], [ok, OK, RED], ['RED', RED, OK], ['OK', OK, RED], [undefined, RED, OK]] as const) {
    const oneshot = new Oneshot({ defaultState })
    t.strictSame(oneshot.getStatus(), { state: usual })
    t.equal(await oneshot.fire(), true)
    t.equal(oneshot.armed, true)
    t.strictSame([oneshot.getStatus(), oneshot.getStatus(), oneshot.getStatus()], [{ state: opposite }, { state: usual }, { state: usual }])
    t.equal(oneshot.armed, false)
  }
})

t.test('to fire again before the answer makes no second one', async (t) => {
  const oneshot = new Oneshot()
  t.strictSame([await oneshot.fire(), await oneshot.fire()], [true, true])
  t.strictSame([oneshot.getStatus(), oneshot.getStatus()], [{ state: OK }, { state: RED }])
})

t.test('fire is bound, so that it can be handed on', async (t) => {
  const oneshot = new Oneshot()
  const { fire } = oneshot
  t.equal(await fire(), true)
  t.equal(oneshot.armed, true)
})

t.test('a request arms it only where auth lets it in', async (t) => {
  const oneshot = new Oneshot({ auth: bearerToken('secret') })
  t.equal(await oneshot.fire(request()), false)
  t.equal(await oneshot.fire(request('Bearer wrong')), false)
  t.strictSame(oneshot.getStatus(), { state: RED })
  t.equal(await oneshot.fire(request('Bearer secret')), true)
  t.strictSame(oneshot.getStatus(), { state: OK })
  t.equal(oneshot.fire.challenge, 'Bearer realm="svc_status"')
  t.match(oneshot.fire.expects, /Bearer/)
})

t.test('nobody who was not let in can arm it: without auth no request is', async (t) => {
  const oneshot = new Oneshot()
  t.equal(await oneshot.fire(request('Bearer secret')), false)
  t.equal(await oneshot.fire(null as never), false)
  t.equal(oneshot.armed, false)
  t.equal(oneshot.fire.challenge, undefined)
})

t.test('an auth that gives anything but true lets nobody in', async (t) => {
  for (const answer of ['yes', 1, {}, undefined, null, false]) {
    const oneshot = new Oneshot({ auth: (async () => answer) as never })
    t.equal(await oneshot.fire(request()), false, String(answer))
    t.equal(oneshot.armed, false)
  }
})

t.test('an auth that throws lets nobody in, and the caller hears of it', async (t) => {
  const oneshot = new Oneshot({ auth: async () => { throw new Error('no such file') } })
  await t.rejects(oneshot.fire(request()), { message: 'no such file' })
  t.equal(oneshot.armed, false)
})

t.test('the program itself needs no auth', async (t) => {
  const oneshot = new Oneshot({ auth: () => false })
  t.equal(await oneshot.fire(), true)
  t.strictSame(oneshot.getStatus(), { state: OK })
})

t.test('what was fired and not read is forgotten with stop()', async (t) => {
  const oneshot = new Oneshot()
  await oneshot.fire()
  await oneshot.stop()
  t.strictSame(oneshot.getStatus(), { state: RED })
})

t.test('registered by itself, whoever reads gets the answer', async (t) => {
  const registry = new StatusRegistry()
  const oneshot = new Oneshot()
  registry.addStatusHandler('reset', oneshot)
  await oneshot.fire()
  t.equal((await registry.snapshot()).state, OK)
  t.equal(await registry.isInState('reset', RED), true)
})

t.test('it reads well, by its name or by what it does', async (t) => {
  t.equal(String(new Oneshot({ name: 'reset' })), 'reset')
  t.equal(new Oneshot().name, 'Oneshot: RED, once OK when fired')
  t.equal(String(new Oneshot({ defaultState: ok })), 'Oneshot: OK, once RED when fired')
})

const bad: Array<[string, unknown, string, RegExp]> = [
  ['YELLOW, which has no opposite,', { defaultState: YELLOW }, 'ERR_INVALID_OPTION', /"defaultState" must be OK, RED, true or false, not "YELLOW"/],
  ['null for a state', { defaultState: null }, 'ERR_INVALID_OPTION', /"defaultState" .* not null/],
  ['a word for auth', { auth: 'secret' }, 'ERR_INVALID_OPTION', /"auth" must be a function, not "secret"/],
  ['a name that is no string', { name: {} }, 'ERR_INVALID_OPTION', /"name"/],
  ['a mistyped option', { state: RED }, 'ERR_UNKNOWN_OPTION', /Oneshot has no option "state"/]
]

for (const [title, options, code, message] of bad) {
  t.test(`${title} is refused with ${code}`, async (t) => {
    t.throws(() => new Oneshot(options as OneshotOptions), { code, message })
  })
}

type Command = { readonly do: 'fire' | 'refused' | 'asked' } | { readonly do: 'read', readonly readers: number }

t.test('whoever fires and reads when, each time it is armed gives one opposite answer, to one of the readers', async (t) => {
  const command = fc.oneof<fc.Arbitrary<Command>[]>(
    fc.record({ do: fc.constantFrom('fire' as const, 'refused' as const, 'asked' as const) }),
    fc.record({ do: fc.constant('read' as const), readers: fc.integer({ min: 1, max: 20 }) })
  )
  let opposites = 0
  await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), fc.constantFrom(OK, RED), async (commands, usual) => {
    const oneshot = new Oneshot({ defaultState: usual, auth: async ({ headers }) => headers.authorization === 'let in' })
    let armed = false
    for (const step of commands) {
      if (step.do === 'read') {
        // In turns of their own, so that the readers mix.
        const states = await Promise.all(Array.from({ length: step.readers }, async (_, index) => {
          if (index % 2 === 0) await null
          return oneshot.getStatus().state
        }))
        if (states.filter((state) => state !== usual).length !== (armed ? 1 : 0)) throw new Error(`${armed ? '' : 'not '}armed: ${states.join()}`)
        if (armed) opposites++
        armed = false
      } else {
        const letIn = step.do !== 'refused'
        if (await oneshot.fire(step.do === 'fire' ? undefined : request(letIn ? 'let in' : 'no')) !== letIn) throw new Error(step.do)
        armed ||= letIn
      }
    }
  }), { numRuns: 300 })
  t.ok(opposites > 100, `${opposites} opposite answers were given`)
})

import { describe, expect, test } from 'tstyche'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  Background, count, DiskSpaceCheck, EventLoopDelayCheck, fail, HealthCheckServer, htpasswdFile, HTTPCheck, Hysteresis, MemoryCheck, minute, OK, ok, Oneshot, RED,
  second, TCPCheck, TLSCheck, Toggle, YELLOW,
  type Auth, type HTTPCheckOptions, type OnPost, type RunLength, type StatusHandler, type TCPCheckOptions, type Time
} from '../lib/index.js'

describe('checks and policies', () => {
  test('are status handlers', () => {
    const tcp = new TCPCheck({ host: 'db', port: 'postgresql', timeout: second(1) })
    for (const handler of [
      tcp, new HTTPCheck({ url: new URL('http://localhost/') }), new TLSCheck({ host: 'localhost', port: 443 }),
      new EventLoopDelayCheck(), new MemoryCheck(), new DiskSpaceCheck({ path: '.' }),
      new Hysteresis({ task: tcp }), new Background({ task: tcp, delay: 1_000 }), new Oneshot(), new Toggle({ toFail: tcp, toOk: tcp })
    ]) expect<StatusHandler>().type.toBeAssignableFrom(handler)
  })

  test('a policy takes functions, checks and policies', () => {
    expect(Hysteresis).type.toBeConstructableWith({ task: () => true })
    expect(Hysteresis).type.toBeConstructableWith({ task: new Background({ task: async () => OK, delay: minute(1) }), initialState: fail })
    expect(Hysteresis).type.not.toBeConstructableWith({ task: () => 'ok' })
    expect(Hysteresis).type.not.toBeConstructableWith({})
    expect(Toggle).type.not.toBeConstructableWith({ toFail: () => true })
  })

  test('a length of a run is a count, a time or a number; a time is no count', () => {
    expect<RunLength>().type.toBeAssignableFrom(count(5))
    expect<RunLength>().type.toBeAssignableFrom(minute(2))
    expect<RunLength>().type.toBeAssignableFrom(5)
    expect<RunLength>().type.not.toBeAssignableFrom('5')
    expect<Time>().type.not.toBeAssignableFrom(count(5))
    expect(Background).type.not.toBeConstructableWith({ task: () => OK, delay: count(5) })
  })

  test('states of options are states or booleans; a switch has no YELLOW', () => {
    expect(Hysteresis).type.toBeConstructableWith({ task: () => OK, initialState: YELLOW })
    expect(Toggle).type.toBeConstructableWith({ toFail: () => OK, toOk: () => OK, initialState: ok })
    expect(Toggle).type.not.toBeConstructableWith({ toFail: () => OK, toOk: () => OK, initialState: YELLOW })
    expect(Oneshot).type.not.toBeConstructableWith({ defaultState: YELLOW })
    expect(new Hysteresis({ task: () => OK }).state).type.toBe<'OK' | 'YELLOW' | 'RED'>()
    expect(new Toggle({ toFail: () => OK, toOk: () => OK }).state).type.toBe<'OK' | 'RED'>()
  })

  test('options have their types', () => {
    expect<TCPCheckOptions>().type.toBeAssignableFrom({ host: 'a', port: 1 })
    expect<TCPCheckOptions>().type.not.toBeAssignableFrom({ host: 'a' })
    expect<HTTPCheckOptions>().type.toBeAssignableFrom({ url: 'http://a/', expectStatus: [[200, 299], 404] as const })
    expect<HTTPCheckOptions>().type.not.toBeAssignableFrom({ url: 'http://a/', expectStatus: '200' })
  })
})

describe('HealthCheckServer', () => {
  test('takes what a Oneshot fires', () => {
    const reset = new Oneshot({ auth: htpasswdFile('/etc/htpasswd') })
    expect<OnPost>().type.toBeAssignableFrom(reset.fire)
    expect(reset.fire()).type.toBe<Promise<boolean>>()
    expect(new HealthCheckServer({ port: 0 }).addComponent).type.toBeCallableWith('a', () => RED, { onPost: reset.fire })
    expect<OnPost>().type.toBeAssignableFrom((_request: FastifyRequest, reply: FastifyReply) => reply.code(204).send())
    expect<OnPost>().type.not.toBeAssignableFrom(() => 'yes')
    expect(HealthCheckServer).type.not.toBeConstructableWith({})
  })
})

describe('htpasswdFile', () => {
  test('is an auth', () => {
    expect(htpasswdFile('/etc/htpasswd', { queue: 4, timeout: second(5) })).type.toBe<Auth>()
    expect(htpasswdFile).type.not.toBeCallableWith()
  })
})

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { describe, expect, test } from 'tstyche'
import {
  bearerToken, fileStore, localOnly, memoryStore, minute, OK, redisStore, requireAuth, statusPlugin, second,
  type Auth, type Decommission, type DecommissionStore, type RedisClient, type Format, type MetricsRegistry, type StatusPluginOptions, type SvcStatus
} from '../lib/index.js'
import type { Redis } from 'ioredis'
import { register, Registry } from 'prom-client'

declare const fastify: FastifyInstance

describe('the plugin', () => {
  test('is registered with options that are checked', () => {
    fastify.register(statusPlugin)
    fastify.register(statusPlugin, { prefix: '/internal', handlers: { db: () => OK, web: { handler: async () => true, critical: false } } })
    expect<StatusPluginOptions>().type.toBeAssignableFrom({ details: 'never' as const, timeout: second(2), svcStatus: false as const })
    expect<StatusPluginOptions>().type.not.toBeAssignableFrom({ details: 'sometimes' })
    expect<StatusPluginOptions>().type.not.toBeAssignableFrom({ probeStatus: true })
  })

  test('decorates the instance', () => {
    expect(fastify.svcStatus).type.toBe<SvcStatus>()
    expect(fastify.svcStatus.decommissioned).type.toBe<Decommission | undefined>()
    expect(fastify.svcStatus.drain).type.toBeCallableWith({ delay: second(1) })
    expect(fastify.svcStatus.decommission).type.toBeCallableWith('OFF', { for: minute(30), reason: 'new disk', by: 'alice' })
    expect(fastify.svcStatus.decommission).type.not.toBeCallableWith('OFF', { for: '30m' })
    expect(fastify.svcStatus.drain({ delay: 5 })).type.toBe<Promise<void>>()
  })

  test('takes the registries of prom-client', () => {
    expect<MetricsRegistry>().type.toBeAssignableFrom(register)
    expect<MetricsRegistry>().type.toBeAssignableFrom(new Registry())
  })

  test('takes formats and stores of others', () => {
    expect<Format>().type.toBeAssignableFrom({ name: 'yaml', contentTypes: ['application/yaml'], render: () => 'x' })
    expect<Format>().type.toBeAssignableFrom({ name: 'yaml', contentTypes: ['application/yaml'], render: async () => ['x', 'y'] })
    expect<Format>().type.not.toBeAssignableFrom({ name: 'yaml', contentTypes: ['application/yaml'], render: () => 5 })
    expect<DecommissionStore>().type.toBeAssignableFrom(memoryStore())
    expect<DecommissionStore>().type.toBeAssignableFrom(fileStore('decommission.json'))
    // One that was written before there were failures to tell and writes to give up.
    expect<DecommissionStore>().type.toBeAssignableFrom({ name: 'own', open: async (_onChange: (one: Decommission | undefined) => void) => undefined, write: async () => {}, close: async () => {} })
  })

  test('takes a client of ioredis', () => {
    expect<RedisClient>().type.toBeAssignableFrom<Redis>()
    expect(redisStore).type.toBeCallableWith({ url: 'redis://localhost', key: 'k' })
    expect(redisStore).type.not.toBeCallableWith({ url: 'redis://localhost' })
  })
})

describe('auth', () => {
  test('is any function of the request', () => {
    expect<Auth>().type.toBeAssignableFrom(bearerToken('x'))
    expect<Auth>().type.toBeAssignableFrom(bearerToken(['x', 'y']))
    expect<Auth>().type.toBeAssignableFrom(localOnly())
    expect<Auth>().type.toBeAssignableFrom((request: FastifyRequest) => request.ip === '::1')
    expect<Auth>().type.not.toBeAssignableFrom(() => 'yes')
    expect<Auth>().type.toBeAssignableFrom(Object.assign(() => true, { who: (request: FastifyRequest) => request.headers['x-user'] as string | undefined }))
    expect(requireAuth(localOnly())).type.toBe<(request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>>()
  })
})

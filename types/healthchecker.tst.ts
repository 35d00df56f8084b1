import { describe, expect, test } from 'tstyche'
import type { FastifyInstance } from 'fastify'
import { hour, minute, second, type StatusHandler } from '../lib/index.js'
import {
  Health, Healthchecker, HealthcheckerClient, healthcheckerPlugin, Mailer, memoryFleetStore, smtpServer, sqliteFleetStore, WatchedFleet,
  type AppHistory, type CheckRecord, type ClientResult, type Fleet, type FleetCounts, type FleetOptions, type FleetStore, type HealthcheckerOptions,
  type Owe, type Registration, type Suspicion, type Transition, type Trouble, type WatchedApp
} from '../lib/healthchecker/index.js'

declare const fastify: FastifyInstance
declare const registration: Registration
declare const anotherFleet: Fleet
const fleet = new WatchedFleet({ store: sqliteFleetStore('fleet.db'), pauseAfter: hour(2), allowTargets: ['10.0.0.0/8'] })
const mailer = new Mailer({ smtp: smtpServer('smtp://localhost', 'x'), from: 'a@example.org', gather: second(5) })

describe('stores', () => {
  test('are made of a path, or of nothing', () => {
    expect(sqliteFleetStore('fleet.db')).type.toBe<FleetStore>()
    expect(memoryFleetStore()).type.toBe<FleetStore>()
    expect(sqliteFleetStore).type.not.toBeCallableWith()
    expect(sqliteFleetStore).type.not.toBeCallableWith(5)
    expect(sqliteFleetStore).type.not.toBeCallableWith({ path: 'fleet.db' })
    expect(memoryFleetStore).type.not.toBeCallableWith('fleet.db')
  })
})

describe('the fleet', () => {
  test('is a fleet, with options that are checked', () => {
    expect<Fleet>().type.toBeAssignableFrom(fleet)
    expect(WatchedFleet).type.toBeConstructableWith()
    expect(WatchedFleet).type.not.toBeConstructableWith({ stroe: memoryFleetStore() })
    expect(WatchedFleet).type.not.toBeConstructableWith({ store: 'fleet.db' })
    expect(WatchedFleet).type.not.toBeConstructableWith({ pauseAfter: '1d' })
    expect(WatchedFleet).type.not.toBeConstructableWith({ maxApps: second(1) })
    expect<FleetOptions>().type.toBeAssignableFrom({ owe: mailer.owe, maxConcurrent: 10 })
  })

  test('takes whole registrations, and says what became of them', () => {
    expect(fleet.register(registration, { trusted: true })).type.toBe<Promise<'created' | 'changed' | 'unchanged'>>()
    expect(fleet.register).type.not.toBeCallableWith({ name: 'shop' })
    expect(fleet.register).type.not.toBeCallableWith({ ...registration, protocol: 'UDP' })
    expect(fleet.pause('shop', { by: 'alice' })).type.toBe<Promise<boolean>>()
  })

  test('says what it knows, and lets nobody change it', () => {
    expect(fleet.get('shop')).type.toBe<WatchedApp | undefined>()
    expect([...fleet]).type.toBe<WatchedApp[]>()
    expect(fleet.recent('shop')).type.toBe<readonly CheckRecord[]>()
    expect(fleet.history('shop')).type.toBe<Promise<AppHistory | undefined>>()
    expect(fleet.counts).type.toBe<FleetCounts>()
    expect(fleet.trouble).type.toBe<readonly Trouble[]>()
    expect<Trouble['code']>().type.toBe<'STORE_FULL' | 'STORE_READ_ONLY' | 'STORE_FAILED' | 'SUSPECTS_ITSELF' | 'BEHIND'>()
    expect(fleet.list).type.toBeCallableWith({ state: 'UNHEALTHY', limit: 5 })
    expect(fleet.list).type.not.toBeCallableWith({ state: 'PAUSED' })
  })

  test('tells of what happens, each event with its own', () => {
    fleet.on('transition', (transition) => { expect(transition).type.toBe<Transition>() })
    fleet.on('suspicion', (suspicion) => { expect(suspicion).type.toBe<Suspicion>() })
    fleet.on('check', (name, check) => {
      expect(name).type.toBe<string>()
      expect(check).type.toBe<CheckRecord>()
    })
    expect(fleet.on).type.not.toBeCallableWith('transitions', () => {})
  })

  test('has a state machine that is a function', () => {
    expect(Health.after(Health.unknown, true, { unhealthyThreshold: 2, healthyThreshold: 4 })).type.toBe<typeof Health.unknown>()
    expect(Health.after).type.not.toBeCallableWith(Health.unknown, true, {})
  })
})

describe('the healthchecker', () => {
  test('takes any fleet, and a mailer that may say how it does', () => {
    const checker = new Healthchecker({ fleet, mailer, port: 0, token: '0123456789abcdef', fastify: { trustProxy: true } })
    expect(checker.fleet).type.toBe<Fleet>()
    expect(checker.listen()).type.toBe<Promise<string>>()
    expect(checker.close()).type.toBe<Promise<void>>()
    expect(Healthchecker).type.toBeConstructableWith({ fleet: anotherFleet })
    expect<HealthcheckerOptions['mailer']>().type.toBeAssignableFrom({ start: async () => {}, close: async () => {} })
    expect(mailer.owe).type.toBe<Owe>()
    expect<StatusHandler>().type.toBeAssignableFrom(mailer)
  })

  test('refuses what it does not know', () => {
    expect(Healthchecker).type.not.toBeConstructableWith({})
    expect(Healthchecker).type.not.toBeConstructableWith({ fleet, prot: 5 })
    expect(Healthchecker).type.not.toBeConstructableWith({ fleet, port: '8080' })
    expect(Healthchecker).type.not.toBeConstructableWith({ fleet, mailAllow: '@example.org' })
    expect(Healthchecker).type.not.toBeConstructableWith({ fleet, mailer: { start: async () => {} } })
  })
})

describe('an app', () => {
  const client = new HealthcheckerClient({ app: 'shop', url: 'http://10.0.0.5:9090', timeout: second(3) })

  test('hears what became of each call', () => {
    expect(client.monitor({ path: '/health', interval: 10, expectStatus: [200, 204] })).type.toBe<Promise<ClientResult>>()
    expect(client.stop()).type.toBe<Promise<ClientResult>>()
    expect(client.isAvailable()).type.toBe<Promise<boolean>>()
    expect(client.find()).type.toBe<Promise<string | undefined>>()
  })

  test('gives times in seconds where they go over the wire', () => {
    expect(client.monitor).type.not.toBeCallableWith({ interval: second(10) })
    expect(client.monitor).type.not.toBeCallableWith({ protocol: 'http' })
    expect(HealthcheckerClient).type.not.toBeConstructableWith({ url: 'http://10.0.0.5' })
  })

  test('registers in one line', () => {
    expect(fastify.register).type.toBeCallableWith(healthcheckerPlugin, { app: 'shop', path: '/health', interval: 10, retryAfter: minute(1) })
    expect(fastify.register).type.not.toBeCallableWith(healthcheckerPlugin, { app: 'shop', intervall: 10 })
    expect(fastify.register).type.not.toBeCallableWith(healthcheckerPlugin, { path: '/health' })
    expect(fastify.register).type.not.toBeCallableWith(healthcheckerPlugin, { app: 'shop', interval: second(10) })
  })
})

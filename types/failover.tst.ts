import { describe, expect, test } from 'tstyche'
import type { FastifyInstance } from 'fastify'
import type pg from 'pg'
import type { Pool } from 'mysql2/promise'
import { count, minute, second, TCPCheck, type StatusHandler } from '../lib/index.js'
import {
  Connections, DatabaseService, failoverLogMethod, failoverPlugin, JobQueueService, monitored, MySQLService, recoverFromOutages, Service, ServiceMonitor,
  type AddedJob, type Outage, type OutageEvent, type RecoveryEvent, type ServiceContext, type ServiceOptions
} from '../lib/failover/index.js'

declare const fastify: FastifyInstance
declare const pool: pg.Pool
declare const mysqlPool: Pool
const monitor = new ServiceMonitor({ settings: { a: 1 }, recoverAfter: minute(1), hookTimeout: second(5) })

describe('services', () => {
  test('are status handlers', () => {
    expect<StatusHandler>().type.toBeAssignableFrom(new Service({ name: 'x', host: 'x', port: 'smtp' }))
  })

  test('take options that are checked', () => {
    expect<ServiceOptions>().type.toBeAssignableFrom({ recoverAfter: count(3), standby: new TCPCheck({ host: 'x', port: 1 }) })
    expect<ServiceOptions>().type.toBeAssignableFrom({ ping: async ({ signal }: ServiceContext) => signal.aborted })
    expect(Service).type.not.toBeConstructableWith({ hots: 'x' })
    expect(Service).type.not.toBeConstructableWith({ timeout: '3s' })
  })
})

describe('the monitor', () => {
  test('gives what it was given', () => {
    class Search extends Service {}
    const search = new Search()
    expect(monitor.register(Search)).type.toBe<typeof Search>()
    expect(monitor.register(search)).type.toBe<Search>()
    expect(monitor.outages).type.toBe<readonly Outage[]>()
    expect(monitor.monitor({ outagesOnly: true, error: 5 })).type.toBe<Promise<void>>()
  })

  test('tells of outages and recoveries', () => {
    monitor.on('outage', (event) => { expect(event).type.toBe<OutageEvent>() })
    monitor.on('recovery', (event) => { expect(event).type.toBe<RecoveryEvent>() })
    expect(monitor.on).type.not.toBeCallableWith('outages', () => {})
  })

  test('is found on the app', () => {
    fastify.register(failoverPlugin, { monitor, services: [new Service()], wait: true, errorCodes: ['E_OWN'], errorClasses: [TypeError] })
    expect(fastify.serviceMonitor).type.toBe<ServiceMonitor>()
    expect(failoverLogMethod).type.toBeCallableWith(monitor, { extraErrorClasses: [RangeError] })
  })
})

describe('wrappers', () => {
  const add = (a: number, b: number): number => a + b

  test('keep the type of the function, and give a promise where they wait', () => {
    expect(monitored(add, monitor)).type.toBe<(a: number, b: number) => number>()
    expect(monitored(add, monitor, { wait: true })(1, 2)).type.toBe<Promise<number>>()
    expect(recoverFromOutages(async () => 'x', monitor)()).type.toBe<Promise<string>>()
  })
})

describe('ready services', () => {
  const connections = new Connections({ default: pool, replica: pool, reports: mysqlPool })

  test('connections keep the types of their pools', () => {
    expect(connections.get('replica')).type.toBe<pg.Pool>()
    expect(connections.get('reports')).type.toBe<Pool>()
    expect(connections.get).type.not.toBeCallableWith('slave')
  })

  test('a database has aliases of its connections', () => {
    expect(new DatabaseService({ connections, alias: 'reports' }).alias).type.toBe<'default' | 'replica' | 'reports'>()
    expect(DatabaseService).type.not.toBeConstructableWith({ connections, alias: 'slave' })
    expect(new MySQLService({ connections }).connections).type.toBe<typeof connections>()
  })

  test('jobs have the type that their processor takes', () => {
    const jobs = new JobQueueService<{ to: string }>({ queue: 'mails', process: ({ data }) => data.to })
    expect(jobs.add('welcome', { to: 'x' })).type.toBe<Promise<AddedJob>>()
    expect(jobs.add).type.not.toBeCallableWith('welcome', { from: 'x' })
  })
})

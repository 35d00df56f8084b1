import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { JobQueueService, ServiceMonitor, type JobQueue, type JobQueueServiceOptions } from '../../../lib/failover/index.js'
import { endQueue } from '../../../lib/failover/services/job-queue-service.js'
import { askLine } from '../../../lib/failover/services/ask-line.js'
import { driver } from '../../../lib/failover/services/driver.js'
import { closedPort, listen } from '../../checks/support/peers.js'
import { FakeTime, settled } from '../../policies/support/fake-time.js'
import { recorder, shown, type Line } from '../support/monitor.js'

// BullMQ itself, with a real Redis, is in test/system/failover-bullmq.test.ts.

/** A broker that answers `PING`, and a queue that does as it is told. */
interface Story {
  readonly jobs: JobQueueService<number>
  readonly monitor: ServiceMonitor
  readonly lines: Line[]
  readonly ran: number[]
  /** The ids of the queue: a second job under an id is ignored. */
  readonly queued: Map<string, number>
  add: JobQueue['add']
  answer: string
}

async function story (t: Test, options: Partial<JobQueueServiceOptions<number>> = {}): Promise<Story> {
  const { lines, logger } = recorder()
  const monitor = new ServiceMonitor({ logger })
  t.teardown(() => monitor.close())
  const ran: number[] = []
  const queued = new Map<string, number>()
  const put: JobQueue['add'] = async (_name, data, options) => { queued.set((options as { jobId: string }).jobId, data as number) }
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(story.answer))
  })
  const port = await listen(t, server)
  const jobs = new JobQueueService<number>({
    queue: { add: (...args) => story.add(...args) },
    process: ({ data }) => { ran.push(data) },
    host: '127.0.0.1',
    port,
    monitoringPingFrequency: 0,
    outagePingFrequency: 0,
    errorPingFrequency: 0,
    addTimeout: 60,
    ...options
  })
  const story: Story = { jobs, monitor, lines, ran, queued, add: put, answer: '+PONG\r\n' }
  monitor.register(jobs)
  return story
}

const lost = (): Promise<never> => Promise.reject(new Error('Connection is closed.'))
const notSent = (): Promise<never> => Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"))

t.test('jobs go into the queue while the broker is up, under an id', async (t) => {
  const { jobs, queued, ran } = await story(t)
  const { id, where } = await jobs.add('double', 1)
  t.match(await jobs.add('double', 2, { jobId: 'mine', delay: 5 }), { id: 'mine', where: 'queue' })
  t.equal(where, 'queue')
  t.strictSame([[...queued], ran], [[[id, 1], ['mine', 2]], []])
})

t.test('they run inline while it is down, and the queue is not asked', async (t) => {
  const told = await story(t)
  told.answer = '-LOADING Redis is loading the dataset in memory\r\n'
  await told.monitor.monitor()
  t.match(await shown(told.jobs), { state: 'YELLOW', detail: /: the broker is not ready: -LOADING; failed over$/, inline: true, held: 0 })
  told.add = async () => { throw new Error('asked') }
  t.match(await told.jobs.add('double', 1), { where: 'inline', error: undefined })
  t.strictSame(told.ran, [1])
  told.answer = '-NOAUTH Authentication required.\r\n'
  await told.monitor.monitor()
  t.match(await shown(told.jobs), { state: 'OK', inline: false })
})

t.test('what a job throws inline is logged and given', async (t) => {
  const told = await story(t, { process: () => { throw new TypeError('bad job') } })
  told.jobs.failover({} as never)
  t.match(await told.jobs.add('double', 1), { where: 'inline', error: { message: 'bad job' } })
  t.match(told.lines.at(-1), { level: 'error', about: { service: 'job_queue', err: { message: 'bad job' } }, message: 'the job "double" failed inline' })
})

t.test('a job that the broker has certainly not taken runs inline at once', async (t) => {
  for (const message of ['LOADING Redis is loading', 'READONLY You can\'t write', undefined]) {
    const told = await story(t)
    told.add = message === undefined ? notSent : async () => { throw new Error(message) }
    t.match(await told.jobs.add('double', 1), { where: 'inline' }, String(message))
    t.strictSame(told.ran, [1])
  }
})

t.test('a job that the broker does not take has the broker asked at once', async (t) => {
  const told = await story(t, { monitoringPingFrequency: 60_000 })
  await told.monitor.monitor()
  told.answer = '-ERR\r\n'
  told.add = lost
  const outage = new Promise((resolve) => told.monitor.on('outage', resolve))
  t.match(await told.jobs.add('double', 1), { where: 'held' })
  t.match(await outage, { name: 'job_queue' })
})

t.test('a job of which nobody knows is held, and put into the queue once', async (t) => {
  const told = await story(t)
  told.answer = '-ERR\r\n'
  const { add } = told
  told.add = async (...args) => { await add(...args); await lost() }
  const { id, where } = await told.jobs.add('double', 1)
  t.equal(where, 'held')
  await told.monitor.monitor()
  t.match(await shown(told.jobs), { state: 'YELLOW', held: 1 })
  told.answer = '+PONG\r\n'
  told.add = lost
  await told.monitor.monitor()
  t.match(await shown(told.jobs), { state: 'YELLOW', held: 1 }, 'it is not up as long as it takes no jobs')
  told.add = add
  await told.monitor.monitor()
  t.match(await shown(told.jobs), { state: 'OK', held: 0 })
  t.strictSame([[...told.queued], told.ran], [[[id, 1]], []])
})

t.test('a broker that does not answer in time may still take the job', async (t) => {
  const told = await story(t)
  let answer = (): void => {}
  told.answer = '-ERR\r\n'
  told.add = () => new Promise<void>((resolve) => { answer = resolve })
  t.match(await told.jobs.add('double', 1), { where: 'held' })
  t.match(told.jobs.details(), { held: 1 })
  answer()
  await settled()
  t.match(told.jobs.details(), { held: 0 })
  let fail = (_error: Error): void => {}
  told.add = () => new Promise<void>((_resolve, reject) => { fail = reject })
  t.match(await told.jobs.add('double', 1), { where: 'held' })
  fail(new Error('x'))
  await settled()
  t.match(told.jobs.details(), { held: 1 })
})

t.test('what the queue says against a job itself is thrown, and no job is run', async (t) => {
  const told = await story(t)
  told.add = async () => { throw new TypeError('Custom Id cannot contain :') }
  await t.rejects(told.jobs.add('double', 1, { jobId: 'a:b' }), { message: 'Custom Id cannot contain :' })
  t.strictSame(told.ran, [])
})

t.test('without a monitor nobody could put a held job into the queue: it is refused', async (t) => {
  const ran: number[] = []
  const jobs = new JobQueueService<number>({ queue: { add: lost }, process: ({ data }) => { ran.push(data) } })
  await t.rejects(jobs.add('double', 1), { message: 'Connection is closed.' })
  const another = new JobQueueService<number>({ queue: { add: notSent }, process: ({ data }) => { ran.push(data); throw new Error('x') } })
  t.match(await another.add('double', 2), { where: 'inline', error: { message: 'x' } })
  t.strictSame(ran, [2])
  await jobs.close()
})

t.test('putting held jobs into the queue ends when the ping is called off', async (t) => {
  const told = await story(t, { errorPingFrequency: 60_000 })
  await told.monitor.monitor()
  const { add } = told
  const calling = new AbortController()
  told.add = lost
  await told.jobs.add('double', 1)
  await told.jobs.add('double', 2)
  told.add = async (...args) => { await add(...args); calling.abort() }
  await told.jobs.ping({ name: '', signal: calling.signal, log: recorder().logger, settings: {} })
  t.match(told.jobs.details(), { held: 1 })
})

t.test('close waits for jobs that run inline, and names those that are held', async (t) => {
  const told = await story(t, { process: async () => { await settled(); ended = true } })
  let ended = false
  told.answer = '-ERR\r\n'
  told.add = lost
  const { id } = await told.jobs.add('double', 1)
  told.jobs.failover({} as never)
  const run = told.jobs.add('double', 2)
  await told.monitor.close()
  t.equal(ended, true)
  await run
  t.match(told.lines.at(-1), { level: 'error', about: { err: { message: new RegExp(`took these jobs: ${id}$`) } } })
})

t.test('a queue by name is made by the first job, and closed with the service', async (t) => {
  const port = await closedPort()
  const jobs = new JobQueueService<number>({ queue: 'numbers', process: () => {}, connection: { host: '127.0.0.1', port, retryStrategy: () => null }, addTimeout: 50 })
  t.equal(jobs.name, 'numbers')
  await t.rejects(jobs.add('double', 1), Error)
  await jobs.close()
})

t.test('a broker has two seconds to accept a job, unless told otherwise', async (t) => {
  const clock = new FakeTime()
  const restore = clock.install()
  t.teardown(restore)
  const jobs = new JobQueueService<number>({ queue: { add: () => new Promise(() => {}) }, process: () => {} })
  let said: unknown
  jobs.add('double', 1).catch((error: unknown) => { said = error })
  await clock.advance(1_999)
  t.equal(said, undefined)
  await clock.advance(1)
  t.match(said, { code: 'ERR_SERVICE_TIMEOUT', message: 'adding a job took longer than 2000 ms' })
})

t.test('a queue that cannot be closed is disconnected, and not waited for', async (t) => {
  const done: string[] = []
  const disconnect = async (): Promise<void> => { done.push('disconnect'); throw new Error('x') }
  await endQueue({ close: async () => { done.push('close') }, disconnect })
  await endQueue({ close: async () => { throw new Error("Stream isn't writeable") }, disconnect })
  t.strictSame(done, ['close', 'disconnect'])
  const clock = new FakeTime()
  t.teardown(clock.install())
  const ending = endQueue({ close: () => new Promise(() => {}), disconnect })
  await clock.advance(1_000)
  await ending
  t.strictSame(done, ['close', 'disconnect', 'disconnect'], 'one whose broker hangs')
})

t.test('a driver that is not installed is an error that says what to install', async (t) => {
  t.equal(await driver('x', async () => 5), 5)
  await t.rejects(driver('bullmq ioredis', async () => { throw Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' }) }), { code: 'ERR_PACKAGE_MISSING', message: /npm install bullmq ioredis$/ })
  await t.rejects(driver('x', async () => { throw new SyntaxError('x') }), { name: 'SyntaxError' })
})

t.test('wrong options are refused', async (t) => {
  const process = (): void => {}
  const wrong: Array<[object | undefined, string]> = [
    [undefined, 'ERR_INVALID_OPTION'],
    [{ queue: 'x' }, 'ERR_INVALID_OPTION'],
    [{ process }, 'ERR_INVALID_OPTION'],
    [{ queue: '', process }, 'ERR_INVALID_OPTION'],
    [{ queue: {}, process }, 'ERR_INVALID_OPTION'],
    [{ queue: 'x', process, connection: 'redis://' }, 'ERR_INVALID_OPTION'],
    [{ queue: 'x', process, connection: { host: 'a b' } }, 'ERR_INVALID_OPTION'],
    [{ queue: 'x', process, connection: { url: 'redis://redis:6379' } }, 'ERR_INVALID_OPTION'],
    [{ queue: 'x', process, connection: { sentinels: [{ host: 'sentinel' }] } }, 'ERR_INVALID_OPTION'],
    [{ queue: 'x', process, connection: { duplicate () {} } }, 'ERR_INVALID_OPTION'],
    [{ queue: 'x', process, port: 0 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ queue: 'x', process, addTimeout: 0 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ queue: 'x', process, queues: [] }, 'ERR_UNKNOWN_OPTION']
  ]
  for (const [options, code] of wrong) t.throws(() => new JobQueueService(options as never), { code }, JSON.stringify(options))
  t.ok(new JobQueueService({ queue: 'x', process, connection: { url: 'redis://redis:6379' }, host: 'redis' }))
})

t.test('a held job that the queue refuses is logged, and holds up nobody', async (t) => {
  const told = await story(t, { addTimeout: 30 })
  let refuse: ((error: Error) => void) | undefined
  told.add = () => new Promise((_resolve, reject) => { refuse = reject })
  t.match(await told.jobs.add('double', 1, { jobId: 'bad' }), { where: 'held' })
  refuse?.(new Error('Missing key for parent job'))
  told.add = async (_name, data, options) => {
    const { jobId } = options as { jobId: string }
    if (jobId === 'bad') throw new Error('Missing key for parent job')
    told.queued.set(jobId, data as number)
  }
  await told.monitor.monitor()
  t.match(await shown(told.jobs), { state: 'OK', inline: false, held: 0 })
  t.ok(told.lines.some(({ level, message }) => level === 'error' && message === 'the queue refuses the job "double" that was held'))
  t.match(await told.jobs.add('double', 2), { where: 'queue' })
})

t.test('a held job waits on where the broker goes away again', async (t) => {
  const told = await story(t, { addTimeout: 30 })
  told.add = async () => await new Promise(() => {})
  await told.jobs.add('double', 1, { jobId: 'a' })
  told.add = lost
  await told.monitor.monitor()
  t.match(await shown(told.jobs), { state: 'YELLOW', held: 1 })
})

t.test('what a queue rejects with may be anything', async (t) => {
  for (const reason of [undefined, null, 'no', 5]) {
    const told = await story(t)
    told.add = async () => { throw reason }
    await t.rejects(told.jobs.add('double', 1).catch((error: unknown) => { throw new Error(`rejected with ${String(error)}`) }), { message: `rejected with ${String(reason)}` })
  }
})

t.test('a broker behind a Unix socket is asked there', async (t) => {
  // Short: the address of a Unix socket has 108 bytes at most.
  const folder = await mkdtemp(join(tmpdir(), 'broker-'))
  t.teardown(async () => await rm(folder, { recursive: true }))
  const path = join(folder, 'redis.sock')
  const server = createServer((socket) => { socket.on('data', () => socket.write('+PONG\r\n')) })
  await once(server.listen(path), 'listening')
  t.teardown(() => { server.close() })
  t.equal(await askLine({ host: 'none.invalid', port: 1, path }, 'PING', new AbortController().signal), '+PONG')
})

t.test('a broker behind TLS is asked by TLS', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (hello) => socket.end(hello[0] === 0x16 ? Buffer.from([0x15, 3, 3, 0, 2, 2, 40]) : '+PONG\r\n'))
  })
  const port = await listen(t, server)
  await t.rejects(askLine({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } }, 'PING', new AbortController().signal), { code: 'ERR_SERVICE_DOWN', message: /EPROTO|SSL/ })
})

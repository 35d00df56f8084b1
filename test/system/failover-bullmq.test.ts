import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'bullmq'
import t from 'tap'
import { JobQueueService, ServiceMonitor, type AddedJob } from '../../lib/failover/index.js'
import { redis } from './support/databases.js'
import { until } from './support/until.js'

t.test('while the broker is down jobs run inline; none is lost, and none runs twice', async (t) => {
  const broker = await redis(t)
  const connection = { host: '127.0.0.1', port: broker.port }
  const ran = new Map<number, string[]>()
  const runs = (where: string) => async ({ data }: { data: number }): Promise<void> => { ran.set(data, [...ran.get(data) ?? [], where]) }
  const monitor = new ServiceMonitor({ outagePingFrequency: 200, errorPingFrequency: 0 })
  const jobs = new JobQueueService<number>({ queue: 'numbers', connection, process: runs('inline') })
  monitor.register(jobs)
  const worker = new Worker<number>('numbers', runs('worker'), { connection: { ...connection, maxRetriesPerRequest: null } })
  worker.on('error', () => {})
  t.teardown(async () => { await monitor.close() })

  const added: AddedJob[] = []
  const enough = new AbortController()
  let next = 0
  const adder = async (): Promise<void> => {
    while (!enough.signal.aborted) {
      added.push(await jobs.add('number', next++))
      await pause(2)
    }
  }
  const adders = Promise.all([adder(), adder(), adder()])
  const went = (where: AddedJob['where']): number => added.filter((job) => job.where === where).length
  await until('jobs in the queue', () => went('queue') > 100)
  await broker.kill()
  await until('jobs that run inline', () => went('inline') > 200)
  t.equal(jobs.inline, true)
  const before = went('queue')
  await broker.start()
  await until('jobs in the queue again', () => went('queue') > before + 100, { within: 60_000 })
  enough.abort()
  await adders
  // A job whose answer was lost with the broker is active and nobody's: a worker takes it up at its second look, half a minute after the first.
  await until('every job has run', () => ran.size === next, { within: 150_000 })
  await until('no job is held', () => (jobs.details() as { held: number }).held === 0)
  await pause(500)
  // Not in a teardown: with the broker gone, a worker of BullMQ connects again for ever.
  await worker.close()
  await broker.kill()
  await monitor.close()
  t.comment(`${went('queue')} in the queue, ${went('inline')} inline, ${went('held')} held`)
  t.equal(ran.size, next, 'none is lost')
  t.strictSame([...ran].filter(([, where]) => where.length !== 1), [], 'none has run twice')
})

t.test('a queue by name takes jobs again when its service has another monitor', async (t) => {
  const broker = await redis(t)
  const jobs = new JobQueueService<number>({ queue: 'numbers', connection: { host: '127.0.0.1', port: broker.port }, process: () => {} })
  for (let time = 0; time < 2; time++) {
    const monitor = new ServiceMonitor()
    monitor.register(jobs)
    t.match(await jobs.add('number', time), { where: 'queue' })
    await monitor.close()
  }
  t.match(jobs.details(), { held: 0 })
})

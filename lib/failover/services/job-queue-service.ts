import { randomUUID } from 'node:crypto'
import type { AddedJob, InlineJob, JobQueue, ServiceContext, ServiceOptions } from '../../../types/failover.js'
import type { Time } from '../../../types/time.js'
import { hostOf } from '../../checks/peer.js'
import { portOf } from '../../checks/service-port.js'
import { codedError } from '../../core/errors.js'
import { invalid, knownOptions, ofKind } from '../../core/options.js'
import { milliseconds, second } from '../../core/units.js'
import { Call, tooLong } from '../call.js'
import { outageErrors } from '../outage-errors.js'
import { Service, watchOf } from '../service.js'
import { askLine, type Peer } from './ask-line.js'
import { driver } from './driver.js'

export interface JobQueueServiceOptions<Data = unknown> extends Omit<ServiceOptions, 'failoverSettings' | 'standby' | 'failover' | 'recover' | 'ping'> {
  /** A BullMQ `Queue`, or the name of one, which is made by the first `add` and closed with the monitor. */
  queue: string | JobQueue
  /** What does a job, inline: the function that the workers of the queue have too. */
  process: (job: InlineJob<Data>) => unknown
  /** What BullMQ connects to, with a queue by name: the options of ioredis. Its `host` and `port` are pinged unless the service has its own. */
  connection?: { readonly host?: string, readonly port?: number, readonly [option: string]: unknown }
  /** How long the broker may take to accept a job. Default `second(2)`; at least 1 ms. */
  addTimeout?: Time
}

/** https://redis.io/docs/latest/operate/oss_and_stack/management/config/ */
const usual = { host: '127.0.0.1', port: 6_379 }

const isOutage = outageErrors({})

/** What Redis answers before it has done anything. */
const notNow = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF) /

/** ioredis refuses to queue a command, and has sent nothing of it. */
const notSent = "Stream isn't writeable and enableOfflineQueue options is false"

interface Job {
  readonly id: string
  readonly name: string
  readonly data: unknown
  readonly options: object
}

/**
 * A BullMQ queue whose jobs run inline, in this process, while the broker is down: `add` is the same call in both cases.
 *
 * A job of which nobody knows whether the broker took it is neither run inline, since a worker may have it, nor given up: it is held,
 * and put into the queue under the same id when the broker is back, where the queue ignores it if it is there already.
 *
 * @example
 * const mails = new JobQueueService({ queue: 'mails', connection: { host: 'redis' }, process: ({ data }) => sendMail(data) })
 * monitor.register(mails)
 * await mails.add('welcome', { to: 'alice@example.org' })
 */
export class JobQueueService<Data = unknown> extends Service {
  readonly #queue: () => Promise<JobQueue>
  readonly #process: (job: InlineJob<Data>) => unknown
  readonly #broker: Peer
  readonly #addTimeout: number
  readonly #held = new Map<string, Job>()
  readonly #running = new Set<Promise<unknown>>()
  /** The queue that was made here, and is closed here. */
  #made: Promise<JobQueue> | undefined
  #inline = false

  /**
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options: JobQueueServiceOptions<Data>) {
    const { queue, process, connection = {}, addTimeout = second(2), ...service } = knownOptions(options, jobQueueOptions, 'JobQueueService')
    ofKind(process ?? null, 'function', 'the option "process"')
    ofKind(connection, 'object', 'the option "connection"')
    if (typeof connection.duplicate === 'function') throw invalid('the option "connection"', 'the options of ioredis, not a connection of it', connection)
    for (const elsewhere of ['url', 'sentinels']) {
      // The queue would find its broker by these, and the ping would ask another one.
      if (connection[elsewhere] !== undefined && service.host === undefined) throw invalid('the option "host"', `given where "connection" has "${elsewhere}"`, undefined)
    }
    const { host = connection.host ?? usual.host, port = connection.port ?? usual.port } = service
    const broker = { host: hostOf(host, 'the option "host"'), port: portOf(port, 'the option "port"'), tls: connection.tls as object | undefined, path: connection.path as string | undefined }
    const within = milliseconds(addTimeout, 'the option "addTimeout"', 1)
    const given = queueOf(queue)
    super({ name: typeof queue === 'string' ? queue : 'job_queue', ...service, host: broker.host, port: broker.port })
    this.#process = process
    this.#broker = broker
    this.#addTimeout = within
    this.#queue = given === undefined
      ? () => (this.#made ??= makeQueue(queue as string, connection))
      : async () => given
  }

  /** Whether jobs run inline at this moment. */
  get inline (): boolean {
    return this.#inline
  }

  /**
   * Adds a job to the queue, or runs it inline and resolves when it has ended: what it throws is logged and given as `error`. Inline
   * there are no delays, priorities, repetitions or further attempts. `options` are those of BullMQ's `Queue.add`.
   *
   * @throws what the queue says against the job itself; ERR_PACKAGE_MISSING where bullmq is not installed; where no monitor watches
   * the service, also what says that nobody knows whether the broker took the job
   */
  async add (name: string, data: Data, options: { readonly jobId?: string, readonly [option: string]: unknown } = {}): Promise<AddedJob> {
    const job: Job = { id: options.jobId ?? randomUUID(), name, data, options }
    if (this.#inline) return await this.#runInline(job)
    const call = new Call(() => this.#put(job))
    const ended = await call.within(this.#addTimeout, true)
    const { failure } = ended ?? { failure: { error: tooLong('adding a job', this.#addTimeout) } }
    if (failure === undefined) return { id: job.id, where: 'queue' }
    const { error } = failure
    const refused = isRefused(error)
    if (ended !== undefined && !refused && !isOutage(error)) throw error
    const watch = watchOf(this)
    if (!refused && watch === undefined) throw error
    // Nobody waits for it: the ping that follows decides where the next jobs go, and what becomes of those that are held.
    watch?.trigger('error')
    if (refused) return await this.#runInline(job)
    this.#held.set(job.id, job)
    // It may have been slow, and no more.
    if (ended === undefined) call.end.then(({ failure }) => { if (failure === undefined) this.#held.delete(job.id) })
    return { id: job.id, where: 'held' }
  }

  /** Asks Redis for a `PONG`, and puts the jobs that are held into the queue. */
  override async ping ({ signal, log }: ServiceContext): Promise<void> {
    const answer = await askLine(this.#broker, 'PING', signal)
    // One that wants a password first is there.
    if (!/^(\+PONG|-NOAUTH)/.test(answer)) throw codedError('ERR_SERVICE_DOWN', `the broker is not ready: ${answer.split(' ')[0]}`)
    for (const job of this.#held.values()) {
      if (signal.aborted) return
      try {
        await this.#put(job)
      } catch (error) {
        if (isOutage(error) || isRefused(error)) throw error
        // What the queue says against the job itself must not keep the others waiting, nor the service down.
        log.error({ service: this.name, job: job.id, err: error }, `the queue refuses the job ${JSON.stringify(job.name)} that was held`)
      }
      this.#held.delete(job.id)
    }
  }

  /** From now on jobs run inline. */
  override failover (_context: ServiceContext): void {
    this.#inline = true
  }

  /** From now on jobs go into the queue. Those that run inline end inline. */
  override recover (_context: ServiceContext): void {
    this.#inline = false
  }

  override details (): object {
    return { inline: this.#inline, held: this.#held.size }
  }

  /**
   * Waits for the jobs that run inline, and closes the queue where it was made here.
   *
   * @throws ERR_SERVICE_DOWN where jobs are held: it names them
   */
  override async close (): Promise<void> {
    await Promise.all(this.#running)
    const made = this.#made
    // Another monitor may have the service next: a queue that was closed takes no jobs any more.
    this.#made = undefined
    await (await made)?.close?.()
    if (this.#held.size > 0) throw codedError('ERR_SERVICE_DOWN', `nobody knows whether the broker took these jobs: ${[...this.#held.keys()].join(', ')}`)
  }

  async #put ({ id, name, data, options }: Job): Promise<void> {
    const queue = await this.#queue()
    await queue.add(name, data, { ...options, jobId: id })
  }

  async #runInline ({ id, name, data }: Job): Promise<AddedJob> {
    const run = new Call(() => this.#process({ id, name, data: data as Data })).end
    this.#running.add(run)
    const { failure } = await run
    this.#running.delete(run)
    if (failure === undefined) return { id, where: 'inline' }
    watchOf(this)?.log.error({ service: this.name, job: id, err: failure.error }, `the job ${JSON.stringify(name)} failed inline`)
    return { id, where: 'inline', error: failure.error }
  }
}

/** Whether the broker has certainly not taken a job, and may take it later. */
function isRefused (error: unknown): boolean {
  const message = error instanceof Error ? error.message : ''
  return notNow.test(message) || message.includes(notSent)
}

function queueOf (queue: unknown): JobQueue | undefined {
  if (typeof queue === 'string' && queue !== '') return undefined
  if (typeof queue === 'object' && queue !== null && typeof (queue as Partial<JobQueue>).add === 'function') return queue as JobQueue
  throw invalid('the option "queue"', 'the name of a queue or a Queue of bullmq', queue)
}

async function makeQueue (name: string, connection: object): Promise<JobQueue> {
  const { Queue } = await driver('bullmq ioredis', () => import('bullmq'))
  // A command that is kept for later, or sent again, would be a job that runs inline and in a worker.
  const queue = new Queue(name, { connection: { ...connection, enableOfflineQueue: false, autoResendUnfulfilledCommands: false } })
  // The ping tells of outages. Errors that nobody hears would be written to the console.
  queue.on('error', () => {})
  return { add: (...job) => queue.add(...job), close: () => endQueue(queue) }
}

/** How long a broker may take to say goodbye. */
const goodbye = second(1).milliseconds

/**
 * Closes a queue, also one whose broker is down: BullMQ refuses to close it then, and connects again for ever; one that hangs it
 * waits for, and its connection keeps the process alive.
 */
export async function endQueue (queue: { close (): Promise<unknown>, disconnect (): Promise<unknown> }): Promise<void> {
  const ended = await new Call(() => queue.close()).within(goodbye)
  // Not awaited: where there is no connection, the end of one never comes.
  if (ended === undefined || ended.failure !== undefined) queue.disconnect().catch(() => {})
}

const jobQueueOptions = [
  'queue', 'process', 'connection', 'addTimeout', 'name', 'host', 'port', 'timeout', 'monitoringPingFrequency',
  'outagePingFrequency', 'errorPingFrequency', 'recoverAfter'
] as const

/*
 * A service that shows its status. `npm start` builds and starts it, Ctrl-C drains and stops it.
 *
 * Environment:
 *   HOST, PORT        where it listens; 127.0.0.1 and 8080 unless set
 *   DB_FILE           its SQLite file; one in a new temporary folder, removed at the end, unless set
 *   UPSTREAM_URL      the upstream that it depends on; a small server of its own unless set
 *   DRAIN_DELAY       how long the probe answers 503 before the service closes, in milliseconds; 1000 unless set
 *   SVC_STATUS_TOKEN  the bearer token that decommissions it; nobody can unless set
 */
import Fastify from 'fastify'
import statusPlugin, { second } from 'fastify-svc-status'
import { Cleaner } from './service/cleaner.js'
import { diskSpace } from './service/disk-space.js'
import { EventLoop } from './service/event-loop.js'
import { startUpstream, upstream } from './service/upstream.js'
import { Visits } from './service/visits.js'

const { HOST = '127.0.0.1', PORT = '8080', DB_FILE, UPSTREAM_URL, DRAIN_DELAY = '1000' } = process.env

// The log goes to stderr, the addresses below to stdout.
const app = Fastify({ logger: { stream: process.stderr } })

// Ctrl-C reaches npm, its shell and this process, and some of them pass it on: drain() joins every further call to the first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { stop().catch(fail) })

const started = start().catch(fail)

async function start (): Promise<boolean> {
  const visits = new Visits(DB_FILE)
  // Hooks run in reverse order: the database closes after the plugin has stopped who uses it.
  app.addHook('onClose', async () => visits.close())
  const upstreamUrl = UPSTREAM_URL ?? await startUpstream(app)

  await app.register(statusPlugin, {
    handlers: {
      cleaner: { handler: new Cleaner(visits, app.log), description: 'forgets visits that are older than an hour' },
      database: { handler: visits, description: 'a query on the SQLite file', tags: ['database'] },
      disk: { handler: diskSpace(visits.folder), description: 'free space where the SQLite file is' },
      // What it says is about the time since it was last asked: with a cache, five seconds or more.
      event_loop: { handler: new EventLoop(), cache: second(5), description: 'how late timers fire' },
      // The service does without it: RED here makes the whole YELLOW.
      upstream: { handler: upstream(upstreamUrl), timeout: second(2), critical: false, description: 'an upstream, asked over HTTP' }
    },
    svcStatus: { html: { title: 'Example service' } }
  })
  app.get('/', async () => ({ visits: visits.add() }))

  const origin = await app.listen({ host: HOST, port: Number(PORT) })
  for (const path of ['svc_status', 'svc_status.json', 'svc_status.prometheus', 'probe_status', 'live_status']) {
    console.log(`${origin}/${path}`)
  }
  return true
}

async function stop (): Promise<void> {
  // One that is just starting would listen all the same after it was closed.
  if (await started) await app.svcStatus.drain({ delay: Number(DRAIN_DELAY) })
}

async function fail (error: Error): Promise<false> {
  console.error(error.message)
  process.exitCode = 1
  await app.close()
  return false
}

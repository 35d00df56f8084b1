import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import http from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { blackbox, exporter } from './checks.js'

// What a check costs with everything on: state machine, history, store, metrics; and what a process bears.

const atOnce = 16
const against = 'node:http, in the same connection mode'

const full = { apps: 100_000, hanging: 1_000, interval: 30, seconds: 95 }
const small = { apps: 10_000, hanging: 100, interval: 5, seconds: 25 }

const figures = [
  ['start', 'start-up with all in the store', 'seconds', 5],
  ['gap', 'interval from check to check, p99 of those that answer, beyond what was asked for (of that 0.6 s, the jitter of two checks, is meant)', 'seconds', 1.6],
  ['longest', 'the longest such interval, in intervals', 'intervals', 1.5],
  ['spread', 'the busiest second against the average, after two intervals', 'times', 1.3],
  ['rss', 'RSS, at most', 'MB', 600],
  ['block', 'event loop blocked, at most, while nobody asks', 'ms', 50],
  ['scrape', 'event loop blocked, at most, while all targets are read in each format', 'ms', 50],
  ['cpu', 'CPU per check, all in all', 'us', undefined]
]

export default [
  ...[['kept', 15], ['once', 30]].map(([mode, interval]) => ({
    id: `healthchecker-check-${mode}`,
    measure: 'calls',
    warmUp: 500,
    count: 100,
    scale: atOnce,
    target: { subject: 'answering' },
    against,
    peer: { subject: 'bare', args: { keepAlive: mode === 'kept' } },
    rows: [{ id: `healthchecker-${mode}`, title: `a check of the healthchecker, everything on, connection ${mode === 'kept' ? 'kept alive' : 'not kept'}`, subject: 'checks', args: { interval }, reach: 3 }]
  })),
  {
    id: 'healthchecker-blackbox',
    measure: 'calls',
    warmUp: 1_500,
    count: 600,
    target: { subject: 'answering' },
    against: blackbox,
    peer: exporter('http'),
    rows: [
      { id: 'healthchecker-blackbox-kept', title: 'a check of the healthchecker, everything on, connection kept alive', subject: 'checks', args: { interval: 15 }, per: atOnce, same: false, reach: 0.25 },
      { id: 'healthchecker-blackbox-once', title: 'the same, connection not kept, as the exporter does it', subject: 'checks', args: { interval: 30 }, per: atOnce, same: false, reach: 0.25 }
    ]
  },
  {
    id: 'healthchecker-page',
    measure: 'http',
    warmUp: 400,
    count: 40,
    scale: 1_000,
    unit: 'ms',
    target: { subject: 'answering' },
    rows: [{ id: 'healthchecker-page-cpu', title: 'the status page of 1,000 apps, all of them on it', subject: 'page', path: '/?limit=1000', same: false, reach: 20 }]
  },
  {
    id: 'healthchecker-page-size',
    measure: 'fresh',
    warmUp: 0,
    unit: 'KB',
    repeat: { launches: 1, rounds: 1 },
    target: { subject: 'answering' },
    rows: [{ id: 'healthchecker-page-size', title: 'the same, compressed', subject: 'pageSize', reach: 150 }]
  },
  {
    id: 'healthchecker-registrations',
    measure: 'fresh',
    warmUp: 0,
    unit: 'ms',
    repeat: { launches: 1, rounds: 3 },
    target: { subject: 'registrar' },
    rows: [{ id: 'healthchecker-registrations-block', title: '1,000 registrations a second for 10 s, over 100 connections, each stored: event loop blocked, at most', subject: 'registrations', reach: 50 }]
  },
  ...[['fleet-small', small], ['fleet-full', full]].flatMap(([id, size]) => figures.map(([figure, title, unit, reach]) => ({
    id: `${id}-${figure}`,
    measure: 'fresh',
    warmUp: 0,
    unit,
    repeat: { launches: 1, rounds: 1 },
    target: { subject: 'fleetTargets' },
    rows: [{ id: `${id}-${figure}`, title: `${size.apps.toLocaleString('en-US')} targets every ${size.interval} s, ${size.hanging} of them hang: ${title}`, subject: 'fleet', args: { ...size, figure }, reach }]
  })))
]

const registration = (name, given) => ({
  name,
  protocol: 'HTTP',
  path: '/healthcheck',
  timeout: 4,
  unhealthyThreshold: 2,
  healthyThreshold: 2,
  expectStatus: [200],
  email: ['operator@example.org'],
  tags: ['bench'],
  critical: true,
  ...given
})

/** Reads all formats of a healthchecker as others do: from another process. */
async function scrape ({ url }, response) {
  const port = url.slice('/scrape/'.length)
  const lengths = []
  for (const format of ['prometheus', 'json', 'csv', 'health', 'html', 'prometheus']) {
    const scraped = await fetch(`http://127.0.0.1:${port}/svc_status.${format}`)
    let length = 0
    for await (const chunk of scraped.body) length += chunk.length
    lengths.push(`${format} ${length}`)
  }
  response.end(lengths.join(', '))
}

function answer (_request, response) {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 2 }).end('OK')
}

export const subjects = {
  async answering () {
    const server = http.createServer({ keepAliveTimeout: 60_000 }, answer)
    return {
      async listen ({ host, port }) {
        server.listen(port, host)
        await once(server, 'listening')
        return `${host}:${server.address().port}`
      }
    }
  },

  async bare (_library, { target, keepAlive }) {
    const [host, port] = target.split(':')
    const options = { host, port: Number(port), path: '/healthcheck', agent: new http.Agent({ keepAlive }) }
    const run = () => new Promise((resolve, reject) => {
      const request = http.get(options, (response) => {
        response.on('end', () => response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))).resume()
      })
      request.on('error', reject)
    })
    return {
      sample: async () => 'OK',
      async call () { await Promise.all(Array.from({ length: atOnce }, run)) }
    }
  },

  async page (library, { target }) {
    const { Healthchecker, WatchedFleet } = await import(`${library}healthchecker.js`)
    const [host, port] = target.split(':')
    let due
    const schedule = { set () {}, delete () {}, next () {}, start (listener) { due = listener }, stop () {} }
    const fleet = new WatchedFleet({ schedule })
    const checker = new Healthchecker({ fleet, port: 0, announce: false })
    return {
      async listen () {
        const address = await checker.listen()
        const names = Array.from({ length: 1_000 }, (_item, index) => `app ${index}`)
        // One in ten is asked for what is not there.
        for (const [index, name] of names.entries()) await fleet.register(registration(name, { host, port: Number(port), interval: 30, expectStatus: [index % 10 === 0 ? 204 : 200] }))
        for (let round = 0; round < 2; round++) {
          let left = names.length
          const all = new Promise((resolve) => fleet.on('check', () => { if (--left === 0) resolve() }))
          for (const name of names) due(name, 0)
          await all
        }
        return address
      }
    }
  },

  async pageSize (library, args) {
    const server = await subjects.page(library, args)
    const page = await fetch(`${await server.listen()}/?limit=1000`)
    const html = await page.text()
    if (html.split('<tr class').length < 1_000) throw new Error('the page does not show all apps')
    return gzipSync(html).length / 1000
  },

  /** Whoever asks it with a port has 10,000 apps registered there, 1,000 a second. */
  async registrar () {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 100 })
    const register = (port, index) => new Promise((resolve, reject) => {
      const body = JSON.stringify({ name: `app ${index}`, url: `http://10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:8080/health`, interval: 300 })
      const request = http.request({ port, path: '/apps', method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (response) => {
        response.on('end', () => response.statusCode === 201 ? resolve() : reject(new Error(`status ${response.statusCode}`))).resume()
      })
      request.on('error', reject)
      request.end(body)
    })
    const server = http.createServer(async ({ url }, response) => {
      const asked = []
      for (let tick = 1; tick <= 1_000; tick++) {
        for (let count = 0; count < 10; count++) asked.push(register(Number(url.slice(1)), asked.length))
        await setTimeout(10)
      }
      await Promise.all(asked)
      response.end()
    })
    return {
      async listen ({ host, port }) {
        server.listen(port, host)
        await once(server, 'listening')
        return `${host}:${server.address().port}`
      }
    }
  },

  async registrations (library, { target }) {
    const { Healthchecker, sqliteFleetStore, WatchedFleet } = await import(`${library}healthchecker.js`)
    const folder = mkdtempSync(join(tmpdir(), 'svc-status-bench-'))
    const fleet = new WatchedFleet({ store: sqliteFleetStore(join(folder, 'fleet.db')) })
    const checker = new Healthchecker({ fleet, port: 0, announce: false })
    const { port } = new URL(await checker.listen())
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const { status } = await fetch(`http://${target}/${port}`)
    const block = delay.max / 1e6
    if (status !== 200 || fleet.size !== 10_000) throw new Error(`${fleet.size} apps are registered`)
    await checker.close()
    rmSync(folder, { recursive: true, force: true })
    return block
  },

  async checks (library, { target, interval }) {
    const { sqliteFleetStore, WatchedFleet } = await import(`${library}healthchecker.js`)
    const [host, port] = target.split(':')
    const folder = mkdtempSync(join(tmpdir(), 'svc-status-bench-'))
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
    let due
    const schedule = { set () {}, delete () {}, next () {}, start (listener) { due = listener }, stop () {} }
    const fleet = new WatchedFleet({ schedule, store: sqliteFleetStore(join(folder, 'fleet.db')), owe: () => [] })
    await fleet.start()
    const names = Array.from({ length: atOnce }, (_item, index) => `app ${index}`)
    for (const name of names) await fleet.register(registration(name, { host, port: Number(port), interval }))
    let left = 0
    let done
    fleet.on('check', (name, { result, error }) => {
      if (result !== 'OK') throw new Error(`${name}: ${error}`)
      if (--left === 0) done()
    })
    return {
      sample: async () => 'OK',
      async call () {
        left = atOnce
        const all = new Promise((resolve) => { done = resolve })
        for (const name of names) due(name, 0)
        await all
      }
    }
  },

  /** A whole network of loopback leads to one server, and to one that takes connections and says nothing. */
  async fleetTargets () {
    return {
      async listen () {
        const answers = http.createServer((request, response) => request.url.startsWith('/scrape/') ? scrape(request, response) : answer(request, response)).listen(0, '0.0.0.0', 8_192)
        const hangs = createServer((socket) => socket.on('error', () => {})).listen(0, '0.0.0.0', 8_192)
        await Promise.all([once(answers, 'listening'), once(hangs, 'listening')])
        return `${answers.address().port}:${hangs.address().port}`
      }
    }
  },

  /** All figures are of one run: the first that is asked for makes it. */
  async fleet (library, { target, figure, apps, hanging, interval, seconds }) {
    const file = join(tmpdir(), `svc-status-bench-${process.ppid}-${apps}.json`)
    if (!existsSync(file)) writeFileSync(file, JSON.stringify(await runFleet(library, { target, apps, hanging, interval, seconds })))
    return JSON.parse(readFileSync(file, 'utf8'))[figure]
  }
}

async function runFleet (library, { target, apps, hanging, interval, seconds }) {
  const { sqliteFleetStore, WatchedFleet } = await import(`${library}healthchecker.js`)
  const { StatusRegistry, statusPlugin } = await import(`${library}index.js`)
  const folder = mkdtempSync(join(tmpdir(), 'svc-status-bench-'))
  const path = join(folder, 'fleet.db')
  await populate(sqliteFleetStore(path), target.split(':').map(Number), { apps, hanging, interval })

  const registry = new StatusRegistry()
  const fleet = new WatchedFleet({ registry, store: sqliteFleetStore(path), owe: () => ['operator@example.org'] })
  const began = performance.now()
  await fleet.start()
  const start = (performance.now() - began) / 1000
  const app = Fastify()
  await app.register(statusPlugin, { registry })
  await app.listen({ host: '127.0.0.1', port: 0 })

  const last = new Float64Array(apps)
  const gaps = []
  const perSecond = []
  let checks = 0
  const from = Date.now()
  fleet.on('check', (name, { at }) => {
    const index = Number(name.slice(4))
    checks++
    const second = Math.floor((at - from) / 1000)
    perSecond[second] = (perSecond[second] ?? 0) + 1
    if (index >= hanging && last[index] > 0) gaps.push((at - last[index]) / 1000)
    last[index] = at
  })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const cpu = process.cpuUsage()
  let rss = 0
  for (let second = 0; second < seconds; second++) {
    await setTimeout(1_000)
    rss = Math.max(rss, process.memoryUsage.rss() / 1e6)
  }
  const { user, system } = process.cpuUsage(cpu)
  const done = checks
  const block = delay.max / 1e6
  delay.reset()
  const { port } = app.server.address()
  await (await fetch(`http://127.0.0.1:${target.split(':')[0]}/scrape/${port}`)).text()
  const scrape = delay.max / 1e6

  gaps.sort((a, b) => a - b)
  const even = perSecond.slice(2 * interval, seconds - 1)
  await app.close()
  await fleet.close()
  rmSync(folder, { recursive: true, force: true })
  return {
    start,
    gap: gaps[Math.floor(gaps.length * 0.99)] - interval,
    longest: gaps.at(-1) / interval,
    spread: Math.max(...even) / (even.reduce((sum, count) => sum + count, 0) / even.length),
    rss,
    block,
    scrape,
    cpu: (user + system) / done
  }
}

async function populate (store, [answering, hangs], { apps, hanging, interval }) {
  await store.open(() => {})
  const now = Date.now()
  const health = { state: 'HEALTHY', before: 'HEALTHY', failures: 0, successes: 2 }
  for (let start = 0; start < apps; start += 1_000) {
    await store.write(Array.from({ length: 1_000 }, (_item, offset) => {
      const index = start + offset
      const host = `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
      return { kind: 'put', app: { registration: registration(`app ${index}`, { host, port: index < hanging ? hangs : answering, interval }), registeredAt: now, trusted: false, remote: false, health, since: now } }
    }))
  }
  await store.close()
}

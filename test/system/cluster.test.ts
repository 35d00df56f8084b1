import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { temporaryFolder } from './support/folder.js'
import { freePort } from '../support/free-port.js'
import { Program } from './support/programs.js'
import { until } from './support/until.js'

type Tap = Parameters<typeof Program.start>[0]

const file = fileURLToPath(new URL('./support/cluster.ts', import.meta.url))
// Of what the test runner loads, the part that reads TypeScript.
const loader = process.execArgv.filter((option) => option.includes('support/typescript.js'))
const token = 'system-test'
const workers = 4

class Cluster {
  readonly #t: Tap
  readonly #env: NodeJS.ProcessEnv
  readonly #origin: string
  program: Program | undefined

  constructor (t: Tap, port: number, file: string) {
    this.#t = t
    this.#env = { PORT: String(port), TOKEN: token, FILE: file, WORKERS: String(workers) }
    this.#origin = `http://127.0.0.1:${port}`
  }

  async start (): Promise<void> {
    this.program = await Program.start(this.#t, process.execPath, [...loader, file], { env: this.#env, detached: true })
    await until('all workers answer', async () => (await this.probes()).size >= workers)
  }

  async post (query: string): Promise<number> {
    return (await this.#ask('POST', query)).status
  }

  async #ask (method: string, query = ''): Promise<Response> {
    // A connection of its own for each, which goes to the next worker; one that was handed to a killed worker is never answered.
    const signal = AbortSignal.timeout(2_000)
    return await fetch(`${this.#origin}/probe_status${query}`, { method, signal, headers: { authorization: `Bearer ${token}`, connection: 'close' } })
  }

  /** What each worker answers that some rounds of questions came to, by its process. */
  async probes (): Promise<Map<number, string>> {
    const replies = await Promise.all(Array.from({ length: workers * 2 }, async () => await this.#ask('GET')))
    return new Map(await Promise.all(replies.map(async (reply): Promise<[number, string]> => [Number(reply.headers.get('x-instance')), await reply.text()])))
  }

  /** How long it takes until all workers answer that, in milliseconds. */
  async all (body: string): Promise<number> {
    const begun = performance.now()
    await until(`all workers answer ${body}`, async () => {
      const probes = await this.probes()
      return probes.size >= workers && [...probes.values()].every((one) => one === body)
    }, { every: 10 })
    return performance.now() - begun
  }
}

t.test('four workers behind one port share a decommission, whoever of them is killed', async (t) => {
  const cluster = new Cluster(t, await freePort(), join(await temporaryFolder(t), 'decommission.json'))
  await cluster.start()

  t.equal(await cluster.post('?body=OFF&reason=system%20test'), 200)
  const took = [await cluster.all('OFF')]
  t.equal(await cluster.post(''), 200)
  took.push(await cluster.all('OK'))
  t.equal(await cluster.post('?body=OFF'), 200)
  took.push(await cluster.all('OFF'))
  for (const one of took) t.ok(one < 1_000, `${Math.round(one)} ms`)

  for (let round = 0; round < 2; round++) {
    const before = [...(await cluster.probes()).keys()]
    process.kill(before[round], 'SIGKILL')
    await until('a later worker answers', async () => [...(await cluster.probes()).keys()].some((pid) => !before.includes(pid)))
    await cluster.all('OFF')
  }
  t.pass('a later worker is decommissioned too')

  cluster.program?.signal('SIGKILL')
  await cluster.program?.end
  await cluster.start()
  await cluster.all('OFF')
  t.pass('and so are all after all were killed at once')
  t.comment(`all workers after ${took.map((one) => Math.round(one)).join(', ')} ms`)
})

t.test('workers that are killed while they decommission leave what was acknowledged, or what was under way', async (t) => {
  const cluster = new Cluster(t, await freePort(), join(await temporaryFolder(t), 'decommission.json'))
  await cluster.start()
  let acknowledged = 'OK'
  let round = 0
  for (; round < 8; round++) {
    const body = `round-${round}`
    const pids = [...(await cluster.probes()).keys()]
    const posted = Promise.allSettled(Array.from({ length: workers }, async () => await cluster.post(`?body=${body}`)))
    await new Promise((resolve) => setTimeout(resolve, round))
    for (const pid of pids.slice(0, 3)) process.kill(pid, 'SIGKILL')
    const statuses = (await posted).map((one) => one.status === 'fulfilled' ? one.value : undefined)
    const possible = statuses.includes(200) ? [body] : [acknowledged, body]
    let found = ''
    await until('all workers agree', async () => {
      const probes = await cluster.probes()
      found = [...probes.values()][0]
      return probes.size >= workers && [...probes.values()].every((one) => one === found)
    })
    t.ok(possible.includes(found), `${found} of ${possible.join(' or ')}; the posts got ${statuses.join(', ')}`)
    acknowledged = found
  }
})

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { broken, target } from '../healthchecker/support/target.js'
import { temporaryFolder } from './support/folder.js'
import { freePort } from '../support/free-port.js'
import { ownDisk, type OwnDisk } from './support/own-disk.js'
import { Program } from './support/programs.js'
import { until } from './support/until.js'

interface Served {
  readonly program: Program
  /** Gives the status code. */
  register (name: string, more?: object): Promise<number>
  app (name: string): Promise<{ state: string, detail?: string, lastCheck?: { at: string } } | undefined>
  page (): Promise<string>
}

async function served (t: Test, disk: OwnDisk, folder: string, app: number): Promise<Served> {
  const port = await freePort()
  const main = resolve(import.meta.dirname, '../../dist/lib/cli/main.js')
  const program = await Program.start(t, ...disk.command(process.execPath, main, 'serve', '--store', join(disk.path, 'fleet.db'), '--port', String(port), '--no-announce'), { cwd: folder })
  const address = `http://127.0.0.1:${port}`
  const get = async (path: string): Promise<Response> => await fetch(`${address}${path}`)
  await until('it listens', async () => {
    if (program.ended) throw new Error(program.stderr)
    return (await get('/live_status')).ok
  })
  return {
    program,
    async register (name, more = {}) {
      const body = JSON.stringify({ name, url: `http://127.0.0.1:${app}/health`, interval: 5, timeout: 2, healthyThreshold: 2, unhealthyThreshold: 2, ...more })
      return (await fetch(`${address}/apps`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status
    },
    async app (name) {
      const reply = await get(`/apps/${name}`)
      return reply.ok ? await reply.json() as Awaited<ReturnType<Served['app']>> : undefined
    },
    page: async () => await (await get('/')).text()
  }
}

/** Registers one after the other until one is refused; gives those that were not. */
async function registerAll ({ register }: Served, round: string): Promise<string[]> {
  const acknowledged: string[] = []
  for (let index = 0; index < 2_000; index++) {
    const name = `${round}-${index}`
    const status = await register(name, { interval: 300 })
    if (status === 503) return acknowledged
    if (status !== 201) throw new Error(`${name}: ${status}`)
    acknowledged.push(name)
  }
  throw new Error('none was refused')
}

async function checkedAgain (served: Served, name: string): Promise<void> {
  const before = (await served.app(name))?.lastCheck?.at
  await until(`${name} is checked again`, async () => (await served.app(name))?.lastCheck?.at !== before)
}

t.test('on a full disk it goes on checking, says so, and loses nothing that it acknowledged', async (t) => {
  const folder = await temporaryFolder(t)
  const disk = await ownDisk(t, folder, '1m')
  const app = await target(t)
  let it = await served(t, disk, folder, app.port)
  t.equal(await it.register('shop'), 201)
  await until('the shop is healthy', async () => (await it.app('shop'))?.state === 'HEALTHY')
  const acknowledged = ['shop']

  disk.fill()
  acknowledged.push(...await registerAll(it, 'first'))
  t.match(await it.page(), /the disk is full/)
  t.match(it.program.stderr, /"level":50.*cannot be written: it goes on checking, and takes no registrations/)
  t.equal(await it.register('shop', { timeout: 3 }), 503, 'nor is one changed')
  await checkedAgain(it, 'shop')
  disk.free()
  await until('it finds by itself that there is room again', async () => !/the disk is full/.test(await it.page()))
  t.equal(await it.register('between'), 201)
  acknowledged.push('between')

  disk.fill()
  acknowledged.push(...await registerAll(it, 'second'))
  app.answer = broken
  await until('the shop is unhealthy, stored or not', async () => (await it.app('shop'))?.state === 'UNHEALTHY')
  disk.free()
  await until('there is room again', async () => !/the disk is full/.test(await it.page()))
  it.program.signal('SIGKILL')
  await it.program.end

  it = await served(t, disk, folder, app.port)
  t.equal((await it.app('shop'))?.state, 'UNHEALTHY', 'the transitions of that time are stored')
  const lost: string[] = []
  for (const name of acknowledged) if (await it.app(name) === undefined) lost.push(name)
  t.same(lost, [])
  t.ok(acknowledged.length > 5, `${acknowledged.length} apps`)
  for (const round of ['first', 'second']) {
    const refused = `${round}-${acknowledged.filter((name) => name.startsWith(round)).length}`
    t.equal(await it.app(refused), undefined, `${refused} was refused`)
  }
})

t.test('on a read-only disk it goes on with what it knows, says so, and leaves every byte as it was', async (t) => {
  const folder = await temporaryFolder(t)
  const disk = await ownDisk(t, folder, '4m')
  const app = await target(t)
  let it = await served(t, disk, folder, app.port)
  t.equal(await it.register('shop'), 201)
  await until('the shop is healthy', async () => (await it.app('shop'))?.state === 'HEALTHY')
  // So that there is a log beside the file.
  it.program.signal('SIGKILL')
  await it.program.end
  disk.remount('ro')
  const bytes = (): Buffer[] => ['fleet.db', 'fleet.db-wal'].map((name) => readFileSync(join(disk.outside, name)))
  const before = bytes()

  it = await served(t, disk, folder, app.port)
  t.equal((await it.app('shop'))?.state, 'HEALTHY')
  t.equal(await it.register('new'), 503)
  t.match(await it.page(), /the file cannot be written/)
  t.match(it.program.stderr, /"level":50.*cannot be written/)
  await checkedAgain(it, 'shop')
  app.answer = broken
  await until('the shop degrades', async () => (await it.app('shop'))?.state !== 'HEALTHY')
  it.program.signal('SIGTERM')
  t.equal((await it.program.end).code, 0)
  t.same(bytes(), before)

  disk.remount('rw')
  app.answer = (_request, response) => { response.end('OK') }
  it = await served(t, disk, folder, app.port)
  t.match(await it.app('shop'), { state: 'HEALTHY' })
  t.equal(await it.register('new'), 201)
})

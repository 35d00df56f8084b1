import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { everybody } from '../support/app.js'
import { service } from './support/run.js'

const built = resolve(import.meta.dirname, '../../dist/lib/cli/main.js')
const source = join(import.meta.dirname, 'support/svc-status.ts')

/** Without the loader of these tests, and what it covers is not counted: it is the same code as in lib. */
const { NODE_OPTIONS, NO_COLOR, FORCE_COLOR, ...rest } = process.env
const plainly = { ...rest, _TAPJS_PROCESSINFO_COVERAGE_: '0' }

class Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly ended: Promise<{ code: number | null, out: string, err: string }>
  out = ''
  err = ''

  constructor (command: string, args: readonly string[], env: NodeJS.ProcessEnv = plainly) {
    this.process = spawn(command, args, { env })
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => { this.out += text })
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => { this.err += text })
    this.ended = new Promise((resolve) => this.process.on('close', (code) => resolve({ code, out: this.out, err: this.err })))
  }

  /** A process takes its time to start where many others run. */
  async until (condition: () => boolean, what: string): Promise<void> {
    const end = Date.now() + 60_000
    while (!condition()) {
      if (Date.now() > end || this.process.exitCode !== null) throw new Error(`waited in vain until ${what}: ${this.out}${this.err}`)
      await pause(5)
    }
  }
}

function svcStatus (...args: string[]): Child {
  return new Child(process.execPath, [built, ...args])
}

function shell (script: string): Child {
  return new Child('bash', ['-c', script.replaceAll('svc-status', `'${process.execPath}' '${built}'`)])
}

t.test('the program ends with the code for what it found', async (t) => {
  t.ok(existsSync(built), 'the package is built')
  const { url, registry } = await service(t, { probeStatus: { auth: everybody } })
  for (const [state, code] of [['OK', 0], ['YELLOW', 1], ['RED', 2]] as const) {
    registry.addStatusHandler('db', () => state, { replace: true })
    t.match(await svcStatus('status', url).ended, { code, out: `${url} is ${state}, in service\n`, err: '' })
  }
  const others = [['status', '127.0.0.1:1'], ['decommission', url], ['status', url, '--token', 'x']]
  t.strictSame(await Promise.all(others.map(async (args) => (await svcStatus(...args).ended).code)), [3, 0, 64])
})

t.test('the source is the program too', async (t) => {
  const { url } = await service(t, { handlers: { db: () => 'OK' } })
  const child = new Child(process.execPath, [...process.execArgv, source, 'status', url, '--watch', '50ms'], process.env)
  await child.until(() => child.out.includes('db    OK'), 'it is shown')
  child.process.kill('SIGINT')
  t.match(await child.ended, { code: 0, err: '' })
})

t.test('a signal ends it at once, whatever it waits for', async (t) => {
  const held: Array<(answer: 'OK') => void> = []
  const { url, app } = await service(t, { handlers: { slow: async () => await new Promise((resolve) => { held.push(resolve) }) } })
  let asked = 0
  app.server.on('request', () => asked++)
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    const before = asked
    const child = svcStatus('status', url)
    await child.until(() => asked > before, 'it asks')
    child.process.kill(signal)
    t.strictSame(await child.ended, { code, out: '', err: '' })
    for (const release of held.splice(0)) release('OK')
  }
})

t.test('a pipe that is closed is no stack trace', async (t) => {
  const { url } = await service(t, { handlers: Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`h${index}`, () => ({ state: 'YELLOW' as const, detail: 'x'.repeat(100) })])) })
  t.match(await shell(`svc-status status ${url} | head -1; echo $PIPESTATUS`).ended, { code: 0, out: `${url} is YELLOW, in service\n1\n`, err: '' })
  t.match(await shell(`svc-status status ${url} --watch 10ms | head -1; echo $PIPESTATUS`).ended, { out: /^20.*\n1\n$/, err: '' })
  t.match(await shell('svc-status --help | true; echo $PIPESTATUS').ended, { out: '0\n', err: '' })
})

t.test('all of a large result arrives in a pipe', async (t) => {
  const { url } = await service(t, { handlers: Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`h${index}`, () => ({ state: 'OK' as const, detail: 'x'.repeat(100) })])) })
  const { out } = await svcStatus('status', url, '--json').ended
  t.equal(Object.keys(JSON.parse(out).services[0].handlers).length, 3_000)
})

// util-linux's; that of BSD takes other arguments.
if (existsSync('/usr/bin/script') && process.platform === 'linux') {
  t.test('on a real terminal it is coloured, drawn in place, and leaves the terminal as it was', async (t) => {
    const { url } = await service(t, { handlers: { db: () => 'RED' } })
    // exec, since script starts $SHELL or sh, and Debian's sh would wait beside it and itself end of Ctrl-C, with 130.
    const child = new Child('/usr/bin/script', ['-qec', `exec '${process.execPath}' '${built}' status ${url} --watch 50ms`, '/dev/null'], { ...plainly, TERM: 'xterm' })
    await child.until(() => child.out.split('\x1b[H').length > 3, 'it drew three times')
    // As the terminal does for Ctrl-C.
    child.process.stdin.write('\x03')
    const { code, out } = await child.ended
    t.equal(code, 2)
    t.ok(out.startsWith('\x1b[?1049h\x1b[?25l\x1b[H20'), JSON.stringify(out.slice(0, 40)))
    t.match(out, ' UTC, again every 0.05 s\x1b[K\r\n')
    t.match(out, `${url} is \x1b[1;31mRED\x1b[0m, in service\x1b[K\r\n`)
    t.match(out.slice(out.lastIndexOf('\x1b[?1049l')), `${url} is \x1b[1;31mRED\x1b[0m, in service\r\n`)
  })
}

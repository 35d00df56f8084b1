import { Command } from 'commander'
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { MakeCommand } from '../../lib/cli/commands/index.js'
import { commands } from '../../lib/cli/commands/index.js'
import { exitCodes } from '../../lib/cli/exit.js'
import { everybody } from '../support/app.js'
import { service, Started, svcStatus } from './support/run.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

t.test('--version is that of the package', async (t) => {
  t.strictSame(await svcStatus(['--version']), { code: 0, out: `${version}\n`, err: '' })
})

t.test('--help lists the commands, and that of each teaches with examples and exit codes', async (t) => {
  const { code, out, err } = await svcStatus(['--help'])
  t.equal(code, 0)
  t.equal(err, '')
  for (const name of ['status', 'wait', 'decommission', 'recommission']) t.match(out, new RegExp(`^  ${name} `, 'm'))
  for (const name of Object.values(exitCodes).filter((code) => code > 5)) t.match(out, String(name))
  t.match(out, 'SVC_STATUS_TOKEN')
  t.same(out.split('\n').filter((line) => line.length > 80), [])
  for (const name of ['status', 'wait', 'decommission', 'recommission']) {
    const help = await svcStatus([name, '--help'])
    t.strictSame(await svcStatus(['help', name]), help)
    t.equal(help.code, 0)
    t.match(help.out, new RegExp(`Examples:\n  svc-status ${name} localhost:8080\n[^]*Addresses:\n[^]*Exit codes.*\n  0  `))
    t.notMatch(help.out, '--token ')
    t.same(help.out.split('\n').filter((line) => line.length > 80), [], 'no line is longer than a terminal is wide')
  }
})

t.test('help takes the width of the terminal', async (t) => {
  const { out } = await svcStatus(['--help'], { isTTY: true, columns: 200 })
  t.match(out, /^ {2}status .* whether they are in service\.$/m)
})

t.test('a command line without a command, or with one that is none, is 64', async (t) => {
  t.match(await svcStatus([]), { code: 64, out: '', err: /^Usage: svc-status/ })
  t.strictSame(await svcStatus(['statsu']), { code: 64, out: '', err: "svc-status: unknown command 'statsu' (Did you mean status?)\nsvc-status --help shows what there is\n" })
  t.strictSame(await svcStatus(['status', '--jsno', 'a\x1b[2J']), { code: 64, out: '', err: "svc-status: unknown option '--jsno' (Did you mean --json?)\nsvc-status help status shows how\n" })
})

function failing (error: unknown): MakeCommand {
  return () => new Command('fail').action(async () => { throw error })
}

t.test('a fault of the program is told from what a service says', async (t) => {
  const commands = [failing(new TypeError('oh'))]
  t.match(await svcStatus(['fail'], { commands }), { code: 70, out: '', err: /^svc-status: a fault of this program, please report it: TypeError: oh\n +at / })
})

t.test('a fault in the middle of a command ends it', async (t) => {
  const { url } = await service(t, { probeStatus: { auth: everybody } })
  for (const args of [['status', url, '--watch', '10ms'], ['decommission', url], ['wait', url]]) {
    t.match(await svcStatus(args, { throws: new TypeError('oh') }), { code: 70, err: /TypeError: oh/ })
  }
})

t.test('every command takes no token as an argument, whoever adds it', async (t) => {
  t.match(await svcStatus(['fail', '--token', 'x'], { commands: [failing(new Error('oh'))] }), { code: 64, err: /a token is no argument/ })
  t.ok(commands.length >= 4)
})

t.test('a reader who has gone ends it without a word, with the code of what was read', async (t) => {
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  const { url } = await service(t, { handlers: { db: () => 'YELLOW' } })
  t.match(await svcStatus(['status', url], { broken }), { code: 1, err: '' })
  t.match(await svcStatus(['status', url, '--watch', '20ms'], { broken }), { code: 1, err: '' })
  t.match(await svcStatus(['--help'], { broken }), { code: 0, err: '' })
})

t.test('a result that cannot be written is no success', async (t) => {
  const broken = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' })
  const { url } = await service(t)
  for (const args of [['status', url], ['status', url, '--watch', '20ms']]) {
    t.match(await svcStatus(args, { broken }), { code: 74, err: 'svc-status: the result could not be written: ENOSPC\n' })
  }
})

t.test('what is to end before it began asks nobody', async (t) => {
  const { app, url } = await service(t)
  let asked = 0
  app.server.on('connection', () => asked++)
  const early = new Started(['status', url], { aborted: 'SIGINT' })
  t.match(await early.ended, { code: 130, out: '' })
  t.equal(asked, 0)
})

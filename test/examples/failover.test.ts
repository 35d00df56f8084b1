import t from 'tap'
import { checkout } from '../system/support/example.js'
import { Program } from '../system/support/programs.js'
import { until } from '../system/support/until.js'

t.test('the failover example loses a service and gets it back: in its log, on its page, and for its client', async (t) => {
  const program = await Program.start(t, process.execPath, ['dist/docs/examples/failover.js'], { cwd: checkout, env: { DOWN_AFTER: '500', UP_AFTER: '2500' } })
  const page = await program.says('its address', ({ stdout }) => /^(http:\S+\/svc_status)\n/m.exec(stdout)?.[1])
  const state = async (): Promise<string> => await (await fetch(`${page}/echo`)).text()

  await until('echo is OK', async () => await state() === 'OK')
  await until('echo is failed over', async () => await state() === 'YELLOW')
  t.match(await (await fetch(`${page}.html`)).text(), /YELLOW[\s\S]*echo|echo[\s\S]*YELLOW/)
  await until('echo is recovered', async () => await state() === 'OK')
  await program.says('that the client had the standby and then the primary', ({ stdout }) => /the client got 200 [^\n]*standby[\s\S]*the client got 200 [^\n]*primary/.exec(stdout)?.[0])

  program.signal('SIGTERM')
  t.strictSame(await program.end, { code: 0, signal: null }, program.stderr)
  const lines = program.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { level: number, msg: string })
  t.ok(lines.some(({ level }) => level === 60), 'the outage is fatal')
  t.ok(lines.some(({ level, msg }) => level === 30 && /echo is back up/.test(msg)), 'the recovery is told')
})

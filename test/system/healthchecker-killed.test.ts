import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import Database from 'libsql'
import t from 'tap'
import { SqliteFile } from '../../lib/healthchecker/stores/sqlite-file.js'
import type { OutboxEntry, StoredApp, Transition } from '../../types/healthchecker.js'
import { broken, healthy, target } from '../healthchecker/support/target.js'

/** What a process that was killed had said before. */
interface Said {
  started: number | undefined
  registered: string[]
  moved: Array<{ id: number, app: string, to: string }>
}

t.test('a healthchecker that is killed at any moment has lost nothing that it said, and tells nothing twice', async (t) => {
  // Answers in turn, so that apps come and go all the time.
  let asked = 0
  const app = await target(t, (request, response) => (asked++ % 7 < 3 ? broken : healthy)(request, response))
  const path = join(t.testdir(), 'fleet.db')
  const registered = new Set<string>()
  const moved = new Map<number, { app: string, to: string }>()

  for (let round = 0; round < 10; round++) {
    const said = await killed(path, app.port, round, 20 + Math.random() * 300)
    t.equal(said.started !== undefined, true, 'the lock of the one before is gone')
    t.ok(said.started as number >= registered.size, `${said.started} apps of at least ${registered.size}`)
    for (const name of said.registered) registered.add(name)
    for (const { id, ...move } of said.moved) {
      t.notOk(moved.has(id), `the id ${id} is used once`)
      moved.set(id, move)
    }

    const { apps, owed, id } = opened(path)
    const names = new Set(apps.map(({ registration: { name } }) => name))
    t.same([...registered].filter((name) => !names.has(name)), [], 'every registration that was acknowledged is there')
    const told = new Map(owed.map(({ receiver, notice }) => [notice.id, { receiver, notice: notice as Transition }]))
    t.same([...moved.keys()].filter((id) => !told.has(id)), [], 'every transition that was told of is owed its mail')
    t.equal(told.size, owed.length, 'and each once')
    t.ok(owed.every(({ receiver, notice }) => receiver === `${notice.id}@example.org` && notice.id <= id))
    // The state of an app is that of its last transition: what was known is not told again.
    for (const { registration: { name }, health: { state } } of apps) {
      const last = [...told.values()].findLast(({ notice }) => notice.app === name)
      if ((last?.notice.to ?? 'UNKNOWN') !== state) t.fail(`${name} is ${state} after a transition to ${last?.notice.to}`)
    }
    const states = [...told.values()].filter(({ notice: { kind } }) => kind === 'state')
    for (const { notice } of states) {
      const before = states.findLast((other) => other.notice.app === notice.app && other.notice.id < notice.id)
      if ((before?.notice.to ?? 'UNKNOWN') !== notice.from) t.fail(`${notice.app} went from ${notice.from} after it came to be ${before?.notice.to}`)
    }
  }
  t.ok(registered.size > 20, `${registered.size} registrations`)
  t.ok(moved.size > 20, `${moved.size} transitions`)
})

/** @param after how many milliseconds after its first words it is killed */
async function killed (path: string, port: number, round: number, after: number): Promise<Said> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support/killed-healthchecker.js'), path, String(port), String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (words: string) => { text += words })
  await once(child.stdout, 'data')
  setTimeout(() => child.kill('SIGKILL'), after)
  await once(child, 'close')
  // The last line may be half a line.
  const lines = text.split('\n').slice(0, -1).map((line) => line.split(' '))
  return {
    started: lines[0]?.[0] === 'started' ? Number(lines[0][1]) : undefined,
    registered: lines.filter(([what]) => what === 'registered').map(([, name]) => name),
    moved: lines.filter(([what]) => what === 'moved').map(([, id, app, to]) => ({ id: Number(id), app, to }))
  }
}

function opened (path: string): { apps: StoredApp[], owed: OutboxEntry[], id: number } {
  const file = new SqliteFile(Database, path)
  const apps = file.apps('')
  const { id } = file.lastNotice()
  const owed = file.due(0, 1_000_000)
  file.close()
  return { apps, owed, id }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Decommission } from '../../types/decommission.js'
import { fileStore } from '../../lib/index.js'
import { fileStoreOn, type FileSystem } from '../../lib/probe/file-store.js'

const before: Decommission = { body: 'BEFORE', since: 1 }
const after: Decommission = { body: 'AFTER', since: 2, reason: 'x'.repeat(200) }

/** From what to what: the file appears, is replaced, goes. */
const changes: Array<[what: string, from: Decommission | undefined, to: Decommission | undefined]> = [
  ['the first decommission', undefined, after],
  ['a decommission in the place of another', before, after],
  ['a recommission', before, undefined]
]

async function stored (path: string): Promise<Decommission | undefined> {
  const store = fileStore(path)
  try {
    return await store.open(() => {})
  } finally {
    await store.close()
  }
}

/** Calls `visit` before each call of the file system and of the files that it opened, and after a close, which closes also where it fails. */
function watched (visit: (call: string) => void | Promise<void>): FileSystem {
  const wrap = <T extends object>(object: T, names: ReadonlyArray<keyof T & string>): T => new Proxy(object, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        if (name === 'close') await member.apply(target, args)
        if ((names as readonly string[]).includes(String(name))) await visit(String(name))
        if (name !== 'close') return await member.apply(target, args)
      }
    }
  })
  return wrap({
    open: (async (...args: Parameters<typeof open>) => wrap(await open(...args), ['read', 'writeFile', 'sync', 'close'])) as typeof open,
    rename,
    stat,
    unlink
  }, ['open', 'rename', 'stat', 'unlink'])
}

async function callsOf (path: string, to: Decommission | undefined): Promise<string[]> {
  const calls: string[] = []
  const store = fileStoreOn(watched((call) => { calls.push(call) }), path)
  await store.write(to)
  return calls
}

for (const [what, from, to] of changes) {
  t.test(`${what}: whatever call fails, what was there is there again, and nothing else`, async (t) => {
    const folder = t.testdir()
    const path = join(folder, 'store')
    if (from !== undefined) await fileStore(path).write(from)
    const calls = await callsOf(path, to)
    t.comment(calls.join(' '))
    for (const [failing, name] of calls.entries()) {
      await fileStore(path).write(from)
      let call = 0
      const store = fileStoreOn(watched(() => {
        if (call++ === failing) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
      }), path)
      await t.rejects(store.write(to), { code: 'EIO' }, `${failing}: ${name}`)
      t.strictSame(await stored(path), from, `${failing}: ${name}`)
      t.strictSame(await readdir(folder), from === undefined ? [] : ['store'], 'and no half a file beside it')
    }
  })

  t.test(`${what}: what is given up comes to nothing, at whatever call that is`, async (t) => {
    const folder = t.testdir()
    const path = join(folder, 'store')
    if (from !== undefined) await fileStore(path).write(from)
    const calls = await callsOf(path, to)
    for (const late of calls.keys()) {
      await fileStore(path).write(from)
      const givenUp = new AbortController()
      let call = 0
      const store = fileStoreOn(watched(() => { if (call++ === late) givenUp.abort() }), path)
      await t.rejects(store.write(to, givenUp.signal), { name: 'AbortError' })
      t.strictSame(await stored(path), from)
    }
    t.strictSame(await readdir(folder), from === undefined ? [] : ['store'])
  })
}

t.test('a file is on the disk before it has its name, and its name before it is acknowledged', async (t) => {
  const path = join(t.testdir(), 'store')
  t.strictSame((await callsOf(path, after)).slice(2), ['open', 'writeFile', 'sync', 'close', 'rename', 'open', 'sync', 'close'])
  t.strictSame((await callsOf(path, undefined)).slice(3), ['unlink', 'open', 'sync', 'close'])
})

t.test('what somebody else wrote meanwhile is not put back', async (t) => {
  const path = join(t.testdir(), 'store')
  await fileStore(path).write(before)
  let renamed = false
  let written = false
  const store = fileStoreOn(watched(async (call) => {
    if (renamed && !written && call === 'sync') {
      written = true
      await writeFile(path, '{"body":"SOMEBODY ELSE","since":3}')
      throw Object.assign(new Error('input/output error'), { code: 'EIO' })
    }
    renamed ||= call === 'rename'
  }), path)
  await t.rejects(store.write(after), { code: 'EIO' })
  t.match(await stored(path), { body: 'SOMEBODY ELSE' })
})

t.test('a recommission that was given up does not undo the one that is asked for instead', async (t) => {
  const path = join(t.testdir(), 'store')
  await fileStore(path).write(before)
  let hang: () => void = () => {}
  const hangs = new Promise<void>((resolve) => { hang = resolve })
  let goOn: () => void = () => {}
  const goesOn = new Promise<void>((resolve) => { goOn = resolve })
  let syncs = 0
  const store = fileStoreOn(watched(async (call) => {
    if (call !== 'sync' || syncs++ > 0) return
    hang()
    await goesOn
  }), path)
  const givenUp = new AbortController()
  const first = store.write(undefined, givenUp.signal)
  await hangs
  givenUp.abort()
  const second = store.write(undefined)
  // As far as it comes.
  await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 100))])
  goOn()
  await t.rejects(first, { name: 'AbortError' })
  await second
  t.equal(await stored(path), undefined)
})

t.test('a disk that fails for good is an error, and the next look finds what is there', async (t) => {
  const path = join(t.testdir(), 'store')
  await fileStore(path).write(before)
  let renamed = false
  const store = fileStoreOn(watched((call) => {
    if (renamed) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
    renamed ||= call === 'rename'
  }), path)
  await t.rejects(store.write(after), { code: 'EIO' })
  t.strictSame(await stored(path), after)
})

t.test('a file system that cannot sync folders is good enough', async (t) => {
  const path = join(t.testdir(), 'store')
  let renamed = false
  const store = fileStoreOn(watched((call) => {
    if (renamed && call === 'sync') throw Object.assign(new Error('invalid argument'), { code: 'EINVAL' })
    renamed ||= call === 'rename'
  }), path)
  await store.write(after)
  t.strictSame(await stored(path), after)
})

// Processes of their own, on the built package, that kill themselves: nothing is cleaned up, as with kill -9.
const built = resolve(import.meta.dirname, '../../dist/lib/probe/file-store.js')

const program = `
  import { open, rename, stat, unlink } from 'node:fs/promises'
  const [built, path, to, last, half] = process.argv.slice(2)
  const { fileStoreOn } = await import(built)
  let calls = 0
  const die = () => process.kill(process.pid, 'SIGKILL')
  const counted = (object) => new Proxy(object, {
    get: (target, name) => typeof target[name] !== 'function' ? target[name] : async (...args) => {
      if (calls++ === Number(last)) {
        if (half === 'half' && name === 'writeFile') await target.writeFile(args[0].slice(0, args[0].length / 2))
        die()
        await new Promise(() => {})
      }
      return await target[name](...args)
    }
  })
  const fs = counted({ open: async (...args) => counted(await open(...args)), rename, stat, unlink })
  await fileStoreOn(fs, path).write(to === '' ? undefined : JSON.parse(to))
  console.log('acknowledged')
`

for (const [what, from, to] of changes) {
  t.test(`${what}: a process that is killed before any call leaves the old state or the new one`, async (t) => {
    t.ok(existsSync(built), 'the package is built')
    const folder = t.testdir({ 'program.mjs': program })
    const path = join(folder, 'store')
    await fileStore(path).write(from)
    const calls = await callsOf(path, to)
    const found = new Set<string>()
    for (const half of ['whole', 'half']) {
      for (let last = half === 'half' ? calls.indexOf('writeFile') : 0; last <= calls.length; last++) {
        await fileStore(path).write(from)
        const child = spawn(process.execPath, [join(folder, 'program.mjs'), built, path, to === undefined ? '' : JSON.stringify(to), String(last), half],
          // What it covers is not counted: it is the same code as in lib.
          { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH, _TAPJS_PROCESSINFO_COVERAGE_: '0' } })
        const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
        const acknowledged = said === 'acknowledged\n'
        t.strictSame([acknowledged, code, signal], last === calls.length ? [true, 0, null] : [false, null, 'SIGKILL'], `killed before call ${last}, ${calls[last]}`)
        const state = JSON.stringify(await stored(path) ?? null)
        t.ok([from, to].some((one) => JSON.stringify(one ?? null) === state), state.slice(0, 40))
        if (acknowledged) t.equal(state, JSON.stringify(to ?? null), 'what was acknowledged is there')
        found.add(state)
        if (half === 'half') break
      }
      if (!calls.includes('writeFile')) break
    }
    t.equal(found.size, 2, 'both were seen')
  })
}

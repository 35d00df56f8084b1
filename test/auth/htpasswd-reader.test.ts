import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { appendFile, chmod, mkdir, open, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { hashes, refused } from './support/htpasswd-lines.js'
import { reading } from './support/htpasswd-reading.js'
import { recordedLog } from './support/recorded-log.js'
import { until } from './support/until.js'

const alice = `alice:${hashes.sha1}\n`
const bob = `bob:${hashes.apr1}\n`

for (const settled of [true, false]) {
  const when = settled ? 'a file that has been as it is for long' : 'a file that has just changed'

  t.test(`${when}: what is written to it, in place or in place of it, is seen at the next look`, async (t) => {
    const { path, look, settle } = reading(t, alice)
    const change = async (action: Promise<unknown>): Promise<Record<string, string>> => {
      await action
      const found = await look('alice', 'bob')
      if (settled) await settle()
      return found
    }
    if (settled) await settle()
    t.same(await look('alice', 'bob'), { alice: 'sha1' })
    t.same(await change(appendFile(path, bob)), { alice: 'sha1', bob: 'apr1' }, 'a line more')
    t.same(await change(writeFile(path, bob)), { bob: 'apr1' }, 'written anew')
    t.same(await change(writeFile(`${path}.new`, alice).then(() => rename(`${path}.new`, path))), { alice: 'sha1' }, 'replaced')
    t.same(await change(truncate(path, 0)), {}, 'emptied')
    t.same(await change(writeFile(path, alice + bob)), { alice: 'sha1', bob: 'apr1' }, 'filled again')
  })

  t.test(`${when}: a deletion is an error, and a file that is back counts`, async (t) => {
    const { path, look, settle, lines } = reading(t, alice)
    if (settled) await settle()
    await look()
    await rm(path)
    await t.rejects(look('alice'), { code: 'ENOENT' })
    await writeFile(path, bob)
    t.same(await look('alice', 'bob'), { bob: 'apr1' })
    t.same(lines.map(({ level, message }) => [level, message]), [['error', 'the htpasswd file cannot be read: nobody is let in']])
  })
}

t.test('a change that leaves size and modification time as they were is seen', async (t) => {
  const { path, look, settle } = reading(t, `alice:${hashes.crypt}`)
  const time = new Date('2024-01-01')
  await utimes(path, time, time)
  await settle()
  await writeFile(path, `carol:${hashes.crypt}`)
  await utimes(path, time, time)
  t.same(await look('alice', 'carol'), { carol: 'crypt' })
})

t.test('changes that follow one another faster than a file system tells the time are all seen', async (t) => {
  const { path, look } = reading(t, '')
  for (let time = 0; time < 300; time++) {
    const name = time % 2 === 0 ? 'alice' : 'carol'
    await writeFile(path, `${name}:${hashes.crypt}`)
    t.same(await look('alice', 'carol'), { [name]: 'crypt' })
  }
})

t.test('a link that comes to point elsewhere is followed, as those of a mounted secret do', async (t) => {
  const { path, look, settle } = reading(t)
  const folder = dirname(path)
  for (const [name, content] of [['one', alice], ['two', bob]]) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'htpasswd'), content)
  }
  await symlink('one', join(folder, 'data'))
  await symlink(join('data', 'htpasswd'), path)
  await settle()
  t.same(await look('alice', 'bob'), { alice: 'sha1' })
  await symlink('two', join(folder, 'data.new'))
  await rename(join(folder, 'data.new'), join(folder, 'data'))
  t.same(await look('alice', 'bob'), { bob: 'apr1' })
})

t.test('a file that is half written lets in whom its whole lines have, and all of them when it is done', async (t) => {
  const { path, look, settle } = reading(t, '')
  await settle()
  const whole = `${alice}carol:${hashes.bcrypt}\n${bob}`
  for (let length = 0; length <= whole.length; length++) {
    await writeFile(path, whole.slice(0, length))
    const found = await look('alice', 'carol', 'bob')
    const line = (end: string): boolean => length >= whole.indexOf(end) + end.length
    t.same(found, {
      ...line(hashes.sha1) ? { alice: 'sha1' } : {},
      ...line(hashes.bcrypt) ? { carol: 'bcrypt' } : {},
      ...line(hashes.apr1) ? { bob: 'apr1' } : {}
    }, `after ${length} characters`)
  }
})

t.test('each line that lets nobody in is logged by number, once for each version of the file', async (t) => {
  const { path, look, settle, lines } = reading(t, `${alice}# a comment\nhunter2\nbob:${refused['-5']}\nalice:hunter2\n`)
  await look()
  await look()
  await settle()
  await look()
  const file = { file: path }
  const expected = [
    { level: 'warn', message: 'line 3 of the htpasswd file lets nobody in: it has no colon', details: { ...file, line: 3 } },
    { level: 'warn', message: 'line 4 of the htpasswd file lets nobody in: its hash is SHA-512-crypt, which is not supported', details: { ...file, line: 4 } },
    { level: 'warn', message: 'line 5 of the htpasswd file lets nobody in: its user has line 1 already, and the first counts', details: { ...file, line: 5 } }
  ]
  t.same(lines, expected)
  await utimes(path, new Date(), new Date())
  await look()
  t.same(lines, expected, 'the same content is no new version')
  await appendFile(path, bob)
  await look()
  t.same(lines.map(({ details }) => details.line), [3, 4, 5, 3, 4, 5, 6])
  t.notMatch(JSON.stringify(lines), /hunter2|alice|bob|\$6\$/)
})

t.test('a file full of such lines does not fill the log', async (t) => {
  const { look, lines } = reading(t, 'x\n'.repeat(1_000))
  await look()
  t.equal(lines.length, 21)
  t.equal(lines[20].message, '980 more lines of the htpasswd file let nobody in')
})

t.test('what is no regular file of a sensible size is an error, and logged once while it stays that', async (t) => {
  const { path, look, lines } = reading(t)
  const isRefused = async (code: string, what: string): Promise<void> => {
    const before = lines.length
    for (let time = 0; time < 3; time++) await t.rejects(look('alice'), { code }, what)
    t.match(lines.slice(before), [{ level: 'error', message: 'the htpasswd file cannot be read: nobody is let in', details: { file: path, err: { code } } }], what)
    t.equal(lines.length, before + 1, what)
    await rm(path, { recursive: true, force: true })
    await writeFile(path, alice)
    t.same(await look('alice'), { alice: 'sha1' }, `after ${what}`)
    await rm(path)
  }
  await isRefused('ENOENT', 'a missing file')
  await mkdir(path)
  await isRefused('ERR_NOT_A_FILE', 'a folder')
  execFileSync('mkfifo', [path])
  await isRefused('ERR_NOT_A_FILE', 'a named pipe that nobody writes to')
  await symlink('htpasswd', path)
  await isRefused('ELOOP', 'a link to itself')
  await symlink('/dev/zero', path)
  await isRefused('ERR_NOT_A_FILE', 'a device')
  await writeFile(path, '#'.repeat(1_048_577))
  await isRefused('ERR_FILE_TOO_LARGE', 'a file of more than a megabyte')
  await writeFile(path, `${'#'.repeat(1_048_576 - alice.length - 1)}\n${alice}`)
  t.same(await look('alice'), { alice: 'sha1' }, 'a file of a megabyte')
})

t.test('a file that has settled is not opened at every look, and one that has not is', async (t) => {
  let opened = 0
  const { HtpasswdReader } = await t.mockImport<typeof import('../../lib/auth/htpasswd-reader.js')>('../../lib/auth/htpasswd-reader.js', {
    'node:fs/promises': { ...fs, open: async (...args: Parameters<typeof open>) => { opened++; return await open(...args) } }
  })
  const { path, look, settle } = reading(t, alice, HtpasswdReader)
  await look()
  await look()
  t.equal(opened, 2)
  await settle()
  const before = opened
  for (let time = 0; time < 5; time++) t.same(await look('alice'), { alice: 'sha1' })
  t.equal(opened, before)
  await chmod(path, 0o600)
  await look()
  await look()
  t.equal(opened, before + 2, 'permissions that have changed count')
})

t.test('who asks while a look is under way gets the next one, and all who wait share it', async (t) => {
  const looks: Array<() => void> = []
  const { HtpasswdReader } = await t.mockImport<typeof import('../../lib/auth/htpasswd-reader.js')>('../../lib/auth/htpasswd-reader.js', {
    'node:fs/promises': { ...fs, open: async (...args: Parameters<typeof open>) => { await new Promise<void>((resolve) => looks.push(resolve)); return await open(...args) } }
  })
  const { path, reader } = reading(t, alice, HtpasswdReader)
  const { log } = recordedLog()
  const begun = async (number: number): Promise<void> => await until(`${number} looks have begun`, () => looks.length >= number)
  const first = reader.users(log)
  await begun(1)
  const others = [reader.users(log), reader.users(log)]
  await writeFile(path, bob)
  t.equal(looks.length, 1, 'one look at a time')
  looks[0]()
  await first
  await begun(2)
  looks[1]()
  const [second, third] = await Promise.all(others)
  t.equal(looks.length, 2)
  t.equal(second, third)
  t.ok(second.checkOf({ name: 'bob', password: '' })?.own)
})

import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { htpasswdFile } from '../../lib/auth/htpasswd.js'
import { requireAuth } from '../../lib/auth/require-auth.js'
import { temporaryFolder } from './support/folder.js'
import { peer } from './support/peers.js'
import { run } from './support/programs.js'

const htpasswd = peer('htpasswd')

interface Site {
  readonly app: FastifyInstance
  readonly file: string
  /** What the log says of lines, by number. */
  readonly reported: Map<number, string>
  /** Runs `htpasswd` on the file. */
  change (...args: string[]): Promise<void>
  /** The status of a request by curl. */
  ask (name: string, password: string): Promise<number>
}

async function site (t: Test): Promise<Site> {
  const file = join(await temporaryFolder(t), 'htpasswd')
  const reported = new Map<number, string>()
  const stream = {
    write: (text: string) => {
      const { line, msg } = JSON.parse(text) as { line?: number, msg: string }
      if (line !== undefined) reported.set(line, msg)
    }
  }
  const app = Fastify({ logger: { level: 'warn', stream } })
  t.teardown(async () => await app.close())
  app.get('/', { onRequest: requireAuth(htpasswdFile(file, { timeout: 60_000 })) }, async () => 'let in')
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  await made(t, ['-c', '-b', file, 'first', 'of all'])
  return {
    app,
    file,
    reported,
    change: async (...args) => await made(t, args),
    ask: async (name, password) => {
      // From a file: a password that begins with a dash, or has a quote, is nothing special there.
      const config = `user = "${`${name}:${password}`.replace(/[\\"]/g, '\\$&')}"\n`
      const { stdout } = await run(t, peer('curl'), ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-K', '-', address], { input: config })
      return Number(stdout)
    }
  }
}

async function made (t: Test, args: string[]): Promise<void> {
  const { code, stderr } = await run(t, htpasswd, args)
  if (code !== 0) throw new Error(`htpasswd ${args.join(' ')}: ${stderr}`)
}

t.test('every mode of htpasswd that is supported lets its user in, and nobody with another password', async (t) => {
  const { change, ask, file, reported } = await site(t)
  const modes = [[], ['-m'], ['-s'], ['-d'], ['-B'], ['-B', '-C', '4'], ['-B', '-C', '10'], ['-B', '-C', '14']]
  for (const [index, mode] of modes.entries()) await change('-b', ...mode, file, `user${index}`, `pass${index} word`)
  for (const [index, mode] of modes.entries()) {
    t.equal(await ask(`user${index}`, `pass${index} word`), 200, mode.join(' '))
    t.equal(await ask(`user${index}`, `Pass${index} word`), 401, mode.join(' '))
  }
  t.equal(await ask('nobody', 'pass0 word'), 401)
  t.equal(reported.size, 0)
})

t.test('every other mode is reported by its line, and never accepted', async (t) => {
  const { change, ask, file, reported } = await site(t)
  const modes: Array<[string[], RegExp]> = [
    [['-p'], /plain password/],
    [['-2'], /SHA-256-crypt, which is not supported/],
    [['-5'], /SHA-512-crypt, which is not supported/],
    [['-2', '-r', '1000'], /SHA-256-crypt, which is not supported/],
    [['-5', '-r', '10000'], /SHA-512-crypt, which is not supported/],
    [['-B', '-C', '15'], /bcrypt cost is 15, above 14/]
  ]
  for (const [index, [mode]] of modes.entries()) await change('-b', ...mode, file, `user${index}`, 'pass word')
  for (const [index, [mode, problem]] of modes.entries()) {
    t.equal(await ask(`user${index}`, 'pass word'), 401, mode.join(' '))
    // The first line is that of the first user.
    t.match(reported.get(index + 2), problem, mode.join(' '))
  }
  t.equal(await ask('first', 'of all'), 200)
})

t.test('passwords of all lengths and alphabets that htpasswd takes match', async (t) => {
  const { change, ask, file } = await site(t)
  const passwords = ['x', 'a:b::', '-"\\\' $', 'pässwörd', 'пароль', '密码🙂', ...[7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 71, 72].map((length) => 'abcdefghij'.repeat(8).slice(0, length))]
  for (const mode of [['-B', '-C', '4'], ['-m'], ['-s'], ['-d']]) {
    for (const [index, password] of passwords.entries()) await change('-b', ...mode, file, `üser${index}`, password)
    for (const [index, password] of passwords.entries()) t.equal(await ask(`üser${index}`, password), 200, `${mode[0]} ${password}`)
  }
})

t.test('a password of more than 72 bytes is refused for bcrypt, where htpasswd takes any that begins like it', async (t) => {
  const { change, ask, file } = await site(t)
  const long = 'a'.repeat(100)
  await change('-b', '-B', file, 'long', long)
  await change('-v', '-b', file, 'long', `${long.slice(0, 72)}something else`)
  for (const password of [long, `${long.slice(0, 72)}something else`]) t.equal(await ask('long', password), 401)
})

t.test('what htpasswd changes while the service runs counts at the next request', async (t) => {
  const { change, ask, file } = await site(t)
  t.equal(await ask('first', 'of all'), 200)
  await change('-b', file, 'first', 'another')
  t.equal(await ask('first', 'of all'), 401)
  t.equal(await ask('first', 'another'), 200)
  await change('-b', '-B', file, 'second', 'x')
  t.equal(await ask('second', 'x'), 200)
  await change('-D', file, 'first')
  t.equal(await ask('first', 'another'), 401)
  t.equal(await ask('second', 'x'), 200)
  await change('-c', '-b', file, 'third', 'y')
  t.equal(await ask('second', 'x'), 401)
  t.equal(await ask('third', 'y'), 200)
})

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { basic } from './support/basic.js'
import { hashes, password } from './support/htpasswd-lines.js'

// Processes of their own, on the built package: without the loader of these tests, and with an end.
const built = resolve(import.meta.dirname, '../../dist/lib/auth/htpasswd.js')

// What they cover is not counted: it is the same code as in lib.
const env = { PATH: process.env.PATH, _TAPJS_PROCESSINFO_COVERAGE_: '0' }

const program = `
  const request = (name) => ({ headers: { authorization: 'Basic ' + Buffer.from(name + ':${password}').toString('base64') }, log: console, raw: { socket: {} } })
  const auth = htpasswdFile(process.argv.at(-1))
  Promise.all([auth(request('alice')), auth(request('mallory'))]).then((answers) => console.log(answers.join()))
`

for (const [how, args] of [
  ['import', ['--input-type=module', '-e', `import { htpasswdFile } from '${pathToFileURL(built).href}'\n${program}`]],
  ['require()', ['-e', `const { htpasswdFile } = require('${built}')\n${program}`]]
] as const) {
  t.test(`works by ${how}, and the process ends by itself when there is nothing left to verify`, async (t) => {
    t.ok(existsSync(built), 'the package is built')
    const path = join(t.testdir({ htpasswd: `alice:${hashes.bcrypt}\n` }), 'htpasswd')
    // Less than the thread would stay for.
    const { stdout, stderr, status, signal } = spawnSync(process.execPath, [...args, '--', path], { encoding: 'utf8', timeout: 20_000, env })
    t.equal(status, 0, `${signal} ${stderr}`)
    t.equal(stdout, 'true,false\n')
  })
}

t.test('many verifications, versions of the file and refusals leave the heap flat and one thread at most', async (t) => {
  const directory = t.testdir({
    htpasswd: '',
    'program.mjs': `
      import { writeFile } from 'node:fs/promises'
      import { htpasswdFile } from '${pathToFileURL(built).href}'
      const path = process.argv[2]
      const log = { warn () {}, error () {} }
      const socket = {}
      const auth = htpasswdFile(path)
      const sent = ['${basic('alice', password)}', '${basic('alice', 'wrong')}', '${basic('bob', 'x')}', 'Basic x', undefined]
      const codes = new Set()
      async function rounds (number) {
        for (let round = 0; round < number; round++) {
          await writeFile(path, 'alice:${hashes.sha1}\\n'.repeat(1 + round % 3))
          const answers = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => auth({ headers: { authorization: sent[index % 5] }, log, raw: { socket } })))
          for (const { value, reason } of answers) codes.add(String(reason?.code ?? value))
        }
      }
      const heap = () => { for (let time = 0; time < 4; time++) gc(); return process.memoryUsage().heapUsed }
      await rounds(60)
      const before = heap()
      await rounds(240)
      const growth = heap() - before
      console.log(JSON.stringify({ growth, codes: [...codes].sort(), resources: process.getActiveResourcesInfo() }))
    `
  })
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', join(directory, 'program.mjs'), join(directory, 'htpasswd')], { encoding: 'utf8', timeout: 80_000, env })
  t.equal(status, 0, stderr)
  t.comment(stdout)
  const { growth, codes, resources } = JSON.parse(stdout)
  t.same(codes, ['ERR_AUTH_BUSY', 'false', 'true'])
  t.ok(growth < 300_000, `the heap grew by ${growth} bytes`)
  t.same(resources.filter((name: string) => /Timeout|FSReq|MessagePort|Worker/.test(name)), [])
})

import t from 'tap'
import { Users } from '../../lib/auth/htpasswd-users.js'
import { hashes, refused } from './support/htpasswd-lines.js'

const users = (...lines: string[]): Users => new Users(lines.join('\n'))
const known = (of: Users, name: string): boolean => of.checkOf({ name, password: '' })?.own !== undefined

for (const [kind, hash] of Object.entries(hashes)) {
  t.test(`takes a line with ${kind}`, async (t) => {
    const of = users(`alice:${hash}`)
    t.same(of.problems, [])
    t.match(of.checkOf({ name: 'alice', password: 'x' }), { password: 'x', own: { text: hash, kind: kind.split(' ')[0] }, others: [] })
  })
}

for (const [what, line, problem] of [
  ['SHA-256-crypt', `u:${refused['-2']}`, /^its hash is SHA-256-crypt, which is not supported$/],
  ['SHA-512-crypt', `u:${refused['-5']}`, /^its hash is SHA-512-crypt, which is not supported$/],
  ['SHA-512-crypt with rounds', `u:${refused['-5 -r 1000']}`, /SHA-512-crypt/],
  ['a bcrypt cost of 15', `u:${refused['-B -C 15']}`, /^its bcrypt cost is 15, above 14$/],
  ['a bcrypt cost of 31', `u:${hashes.bcrypt.replace('$05$', '$31$')}`, /^its bcrypt cost is 31, above 14$/],
  ['a bcrypt cost that there is not', `u:${hashes.bcrypt.replace('$05$', '$03$')}`, /^its hash is damaged or cut short$/],
  ['a bcrypt cost of three digits', `u:${hashes.bcrypt.replace('$05$', '$010$')}`, /^its hash is damaged or cut short$/],
  ['bcrypt that is known to be flawed', `u:${hashes.bcrypt.replace('$2y$', '$2x$')}`, /^its hash is damaged or cut short$/],
  ['bcrypt cut short', `u:${hashes.bcrypt.slice(0, -1)}`, /^its hash is damaged or cut short$/],
  ['bcrypt and a character more', `u:${hashes.bcrypt}.`, /^its hash is damaged or cut short$/],
  ['apr1 cut short', `u:${hashes.apr1.slice(0, -1)}`, /^its hash is damaged or cut short$/],
  ['apr1 without salt', 'u:$apr1$$lmCg2eD.PlaMz6jFWdY34/', /^its hash is damaged or cut short$/],
  ['SHA-1 cut short', `u:${hashes.sha1.slice(0, -1)}`, /^its hash is damaged or cut short$/],
  ['salted SHA-1', 'u:{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=', /^it has a plain password, or a kind of hash that is not supported$/],
  ['crypt cut short', `u:${hashes.crypt.slice(0, -1)}`, /^it has a plain password, or/],
  ['MD5-crypt', 'u:$1$abcdefgh$G7FtiApVhsvBhAMFNdFDb1', /^it has a plain password, or/],
  ['a plain password', `u:${refused['-p']}`, /^it has a plain password, or/],
  ['a locked user', 'u:!', /^it has a plain password, or/],
  ['no hash', 'u:', /^there is no hash after the name$/],
  ['no colon', 'alice', /^it has no colon$/],
  ['no name', `:${hashes.bcrypt}`, /^it has no name$/],
  ['a NUL', `al\0ice:${hashes.bcrypt}`, /^it has a control character, or is not UTF-8$/],
  ['bytes that were not UTF-8', `al\ufffdice:${hashes.bcrypt}`, /^it has a control character, or is not UTF-8$/]
] as const) {
  t.test(`reports a line with ${what} and goes on`, async (t) => {
    const of = users(`first:${hashes.sha1}`, line, `last:${hashes.sha1}`)
    t.match(of.problems, [{ line: 2, problem }])
    t.notOk(known(of, 'u'))
    t.ok(known(of, 'first') && known(of, 'last'))
  })
}

t.test('comments, blank lines, line ends of Windows, a byte order mark and spaces around a line do not matter', async (t) => {
  const of = new Users(`\ufeffalice:${hashes.sha1}\r\n\r\n  # bob:${hashes.sha1}\n#\n \t\n  carol:${hashes.sha1}  \n`)
  t.same(of.problems, [])
  t.ok(known(of, 'alice'))
  t.ok(known(of, 'carol'))
  t.notOk(known(of, '# bob'))
})

t.test('what follows a second colon is a comment', async (t) => {
  t.ok(known(users(`alice:${hashes.bcrypt}:Alice of the night shift`), 'alice'))
})

t.test('names are compared exactly', async (t) => {
  const of = users(`alice:${hashes.sha1}`, `__proto__:${hashes.sha1}`, `\u00e9:${hashes.sha1}`)
  for (const name of ['alice', '__proto__', '\u00e9']) t.ok(known(of, name), name)
  for (const name of ['Alice', 'alice ', 'alic', 'constructor', 'e\u0301', '']) t.notOk(known(of, name), name)
})

t.test('the first line of a user counts, also where it lets nobody in', async (t) => {
  const of = users(`a:${hashes.sha1}`, 'b:!', `a:${hashes.bcrypt}`, `b:${hashes.bcrypt}`)
  t.match(of.problems, [
    { line: 2, problem: /plain password/ },
    { line: 3, problem: 'its user has line 1 already, and the first counts' },
    { line: 4, problem: 'its user has line 2 already, and the first counts' }
  ])
  t.equal(of.checkOf({ name: 'a', password: '' })?.own?.kind, 'sha1')
  t.notOk(known(of, 'b'))
})

t.test('no problem shows a name or a part of a hash', async (t) => {
  const secret = 'hunter2'
  const of = users(`${secret}`, `${secret}:${secret}`, `${secret}:$2y$${secret}`, `${secret}:${hashes.bcrypt}`, `x:$5$${secret}`, `:${secret}`)
  t.equal(of.problems.length, 6)
  t.notMatch(JSON.stringify(of.problems), secret)
})

t.test('a file without a user has nothing to compare with', async (t) => {
  for (const text of ['', '# nobody', 'alice:plain']) t.equal(new Users(text).checkOf({ name: 'alice', password: 'plain' }), undefined)
})

t.test('every name, known or not, is asked for one hash of each kind and cost in the file', async (t) => {
  const of = users(
    `slow:${hashes['bcrypt 10']}`, `quick:${hashes.sha1}`, `a:${hashes.bcrypt}`, `b:${hashes.bcrypt}`, `c:${hashes.apr1}`, `d:${hashes.crypt}`,
    `refused:${refused['-5']}`
  )
  const works = (name: string): string[] => {
    const check = of.checkOf({ name, password: '' })
    return [...check?.own === undefined ? [] : [check.own], ...check?.others ?? []].map(({ work }) => work).sort()
  }
  const all = ['apr1', 'bcrypt05', 'bcrypt10', 'crypt', 'sha1']
  for (const name of ['slow', 'quick', 'a', 'b', 'c', 'd', 'refused', 'unknown', '']) t.same(works(name), all, name)
})

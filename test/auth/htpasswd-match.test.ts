import * as bcrypt from 'bcryptjs'
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { toHash, type Hash } from '../../lib/auth/htpasswd-hash.js'
import { matches } from '../../lib/auth/htpasswd-match.js'
import { serve } from '../../lib/auth/htpasswd-worker.js'
import { foreignHashes, foreignPassword, hashes, lengths, password } from './support/htpasswd-lines.js'

const hash = (text: string): Hash => toHash(text) as Hash
const isOf = (password: string, text: string): boolean => matches({ password, own: hash(text), others: [] })

for (const [kind, text] of Object.entries(hashes)) {
  t.test(`${kind}: the password matches, others do not`, async (t) => {
    t.equal(isOf(password, text), true)
    for (const wrong of ['', 'Correct horse', 'correct', 'correct\u00a0horse', text]) t.equal(isOf(wrong, text), false, wrong)
    if (kind !== 'crypt') t.equal(isOf(`${password} `, text), false, 'a character more')
  })
}

for (const [kind, text] of Object.entries(foreignHashes)) {
  t.test(`${kind}: a password beyond ASCII matches as UTF-8`, async (t) => {
    t.equal(isOf(foreignPassword, text), true)
    t.equal(isOf(foreignPassword.normalize('NFD'), text), false)
    t.equal(isOf(Buffer.from(foreignPassword).toString('latin1'), text), false)
  })
}

t.test('bcrypt: 72 bytes match, more are refused, even where bcrypt could not tell the difference', async (t) => {
  const longest = 'a'.repeat(72)
  t.equal(isOf(longest, lengths[72]), true)
  t.equal(isOf(longest.slice(1), lengths[72]), false)
  t.equal(isOf(`${longest}b`, lengths[72]), false)
  t.equal(isOf(`${longest}b`, lengths[73]), false)
  t.equal(isOf(`${'a'.repeat(71)}ä`, lengths['71 and ä']), false, 'bytes count, not characters')
})

t.test('an empty password is that of its hash alone', async (t) => {
  t.equal(isOf('', lengths[0]), true)
  t.equal(isOf('a', lengths[0]), false)
})

t.test('crypt: looks at 8 bytes, as everywhere', async (t) => {
  t.equal(isOf(password.slice(0, 8), hashes.crypt), true)
  t.equal(isOf(password.slice(0, 7), hashes.crypt), false)
})

t.test('without a hash of its own nothing matches, also where the password is that of another', async (t) => {
  t.equal(matches({ password, others: Object.values(hashes).map(hash) }), false)
  t.equal(matches({ password, others: [] }), false)
  t.equal(matches({ password, own: hash(lengths[0]), others: [hash(hashes.sha1)] }), false)
})

t.test('a wrong password, and one of nobody, is hashed once for each kind and cost in the file', async (t) => {
  const hashed: string[] = []
  const counted = await t.mockImport<typeof import('../../lib/auth/htpasswd-match.js')>('../../lib/auth/htpasswd-match.js', {
    bcryptjs: { ...bcrypt, hashSync: (_password: string, salt: string) => { hashed.push(salt.slice(0, 6)); return '' } }
  })
  const [four, five, ten] = [hashes['bcrypt 4'], hashes.bcrypt, hashes['bcrypt 10']].map(hash)
  for (const check of [
    { password, own: four, others: [five, ten] },
    { password, own: ten, others: [four, five] },
    { password, others: [four, five, ten] },
    { password: 'a'.repeat(73), others: [four, five, ten] }
  ]) {
    hashed.length = 0
    t.equal(counted.matches(check), false)
    t.same(hashed.sort(), ['$2y$04', '$2y$05', '$2y$10'])
  }
})

t.test('the worker answers each check, and names no more of an error than its kind', async (t) => {
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  serve(port2)
  serve(null)
  const answers: unknown[] = []
  for (const check of [
    { password, own: hash(hashes.sha1), others: [] },
    { password: 'wrong', own: hash(hashes.sha1), others: [hash(hashes.crypt)] },
    { password, own: { kind: 'bcrypt', text: 'hunter2', work: '' }, others: [] }
  ]) {
    port1.postMessage(check)
    answers.push((await once(port1, 'message'))[0])
  }
  t.same(answers, [true, false, 'Error'])
})

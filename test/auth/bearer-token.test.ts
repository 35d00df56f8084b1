import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { bearerToken } from '../../lib/auth/bearer-token.js'

const request = (authorization?: string): FastifyRequest => ({ headers: { authorization } }) as FastifyRequest

const cases: Array<[string, string | readonly string[], string | undefined, boolean]> = [
  ['the token', 's3cret', 'Bearer s3cret', true],
  ['another token', 's3cret', 'Bearer other', false],
  ['no header', 's3cret', undefined, false],
  ['an empty header', 's3cret', '', false],
  ['the scheme alone', 's3cret', 'Bearer', false],
  ['the scheme and spaces', 's3cret', 'Bearer   ', false],
  ['the token without the scheme', 's3cret', 's3cret', false],
  ['another scheme', 's3cret', 'Basic s3cret', false],
  ['a scheme that begins like it', 's3cret', 'Bearers3cret', false],
  ['a scheme in small letters', 's3cret', 'bearer s3cret', true],
  ['a scheme in capitals', 's3cret', 'BEARER s3cret', true],
  ['several spaces before and after', 's3cret', 'Bearer   s3cret  ', true],
  ['the token in other case', 's3cret', 'Bearer S3CRET', false],
  ['the beginning of the token', 's3cret', 'Bearer s3cre', false],
  ['more than the token', 's3cret', 'Bearer s3crets', false],
  ['two tokens at once', 's3cret', 'Bearer s3cret, Bearer other', false],
  ['the first of several', ['old', 'new'], 'Bearer old', true],
  ['the last of several', ['old', 'new'], 'Bearer new', true],
  ['none of several', ['old', 'new'], 'Bearer older', false],
  ['all of several', ['old', 'new'], 'Bearer old,new', false],
  ['a token of another length among several', ['a', 'much-longer-than-the-other'], 'Bearer much-longer-than-the-other', true],
  ['a token with the characters of RFC 6750', 'aZ0-._~+/==', 'Bearer aZ0-._~+/==', true]
]

for (const [what, token, authorization, letIn] of cases) {
  t.test(`${what} is ${letIn ? 'let in' : 'not let in'}`, async (t) => {
    t.equal(await bearerToken(token)(request(authorization)), letIn)
  })
}

t.test('it says what it wants', async (t) => {
  const { challenge, expects } = bearerToken('s3cret')
  t.equal(challenge, 'Bearer realm="svc_status"')
  t.match(expects, /"Authorization: Bearer"/)
  t.notMatch(`${challenge}${expects}`, /s3cret/)
})

const wrong: Array<[string, unknown]> = [
  ['an empty token', ''],
  ['no token', undefined],
  ['a number', 12345678],
  ['null', null],
  ['an object', { token: 'hunter2' }],
  ['an empty list', []],
  ['a list with an empty token', ['hunter2', '']],
  ['a list with a number', ['hunter2', 1]]
]

for (const [what, token] of wrong) {
  t.test(`${what} is refused with an error that shows nothing of it`, async (t) => {
    t.throws(() => bearerToken(token as string), { code: 'ERR_INVALID_OPTION', message: /the token of bearerToken\(\)/ })
    try {
      bearerToken(token as string)
    } catch (error) {
      t.notMatch(`${(error as Error).message}${(error as Error).stack}`, /hunter2|12345678/)
    }
  })
}

t.test('a list that changes afterwards lets nobody else in', async (t) => {
  const tokens = ['s3cret']
  const auth = bearerToken(tokens)
  tokens[0] = 'other'
  t.equal(await auth(request('Bearer s3cret')), true)
  t.equal(await auth(request('Bearer other')), false)
})

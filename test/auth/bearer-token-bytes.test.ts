import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { bearerToken } from '../../lib/index.js'

const request = (authorization: string): FastifyRequest => ({ headers: { authorization } }) as FastifyRequest

t.test('a token that no header can bring is refused, or brought in UTF-8 is let in', async (t) => {
  for (const token of ['tökén', '€', ' s3cret', 's3cret\n', 's3cret ']) {
    let auth
    try {
      auth = bearerToken(token)
    } catch (error) {
      t.match(error, { code: 'ERR_INVALID_OPTION' })
      t.notMatch((error as Error).message, 's3cret')
      continue
    }
    const asNodeReadsIt = Buffer.from(`Bearer ${token}`.trim(), 'utf8').toString('latin1')
    t.equal(await auth(request(asNodeReadsIt)), true, JSON.stringify(token))
  }
})

t.test('what a header costs grows with its length and not with its square', async (t) => {
  const auth = bearerToken('s3cret')
  const cost = (length: number): number => {
    const header = request(`Bearer x${' '.repeat(length)}y`)
    const start = process.cpuUsage()
    for (let round = 0; round < 5; round++) auth(header)
    return process.cpuUsage(start).user
  }
  cost(1_000)
  t.ok(cost(16_000) < 100_000, 'microseconds for five headers of 16 KB')
})

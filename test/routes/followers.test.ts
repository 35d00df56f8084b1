import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Followers, type Feed } from '../../lib/routes/followers.js'
import { FakeTime } from '../policies/support/fake-time.js'
import { eventually, follow, type Events } from '../support/events.js'

/** What is told is the number of the version, and as many characters beside it. */
class Numbers implements Feed {
  version = 0
  readonly #size: number
  /** Which versions somebody was given. */
  readonly told: number[] = []

  constructor (size = 1) {
    this.#size = size
  }

  since (version: number): { version: number, event: Buffer } | undefined {
    if (version >= this.version) return undefined
    this.told.push(this.version)
    return { version: this.version, event: Buffer.from(`data: ${JSON.stringify([version, this.version, 'x'.repeat(this.#size)])}\n\n`) }
  }
}

interface Served {
  readonly followers: Followers
  readonly time: FakeTime
  readonly responses: http.ServerResponse[]
  connect (feed: Feed, options?: { paused?: boolean, after?: number }): Promise<Events>
}

/** A real server; the timers of the process stand still until they are told to go on. */
async function serve (t: Test, most = 10): Promise<Served> {
  const time = new FakeTime()
  t.teardown(time.install())
  const followers = new Followers({ most, beatEvery: 1_000 })
  const responses: http.ServerResponse[] = []
  let [feed, after]: [Feed | undefined, number | undefined] = [undefined, undefined]
  const server = http.createServer((_request, response) => {
    responses.push(response)
    response.setHeader('connection', 'close')
    followers.add(feed as Feed, response, after).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    followers,
    time,
    responses,
    connect: async (given, options) => {
      feed = given
      after = options?.after
      return await follow({ port }, options)
    }
  }
}

const pairs = ({ messages }: Events): unknown[] => (messages as unknown[][]).map(([from, to]) => [from, to])

t.test('who comes is told what there is, and then what is new', async (t) => {
  const { followers, connect } = await serve(t)
  const feed = new Numbers()
  feed.version = 3
  const events = await connect(feed)
  await eventually(() => events.messages.length === 1, 'the first message')
  feed.version = 4
  followers.tell()
  await eventually(() => events.messages.length === 2, 'the second')
  t.strictSame(pairs(events), [[0, 3], [3, 4]])
  followers.tell()
  t.equal(feed.told.length, 2, 'nothing new is nothing told')
})

t.test('the head of the reply comes before there is anything to tell', async (t) => {
  const { followers, connect } = await serve(t)
  const feed = new Numbers()
  const events = await connect(feed)
  t.equal(events.statusCode, 200)
  t.strictSame(events.messages, [])
  feed.version = 1
  followers.tell()
  await eventually(() => events.messages.length === 1, 'the first message')
})

t.test('who has something newer than a version hears of later ones only, and then of all that it brought', async (t) => {
  const { followers, connect } = await serve(t)
  const feed = new Numbers()
  feed.version = 3
  const events = await connect(feed, { after: 3 })
  const other = await connect(feed)
  await eventually(() => other.messages.length === 1, 'who comes without is told')
  followers.tell()
  t.strictSame(events.messages, [])
  feed.version = 4
  followers.tell()
  await eventually(() => events.messages.length === 1, 'the first message')
  t.strictSame(pairs(events), [[0, 4]])
})

t.test('the streams of one feed can be ended, and others go on', async (t) => {
  const { followers, connect } = await serve(t)
  const [one, another] = [new Numbers(), new Numbers()]
  const [ended, going] = [await connect(one), await connect(another)]
  followers.end(one)
  await eventually(() => ended.over() && followers.size === 1, 'it is over')
  another.version = 1
  followers.tell()
  await eventually(() => going.messages.length === 1, 'the other is told')
})

t.test('nothing is kept for a reader that does not read, who then hears of the newest only', async (t) => {
  const { followers, connect, responses } = await serve(t)
  const feed = new Numbers(1_000_000)
  const [slow, quick] = [await connect(feed, { paused: true }), await connect(feed)]
  for (let version = 1; version <= 40; version++) {
    feed.version = version
    followers.tell()
    await eventually(() => quick.messages.length === version, 'the quick one has it')
    t.ok(responses[0].writableLength < 3_000_000, `${responses[0].writableLength} bytes wait`)
  }
  slow.resume()
  await eventually(() => pairs(slow).some((pair) => (pair as number[])[1] === 40), 'the slow one has the newest')
  t.ok(slow.messages.length < 30, `${slow.messages.length} messages`)
  const told = pairs(slow) as number[][]
  t.ok(told.every(([from], index) => from === (told[index - 1]?.[1] ?? 0)), 'each goes on where the one before it ended')
})

t.test('a reader that hears nothing gets a beat, and one that was told something does not', async (t) => {
  const { followers, time, connect } = await serve(t)
  const feed = new Numbers()
  const events = await connect(feed)
  await time.advance(1_000)
  await time.advance(1_000)
  await eventually(() => events.beats() === 1, 'the first beat: in the time before it the connection began')
  feed.version = 1
  followers.tell()
  await eventually(() => events.messages.length === 1, 'the message')
  await time.advance(1_000)
  t.equal(events.beats(), 1)
  await time.advance(1_000)
  await eventually(() => events.beats() === 2, 'the next beat')
  t.notMatch(events.text().replace(/event: beat\ndata:\n\n/g, ''), /beat/, 'each is a whole event')
})

t.test('who reads nothing for four beats makes room', async (t) => {
  const { followers, time, connect } = await serve(t, 2)
  const feed = new Numbers(20_000_000)
  feed.version = 1
  const [slow, quick] = [await connect(feed, { paused: true }), await connect(feed)]
  await eventually(() => quick.messages.length === 1, 'the quick one has all')
  t.notOk(followers.open)
  for (let beat = 1; beat <= 3; beat++) await time.advance(1_000)
  t.equal(followers.size, 2)
  await time.advance(1_000)
  await eventually(() => followers.size === 1, 'the slow one is gone')
  t.ok(followers.open)
  slow.resume()
  await eventually(() => slow.over(), 'it knows')
  t.notOk(quick.over())
})

t.test('after sixty beats a reader has to come again', async (t) => {
  const { followers, time, connect } = await serve(t)
  const events = await connect(new Numbers())
  for (let beat = 1; beat <= 59; beat++) {
    await time.advance(1_000)
    await eventually(() => events.beats() === Math.max(0, beat - 1), `beat ${beat}`)
  }
  t.equal(followers.size, 1)
  await time.advance(1_000)
  await eventually(() => events.over() && followers.size === 0, 'it is over')
})

t.test('there are no more than were allowed, and one that leaves makes room', async (t) => {
  const { followers, connect } = await serve(t, 2)
  const feed = new Numbers()
  const first = await connect(feed)
  t.ok(followers.open)
  await connect(feed)
  t.notOk(followers.open)
  first.leave()
  await eventually(() => followers.open, 'there is room')
  t.equal(followers.size, 1)
})

t.test('it is known whether anybody hears a feed', async (t) => {
  const { followers, connect } = await serve(t)
  const [one, other] = [new Numbers(), new Numbers()]
  const events = await connect(one)
  t.ok(followers.hears(one))
  t.notOk(followers.hears(other))
  events.leave()
  await eventually(() => !followers.hears(one), 'it is gone')
})

t.test('no timer runs while nobody follows', async (t) => {
  const { time, connect } = await serve(t)
  t.equal(time.waiting, 0)
  const [first, second] = [await connect(new Numbers()), await connect(new Numbers())]
  t.equal(time.waiting, 1, 'one for them all')
  first.leave()
  second.leave()
  await eventually(() => time.waiting === 0, 'it is cleared')
  const third = await connect(new Numbers())
  t.equal(time.waiting, 1, 'and comes again')
  third.leave()
})

t.test('all streams can be ended, twice as well, and others come after them', async (t) => {
  const { followers, connect } = await serve(t)
  const feed = new Numbers()
  const events = await connect(feed)
  followers.end()
  followers.end()
  feed.version = 1
  followers.tell()
  await eventually(() => events.over() && followers.size === 0, 'it is over')
  t.strictSame(events.messages, [])
  const next = await connect(feed)
  await eventually(() => next.messages.length === 1, 'the next is served')
})

t.test('closing ends all streams, and nobody is let in afterwards', async (t) => {
  const { followers, time, connect } = await serve(t)
  const events = [await connect(new Numbers()), await connect(new Numbers())]
  await followers.close()
  for (const one of events) await eventually(() => one.over(), 'it is over')
  t.equal(followers.size, 0)
  t.notOk(followers.open)
  t.equal(time.waiting, 0)
})

t.test('closing cuts off, a second later, who does not read', async (t) => {
  const { followers, time, connect } = await serve(t)
  const feed = new Numbers(20_000_000)
  feed.version = 1
  await connect(feed, { paused: true })
  let closed = false
  const closing = followers.close().then(() => { closed = true })
  await time.advance(900)
  t.notOk(closed, 'it may have been about to read')
  await time.advance(100)
  await closing
  t.equal(followers.size, 0)
})

import t from 'tap'
import { toText } from '../../lib/probe/decommission.js'
import { StoreWatch } from '../../lib/probe/store-watch.js'
import { settled } from '../policies/support/fake-time.js'

interface Read {
  readonly resolve: (text: string | undefined) => void
  readonly reject: (error: Error) => void
}

const off = { body: 'OFF', since: 1 }

function watch (): { subject: StoreWatch, reads: Read[] } {
  const reads: Read[] = []
  const subject = new StoreWatch(async () => await new Promise((resolve, reject) => { reads.push({ resolve, reject }) }), 60_000)
  return { subject, reads }
}

t.test('a look that failed or ended while something was written is not told, and made once more', async (t) => {
  const { subject, reads } = watch()
  const told: unknown[] = []
  const opened = subject.open((one) => told.push(one), (error) => told.push(error))
  reads[0].resolve(undefined)
  await opened
  for (const end of ['reject', 'resolve'] as const) {
    const looks = reads.length
    subject.soon()
    await subject.writing(toText(off), async () => {})
    if (end === 'reject') reads[looks].reject(new Error('away'))
    else reads[looks].resolve(undefined)
    while (reads.length === looks + 1) await settled()
    reads[looks + 1].resolve(toText(off))
    await settled()
  }
  t.strictSame(told, [])
  subject.close()
})

t.test('what was written during the first look is what was last seen', async (t) => {
  const { subject, reads } = watch()
  const told: unknown[] = []
  const opened = subject.open((one) => told.push(one))
  await subject.writing(toText(off), async () => {})
  reads[0].resolve(undefined)
  t.equal(await opened, undefined)
  subject.soon()
  reads[1].resolve(toText(off))
  await settled()
  t.strictSame(told, [])
  subject.soon()
  reads[2].reject(new Error('away'))
  await settled()
  t.pass('and one who does not listen to failures is told of none')
  subject.close()
})

t.test('what others wrote after a write, and was read before that had ended, is told after it', async (t) => {
  const { subject, reads } = watch()
  const told: unknown[] = []
  const opened = subject.open((one) => told.push(one))
  reads[0].resolve(undefined)
  await opened
  let stored: () => void = () => {}
  const written = subject.writing(toText({ ...off, body: 'OURS' }), async () => await new Promise<void>((resolve) => { stored = resolve }))
  subject.soon()
  reads[1].resolve(toText(off))
  await settled()
  stored()
  await written
  t.equal(reads.length, 3, 'it looks once more')
  reads[2]?.resolve(toText(off))
  await settled()
  t.strictSame(told, [off])
  subject.close()
})

t.test('a look that begins and ends while something is written tells nobody of what is not acknowledged yet', async (t) => {
  for (const outcome of ['stored', 'put back'] as const) {
    const { subject, reads } = watch()
    const told: unknown[] = []
    const opened = subject.open((one) => told.push(one), (error) => told.push(error))
    reads[0].resolve(undefined)
    await opened
    let end = (_error?: Error): void => {}
    const written = subject.writing(toText(off), async () => await new Promise<void>((resolve, reject) => { end = (error) => error === undefined ? resolve() : reject(error) }))
    subject.soon()
    reads[1].resolve(toText(off))
    await settled()
    t.strictSame(told, [], outcome)
    if (outcome === 'stored') end()
    else end(new Error('no folder'))
    await written.catch(() => {})
    while (reads.length === 2) await settled()
    reads[2].resolve(outcome === 'stored' ? toText(off) : undefined)
    await settled()
    t.strictSame(told, [], outcome)
    subject.close()
  }
})

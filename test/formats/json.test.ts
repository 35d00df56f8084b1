import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { jsonFormat } from '../../lib/formats/json.js'
import { snapshotOf, textOf } from '../support/snapshots.js'

t.test('every property that a handler gave is shown under its name', async (t) => {
  const text = await textOf(jsonFormat(), await snapshotOf([
    ['db', { state: 'OK', detail: '3 replicas', metrics: { replicas: 3 }, nested: { list: [1, null, 'x'], on: true } }],
    ['cache', 'RED']
  ]))
  t.strictSame(JSON.parse(text), {
    cache: { state: 'RED' },
    db: { state: 'OK', detail: '3 replicas', metrics: { replicas: 3 }, nested: { list: [1, null, 'x'], on: true } }
  })
})

t.test('without handlers it is an empty object', async (t) => {
  t.equal(await textOf(jsonFormat(), await snapshotOf([])), '{}')
})

t.test('names that an object has anyway are keys of their own', async (t) => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty', 'prototype', 'toString', 'valueOf']
  const text = await textOf(jsonFormat(), await snapshotOf(names.map((name) => [name, { state: 'RED', detail: name }])))
  const parsed = JSON.parse(text)
  t.strictSame(Object.keys(parsed).sort(), [...names].sort())
  for (const name of names) {
    t.strictSame(Object.getOwnPropertyDescriptor(parsed, name)?.value, { state: 'RED', detail: name }, name)
  }
  t.equal(Object.getPrototypeOf(parsed), Object.prototype)
})

t.test('properties with such names are shown as well', async (t) => {
  const status = JSON.parse('{"state":"OK","__proto__":{"polluted":true},"constructor":"x"}')
  const parsed = JSON.parse(await textOf(jsonFormat(), await snapshotOf([['db', status]])))
  t.strictSame(Object.getOwnPropertyDescriptor(parsed.db, '__proto__')?.value, { polluted: true })
  t.equal(parsed.db.constructor, 'x')
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})

t.test('who may not see details sees the states alone', async (t) => {
  const format = jsonFormat()
  const snapshot = await snapshotOf([['db', { state: 'YELLOW', detail: 'secret', metrics: { a: 1 }, more: 'secret' }]])
  t.equal(await textOf(format, snapshot, { details: false }), '{"db":{"state":"YELLOW"}}')
  t.equal(await textOf(format, snapshot), '{"db":{"state":"YELLOW","detail":"secret","metrics":{"a":1},"more":"secret"}}')
  t.equal(await textOf(format, snapshot, { details: false }), '{"db":{"state":"YELLOW"}}', 'and still not after another reader saw them')
})

t.test('a handler that was never asked says so', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('db', () => true)
  t.strictSame(JSON.parse(await textOf(jsonFormat(), registry.latest())), { db: { state: 'YELLOW', detail: 'not asked yet' } })
})

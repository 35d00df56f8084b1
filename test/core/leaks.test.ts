import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import t from 'tap'

// A process of its own, on the built package: the heap of a test runner is never flat.
const program = `
import { defaultRegistry, RED, StateHandler, StatusRegistry } from 'fastify-svc-status'

const registry = new StatusRegistry()
const handler = new StateHandler()
let round = 0
registry.on('change', () => {})
registry.addStatusHandler('async', async () => ({ state: 'OK', detail: String(round % 7) }))
registry.addStatusHandler('signal', async ({ signal }) => !signal.aborted)
registry.addStatusHandler('sync', () => round % 2 === 0)
registry.addStatusHandler('throws', () => { throw new Error('x') })

async function evaluate (rounds) {
  for (let end = round + rounds; round < end; round++) {
    registry.addStatusHandler('comes and goes', round % 2 === 0 ? handler : async () => RED)
    await registry.snapshot()
    registry.removeStatusHandler('comes and goes')
  }
}

function heap () {
  for (let time = 0; time < 4; time++) gc()
  return process.memoryUsage().heapUsed
}

await evaluate(20_000)
const before = heap()
await evaluate(200_000)
const after = heap()
console.log(JSON.stringify({
  evaluations: 5 * round,
  growth: after - before,
  handlers: registry.latest().entries.length + defaultRegistry.latest().entries.length,
  resources: process.getActiveResourcesInfo()
}))
`

// Not counted for coverage: these programs run the built package, which is none of the files that tests cover.
const env = { PATH: process.env.PATH, _TAPJS_PROCESSINFO_COVERAGE_: '0' }

t.test('a million evaluations, with handlers that come and go, leave the heap flat and no timer', async (t) => {
  const directory = t.testdir({ 'program.mjs': program })
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', resolve(directory, 'program.mjs')], { encoding: 'utf8', env })
  t.equal(status, 0, stderr)
  const result = JSON.parse(stdout)
  t.comment(stdout)
  t.ok(result.evaluations >= 1_000_000)
  t.ok(result.growth < 300_000, `the heap grew by ${result.growth} bytes`)
  t.equal(result.handlers, 4)
  t.notOk(result.resources.includes('Timeout'))
})

t.test('an awaited deadline keeps the process alive until it settles, and no longer', async (t) => {
  const directory = t.testdir({
    'program.mjs': `
      import { StatusRegistry } from 'fastify-svc-status'
      const registry = new StatusRegistry({ timeout: 100 })
      registry.addStatusHandler('hangs', () => new Promise(() => {}))
      registry.addStatusHandler('answers', async () => true, { timeout: 60_000 })
      console.log((await registry.getStatus('hangs')).detail)
      console.log((await registry.getStatus('answers')).state)
      console.log(await registry.waitForStatus('answers', 'OK', { timeout: 60_000, interval: 60_000 }))
    `
  })
  const { stdout, status } = spawnSync(process.execPath, [resolve(directory, 'program.mjs')], { encoding: 'utf8', env, timeout: 30_000 })
  t.equal(status, 0)
  t.equal(stdout, 'timed out after 100 ms\nOK\ntrue\n')
})

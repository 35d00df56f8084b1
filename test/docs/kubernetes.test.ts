import Fastify from 'fastify'
import t from 'tap'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'
import { at, blocksOf } from './markdown.js'
import { pages } from './pages.js'
import { documentsOf } from './yaml.js'

type Objects = Record<string, unknown>

/** All objects in what was parsed, the outer ones first. */
function objectsIn (value: unknown): Objects[] {
  if (typeof value !== 'object' || value === null) return []
  return [...Array.isArray(value) ? [] : [value as Objects], ...Object.values(value).flatMap(objectsIn)]
}

const blocks = [...pages()].flatMap(([file, source]) => blocksOf(file, source))
const manifests = blocks.filter(({ language }) => language === 'yaml').map((block) => ({ block, objects: documentsOf(block.text).flatMap(objectsIn) }))

t.test('the probes of every manifest ask an address that the plugin serves, on the port of the samples', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  await app.register(statusPlugin, { registry: new StatusRegistry() })
  let probes = 0
  for (const { block, objects } of manifests) {
    for (const { httpGet } of objects) {
      if (httpGet === undefined) continue
      const { path, port } = httpGet as { path: string, port: number }
      t.equal((await app.inject(path)).statusCode, 200, `${at(block)}: ${path}`)
      t.equal(port, 3_000, at(block))
      probes++
    }
    for (const { livenessProbe } of objects) {
      if (livenessProbe !== undefined) t.match(livenessProbe, { httpGet: { path: '/live_status' } }, `${at(block)}: liveness depends on nothing`)
    }
  }
  t.ok(probes >= 5, `${probes} probes`)
})

t.test('the times of the Kubernetes recipe add up, with those of the sample before it', async (t) => {
  const page = 'docs/graceful-shutdown.md'
  const sample = blocks.find(({ file, name }) => file === page && name === 'server.js')?.text ?? ''
  const limit = Number(/closeWithGrace\(\{ delay: ([\d_]+) \}/.exec(sample)?.[1].replaceAll('_', '')) / 1_000
  const drain = Number(/second\(err \? 0 : (\d+)\)/.exec(sample)?.[1])
  const { objects } = manifests.find(({ block }) => block.file === page) ?? { objects: [] }
  const find = (key: string): unknown => objects.find((one) => key in one)?.[key]
  const { exec: { command: [, sleep] } } = find('preStop') as { exec: { command: string[] } }
  const { periodSeconds, failureThreshold } = find('readinessProbe') as Record<string, number>
  t.ok(drain >= periodSeconds * (failureThreshold + 1), `a drain of ${drain} s outlasts the readiness probe`)
  t.ok(limit > drain, `close-with-grace waits ${limit} s`)
  t.ok(Number(find('terminationGracePeriodSeconds')) > Number(sleep) + limit, 'and Kubernetes longer than both')
})

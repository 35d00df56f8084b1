import Fastify from 'fastify'
import t from 'tap'
import { HealthCheckResponse, HealthStatus } from '../../lib/index.js'

t.test('a response that was told nothing passes', async (t) => {
  t.strictSame(new HealthCheckResponse().build(), { status: 'pass' })
})

t.test('it has everything it was told', async (t) => {
  const body = new HealthCheckResponse()
    .status(HealthStatus.WARN)
    .version('1')
    .releaseId('1.2.2')
    .serviceId('f03e522f')
    .description('health of authz service')
    .notes('a', 'b')
    .notes('c')
    .output('slow')
    .check('db:responseTime', { componentId: '1', componentType: 'datastore', observedValue: 250, observedUnit: 'ms', status: HealthStatus.WARN, time: new Date(0), output: 'slow' })
    .check('db:responseTime', { componentId: '2', status: HealthStatus.PASS, own: { thing: true } })
    .check('uptime', { observedValue: 1209600.245 }, { observedValue: null })
    .link('about', 'http://api.example.com/about/authz')
    .link('http://api.x.io/rel/thresholds', 'http://api.x.io/about/authz/thresholds')
    .custom('region', 'eu')
    .build()
  t.strictSame(body, {
    status: 'warn',
    version: '1',
    releaseId: '1.2.2',
    serviceId: 'f03e522f',
    description: 'health of authz service',
    notes: ['a', 'b', 'c'],
    output: 'slow',
    checks: {
      'db:responseTime': [
        { componentId: '1', componentType: 'datastore', observedValue: 250, observedUnit: 'ms', status: 'warn', time: '1970-01-01T00:00:00.000Z', output: 'slow' },
        { componentId: '2', status: 'pass', own: { thing: true } }
      ],
      uptime: [{ observedValue: 1209600.245 }, { observedValue: null }]
    },
    links: { about: 'http://api.example.com/about/authz', 'http://api.x.io/rel/thresholds': 'http://api.x.io/about/authz/thresholds' },
    region: 'eu'
  })
})

t.test('the output is shown only while it does not pass', async (t) => {
  const response = new HealthCheckResponse().output('down')
  t.notOk('output' in response.build())
  t.equal(response.status('fail').build().output, 'down')
  t.notOk('output' in response.status('pass').build())
  t.notOk('output' in new HealthCheckResponse().status('warn').build())
})

t.test('a body that was built does not change any more, and neither changes the response', async (t) => {
  const list = [1]
  const response = new HealthCheckResponse().check('a', { observedValue: list }).notes('n').custom('x', { list })
  const body = response.build() as { checks: Record<string, object[]>, notes: string[], x: { list: number[] } }
  list.push(2)
  response.check('b', {}).notes('m').link('r', 'l')
  t.strictSame(body, { status: 'pass', checks: { a: [{ observedValue: [1] }] }, notes: ['n'], x: { list: [1] } })
  body.notes.push('other')
  body.checks.a.push({})
  t.strictSame(response.build().notes, ['n', 'm'])
  t.strictSame(response.build().checks, { a: [{ observedValue: [1] }], b: [{}] })
})

t.test('names that an object has anyway are keys of their own', async (t) => {
  const body = new HealthCheckResponse()
    .check('__proto__', { observedValue: 1 }).check('__proto__', { observedValue: 2 }).check('constructor', {})
    .link('__proto__', '/a').link('toString', '/b')
    .custom('__proto__', 3)
    .build()
  t.strictSame(Object.getOwnPropertyDescriptor(body, '__proto__')?.value, 3)
  t.strictSame(Object.getOwnPropertyDescriptor(body.checks, '__proto__')?.value, [{ observedValue: 1 }, { observedValue: 2 }])
  t.strictSame(Object.keys(body.checks as object), ['__proto__', 'constructor'])
  t.strictSame(Object.keys(body.links as object), ['__proto__', 'toString'])
})

const circular: Record<string, unknown> = {}
circular.self = circular

const wrong: Array<[string, (response: HealthCheckResponse) => unknown, RegExp]> = [
  ['an unknown status', (response) => response.status('ok' as never), /^status\(\) must be pass, warn, fail, not "ok"$/],
  ['a status of null', (response) => response.status(null as never), /^status\(\)/],
  ['a version that is a number', (response) => response.version(1 as never), /^version\(\) must be .* not 1$/],
  ['an empty release', (response) => response.releaseId(''), /^releaseId\(\)/],
  ['a service that is nothing', (response) => response.serviceId(undefined as never), /^serviceId\(\)/],
  ['a description that is an object', (response) => response.description({} as never), /^description\(\)/],
  ['a note that is a number', (response) => response.notes('a', 1 as never), /^notes\(\)/],
  ['an output that is an error', (response) => response.output(new Error('x') as never), /^output\(\)/],
  ['a check without a name', (response) => response.check('', {}), /^the name of check\(\)/],
  ['a check that is null', (response) => response.check('a', null as never), /^check\(\) must be an object, not null$/],
  ['a check that is a string', (response) => response.check('a', 'x' as never), /^check\(\)/],
  ['a check that is a list', (response) => response.check('a', [] as never), /^check\(\)/],
  ['a check with an unknown status', (response) => response.check('a', { status: 'OK' as never }), /^the status of check\(\) must be pass, warn, fail/],
  ['a check that is circular', (response) => response.check('a', circular), /^check\(\)/],
  ['a check with a BigInt', (response) => response.check('a', { observedValue: 1n }), /^check\(\)/],
  ['a link without a relation', (response) => response.link('', '/x'), /^the relation of link\(\)/],
  ['a link without an address', (response) => response.link('about', undefined as never), /^the address of link\(\)/],
  ['a property without a name', (response) => response.custom('', 1), /^the name of custom\(\)/],
  ['a property that JSON cannot hold', (response) => response.custom('x', circular), /^custom\("x"\)/],
  ['a property that is nothing', (response) => response.custom('x', undefined), /^custom\("x"\)/],
  ...['status', 'version', 'releaseId', 'notes', 'output', 'checks', 'links', 'serviceId', 'description'].map((name): [string, (response: HealthCheckResponse) => unknown, RegExp] =>
    [`a property ${name}, which has a meaning`, (response) => response.custom(name, 'x'), new RegExp(`^custom\\("${name}"\\) .*its own method`)])
]

for (const [what, use, message] of wrong) {
  t.test(`${what} is refused and changes nothing`, async (t) => {
    const response = new HealthCheckResponse().version('1')
    t.throws(() => use(response), { code: 'ERR_INVALID_OPTION', message })
    t.strictSame(response.build(), { status: 'pass', version: '1' })
  })
}

t.test('an app answers /health with it', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  app.get('/health', (_request, reply) => {
    const body = new HealthCheckResponse().status(HealthStatus.FAIL).output('no database').build()
    reply.code(503).type('application/health+json').send(JSON.stringify(body))
  })
  const reply = await app.inject('/health')
  t.match(reply.headers['content-type'], /^application\/health\+json/)
  t.strictSame(reply.json(), { status: 'fail', output: 'no database' })
})

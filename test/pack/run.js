// Packs the package and uses it as its users do: installed into an empty folder, from ESM, from require and from TypeScript.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'fastify-svc-status-pack-'))
const packed = join(folder, 'packed')
const user = join(folder, 'user')
const { version, dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const bin = (name) => join(root, 'node_modules/.bin', name)
let passed = 0
let failed = 0

function run (command, parameters, cwd = root) {
  return execFileSync(command, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function check (title, action) {
  try {
    action()
    passed++
    console.log(`ok ${title}`)
  } catch (error) {
    failed++
    console.log(`not ok ${title}\n${error.stdout ?? ''}${error.stderr ?? ''}${error.stdout === undefined ? error.stack : ''}`)
  }
}

function equal (actual, expected) {
  if (actual !== expected) throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`)
}

const server = (load) => `
${load}
;(async () => {
  const app = fastify()
  await app.register(statusPlugin, { handlers: { db: () => OK } })
  console.log((await app.inject('/svc_status')).body.trim())
  await app.close()
})()
`

mkdirSync(packed)
mkdirSync(user)
try {
  const tarball = join(packed, `fastify-svc-status-${version}.tgz`)
  check('npm pack makes a tarball of lib, types, and what operators copy, alone', () => {
    run('npm', ['pack', '--pack-destination', packed])
    const files = run('tar', ['-tzf', tarball]).trim().split('\n')
    const others = files.filter((file) => !/^package\/(dist\/(lib|types)\/.*\.(js|d\.ts)|docs\/(prometheus\/[a-z.-]+\.(yml|json)|operating-with-prometheus\.md|examples\/svc-status\.service|healthchecker-systemd\.md)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file))
    equal(others.join(), '')
    const shipped = readdirSync(join(root, 'docs/prometheus')).map((name) => `package/docs/prometheus/${name}`)
    for (const file of ['package/docs/operating-with-prometheus.md', 'package/docs/healthchecker-systemd.md', 'package/docs/examples/svc-status.service', ...shipped]) equal(files.includes(file), true)
  })
  check('publint --strict has no complaint', () => run(bin('publint'), ['--strict', tarball]))
  check('attw finds the types of ESM', () => run(bin('attw'), ['--profile', 'esm-only', tarball]))
  check('the tarball installs into an empty folder', () => {
    writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true }))
    run('npm', ['install', '--no-audit', '--no-fund', tarball, `fastify@${devDependencies.fastify}`, `typescript@${devDependencies.typescript}`, `@types/node@${devDependencies['@types/node']}`], user)
    const installed = readdirSync(join(user, 'node_modules'))
    for (const name of Object.keys(dependencies)) equal(installed.includes(name.split('/')[0]), true)
  })
  check('it is used from ESM', () => {
    writeFileSync(join(user, 'esm.mjs'), server("import fastify from 'fastify'\nimport statusPlugin, { OK } from 'fastify-svc-status'"))
    equal(run(process.execPath, ['esm.mjs'], user), 'db\tOK\n')
  })
  check('it is used from require', () => {
    writeFileSync(join(user, 'require.cjs'), server("const fastify = require('fastify')\nconst { default: statusPlugin, OK } = require('fastify-svc-status')"))
    equal(run(process.execPath, ['require.cjs'], user), 'db\tOK\n')
  })
  check('the healthchecker is there without what only some need', () => {
    writeFileSync(join(user, 'checker.mjs'), `
      import { Healthchecker, HealthcheckerClient, WatchedFleet } from 'fastify-svc-status/healthchecker'
      const checker = new Healthchecker({ fleet: new WatchedFleet(), port: 0, announce: false })
      const client = new HealthcheckerClient({ app: 'a', url: 'http://10.0.0.1', server: await checker.listen() })
      console.log((await client.monitor()).registered)
      await checker.close()
      try {
        await new HealthcheckerClient({ app: 'a' }).find()
      } catch ({ code }) {
        console.log(code)
      }
    `)
    equal(run(process.execPath, ['checker.mjs'], user), 'created\nERR_PACKAGE_MISSING\n')
    equal(/^store +\.\/healthchecker\.db +default$/m.test(run('npx', ['--no-install', 'svc-status', 'serve', '--print-config'], user)), true)
  })
  check('ESM and require share one default registry', () => {
    writeFileSync(join(user, 'both.mjs'), `
      import { createRequire } from 'node:module'
      import { defaultRegistry } from 'fastify-svc-status'
      console.log(createRequire(import.meta.url)('fastify-svc-status').defaultRegistry === defaultRegistry)
    `)
    equal(run(process.execPath, ['both.mjs'], user), 'true\n')
  })
  check('its entry for failover shares the core with the main one, and needs no driver', () => {
    writeFileSync(join(user, 'failover.mjs'), `
      import { StatusRegistry } from 'fastify-svc-status'
      import { Service, ServiceMonitor } from 'fastify-svc-status/failover'
      const registry = new StatusRegistry()
      const monitor = new ServiceMonitor({ registry })
      monitor.register(new Service({ name: 'a', ping: async () => {} }))
      console.log((await registry.getStatus('a')).state)
      await monitor.close()
    `)
    equal(run(process.execPath, ['failover.mjs'], user), 'OK\n')
  })
  check('its thread for passwords starts', () => {
    writeFileSync(join(user, 'htpasswd'), 'operator:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n')
    writeFileSync(join(user, 'auth.mjs'), `
      import fastify from 'fastify'
      import { htpasswdFile, requireAuth } from 'fastify-svc-status'
      const app = fastify()
      app.get('/', { onRequest: requireAuth(htpasswdFile('htpasswd')) }, () => 'in')
      const ask = async (password) => (await app.inject({ url: '/', headers: { authorization: 'Basic ' + btoa('operator:' + password) } })).statusCode
      console.log(await ask('password'), await ask('wrong'))
    `)
    equal(run(process.execPath, ['auth.mjs'], user), '200 401\n')
  })
  check('its command is installed, and starts', () => {
    equal(run(join(user, 'node_modules/.bin/svc-status'), ['--version'], user), `${version}\n`)
  })
  check('its types compile in a project of their own, without skipLibCheck for ours', () => {
    writeFileSync(join(user, 'use.mts'), `
      import fastify from 'fastify'
      import statusPlugin, { OK, second, StateHandler, type Status } from 'fastify-svc-status'
      const app = fastify()
      await app.register(statusPlugin, { handlers: { a: new StateHandler(), b: { handler: async () => OK, timeout: second(1) } } })
      const status: Readonly<Status> = await app.svcStatus.registry.getStatus('a')
      console.log(status.state)
    `)
    run(join(user, 'node_modules/.bin/tsc'), ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2024', '--types', 'node', 'use.mts'], user)
  })
} finally {
  rmSync(folder, { recursive: true, force: true })
}

console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 ? 0 : 1

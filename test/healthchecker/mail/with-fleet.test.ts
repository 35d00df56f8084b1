import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import PostalMime from 'postal-mime'
import t, { type Test } from 'tap'
import { memoryFleetStore, WatchedFleet } from '../../../lib/healthchecker/index.js'
import { Mailer } from '../../../lib/healthchecker/mail/mailer.js'
import { smtpServer } from '../../../lib/healthchecker/mail/smtp-server.js'
import type { Fleet, Registration } from '../../../types/healthchecker.js'
import { mailServer } from './support/mail-server.js'

/** Apps that listen on loopback, all of them or none. */
class Apps {
  readonly registrations: Registration[] = []
  #servers: net.Server[] = []

  async listen (): Promise<void> {
    const ports = this.registrations.length > 0 ? this.registrations.map(({ port }) => port) : [0, 0, 0, 0]
    for (const port of ports) {
      const server = net.createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
      await once(server, 'listening')
      this.#servers.push(server)
    }
    if (this.registrations.length > 0) return
    for (const [index, server] of this.#servers.entries()) {
      const { port } = server.address() as AddressInfo
      this.registrations.push({ name: `app ${index}`, protocol: 'TCP', host: '127.0.0.1', port, path: '', timeout: 4, interval: 5, unhealthyThreshold: 2, healthyThreshold: 2, expectStatus: [], email: ['alice@example.org'], tags: [], critical: true })
    }
  }

  async close (which = this.#servers): Promise<void> {
    for (const server of [...which]) {
      server.close()
      await once(server, 'close')
    }
    this.#servers = this.#servers.filter((server) => server.listening)
  }

  async closeFirst (): Promise<void> {
    await this.close(this.#servers.slice(0, 1))
  }
}

async function watched (t: Test): Promise<{ apps: Apps, fleet: Fleet, restart: () => Promise<Fleet>, subjects: () => Promise<string[]>, quiet: () => Promise<void> }> {
  const { port, mails } = await mailServer(t)
  const apps = new Apps()
  await apps.listen()
  t.teardown(() => apps.close())
  const store = memoryFleetStore()
  const running: Array<{ close (): Promise<void> }> = []
  const stop = async (): Promise<void> => { for (const one of running.splice(0)) await one.close() }
  t.teardown(stop)
  const start = async (): Promise<Fleet> => {
    await stop()
    const mailer = new Mailer({ smtp: smtpServer(`smtp://127.0.0.1:${port}`, 'x'), from: 'healthchecker@example.net', allow: ['@example.org'], gather: 100 })
    const fleet = new WatchedFleet({ store, owe: mailer.owe })
    // Opens it; the test says when to check.
    await fleet.checkOnce()
    await mailer.start(fleet)
    running.push(mailer, fleet)
    return fleet
  }
  const fleet = await start()
  for (const registration of apps.registrations) await fleet.register(registration)
  for (let time = 0; time < 2; time++) await fleet.checkOnce()
  return {
    apps,
    fleet,
    restart: start,
    subjects: async () => await Promise.all(mails.map(async ({ raw }) => (await PostalMime.parse(raw)).subject as string)),
    quiet: async () => {
      // What a check found out is in the outbox soon after it.
      do await setTimeout(5); while ((await store.outbox.owed()).count > 0)
    }
  }
}

t.test('an app of a real fleet fails and recovers, and each is told once', async (t) => {
  const { apps, fleet, subjects, quiet } = await watched(t)
  t.same(await subjects(), [], 'that apps are well for the first time is no news')
  await apps.closeFirst()
  await fleet.checkOnce()
  await quiet()
  for (let time = 0; time < 3; time++) await fleet.checkOnce()
  await quiet()
  t.same(await subjects(), ['[healthchecker] DEGRADING: app 0', '[healthchecker] UNHEALTHY: app 0'])
  await fleet.pause('app 0', { by: 'bob' })
  await quiet()
  t.equal((await subjects())[2], '[healthchecker] paused: app 0')
})

t.test('a real fleet that suspects itself sends one summary, and one mail at the end, across a restart', async (t) => {
  const { apps, fleet, restart, subjects, quiet } = await watched(t)
  await apps.close()
  for (let time = 0; time < 3; time++) {
    await fleet.checkOnce()
    await quiet()
  }
  const [first, ...others] = await subjects()
  t.match(first, /^\[healthchecker\] suspects itself: \d of 4 apps fail together$/)
  t.same(others, [])
  t.match(fleet.trouble, [{ code: 'SUSPECTS_ITSELF' }])

  const restarted = await restart()
  t.match(restarted.trouble, [{ code: 'SUSPECTS_ITSELF' }], 'it knows that there is no end of it yet')
  await restarted.checkOnce()
  await quiet()
  t.equal((await subjects()).length, 1, 'a restart does not alert again')

  await apps.listen()
  for (let time = 0; time < 3; time++) await restarted.checkOnce()
  await quiet()
  const [, end, ...more] = await subjects()
  t.equal(end, '[healthchecker] suspects itself no longer', 'it was sent when all were checked again')
  t.same(more, [])
  t.same(restarted.trouble, [])
})

t.test('of a suspicion that begins before mails are sent everybody is told all the same', async (t) => {
  const { apps, fleet, restart, subjects, quiet } = await watched(t)
  await fleet.close()
  await apps.close()
  const restarted = await restart()
  t.match(restarted.trouble, [{ code: 'SUSPECTS_ITSELF' }])
  await quiet()
  t.match((await subjects())[0], /^\[healthchecker\] suspects itself: 3 of 4 apps fail together$/)
})

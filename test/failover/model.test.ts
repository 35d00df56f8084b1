import fc from 'fast-check'
import t from 'tap'
import { Service, ServiceMonitor } from '../../lib/failover/index.js'
import type { ServiceContext } from '../../types/failover.js'
import { FakeTime, settled } from '../policies/support/fake-time.js'

const monitoringPingFrequency = 1_000
const [timeout, hookTimeout] = [100, 300]

/** How often the rules are looked after while time passes. */
const step = 100

/** How a ping or a hook goes: it takes so long, then it ends well or throws; `heeds`: it throws as soon as it is called off. */
interface Course { readonly takes: number, readonly throws: boolean, readonly heeds: boolean }

type Command =
  | { readonly do: 'wait', readonly milliseconds: number }
  | { readonly do: 'up' | 'down' | 'standby up' | 'standby down', readonly service: number }
  | { readonly do: 'error' | 'request' | 'monitor' | 'outages' | 'read' | 'freeze' | 'thaw' }

const hook: fc.Arbitrary<Course> = fc.record({ takes: fc.constantFrom(0, 0, 1, 50, 299, 400, 2_000), throws: fc.constantFrom(false, false, true), heeds: fc.boolean() })
const ping: fc.Arbitrary<Course> = fc.record({ takes: fc.constantFrom(0, 0, 0, 1, 50, 99, 150, 3_000), throws: fc.constant(false), heeds: fc.boolean() })
const service = fc.constantFrom(0, 1)
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), milliseconds: fc.constantFrom(0, 1, 50, 100, 199, 200, 500, 1_000, 1_500, 5_000) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('up' as const, 'up' as const, 'down' as const, 'down' as const, 'standby up' as const, 'standby down' as const), service }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('error' as const, 'request' as const, 'request' as const, 'monitor' as const, 'outages' as const, 'read' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('freeze' as const, 'thaw' as const) }) }
)

const originals = [{ host: 'a', port: 1 }, { host: 'b', port: 2 }]
const failedOver = [{ host: 'x' }, { host: 'y', fresh: true }]

interface World { hooks: number, late: number }

/** A service that does as the courses say, and looks after the rules. */
class Modelled extends Service {
  up = true
  standbyUp = true
  pings = 0
  asked = 0
  /** Whether failover was done and recover was not, by what the hooks did. */
  over = false
  switches = 0
  hooks = 0
  /** By when a ping has to have begun. */
  deadline = Infinity
  began = 0
  readonly #clock: FakeTime
  readonly #world: World
  readonly #pings: readonly Course[]
  readonly #hooks: readonly Course[]
  #hook = 0

  constructor (index: number, clock: FakeTime, [outagePingFrequency, errorPingFrequency]: readonly number[], world: World, pings: readonly Course[], hooks: readonly Course[]) {
    super({ name: `service ${index}`, timeout, failoverSettings: { [`db${index}`]: failedOver[index] }, monitoringPingFrequency, outagePingFrequency, errorPingFrequency })
    this.#clock = clock
    this.#world = world
    this.#pings = pings
    this.#hooks = hooks
    this.standby = () => this.standbyUp
  }

  override async ping ({ signal }: ServiceContext): Promise<boolean> {
    this.deadline = Infinity
    this.began = this.#clock.monotonic()
    if (++this.pings > 1) throw fail('two pings at once')
    try {
      await this.#go(this.#pings[this.asked++ % this.#pings.length], signal)
      return this.up
    } finally {
      this.pings--
    }
  }

  override failover (context: ServiceContext): Promise<void> {
    return this.#switch(context, true, () => super.failover(context))
  }

  override recover (context: ServiceContext): Promise<void> {
    return this.#switch(context, false, () => super.recover(context))
  }

  async #switch ({ signal }: ServiceContext, over: boolean, act: () => unknown): Promise<void> {
    if (++this.hooks > 1) throw fail('two switches of one service at once')
    if (this.over === over) throw fail(`${over ? 'failover' : 'recover'} twice in a row`)
    // One that was called off may still run beside another service's.
    signal.addEventListener('abort', () => { this.#world.late++ })
    if (++this.#world.hooks - this.#world.late > 1) throw fail('two switches at once')
    try {
      await this.#go(this.#hooks[this.#hook++ % this.#hooks.length], signal)
      act()
      this.over = over
      this.switches++
    } finally {
      this.hooks--
      this.#world.hooks--
      if (signal.aborted) this.#world.late--
    }
  }

  async #go ({ takes, throws, heeds }: Course, signal: AbortSignal): Promise<void> {
    if (takes > 0) {
      await new Promise<void>((resolve, reject) => {
        setTimeout(resolve, takes)
        if (heeds) signal.addEventListener('abort', () => reject(new Error('called off')))
      })
    }
    if (throws) throw new Error('the course throws')
  }
}

/** A broken rule must not be taken for a hook that throws. */
const broken: string[] = []
function fail (rule: string): Error {
  broken.push(rule)
  return new Error(rule)
}

function checkSettings (settings: Record<string, unknown>, services: readonly Modelled[]): void {
  for (const [index, { over }] of services.entries()) {
    const wanted = { ...originals[index], ...over ? failedOver[index] : undefined }
    const is = settings[`db${index}`]
    if (JSON.stringify(is) !== JSON.stringify(wanted)) throw fail(`the settings of ${index} are ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`)
  }
  if (Object.keys(settings).length !== 2) throw fail('there are other settings')
}

t.test('whatever comes, settings are the originals or those of the failover, switches alternate, pings do not overlap, and no trigger is lost', async (t) => {
  const seen = { switches: 0, recovered: 0, triggers: 0 }
  await fc.assert(fc.asyncProperty(
    fc.array(fc.tuple(fc.array(ping, { minLength: 1, maxLength: 4 }), fc.array(hook, { minLength: 1, maxLength: 4 })), { minLength: 2, maxLength: 2 }),
    fc.array(command, { minLength: 5, maxLength: 80 }),
    fc.constantFrom(1, 2),
    // A service that is down is pinged every second at most, but sooner where a request comes.
    fc.constantFrom([1_500, 200], [400, 200], [1_500, 2_000]),
    async (courses, commands, recoverAfter, [outageFrequency, errorFrequency]) => {
      broken.length = 0
      const clock = new FakeTime()
      const restore = clock.install()
      try {
        const settings: Record<string, unknown> = Object.fromEntries(originals.map((original, index) => [`db${index}`, { ...original }]))
        const monitor = new ServiceMonitor({ settings, clock, hookTimeout, recoverAfter })
        const world = { hooks: 0, late: 0 }
        const services = courses.map(([pings, hooks], index) => new Modelled(index, clock, [outageFrequency, errorFrequency], world, pings, hooks))
        for (const service of services) monitor.register(service)

        const triggered = (frequency: (down: boolean) => number, outagesOnly = false): void => {
          const down = monitor.outages.map(({ name }) => name)
          for (const service of services) {
            const isDown = down.includes(service.name)
            if (outagesOnly && !isDown) continue
            seen.triggers++
            service.deadline = Math.min(service.deadline, clock.monotonic() + frequency(isDown))
          }
        }
        const act: Record<string, (index: number) => void> = {
          up: (index) => { services[index].up = true },
          down: (index) => { services[index].up = false },
          'standby up': (index) => { services[index].standbyUp = true },
          'standby down': (index) => { services[index].standbyUp = false },
          error () { triggered(() => errorFrequency); monitor.monitor({ error: 1 }) },
          // As failoverPlugin does it.
          request () { triggered((down) => down ? outageFrequency : 1_000); if (!monitor.quiet) monitor.trigger(false, false) },
          monitor () { triggered((down) => down ? outageFrequency : 1_000); monitor.monitor() },
          outages () { triggered(() => outageFrequency, true); monitor.monitor({ outagesOnly: true }) },
          read () { triggered((down) => down ? outageFrequency : 1_000); for (const service of services) service.getStatus({ name: '', log: monitor.logger as never, signal: new AbortController().signal }) },
          freeze: () => monitor.freeze(),
          thaw: () => monitor.thaw()
        }
        const check = (): void => {
          checkSettings(settings, services)
          const now = clock.monotonic()
          for (const service of services) {
            // What hangs has been answered for. While a ping or a switch is under way nothing else may begin, but at once after it.
            if (service.pings > 0 && now - service.began > timeout) service.deadline = Infinity
            else if (service.pings > 0 || world.hooks > 0) service.deadline = Math.max(service.deadline, now + step)
            if (now > service.deadline) throw fail(`${service.name}: a trigger was lost at ${now}`)
          }
          if (broken.length > 0) throw new Error(broken.join())
        }

        for (const next of commands) {
          if (next.do === 'wait') {
            // In small steps: a deadline that passes unseen is no deadline.
            for (let left = next.milliseconds; left > 0; left -= step) {
              await clock.advance(Math.min(left, step))
              check()
            }
          } else {
            act[next.do]('service' in next ? next.service : 0)
            if (commands.length % 2 === 0) await settled()
            check()
          }
        }
        monitor.thaw()
        for (const service of services) service.up = true
        // Hooks may throw three times out of four, or take too long.
        for (let time = 0; time < 60 && services.some(({ name, over }) => over || monitor.outages.some((outage) => outage.name === name)); time++) {
          await clock.advance(1_500)
          check()
        }
        // A service whose pings take too long goes up and down for ever.
        const canRecover = courses.every(([pings, hooks]) => pings.every(({ takes }) => takes < timeout) && hooks.some(({ takes, throws }) => !throws && takes < hookTimeout))
        if (canRecover && monitor.outages.length > 0) throw fail('an outage does not end')
        seen.switches += services.reduce((sum, { switches }) => sum + switches, 0)
        if (canRecover && services.every(({ over }) => !over)) seen.recovered++
        const closing = monitor.close()
        await clock.advance(10_000)
        await closing
        checkSettings(settings, services)
        if (clock.waiting > 0) throw fail(`${clock.waiting} timers are left`)
        if (broken.length > 0) throw new Error(broken.join())
      } finally {
        restore()
      }
    }), { numRuns: 600 })
  t.ok(seen.switches > 200, `${seen.switches} switches`)
  t.ok(seen.recovered > 30, `${seen.recovered} runs came back`)
  t.ok(seen.triggers > 1_000, `${seen.triggers} triggers`)
})

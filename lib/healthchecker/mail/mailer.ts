import type { StatusProvider } from '../../../types/handler.js'
import type { MailerOptions } from '../../../types/healthchecker-mail.js'
import type { Fleet, Owe } from '../../../types/healthchecker.js'
import type { Status } from '../../../types/status.js'
import { systemClock } from '../../core/clock.js'
import { knownOptions, ofKind, withMethods } from '../../core/options.js'
import { day, hour, milliseconds, minute, second } from '../../core/units.js'
import { Addressees, type AddressedFleet } from './addressees.js'
import { linesOfNow, suspicionIn, type Line } from './lines.js'
import { mailStatus } from './mail-status.js'
import { messageOf } from './message.js'
import { OutboxWorker } from './outbox-worker.js'
import { receiversOf } from './owe.js'
import type { Mail } from './plan.js'
import { mailAddress, mailAllow } from './receivers.js'
import { loadNodemailer, smtpSender, type LoadNodemailer, type Sender } from './smtp-sender.js'

/** The part of a fleet that mails are about. */
export type MailedFleet = AddressedFleet & Pick<Fleet, 'outbox'>

/**
 * Tells people by mail how their apps are: on DEGRADING, UNHEALTHY, back to HEALTHY, and paused.
 *
 * Its `owe` decides who is owed a mail, and goes to the fleet, which stores that with the change. `start` sends what is owed.
 * It is a status handler, which a `Healthchecker` shows as `healthchecker mail`: YELLOW while no mail goes out, or some are late; RED
 * where nobody was told of something for an hour.
 *
 * @example
 * const mailer = new Mailer({ smtp: smtpServer(url, 'the URL'), from: 'healthchecker@example.org', allow: ['@example.org'] })
 */
export class Mailer implements StatusProvider {
  /** Goes to the fleet as its option `owe`. */
  readonly owe: Owe
  readonly #addressees: Addressees
  readonly #smtp: MailerOptions['smtp']
  readonly #from: string
  readonly #load: LoadNodemailer
  readonly #settings: Omit<ConstructorParameters<typeof OutboxWorker>[0], 'outbox' | 'send'>
  #started: Promise<void> | undefined
  #running: { readonly worker: OutboxWorker, readonly sender: Sender, readonly fleet: MailedFleet } | undefined

  /**
   * @param load what loads nodemailer
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options: MailerOptions, load: LoadNodemailer = loadNodemailer) {
    const { smtp, from, allow = [], gather = second(10), giveUpAfter = day(4), timeout = minute(2), logger, clock = systemClock } =
      knownOptions(options, ['smtp', 'from', 'allow', 'gather', 'giveUpAfter', 'timeout', 'logger', 'clock'], 'Mailer')
    ofKind(smtp ?? null, 'object', 'the option "smtp"')
    withMethods(logger, ['info', 'warn', 'error'], 'the option "logger"')
    withMethods(clock, ['now', 'monotonic'], 'the option "clock"')
    this.#smtp = smtp
    this.#from = mailAddress(from, 'the option "from"')
    this.#load = load
    this.#settings = {
      gather: milliseconds(gather, 'the option "gather"', 0, hour(1).milliseconds),
      giveUpAfter: milliseconds(giveUpAfter, 'the option "giveUpAfter"', 60_000, Infinity),
      timeout: milliseconds(timeout, 'the option "timeout"', 100),
      logger,
      clock,
      random: Math.random
    }
    const allowed = mailAllow(allow, 'the option "allow"')
    const addressees = new Addressees(allowed)
    this.#addressees = addressees
    this.owe = (notice, app, suspected, apps) => receiversOf(notice, app, suspected, allowed, () => addressees.everybody(apps))
  }

  /**
   * Sends what is owed, from now on.
   *
   * @param fleet one that was started
   * @throws ERR_PACKAGE_MISSING where nodemailer is not installed
   */
  async start (fleet: MailedFleet): Promise<void> {
    this.#started ??= this.#start(fleet)
    await this.#started
  }

  async #start (fleet: MailedFleet): Promise<void> {
    const sender = await smtpSender(this.#smtp, this.#load)
    const worker = new OutboxWorker({
      ...this.#settings,
      outbox: fleet.outbox,
      send: async (mail, signal) => await sender.send(messageOf(mail, this.#from, new Date(this.#settings.clock.now()), await this.#toTell(mail)), signal)
    })
    this.#running = { worker, sender, fleet }
    fleet.on('transition', this.#noticed)
    fleet.on('suspicion', this.#noticed)
    await this.#addressees.follow(fleet)
    worker.start()
  }

  /** Sends no more, within a few seconds; what is owed stays in the outbox. To be called before the fleet is closed. */
  async close (): Promise<void> {
    await this.#started?.catch(() => {})
    if (this.#running === undefined) return
    const { worker, sender, fleet } = this.#running
    fleet.off('transition', this.#noticed)
    fleet.off('suspicion', this.#noticed)
    this.#addressees.unfollow()
    await worker.close()
    sender.close()
  }

  getStatus (): Status {
    if (this.#running === undefined) return { state: 'YELLOW', detail: 'not started' }
    return mailStatus(this.#running.worker.state, this.#settings.clock.now())
  }

  readonly #noticed = (): void => {
    this.#running?.worker.notice()
  }

  /** At the end of a suspicion a receiver learns what nobody was told of meanwhile. */
  async #toTell ({ receiver, entries }: Mail): Promise<readonly Line[]> {
    if (suspicionIn(entries)?.suspected !== false) return []
    return linesOfNow(await this.#addressees.failing(receiver))
  }
}

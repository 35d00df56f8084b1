/** An instance that was taken out of service on purpose. */
export interface Decommission {
  /** What the probe answers, 1 to 256 characters without control characters, not `OK`. */
  readonly body: string
  /** When it was taken out, in milliseconds since the epoch. */
  readonly since: number
}

/**
 * Where a decommission is kept.
 *
 * The probe never asks a store: it is told of changes, so that it needs no I/O.
 */
export interface DecommissionStore {
  /** For people and logs, such as `memory`. */
  readonly name: string
  /**
   * Starts and gives what is stored. Later changes, whoever made them, go to `onChange`.
   * When it rejects, the instance is in service and a RED handler says why.
   */
  open (onChange: (decommission: Decommission | undefined) => void): Promise<Decommission | undefined>
  /** Stores; resolves only when it is stored, rejects when nothing was. */
  write (decommission: Decommission | undefined): Promise<void>
  close (): Promise<void>
}

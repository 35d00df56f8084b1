import { spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** What is measured has the first core for itself, what asks it the second. */
export const cores = { measured: 0, client: 1 }

export const pinning = canPin
  ? `measured processes on core ${cores.measured}, the client on core ${cores.client} (taskset)`
  : 'processes are not pinned to cores (no taskset, or one core only): expect more noise'

/** Command and arguments that start a program on one core. */
export function programOn (core, command, args) {
  return canPin ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]
}

export function nodeOn (core, args) {
  return programOn(core, process.execPath, args)
}

/** A node process that answers one message at a time. */
export class Child {
  #process
  #waiting
  #exited

  constructor (file, core, flags = []) {
    const [command, args] = nodeOn(core, [...flags, fileURLToPath(file)])
    this.#process = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#process.on('message', (answer) => {
      const { resolve, reject } = this.#waiting
      this.#waiting = undefined
      if (answer.error === undefined) resolve(answer.value)
      else reject(new Error(answer.error))
    })
    this.#exited = new Promise((resolve) => {
      this.#process.on('error', (error) => this.#lost(error, resolve))
      this.#process.on('exit', (code, signal) => this.#lost(new Error(`${file} ended with ${signal ?? code}`), resolve))
    })
  }

  ask (message) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#process.send(message, (error) => { if (error) this.#lost(error) })
    })
  }

  /** A process that has lost its parent ends by itself, and then writes its CPU profile if it was told to. */
  async stop () {
    if (this.#process.connected) this.#process.disconnect()
    await this.#exited
  }

  #lost (error, done) {
    this.#waiting?.reject(error)
    this.#waiting = undefined
    done?.()
  }
}

/** The other side: answers each message with what `answer` gives or throws. */
export function serve (answer) {
  process.on('message', async (message) => {
    try {
      process.send({ value: await answer(message) })
    } catch (error) {
      process.send({ error: error?.stack ?? String(error) })
    }
  })
  process.on('disconnect', () => process.exit(0))
}

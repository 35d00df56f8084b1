import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { programOn } from './child.js'

/** What a clock tick is on every Linux that Debian has: `getconf CLK_TCK` is 100. */
const microsecondsPerTick = 10_000

/** Whether a program is there, and a /proc to read of it what it takes. */
export function isInstalled (command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return exists('/proc/self/stat', constants.R_OK) && folders.some((folder) => exists(join(folder, command), constants.X_OK))
}

/** A server that is not ours, on a free port of loopback. */
export class Program {
  /** @param args of a function of its configuration file and the address it is to listen on */
  static async start ({ command, args, configuration }, core) {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'))
    const file = join(folder, 'configuration')
    await writeFile(file, configuration)
    const port = await freePort()
    const [whole, wholeArgs] = programOn(core, command, args(file, `127.0.0.1:${port}`))
    // taskset becomes what it starts: the process is that of the program.
    const program = new Program(spawn(whole, wholeArgs, { stdio: ['ignore', 'ignore', 'inherit'] }), folder, port)
    await program.#listens()
    return program
  }

  #process
  #folder
  #port
  #exited

  constructor (child, folder, port) {
    this.#process = child
    this.#folder = folder
    this.#port = port
    this.#exited = once(child, 'exit')
  }

  get address () {
    return `http://127.0.0.1:${this.#port}`
  }

  /** User and system time of all its threads, in microseconds: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
  cpu () {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'latin1')
    // After the name, which may hold anything, comes the third field; user and system time are the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick
  }

  async stop () {
    this.#process.kill()
    await this.#exited
    await rm(this.#folder, { recursive: true })
  }

  async #listens () {
    for (const end = Date.now() + 20_000; Date.now() < end; await setTimeout(20)) {
      if (this.#process.exitCode !== null) break
      if (await answers(this.#port)) return
    }
    await this.stop()
    throw new Error(`${this.#process.spawnfile} does not listen on port ${this.#port}`)
  }
}

function exists (path, mode) {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function answers (port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

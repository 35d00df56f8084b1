import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { temporaryFolder } from './folder.js'
import { freePort } from '../../support/free-port.js'
import { peer } from './peers.js'
import { Program, run } from './programs.js'
import { answers } from './answers.js'
import { asUser } from './unprivileged.js'

/** A server of its own folder and port, that can be killed and started again. */
export interface Server {
  readonly port: number
  start (): Promise<void>
  /** As a machine goes down: nobody is told. */
  kill (): Promise<void>
}

async function serverOf (port: number, program: () => Promise<Program>): Promise<Server> {
  let running: Program | undefined
  const server: Server = {
    port,
    async start () {
      running = await program()
      await answers(port, running)
    },
    async kill () {
      running?.signal('SIGKILL')
      await running?.end
    }
  }
  await server.start()
  return server
}

async function made (t: Test, ...args: Parameters<typeof run> extends [unknown, ...infer Rest] ? Rest : never): Promise<void> {
  const { code, stdout, stderr } = await run(t, ...args)
  if (code !== 0) throw new Error(`${args[0]}: ${stdout}${stderr}`)
}

/** A PostgreSQL cluster that anybody on this machine may use. */
export async function postgres (t: Test): Promise<Server> {
  const folder = await temporaryFolder(t)
  const user = asUser('postgres', folder)
  const bin = binOfPostgres()
  const data = join(folder, 'data')
  await made(t, join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync', '--no-locale', '-E', 'UTF8'], user)
  const port = await freePort()
  return await serverOf(port, () => Program.start(t, join(bin, 'postgres'), [
    '-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'
  ], user))
}

/** Debian keeps the programs of each version in a folder of its own. */
function binOfPostgres (): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  return versions.length > 0 ? join(root, versions[0], 'bin') : join(peer('postgres'), '..')
}

/** A MariaDB server that lets everybody in. */
export async function mariadb (t: Test): Promise<Server> {
  const folder = await temporaryFolder(t)
  const user = asUser('nobody', folder)
  const data = join(folder, 'data')
  mkdirSync(data)
  asUser('nobody', data)
  // A server that starts removes the temporary tables of others from a folder that they share.
  const places = [`--datadir=${data}`, `--tmpdir=${folder}`]
  await made(t, peer('mariadb-install-db'), ['--no-defaults', ...places, '--auth-root-authentication-method=normal', '--skip-test-db'], user)
  const port = await freePort()
  return await serverOf(port, () => Program.start(t, peer('mariadbd'), [
    '--no-defaults', ...places, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 's')}`,
    `--pid-file=${join(folder, 'pid')}`, '--skip-grant-tables'
  ], user))
}

/** A memcached node. */
export async function memcached (t: Test): Promise<Server> {
  const user = asUser('nobody', await temporaryFolder(t))
  const port = await freePort()
  return await serverOf(port, () => Program.start(t, peer('memcached'), ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '8'], user))
}

/** A Redis that writes every command to disk before it answers. */
export async function redis (t: Test): Promise<Server> {
  const folder = await temporaryFolder(t)
  const user = asUser('nobody', folder)
  const port = await freePort()
  return await serverOf(port, () => Program.start(t, peer('redis-server'), [
    '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'
  ], user))
}

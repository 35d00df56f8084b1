import { once } from 'node:events'
import { connect } from 'node:net'
import type { Program } from './programs.js'
import { until } from './until.js'

/** Waits until a program takes connections. */
export async function answers (port: number, program: Program): Promise<void> {
  const ended = await until(`somebody on port ${port}`, async () => {
    if (program.ended) return 'ended'
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return 'answers'
    } finally {
      socket.destroy()
    }
  }, { within: 60_000 })
  if (ended === 'ended') throw new Error(`it ended before it listened on ${port}\n${program.stdout}${program.stderr}`)
}

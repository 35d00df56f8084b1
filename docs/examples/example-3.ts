/*
 * A timed hysteresis: begins with FAIL, needs 1 minute of good answers for OK and 2 minutes of bad ones for FAIL.
 *
 *   node example-3.js HOST PORT [LISTEN_PORT [LISTEN_HOST]]
 */
import { fail, HealthCheckServer, Hysteresis, minute, TCPCheck, second } from 'fastify-svc-status'

const [host = '127.0.0.1', port = '25', listenPort = '8080', listenHost = '127.0.0.1'] = process.argv.slice(2)

const check = new TCPCheck({ host, port, timeout: second(10) })
const server = new HealthCheckServer({ port: Number(listenPort), host: listenHost })
server.addComponent('service', new Hysteresis({ task: check, initialState: fail, okAfter: minute(1), failAfter: minute(2) }))
process.once('SIGTERM', async () => await server.close())
console.log(`${await server.listen()}/service`)

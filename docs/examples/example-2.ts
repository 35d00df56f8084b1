/*
 * A counted hysteresis: begins with FAIL, needs 5 good answers in a row for OK and 20 bad ones in a row for FAIL.
 *
 *   node example-2.js HOST PORT [LISTEN_PORT [LISTEN_HOST]]
 *
 * Each GET of /service is one answer: the counting follows the load balancer that asks.
 */
import { count, fail, HealthCheckServer, Hysteresis, TCPCheck, second } from 'fastify-svc-status'

const [host = '127.0.0.1', port = '25', listenPort = '8080', listenHost = '127.0.0.1'] = process.argv.slice(2)

const check = new TCPCheck({ host, port, timeout: second(10) })
const server = new HealthCheckServer({ port: Number(listenPort), host: listenHost })
server.addComponent('service', new Hysteresis({ task: check, initialState: fail, okAfter: count(5), failAfter: count(20) }))
process.once('SIGTERM', async () => await server.close())
console.log(`${await server.listen()}/service`)

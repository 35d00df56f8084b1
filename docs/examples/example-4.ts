/*
 * A check in the background, 3 minutes after the one before, through a hysteresis of 2 good and 2 bad answers.
 *
 *   node example-4.js HOST PORT [LISTEN_PORT [LISTEN_HOST]]
 *
 * However often /service is asked, HOST:PORT is asked every 3 minutes. The timeout of the background is the longer one: a
 * check that times out is an answer, and a run of the background that does is none.
 */
import { Background, count, fail, HealthCheckServer, Hysteresis, minute, TCPCheck, second } from 'fastify-svc-status'

const [host = '127.0.0.1', port = '25', listenPort = '8080', listenHost = '127.0.0.1'] = process.argv.slice(2)

const check = new TCPCheck({ host, port, timeout: second(10) })
const steady = new Hysteresis({ task: check, initialState: fail, okAfter: count(2), failAfter: count(2) })
const server = new HealthCheckServer({ port: Number(listenPort), host: listenHost })
server.addComponent('service', new Background({ task: steady, delay: minute(3), timeout: second(15), initialState: fail }))
process.once('SIGTERM', async () => await server.close())
console.log(`${await server.listen()}/service`)

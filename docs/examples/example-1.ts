/*
 * A simple TCP check.
 *
 *   node example-1.js HOST PORT [LISTEN_PORT [LISTEN_HOST]]
 *
 * GET http://LISTEN_HOST:LISTEN_PORT/service answers 200 OK while HOST:PORT takes connections, and 503 FAIL while it does not.
 */
import { HealthCheckServer, TCPCheck, second } from 'fastify-svc-status'

const [host = '127.0.0.1', port = '25', listenPort = '8080', listenHost = '127.0.0.1'] = process.argv.slice(2)

const server = new HealthCheckServer({ port: Number(listenPort), host: listenHost })
server.addComponent('service', new TCPCheck({ host, port, timeout: second(10) }))
process.once('SIGTERM', async () => await server.close())
console.log(`${await server.listen()}/service`)

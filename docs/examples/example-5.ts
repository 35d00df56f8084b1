/*
 * A toggle: 10 bad answers in a row for FAIL, and back to OK only when an operator says so.
 *
 *   node example-5.js HOST PORT HTPASSWD_FILE [LISTEN_PORT [LISTEN_HOST]]
 *
 * The operator, who stands in the htpasswd file, says so by a POST:
 *
 *   curl -X POST -u operator http://LISTEN_HOST:LISTEN_PORT/service
 */
import { count, HealthCheckServer, htpasswdFile, Hysteresis, ok, Oneshot, TCPCheck, Toggle, second } from 'fastify-svc-status'

const [host = '127.0.0.1', port = '25', passwords = '/etc/svc-status/htpasswd', listenPort = '8080', listenHost = '127.0.0.1'] = process.argv.slice(2)

const check = new TCPCheck({ host, port, timeout: second(10) })
const broken = new Hysteresis({ task: check, initialState: ok, okAfter: count(1), failAfter: count(10) })
const reset = new Oneshot({ auth: htpasswdFile(passwords) })
const server = new HealthCheckServer({ port: Number(listenPort), host: listenHost })
server.addComponent('service', new Toggle({ toFail: broken, toOk: reset, initialState: ok }), { onPost: reset.fire })
process.once('SIGTERM', async () => await server.close())
console.log(`${await server.listen()}/service`)

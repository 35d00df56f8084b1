import { networkInterfaces } from 'node:os'
import t from 'tap'
import { everywhere } from '../../lib/cli/everywhere.js'

type Ends = NonNullable<ReturnType<typeof networkInterfaces>[string]>
const end = (address: string, family: string, internal = false): Ends[number] => ({ address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as Ends[number]
const interfaces = {
  lo: [end('127.0.0.1', 'IPv4', true), end('::1', 'IPv6', true)],
  eth0: [end('192.168.1.5', 'IPv4'), end('fd00::5', 'IPv6'), end('fe80::5', 'IPv6')],
  gone: undefined
}

t.test('a server on all addresses says those at which others reach it', async (t) => {
  t.equal(everywhere('0.0.0.0', 'http://127.0.0.1:8080', interfaces), 'on all addresses of this machine: http://192.168.1.5:8080')
  t.equal(everywhere('0', 'http://127.0.0.1:80', interfaces), 'on all addresses of this machine: http://192.168.1.5')
  for (const host of ['::', '0:0:0:0:0:0:0:0']) {
    t.equal(everywhere(host, 'http://[::1]:8080', interfaces), 'on all addresses of this machine: http://192.168.1.5:8080 http://[fd00::5]:8080')
  }
  t.equal(everywhere('::', 'http://[::1]:8080', { lo: interfaces.lo }), 'on all addresses of this machine')
})

t.test('a server on one address says that one alone', async (t) => {
  for (const host of ['127.0.0.1', '::1', '192.168.1.5', 'localhost', '10.0.0.0']) t.equal(everywhere(host, 'http://x:8080', interfaces), undefined, host)
})

t.test('the addresses are those of this machine', async (t) => {
  const others = Object.values(networkInterfaces()).flat().filter((end) => end?.family === 'IPv4' && !end.internal)
  const said = everywhere('0.0.0.0', 'http://127.0.0.1:8080') ?? ''
  for (const other of others) t.ok(said.includes(`http://${other?.address}:8080`), said)
  t.ok(said.startsWith('on all addresses of this machine'))
})

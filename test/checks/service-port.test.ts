import { join } from 'node:path'
import t from 'tap'
import { portOf, servicesFile } from '../../lib/checks/service-port.js'

const what = 'the option "port"'

t.test('a port is a number, its digits, or the name of a service in any case', async (t) => {
  const cases: Array<[unknown, number]> = [[1, 1], [65_535, 65_535], ['8080', 8080], ['http', 80], ['SMTP', 25], ['https', 443]]
  for (const [value, port] of cases) t.equal(portOf(value, what), port, String(value))
})

t.test('the services file of the system comes first, its names, aliases and comments understood', async (t) => {
  const directory = t.testdir({
    services: `
# name  port/protocol  aliases
mine            4711/tcp        our  mein # ours
mine            4712/tcp
datagrams       4713/udp
smtp            2525/tcp
broken          x/tcp
too-long        123456/tcp
\talone
stream          4714/sctp 4715/tcp
`
  })
  const file = join(directory, 'services')
  t.equal(portOf('mine', what, file), 4711)
  t.equal(portOf('mein', what, file), 4711)
  t.equal(portOf('OUR', what, file), 4711)
  t.equal(portOf('smtp', what, file), 2525)
  t.equal(portOf('imaps', what, file), 993, 'what it has not is in the list behind it')
  for (const name of ['datagrams', 'broken', 'too-long', 'alone', 'stream', 'ours', '#']) {
    t.throws(() => portOf(name, what, file), { code: 'ERR_INVALID_OPTION' }, name)
  }
})

t.test('without a services file there are the common services', async (t) => {
  const file = join(t.testdir({}), 'none')
  const cases: Array<[string, number]> = [['ssh', 22], ['smtp', 25], ['domain', 53], ['http', 80], ['https', 443], ['postgresql', 5432], ['mysql', 3306], ['redis', 6379], ['amqp', 5672], ['memcached', 11211]]
  for (const [name, port] of cases) t.equal(portOf(name, what, file), port, name)
})

const refused: Array<[unknown, string, RegExp]> = [
  ['no-such-service', 'ERR_INVALID_OPTION', /^the option "port" must be a port from 1 to 65535 or the name of a TCP service such as "smtp", not "no-such-service"$/],
  ['', 'ERR_INVALID_OPTION', /not ""/],
  ['constructor', 'ERR_INVALID_OPTION', /not "constructor"/],
  ['__proto__', 'ERR_INVALID_OPTION', /not "__proto__"/],
  ['80 ', 'ERR_INVALID_OPTION', /not "80 "/],
  ['-1', 'ERR_INVALID_OPTION', /not "-1"/],
  [undefined, 'ERR_INVALID_OPTION', /not undefined/],
  [null, 'ERR_INVALID_OPTION', /not null/],
  [{}, 'ERR_INVALID_OPTION', /not an object/],
  [NaN, 'ERR_INVALID_OPTION', /must be a number, not NaN/],
  [0, 'ERR_OPTION_OUT_OF_RANGE', /"port" must be from 1 to 65535, not 0/],
  ['0', 'ERR_OPTION_OUT_OF_RANGE', /not 0/],
  [65_536, 'ERR_OPTION_OUT_OF_RANGE', /not 65536/],
  ['99999999999999999999999', 'ERR_OPTION_OUT_OF_RANGE', /not 1e\+23/],
  [-1, 'ERR_OPTION_OUT_OF_RANGE', /not -1/],
  [Infinity, 'ERR_OPTION_OUT_OF_RANGE', /not Infinity/],
  [80.5, 'ERR_OPTION_OUT_OF_RANGE', /a whole number, not 80\.5/]
]

for (const [value, code, message] of refused) {
  t.test(`the port ${typeof value} ${String(value)} is refused with ${code}`, async (t) => {
    t.throws(() => portOf(value, what), { code, message })
  })
}

t.test('the services file is where the system has it', async (t) => {
  t.equal(servicesFile('linux'), '/etc/services')
  t.equal(servicesFile('darwin'), '/etc/services')
  t.equal(servicesFile('win32', 'D:\\Windows'), 'D:\\Windows\\System32\\drivers\\etc\\services')
  t.match(servicesFile('win32'), /\\System32\\drivers\\etc\\services$/)
})

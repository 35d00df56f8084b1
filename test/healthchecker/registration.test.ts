import fc from 'fast-check'
import t from 'tap'
import { readRegistration } from '../../lib/healthchecker/registration.js'
import { urlOf } from '../../lib/healthchecker/registration-target.js'

const whole = {
  name: 'shop',
  protocol: 'HTTP',
  host: '10.0.0.5',
  port: 8080,
  path: '/health',
  timeout: 5,
  interval: 30,
  unhealthyThreshold: 2,
  healthyThreshold: 10,
  expectStatus: [200],
  email: [],
  tags: [],
  critical: true
}

t.test('a registration gets every default', async (t) => {
  t.strictSame(readRegistration({ name: 'shop', url: 'http://10.0.0.5:8080/health' }), whole)
})

t.test('a registration keeps what it was given', async (t) => {
  const came = {
    name: 'shop',
    host: 'shop.example',
    port: 81,
    protocol: 'HTTPS',
    path: '/a?b=c',
    timeout: 2,
    interval: 300,
    unhealthyThreshold: 10,
    healthyThreshold: 2,
    expectStatus: [200, 204],
    email: ['a@example.org', 'b@example.org'],
    tags: ['web', 'eu west'],
    critical: false
  }
  t.strictSame(readRegistration(came), came)
})

t.test('what was registered can be registered again as it is', async (t) => {
  for (const url of ['http://a:8080/health', 'https://a/', 'tcp://a:5432', 'ssl://a']) {
    const first = readRegistration({ name: 'a', url })
    const { path, expectStatus, ...rest } = first
    t.strictSame(readRegistration({ ...rest, ...(path === '' ? {} : { path, expectStatus }) }), first, url)
  }
})

const targets: Array<[came: object, protocol: string, host: string, port: number, path: string]> = [
  [{ url: 'http://shop' }, 'HTTP', 'shop', 80, '/healthcheck'],
  [{ url: 'http://shop/' }, 'HTTP', 'shop', 80, '/'],
  [{ url: 'http://shop', path: '/' }, 'HTTP', 'shop', 80, '/'],
  [{ url: 'https://shop' }, 'HTTPS', 'shop', 443, '/healthcheck'],
  [{ url: 'https://shop:80/a?b' }, 'HTTPS', 'shop', 80, '/a?b'],
  [{ url: 'HTTP://SHOP.Example:8080/Health' }, 'HTTP', 'shop.example', 8080, '/Health'],
  [{ url: 'http://[::1]:8080/h', protocol: 'HTTP' }, 'HTTP', '::1', 8080, '/h'],
  [{ url: 'http://my_shop-2.example./' }, 'HTTP', 'my_shop-2.example.', 80, '/'],
  [{ url: 'tcp://_db:5432' }, 'TCP', '_db', 5432, ''],
  [{ host: `${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'x'.repeat(61)}.` }, 'HTTP', `${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'x'.repeat(61)}.`, 80, '/healthcheck'],
  [{ url: 'http://bücher.example/' }, 'HTTP', 'xn--bcher-kva.example', 80, '/'],
  [{ url: 'http://0x7f.1/' }, 'HTTP', '127.0.0.1', 80, '/'],
  [{ url: 'http://shop\\health' }, 'HTTP', 'shop', 80, '/health'],
  [{ url: 'tcp://db:5432' }, 'TCP', 'db', 5432, ''],
  [{ url: 'tcp://db' }, 'TCP', 'db', 80, ''],
  [{ url: 'ssl://mail:465/' }, 'SSL', 'mail', 465, ''],
  [{ url: 'ssl://mail:80' }, 'SSL', 'mail', 80, ''],
  [{ url: 'ssl://mail' }, 'SSL', 'mail', 443, ''],
  [{ host: 'shop' }, 'HTTP', 'shop', 80, '/healthcheck'],
  [{ host: 'shop:8080' }, 'HTTP', 'shop', 8080, '/healthcheck'],
  [{ host: 'shop:80', protocol: 'TCP' }, 'TCP', 'shop', 80, ''],
  [{ host: 'shop', port: 8080, path: '/h' }, 'HTTP', 'shop', 8080, '/h'],
  [{ host: '[::1]:81' }, 'HTTP', '::1', 81, '/healthcheck'],
  [{ host: '[::1]' }, 'HTTP', '::1', 80, '/healthcheck'],
  [{ host: '::1', port: 82 }, 'HTTP', '::1', 82, '/healthcheck'],
  [{ host: '2130706433' }, 'HTTP', '127.0.0.1', 80, '/healthcheck'],
  [{ host: 'shop', protocol: 'HTTPS' }, 'HTTPS', 'shop', 443, '/healthcheck'],
  [{ host: 'shop:443', protocol: 'SSL' }, 'SSL', 'shop', 443, '']
]

for (const [came, protocol, host, port, path] of targets) {
  t.test(`${JSON.stringify(came)} is a target`, async (t) => {
    const registration = readRegistration({ name: 'a', ...came })
    t.match(registration, { protocol, host, port, path })
    const again = readRegistration({ name: 'a', url: urlOf(registration) })
    t.match(again, { protocol, host, port, path }, 'its address says the same')
  })
}

const good = { name: 'shop', url: 'http://shop:8080/health' }
const bad: Array<[came: unknown, message: RegExp]> = [
  [undefined, /an object with parameters, not undefined/],
  [null, /not null/],
  [[], /not an array/],
  ['x', /not "x"/],
  [{ ...good, intervall: 10 }, /no parameter "intervall"; there is name, url, host, /],
  [{ ...good, __proto__: null, constructor: 1 }, /no parameter "constructor"/],
  [{ url: good.url }, /"name" is missing: 1 to 100 characters/],
  [{ ...good, name: '' }, /"name" must have 1 to 100 characters; it is ""/],
  [{ ...good, name: 'x'.repeat(101) }, /"name" must have 1 to 100 characters/],
  [{ ...good, name: 7 }, /"name" must be a string; it is 7/],
  [{ ...good, name: 'a\nb' }, /"name" must have no control characters/],
  [{ ...good, name: '=1+1' }, /"name" must not begin with =/],
  [{ name: 'a' }, /either the parameter "url" or the parameter "host"/],
  [{ ...good, host: 'shop' }, /either the parameter "url" or the parameter "host"/],
  [{ ...good, port: 80 }, /"port" belongs to "host"/],
  [{ name: 'a', url: 7 }, /"url" must be an address such as .*, not 7/],
  [{ name: 'a', url: 'shop:8080' }, /"url" must be an address such as http:/],
  [{ name: 'a', url: 'ftp://shop' }, /"url" must be an address such as http:/],
  [{ name: 'a', url: 'http://' }, /"url" must be an address/],
  [{ name: 'a', url: 'http://shop:99999' }, /"url" must be an address/],
  [{ name: 'a', url: 'http://shop:0' }, /"port" must be a whole number from 1 to 65535, not 0/],
  [{ name: 'a', url: `http://${'x'.repeat(2_000)}` }, /of 2000 characters at most/],
  [{ name: 'a', url: `http://${'x.'.repeat(127)}x` }, /"url" must be an address/],
  [{ name: 'a', url: `http://${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'x'.repeat(62)}` }, /the host in the parameter "url" must be an address, or a name of at most 253 characters/],
  [{ name: 'a', url: `http://${'x'.repeat(64)}` }, /the host in the parameter "url" must be .* 1 to 63 letters/],
  [{ name: 'a', url: 'http://a!b/' }, /the host in the parameter "url" must be an address, or a name .*, not "a!b"/],
  [{ name: 'a', url: 'tcp://-x:1' }, /the host in the parameter "url" must be .*, not "-x"/],
  [{ name: 'a', url: 'http://a..b/' }, /the host in the parameter "url" must be .*, not "a\.\.b"/],
  [{ name: 'a', url: 'http://./' }, /the host in the parameter "url" must be .*, not "\."/],
  [{ name: 'a', url: 'http://sh op/' }, /"url" must be an address/],
  [{ name: 'a', url: 'http://sh%20op/' }, /"url" must be an address/],
  [{ name: 'a', host: 'a!b' }, /the host in the parameter "host" must be .*, not "a!b"/],
  [{ name: 'a', host: 'x-.example:80' }, /the host in the parameter "host" must be .*, not "x-\.example"/],
  [{ name: 'a', host: 'a*b', protocol: 'TCP' }, /the host in the parameter "host" must be .*, not "a\*b"/],
  [{ name: 'a', url: 'http://shop/\r\nX: y' }, /"url" must be an address such as .*, not "http:\/\/shop\/\\r\\nX: y"/],
  [{ name: 'a', url: 'http://sh\top/' }, /"url" must be an address/],
  [{ name: 'a', url: 'http://shop/#a' }, /must have no #/],
  [{ ...good, path: '/other' }, /path must be given once/],
  [{ ...good, protocol: 'HTTPS' }, /"protocol" must be HTTP, as in the url, not "HTTPS"/],
  [{ ...good, protocol: 'http' }, /"protocol" must be TCP, HTTP, HTTPS, SSL, not "http"/],
  [{ name: 'a', host: 7 }, /"host" must be a host name or an address, with or without a port, not 7/],
  [{ name: 'a', host: 'shop/x' }, /"host" must be a host name/],
  [{ name: 'a', host: 'sh op' }, /"host" must be a host name/],
  [{ name: 'a', host: '' }, /"host" must be a host name/],
  [{ name: 'a', host: '[::1' }, /"host" must be a host name/],
  [{ name: 'a', host: 'shop:80', port: 80 }, /port must be given once/],
  [{ name: 'a', host: 'shop', port: '80' }, /"port" must be a whole number from 1 to 65535, not "80"/],
  [{ name: 'a', host: 'shop', port: 65536 }, /not 65536/],
  [{ name: 'a', host: 'shop', port: 1.5 }, /not 1.5/],
  [{ name: 'a', host: 'db', protocol: 'TCP', path: '/x' }, /a path is for HTTP and HTTPS, not for TCP/],
  [{ name: 'a', host: 'db', path: 'x' }, /"path" must be a path such as \/health, .*, not "x"/],
  [{ name: 'a', host: 'db', path: 7 }, /"path" must be/],
  [{ name: 'a', host: 'db', path: '/a b' }, /"path" must be/],
  [{ name: 'a', host: 'db', path: '/a\r\nb' }, /"path" must be/],
  [{ name: 'a', host: 'db', path: '/a#b' }, /"path" must be/],
  [{ name: 'a', host: 'db', path: '/'.repeat(1_001) }, /"path" must be/],
  [{ ...good, timeout: 1 }, /"timeout" must be a whole number from 2 to 60 seconds, not 1/],
  [{ ...good, timeout: 61, interval: 300 }, /from 2 to 60 seconds, not 61/],
  [{ ...good, timeout: 2.5 }, /from 2 to 60 seconds, not 2.5/],
  [{ ...good, interval: 4 }, /"interval" must be a whole number from 5 to 300 seconds, not 4/],
  [{ ...good, interval: 301 }, /from 5 to 300 seconds, not 301/],
  [{ ...good, interval: '30' }, /from 5 to 300 seconds, not "30"/],
  [{ ...good, interval: NaN }, /not NaN/],
  [{ ...good, interval: 10, timeout: 10 }, /"timeout" must be below the interval of 10 seconds, not 10/],
  [{ ...good, interval: 5 }, /"timeout" must be below the interval of 5 seconds, not 5/],
  [{ ...good, unhealthyThreshold: 1 }, /"unhealthyThreshold" must be a whole number from 2 to 10, not 1/],
  [{ ...good, unhealthyThreshold: 11 }, /not 11/],
  [{ ...good, healthyThreshold: 1 }, /"healthyThreshold" must be a whole number from 2 to 10, not 1/],
  [{ ...good, healthyThreshold: 11 }, /not 11/],
  [{ ...good, expectStatus: [] }, /"expectStatus" must have 1 to 20 status codes, not 0/],
  [{ ...good, expectStatus: Array(21).fill(200) }, /not 21/],
  [{ ...good, expectStatus: [99] }, /status codes from 100 to 599, not 99/],
  [{ ...good, expectStatus: '200' }, /status codes from 100 to 599, not "200"/],
  [{ name: 'a', url: 'tcp://db', expectStatus: 200 }, /"expectStatus" is for HTTP and HTTPS, not for TCP/],
  [{ ...good, email: 7 }, /"email" must be a text, or a list of texts, without control characters, not 7/],
  [{ ...good, email: 'nobody' }, /"email" must be one mail address such as .*, not "nobody"/],
  [{ ...good, email: 'a@b, c@d' }, /"email" must be one mail address/],
  [{ ...good, email: `${'x'.repeat(250)}@b.example` }, /at most 254 characters/],
  [{ ...good, email: 'a@b\r\nBcc: c@d' }, /without control characters/],
  [{ ...good, email: Array.from({ length: 11 }, (_, index) => `a${index}@example.org`) }, /"email" must have 10 entries at most, not 11/],
  [{ ...good, tags: [''] }, /"tags" must be a text, or a list of texts/],
  [{ ...good, tags: [' a'] }, /words of 1 to 50 characters without a space at either end, not " a"/],
  [{ ...good, tags: ['x'.repeat(51)] }, /words of 1 to 50 characters/],
  [{ ...good, tags: ['\ud800'] }, /words of 1 to 50 characters/],
  [{ ...good, tags: Array.from({ length: 21 }, String) }, /"tags" must have 20 entries at most, not 21/],
  [{ ...good, critical: 'yes' }, /"critical" must be true or false, not "yes"/]
]

t.test('a registration out of range is refused with the parameter, the range and what came', async (t) => {
  for (const [came, message] of bad) {
    t.throws(() => readRegistration(came), { code: 'ERR_INVALID_REGISTRATION', statusCode: 400, message }, String(message))
  }
})

function refusalOf (came: object): Error & { code?: string } | undefined {
  try {
    readRegistration(came)
  } catch (error) {
    return error as Error
  }
}

t.test('a password in a target is refused, and shown nowhere', async (t) => {
  for (const target of [
    { url: 'http://user:hunter2@shop/' }, { url: 'http://:hunter2@shop/' }, { url: 'http://hunter2@shop/' }, { url: 'tcp://u:hunter2@db:1' },
    { url: 'ftp://u:hunter2@shop' }, { host: 'u:hunter2@shop' }, { host: 'u:hunter2@sh op' }, { host: '@hunter2@' }
  ]) {
    const error = refusalOf({ name: 'a', ...target })
    t.equal(error?.code, 'ERR_INVALID_REGISTRATION', JSON.stringify(target))
    t.notMatch(error?.message, /hunter2/)
  }
})

t.test('the name in the address holds', async (t) => {
  t.equal(readRegistration({ url: 'http://a' }, 'shop').name, 'shop')
  t.equal(readRegistration({ name: 'shop', url: 'http://a' }, 'shop').name, 'shop')
  t.throws(() => readRegistration({ name: 'other', url: 'http://a' }, 'shop'), { message: /"name" must be "shop", as in the address, not "other"/ })
})

t.test('one text is a list of one, and what is there twice counts once', async (t) => {
  t.match(readRegistration({ ...good, email: 'a@example.org', tags: ['x', 'y', 'x'], expectStatus: 204 }), { email: ['a@example.org'], tags: ['x', 'y'], expectStatus: [204] })
})

t.test('whatever comes is either a registration within all limits, or refused with the code', async () => {
  const number = fc.oneof(fc.integer({ min: -5, max: 400 }), fc.double(), fc.string())
  fc.assert(fc.property(fc.record({
    name: fc.string(), url: fc.oneof(fc.webUrl(), fc.string()), timeout: number, interval: number, healthyThreshold: number, tags: fc.anything(), email: fc.anything()
  }, { requiredKeys: ['url'] }), (came) => {
    try {
      const { name, timeout, interval, healthyThreshold, port } = readRegistration(came)
      return name.length > 0 && name.length <= 100 && timeout >= 2 && timeout <= 60 && interval >= 5 && interval <= 300 && timeout < interval &&
        healthyThreshold >= 2 && healthyThreshold <= 10 && port > 0
    } catch (error) {
      return (error as { code?: string }).code === 'ERR_INVALID_REGISTRATION'
    }
  }))
})

import t from 'tap'
import { printConfig } from '../../lib/cli/print-config.js'
import { readConfigLines } from '../../lib/healthchecker/config-file.js'
import { configOptions } from '../../lib/healthchecker/config-options.js'
import { configFileOf, givenOf, readConfig, type ConfigInput } from '../../lib/healthchecker/config.js'

const given = (input: Partial<ConfigInput>, name: string): { value: unknown, source: string } | undefined => {
  const setting = readConfig({ args: {}, env: {}, ...input }).get(name as 'port')
  return setting && { value: setting.value, source: setting.source }
}
const file = (text: string): ConfigInput['file'] => ({ name: './config', text })

t.test('command line goes before environment before config file before default', async (t) => {
  const all = { args: { port: '1' }, env: { PORT: '2' }, file: file('# ports\n\nport=3') }
  t.same(given(all, 'port'), { value: 1, source: 'command line (--port)' })
  t.same(given({ ...all, args: {} }, 'port'), { value: 2, source: 'environment (PORT)' })
  t.same(given({ file: all.file }, 'port'), { value: 3, source: 'config file (./config:3)' })
  t.same(given({}, 'port'), { value: 8080, source: 'default' })
})

t.test('without anything, it is on loopback, announced, and sends no mail', async (t) => {
  const settings = readConfig({ args: {}, env: {} })
  t.same(Object.fromEntries([...settings].filter(([, { value }]) => value !== undefined && value !== false).map(([name, { value }]) => [name, value])), {
    'bind-addr': '127.0.0.1', port: 8080, store: './healthchecker.db', 'allow-targets': [], 'max-apps': 10_000, announce: true, 'mail-allow': [], config: './config'
  })
})

t.test('every option is taken from everywhere it may come from', async (t) => {
  const values: Record<string, [text: string, value: unknown]> = {
    'bind-addr': ['::1', '::1'],
    port: ['3000', 3000],
    store: ['/var/lib/x.db', '/var/lib/x.db'],
    token: ['secret', 'secret'],
    'token-file': ['/run/token', '/run/token'],
    open: ['True', true],
    'allow-targets': ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
    'max-apps': ['5', 5],
    announce: ['0', false],
    'smtp-url': ['smtp://x', 'smtp://x'],
    'smtp-url-file': ['/run/smtp', '/run/smtp'],
    'gmail-token': ['secret', 'secret'],
    'mail-from': ['me@example.org', 'me@example.org'],
    'mail-allow': ['@example.org', ['@example.org']],
    config: ['/etc/config', '/etc/config'],
    verbose: ['1', true],
    debug: ['TRUE', true],
    test: ['true', true],
    'print-config': ['true', true]
  }
  for (const { name, env, ...option } of configOptions) {
    const [text, value] = values[name]
    const rest = { 'mail-from': 'a@example.org' }
    if (!('secret' in option)) t.same(given({ args: { ...rest, [name]: text } }, name)?.value, value, `--${name}`)
    if (env !== '') t.same(given({ args: name === 'mail-from' ? {} : rest, env: { [env]: text } }, name), { value, source: `environment (${env})` }, env)
    if (name === 'config' || name === 'print-config') continue
    for (const key of [name, name.replaceAll('-', '_').toUpperCase()]) {
      t.same(given({ args: name === 'mail-from' ? {} : rest, file: file(`${key} = "${text}"`) }, name), { value, source: 'config file (./config:1)' }, key)
    }
  }
  t.same(given({ args: { 'allow-targets': ['10.0.0.0/8', '11.0.0.0/8,12.0.0.0/8'] } }, 'allow-targets')?.value, ['10.0.0.0/8', '11.0.0.0/8', '12.0.0.0/8'])
  t.equal(given({ args: { announce: false } }, 'announce')?.value, false)
})

t.test('a variable that is set to nothing is not set', async (t) => {
  t.same(given({ env: { PORT: '', DEBUG: '' }, file: file('port=3') }, 'port'), { value: 3, source: 'config file (./config:1)' })
})

t.test('what is invalid is refused by name, with where it came from', async (t) => {
  const cases: Array<[input: Partial<ConfigInput>, code: string, message: string | RegExp]> = [
    [{ args: { port: 'x' } }, 'ERR_INVALID_OPTION', 'the option --port must be a whole number from 0 to 65535, not "x"'],
    [{ args: { port: '65536' } }, 'ERR_OPTION_OUT_OF_RANGE', 'the option --port must be from 0 to 65535, not 65536'],
    [{ args: { port: '-1' } }, 'ERR_INVALID_OPTION', /whole number from 0 to 65535, not "-1"/],
    [{ env: { PORT: '8080x' } }, 'ERR_INVALID_OPTION', /the environment variable PORT must be a whole number/],
    [{ args: { port: '1' }, env: { PORT: 'x' } }, 'ERR_INVALID_OPTION', /PORT must be/],
    [{ args: { port: '1' }, file: file('port=x') }, 'ERR_INVALID_OPTION', /config:1: the option "port" must be/],
    [{ args: { 'max-apps': '0' } }, 'ERR_OPTION_OUT_OF_RANGE', /--max-apps must be from 1 to 1000000, not 0/],
    [{ env: { DEBUG: 'express:*' } }, 'ERR_INVALID_OPTION', 'the environment variable DEBUG must be true or false, not "express:*"'],
    [{ args: { store: '' } }, 'ERR_INVALID_OPTION', /--store must be a text/],
    [{ args: { store: true } }, 'ERR_INVALID_OPTION', /--store must be a text, not true/],
    [{ args: { 'mail-allow': 'a@b,,c@d' } }, 'ERR_INVALID_OPTION', /values with commas/],
    [{ args: { 'bind-addr': 'a b' } }, 'ERR_INVALID_OPTION', 'the option "bind-addr" must be an address or a host name, not "a b" from command line (--bind-addr)'],
    [{ args: { 'allow-targets': '10.0.0.0/33' } }, 'ERR_INVALID_OPTION', /"allow-targets" must be networks such as .* not "10.0.0.0\/33"/],
    [{ args: { 'allow-targets': '10.0.0.1' } }, 'ERR_INVALID_OPTION', /networks such as/],
    [{ file: file('\nprot=3') }, 'ERR_UNKNOWN_OPTION', /\.\/config:2: there is no option "prot" for a file; there is bind-addr, port, /],
    [{ file: file('config=other') }, 'ERR_UNKNOWN_OPTION', /no option "config" for a file/],
    [{ file: file('print-config=true') }, 'ERR_UNKNOWN_OPTION', /no option "print-config" for a file/],
    [{ file: file('port 3') }, 'ERR_INVALID_OPTION', './config:1: a line must be name=value, such as port=8080'],
    [{ file: file('port=3\nPORT=4') }, 'ERR_INVALID_OPTION', './config:2: the option "port" is in line 1 already'],
    [{ file: file('port=') }, 'ERR_INVALID_OPTION', /config:1: the option "port" must be a text, not ""/],
    [{ args: { 'token-file': 'f' }, env: {}, file: undefined }, '', ''],
    [{ env: { SVC_STATUS_TOKEN: 'x', SVC_STATUS_TOKEN_FILE: 'y' } }, 'ERR_INVALID_OPTION', /"token" and "token-file" are both given, in the environment \(SVC_STATUS_TOKEN\) and the environment \(SVC_STATUS_TOKEN_FILE\)/],
    [{ env: { GMAIL_TOKEN: 'x' } }, 'ERR_INVALID_OPTION', /"mail-from" is missing: with "gmail-token"/]
  ]
  for (const [input, code, message] of cases) {
    if (code === '') t.doesNotThrow(() => given(input, 'port'))
    else t.throws(() => given(input, 'port'), { code, message }, String(message))
  }
})

t.test('of two places for a secret, the one of the higher rank counts', async (t) => {
  const settings = readConfig({ args: { 'token-file': 'f' }, env: { SVC_STATUS_TOKEN: 'x' } })
  t.match(givenOf(settings, ['token', 'token-file']).map(({ option }) => option.name), ['token-file', 'token'])
  t.same(givenOf(readConfig({ args: {}, env: {} }), ['token', 'token-file']), [])
})

t.test('no secret is printed or in an error', async (t) => {
  const env = { SVC_STATUS_TOKEN: 'hunter2', GMAIL_TOKEN: 'hunter2', SVC_STATUS_MAIL_FROM: 'me@example.org' }
  const text = printConfig(readConfig({ args: { port: '3000' }, env, file: file('mail-allow=@example.org,a@b.example') }))
  t.notMatch(text, /hunter2/)
  t.match(text, /^token +\*\*\* +environment \(SVC_STATUS_TOKEN\)$/m)
  t.match(text, /^port +3000 +command line \(--port\)$/m)
  t.match(text, /^mail-allow +@example\.org,a@b\.example +config file \(\.\/config:1\)$/m)
  t.match(text, /^allow-targets +- +default$/m)
  t.match(text, /^smtp-url-file +- +default$/m)
  t.notMatch(text, /print-config/)
  for (const text of ['token hunter2', 'hunter2', 'gmail-token=""']) {
    try {
      readConfig({ args: {}, env: {}, file: file(text) })
      t.fail(text)
    } catch (error) {
      t.notMatch((error as Error).message, /hunter2/, text)
    }
  }
})

t.test('a secret in a file that every user of the machine can read is refused, by its place, and not shown', async (t) => {
  for (const line of ['token=hunter2', 'smtp-url=smtp://u:hunter2@x', 'gmail_token=hunter2']) {
    const [name] = line.replace('_', '-').split('=')
    const text = `port=3\n${line}\nmail-from=a@b.example`
    const env = { SVC_STATUS_TOKEN: 'x' }
    const error = t.throws(() => readConfig({ args: {}, env, file: { name: './config', text, open: true } }), {
      code: 'ERR_INVALID_OPTION', message: `./config:2: the option "${name}" is a secret, and the file is open to every user of this machine. chmod o= ./config closes it`
    })
    t.notMatch(String((error as unknown as Error).stack), /hunter2/)
    t.doesNotThrow(() => readConfig({ args: {}, env, file: { name: './config', text, open: false } }))
  }
  t.doesNotThrow(() => readConfig({ args: {}, env: {}, file: { name: './config', text: 'port=3\ntoken-file=f', open: true } }))
})

t.test('what is printed only shows what it shows', async (t) => {
  const text = printConfig(readConfig({ args: { store: 'a\u001b[31mb\r\nport 1\u202e' }, env: {}, file: { name: 'c\u0007d', text: 'verbose=1' } }))
  t.match(text, /^store +ab port 1 +command line/m)
  t.match(text, /^verbose +true +config file \(c d:1\)$/m)
  t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}]/u)
})

t.test('the file is ./config where there is one, or the one that was named', async (t) => {
  t.same(configFileOf({ args: {}, env: {} }), { name: './config', required: false })
  t.same(configFileOf({ args: {}, env: { SVC_STATUS_CONFIG: 'a' } }), { name: 'a', required: true })
  t.same(configFileOf({ args: { config: 'b' }, env: { SVC_STATUS_CONFIG: 'a' } }), { name: 'b', required: true })
  t.same(configFileOf({ args: {}, env: { SVC_STATUS_CONFIG: '' } }), { name: './config', required: false })
})

t.test('a file of another system is read too', async (t) => {
  t.same(readConfigLines('c', '\ufeffport=1\r\ndebug = True\r\n  store=\'a b\'  '), [
    { name: 'port', value: '1', line: 1 }, { name: 'debug', value: 'True', line: 2 }, { name: 'store', value: 'a b', line: 3 }
  ])
})

import t from 'tap'
import { basicCredentials } from '../../lib/auth/htpasswd-credentials.js'
import { basic } from './support/basic.js'

const encoded = (bytes: string | number[]): string => Buffer.from(bytes as string).toString('base64')

for (const [what, header, name, password] of [
  ['a name and a password', basic('alice', 'secret'), 'alice', 'secret'],
  ['a password with colons', basic('alice', 'a:b::'), 'alice', 'a:b::'],
  ['an empty password', basic('alice', ''), 'alice', ''],
  ['UTF-8', basic('älice', 'пароль🙂'), 'älice', 'пароль🙂'],
  ['a byte order mark, which belongs to the name', basic('\ufeffalice', 'x'), '\ufeffalice', 'x'],
  ['spaces within', basic('al ice', ' x '), 'al ice', ' x '],
  ['a scheme in another case and more spaces', `bASIC   ${encoded('a:b')}  `, 'a', 'b'],
  ['padding of one', `Basic ${encoded('ab:cd')}`, 'ab', 'cd'],
  ['padding of two', `Basic ${encoded('a:bc')}`, 'a', 'bc'],
  ['a name and a password of 255 bytes each', basic('n'.repeat(255), 'p'.repeat(255)), 'n'.repeat(255), 'p'.repeat(255)]
] as const) {
  t.test(`takes ${what}`, async (t) => {
    t.same(basicCredentials(header), { name, password })
  })
}

for (const [what, header] of [
  ['no header', undefined],
  ['an empty header', ''],
  ['another scheme', `Bearer ${encoded('a:b')}`],
  ['a scheme that only begins so', `Basically ${encoded('a:b')}`],
  ['no credentials', 'Basic '],
  ['no space', `Basic${encoded('a:b')}`],
  ['characters that are not of base64', 'Basic YT*pi'],
  ['the alphabet for addresses', `Basic ${encoded([0x61, 0x3a, 0xfb, 0xff]).replace('+', '-').replace('/', '_')}`],
  ['missing padding', `Basic ${encoded('a:bb').replace(/=/g, '')}`],
  ['too much padding', 'Basic YTpi='],
  ['bits that no encoder writes', 'Basic YTpiYh=='],
  ['two credentials', `Basic ${encoded('a:b')} ${encoded('a:b')}`],
  ['more after them', `Basic ${encoded('a:b')}, Bearer x`],
  ['no colon', `Basic ${encoded('alice')}`],
  ['no name', `Basic ${encoded(':secret')}`],
  ['bytes that are not UTF-8', `Basic ${encoded([0x61, 0x3a, 0xff])}`],
  ['a cut UTF-8 character', `Basic ${encoded([0x61, 0x3a, 0xc3])}`],
  ['NUL in the password', basic('alice', 'secret\0')],
  ['a line break in the name', basic('alice\n', 'secret')],
  ['DEL', basic('alice', 'a\x7f')],
  ['a very long header', basic('alice', 'x'.repeat(1_000))],
  ['a header of a megabyte', `Basic ${'A'.repeat(1_048_576)}`]
] as const) {
  t.test(`refuses ${what}`, async (t) => {
    t.equal(basicCredentials(header), undefined)
  })
}

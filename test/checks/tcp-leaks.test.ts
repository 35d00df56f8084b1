import t from 'tap'
import { soakAll } from './support/soak.js'

t.test('TCPCheck leaks nothing', async (t) => await soakAll(t, 'TCPCheck', 1_000, 100))

import t from 'tap'
import { soakAll } from './support/soak.js'

t.test('TLSCheck leaks nothing', async (t) => await soakAll(t, 'TLSCheck', 1_000, 100))

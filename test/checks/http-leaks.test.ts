import t from 'tap'
import { soakAll } from './support/soak.js'

t.test('HTTPCheck leaks nothing', async (t) => await soakAll(t, 'HTTPCheck', 1_000, 100))

import t from 'tap'
import { soakAll } from '../checks/support/soak.js'

// Half a million runs.
t.setTimeout(1_800_000)

for (const kind of ['TCPCheck', 'HTTPCheck', 'TLSCheck', 'HTTPCheck over TLS']) {
  t.test(`ten thousand runs of ${kind} against each peer leak nothing`, { timeout: 1_800_000 }, async (t) => await soakAll(t, kind, 10_000, 200))
}

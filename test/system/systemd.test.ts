import { join } from 'node:path'
import t from 'tap'
import { checkout } from './support/example.js'
import { peer } from './support/peers.js'
import { run } from './support/programs.js'

t.test('systemd accepts the unit of the documentation, and says nothing against it', async (t) => {
  t.match(await run(t, peer('systemd-analyze'), ['verify', join(checkout, 'docs/examples/svc-status.service')]), { code: 0, stdout: '', stderr: '' })
})

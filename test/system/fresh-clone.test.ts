import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { addressesOf, checkout, paths, trouble } from './support/example.js'
import { temporaryFolder } from './support/folder.js'
import { peer } from './support/peers.js'
import { Program, run } from './support/programs.js'

t.test('a fresh clone works: npm ci and npm start', async (t) => {
  const git = peer('git')
  const top = await run(t, git, ['rev-parse', '--show-cdup'], { cwd: checkout })
  if (top.code !== 0 || top.stdout.trim() !== '') {
    throw new Error(`this test clones the commit that is checked out, and ${checkout} is no git checkout: ${top.stderr}`)
  }

  const clone = join(await temporaryFolder(t), 'clone')
  const cloned = await run(t, git, ['clone', '--quiet', '--no-hardlinks', checkout, clone])
  t.equal(cloned.code, 0, 'git clone', cloned)

  const installing = Date.now()
  const installed = await run(t, 'npm', ['ci'], { cwd: clone })
  t.equal(installed.code, 0, 'npm ci', installed)
  t.comment(`npm ci took ${Math.round((Date.now() - installing) / 1000)} s`)

  const npm = await Program.start(t, 'npm', ['start'], { cwd: clone, detached: true, env: { PORT: '0', DRAIN_DELAY: '200' } })
  const addresses = await addressesOf(npm, 120_000)
  t.same(addresses.map((address) => new URL(address).pathname), paths)
  for (const address of addresses) t.equal((await fetch(address)).status, 200, address)
  t.ok((await readdir(clone)).includes('dist'))

  npm.signal('SIGINT')
  await npm.end
  t.notMatch(npm.stdout + npm.stderr, trouble)
  t.notOk(npm.signal('SIGTERM'), 'nothing of it is left')
})

import t from 'tap'
import { at, blocksOf } from './docs/markdown.js'
import { Page } from './docs/page.js'
import { pages } from './docs/pages.js'
import { searchPaths } from './docs/search-paths.js'

const paths = searchPaths(t.testdir())

// Some forty processes are started, which takes its time on a machine that does other things too.
t.setTimeout(240_000)
t.jobs = 2

for (const [file, source] of pages()) {
  t.test(`${file} does what it shows`, { buffered: true }, async (t) => {
    const blocks = blocksOf(file, source)
    const page = await Page.open(t.testdir(), paths)
    t.teardown(() => page.abandon())
    for (const block of blocks) {
      await page.run(block)
      t.pass(at(block))
    }
    await page.stop()
    if (blocks.length === 0) t.pass('it shows no sample')
  })
}

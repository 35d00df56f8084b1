import t from 'tap'
import { isOpenToAll } from '../../lib/core/open-to-all.js'

t.test('a file is open to all where others than its owner and its group may read or write it', async (t) => {
  for (const mode of [0o100604, 0o100602, 0o100644, 0o100666]) t.equal(isOpenToAll({ mode }, 'linux'), true, mode.toString(8))
  for (const mode of [0o100600, 0o100660, 0o100400]) t.equal(isOpenToAll({ mode }, 'linux'), false, mode.toString(8))
  t.equal(isOpenToAll({ mode: 0o100666 }, 'win32'), false, 'Windows has no such permissions')
})

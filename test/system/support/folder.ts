import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that goes with the test. */
export async function temporaryFolder (t: { teardown (action: () => Promise<void>): unknown }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'system-test-'))
  t.teardown(async () => await rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

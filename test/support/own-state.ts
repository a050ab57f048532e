/**
 * State files of a test's own, for it and all that it starts.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from './namespaces.ts'

/** Lets solipsec keep its state in a folder that goes with the test. Call it before anything that is to be taken down. */
export function ownState(t: Teardown): void {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-state-'))
  process.env.SOLIPSEC_RUN_DIR = join(folder, 'run')
  process.env.SOLIPSEC_STATE_DIR = join(folder, 'lib')
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
}

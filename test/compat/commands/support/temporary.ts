/**
 * A folder that goes away with its test.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function temporaryFolder(t: { teardown(run: () => void): unknown }): string {
  const path = mkdtempSync(join(tmpdir(), 'solipsec-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

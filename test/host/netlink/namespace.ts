/**
 * Network namespaces for one test file.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'

/** Why tests that need root cannot run; `false` where they can. Fits tap's `skip`. */
export const skip: string | false =
  process.getuid?.() === 0 ? false : 'needs root, for network namespaces of its own'

interface Test {
  teardown(clean: () => void): unknown
}

/** Makes a namespace with a fresh name, and removes it when the test ends, however it ends. */
export function makeNetns(t: Test): string {
  const name = `solipsec-${randomBytes(5).toString('hex')}`
  execFileSync('ip', ['netns', 'add', name])
  t.teardown(() => execFileSync('ip', ['netns', 'delete', name]))
  return name
}

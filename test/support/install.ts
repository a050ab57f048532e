/**
 * Debian packages that single tests take, installed on demand by `test/support/packages`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { root } from './tiers.ts'

/** @param need a function of `test/support/packages` @returns why it cannot be had; `undefined` where it is there */
export function lacking(need: string): string | undefined {
  const script = `source test/support/packages; ${need}`
  const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' })
  return status === 0 ? undefined : stderr.trim() || `${need} failed`
}

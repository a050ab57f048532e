/**
 * What the kernel knows a policy by, as text: for tests that compare sets of policies.
 *
 * @module
 */
import type { PolicyIdentity } from '../../../agent/translate/policy-map.ts'

export function identityOf({ dir, sel, mark }: PolicyIdentity): string {
  const { saddr, daddr, ...numbers } = sel
  const marked = mark && mark.m !== 0 ? [(mark.v & mark.m) >>> 0, mark.m] : []
  return JSON.stringify([dir, [...saddr], [...daddr], numbers, marked])
}

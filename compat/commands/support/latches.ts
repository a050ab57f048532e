/**
 * Who looks after pinned connections once a command has ended: a program of ours, one for each network namespace, which ends
 * with the last pin.
 *
 * @module
 */
import type { PolicyState } from '../../../agent/reconcile/policy-state.ts'
import { helperName, startHelper } from '../../../agent/runtime/helper.ts'

/** Sees to it that somebody does, where there is something to look after. */
export function keepLatches({ pins }: Pick<PolicyState, 'pins'>): void {
  if (!pins.some(({ isEnded }) => !isEnded)) return
  const program = new URL('./latch-holder.js', import.meta.url)
  if (startHelper({ name: helperName.latch, program }) !== undefined) return
  throw new Error(`cannot start ${process.execPath} to look after connections`)
}

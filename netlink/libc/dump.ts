/**
 * Memory that nobody else is to see: prctl(2).
 *
 * @module
 */
import { foreign } from './ffi.ts'

const PR_GET_DUMPABLE = 3
const PR_SET_DUMPABLE = 4

const prctl = foreign<[number, number, number, number, number], number>(
  'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
)

/** From now on this process leaves no core dump, and only root may look into it. */
export function forbidDumps(): void {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
}

/** Whether it would leave one. */
export function mayBeDumped(): boolean {
  return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) !== 0
}

/**
 * Waiting for what others do.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again; generous for an emulated processor. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !(await isTrue()); i++) {
    if (i > 6000) throw new Error('waited in vain')
    await sleep(10)
  }
}

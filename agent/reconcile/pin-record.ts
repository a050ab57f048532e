/**
 * Pins as the record has them, for whoever watches their connections.
 *
 * @module
 */
import type { PinRecord } from '../latch/keeper.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import { Session } from './session.ts'
import type { Store } from './store.ts'

/**
 * @param store of the network namespace that the calling thread is in
 * @param algorithms what their names mean, asked for each time: a change that broke off may have to be taken back
 */
export function pinRecord(store: Store, algorithms: () => AlgorithmTable): PinRecord {
  return {
    stamp: () => store.policyStamp(),
    read: () => store.loadPolicy()?.pins ?? [],
    async release(ended) {
      const session = Session.open(algorithms())
      try {
        session.releasePins(ended)
      } finally {
        session.close()
      }
    },
  }
}

/**
 * The program that takes pins away when their connections end (see `agent/latch/keeper.ts`), in the network namespace that
 * it is started in. It ends with the last pin, or when nobody uses the namespace any more. One is enough: another waits a
 * moment, for the first may be about to end, and then goes.
 *
 * @module
 */

import { LatchKeeper } from '../../../agent/latch/keeper.ts'
import { pinRecord } from '../../../agent/reconcile/pin-record.ts'
import { Store } from '../../../agent/reconcile/store.ts'
import { helperName } from '../../../agent/runtime/helper.ts'
import { HELPERS, isNamespaceInUse } from '../../../agent/runtime/namespace-use.ts'
import { displayTable } from './algorithms.ts'

const WAIT_MS = 2000
const NAMESPACE_CHECK_MS = 10_000

function main(): void {
  process.title = helperName.latch
  const store = Store.open()
  if (!store.lockForLatches(WAIT_MS)) return
  const keeper = new LatchKeeper(pinRecord(store, displayTable), () => process.exit(0))
  setInterval(() => {
    if (!isNamespaceInUse(...HELPERS)) {
      keeper.stop()
      process.exit(0)
    }
  }, NAMESPACE_CHECK_MS)
}

main()

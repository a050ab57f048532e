/**
 * Where it is seen that policy refused packets, in the network namespace of the calling thread: XFRM's counters, or those
 * of the software data path, which have the same names; and the times at which policies were last used.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { connectDataPath } from '../datapath/data-path.ts'
import { isSoftware, openStatistics, readStatistics } from '../datapath/software/service/client.ts'
import { installedPolicies } from '../reconcile/engine.ts'
import type { PolicyState } from '../reconcile/policy-state.ts'
import { type Counters, parseCounters } from './failures.ts'
import type { FailureSource } from './policy-log.ts'
import { refusersSince } from './refusers.ts'

const XFRM_STAT = '/proc/thread-self/net/xfrm_stat'

/**
 * @param folder state folder of the namespace
 * @param state the loaded rules, asked for when policies are to be named
 */
export function failureSource(folder: string, state: () => Pick<PolicyState, 'rules'>): FailureSource {
  return {
    counters: () => (isSoftware(folder) ? softwareCounters(folder) : kernelCounters()),
    refusers: (since) => {
      const connection = connectDataPath(folder)
      try {
        return refusersSince(installedPolicies(connection), state(), since)
      } finally {
        connection.close()
      }
    },
  }
}

/** Nothing, where the kernel does not count (CONFIG_XFRM_STATISTICS). */
function kernelCounters(): Counters {
  try {
    return parseCounters(readFileSync(XFRM_STAT, 'utf8'))
  } catch {
    return new Map()
  }
}

/** Nothing, where the program has ended: it begins anew then. */
function softwareCounters(folder: string): Counters {
  try {
    const connection = openStatistics(folder)
    try {
      return readStatistics(connection)
    } finally {
      connection.close()
    }
  } catch {
    return new Map()
  }
}

/**
 * Finds out what goes on in the network namespace of the calling thread. Looks only: takes no lock, starts no program,
 * takes nothing back.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { wipeKeys } from '../../netlink/xfrm/keys.ts'
import { keptStatus } from '../daemon/kept-status.ts'
import { isSoftware, openStatistics, readStatistics } from '../datapath/software/service/client.ts'
import { connectIfAnswering, unlessGone } from '../datapath/software/service/onlooker.ts'
import { servicePlace } from '../datapath/software/service/place.ts'
import { type AlgorithmTable, joinTables } from '../model/algorithm.ts'
import { defaultAlgorithmTable } from '../model/default-algorithms.ts'
import { readHostLinks, readHostNetwork } from '../reconcile/host.ts'
import { type PolicyState, tunnelsFor } from '../reconcile/policy-state.ts'
import { Store } from '../reconcile/store.ts'
import { keptUnits } from '../units/report.ts'
import { parseLosses } from './losses.ts'
import { makeReport, type ReportOptions, type StatusSources } from './make-report.ts'
import type { AgentReport, DataPathReport, StatusReport } from './report.ts'
import { reportTunnels } from './tunnel-report.ts'

/** XFRM's counters of the thread's own namespace: `/proc/net` is that of the process. */
const LOSSES_FILE = '/proc/thread-self/net/xfrm_stat'

/**
 * A report of now.
 *
 * @param algorithms names for the numbers of algorithms
 * @throws NetlinkError (`EPERM` without CAP_NET_ADMIN), UntrustedFolderError
 */
export function collectStatus(algorithms: AlgorithmTable, options: ReportOptions = {}): StatusReport {
  const sources = readSources(algorithms)
  try {
    return makeReport(sources, options)
  } finally {
    // A dump brings keys, and nothing of the report is made of them.
    for (const state of sources.tables?.states ?? []) wipeKeys(state)
  }
}

function readSources(algorithms: AlgorithmTable): StatusSources {
  const store = Store.open()
  const { folder } = store
  const policy = store.loadPolicy()
  const software = isSoftware(folder)
  const connection = software ? connectIfAnswering(folder) : XfrmConnection.open()
  try {
    const tables = software ? unlessGone(() => connection?.tables()) : connection?.tables()
    const agent = agentOf(folder)
    const units = keptUnits(folder)
    const network = readHostNetwork()
    const losses = tables && (software ? serviceLosses(folder) : kernelLosses())
    return {
      time: Date.now(),
      dataPath: software ? softwarePath(folder, tables !== undefined) : { kind: 'kernel', state: 'ready' },
      rules: policy?.rules ?? [],
      isRecordLost: !policy && store.hasPolicyFile(),
      isChanging: store.isChanging(),
      ...(tables && { tables }),
      notes: store.loadNotes(),
      localAddresses: network.localAddresses,
      tunnelEnds: policy ? tunnelsFor(policy, network.tunnels) : network.tunnels,
      ...(losses && { losses }),
      ...(agent && { agent }),
      ...(units && { units }),
      ...(policy && policy.ownTunnels.length > 0 && { tunnels: tunnelsOf(policy) }),
      // Those that have another value than at first.
      ...(policy && Object.keys(policy.tunables).length > 0 && { tunables: policy.tunables }),
      algorithms: joinTables(algorithms, defaultAlgorithmTable),
    }
  } finally {
    connection?.close()
  }
}

function agentOf(folder: string): AgentReport | undefined {
  const status = keptStatus(folder)
  if (!status) return undefined
  const { pid: processId, since, state, problem, loadedAt, drift, drifts } = status
  return {
    state,
    // In the log it may have lines; here it is one of several.
    ...(problem !== undefined && { problem: problem.replace(/\s*\n\s*/g, ' ') }),
    processId,
    since: since / 1000,
    loaded: loadedAt / 1000,
    drift,
    drifts,
  }
}

function tunnelsOf({ ownTunnels }: PolicyState): StatusSources['tunnels'] {
  return reportTunnels(ownTunnels, readHostLinks())
}

function softwarePath(folder: string, isRunning: boolean): DataPathReport {
  if (!isRunning) return { kind: 'software', state: 'stopped' }
  const processId = Number(readIfThere(servicePlace(folder).lock) ?? 0)
  return { kind: 'software', state: 'ready', ...(processId > 0 && { processId }) }
}

/** A kernel without CONFIG_XFRM_STATISTICS counts nothing. */
function kernelLosses(): StatusSources['losses'] {
  const text = readIfThere(LOSSES_FILE)
  return text === undefined ? undefined : parseLosses(text)
}

/** @returns `undefined` where the program ends just now */
function serviceLosses(folder: string): StatusSources['losses'] {
  return unlessGone(() => {
    const connection = openStatistics(folder)
    try {
      return Object.fromEntries(readStatistics(connection))
    } finally {
      connection.close()
    }
  })
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * All checks over all facts.
 *
 * @module
 */
import { checkAlgorithms } from './checks/algorithms.ts'
import { checkFolders } from './checks/files.ts'
import { checkClock, checkMemory, checkVersions } from './checks/host.ts'
import { checkFeatures, checkInterfaces, checkPfKey, checkProtocols, checkXfrm } from './checks/kernel.ts'
import { checkDefaults, checkListeners, checkLosses, checkTables } from './checks/policies.ts'
import { checkCapabilities, checkLockdown, checkUserNamespace } from './checks/privileges.ts'
import {
  checkAcquiring,
  checkCacheLimit,
  checkFragments,
  checkIpv6,
  checkPathMtu,
  checkRedirects,
  checkSwitches,
  checkTunnelSettings,
} from './checks/settings.ts'
import { checkNft, checkService, checkTun } from './checks/software.ts'
import { checkAcceleration, checkFips, checkLibrary, checkOffload } from './checks/speed.ts'
import { checkSupply } from './checks/supply.ts'
import { checkTunnels } from './checks/tunnels.ts'
import type { Facts } from './facts.ts'
import { type Finding, STATES, type State } from './finding.ts'

type Check = (facts: Facts) => Finding[]

/** In the order in which their findings are told. */
const CHECKS: readonly Check[] = [
  checkVersions,
  checkClock,
  checkMemory,
  checkCapabilities,
  checkUserNamespace,
  checkLockdown,
  checkXfrm,
  checkProtocols,
  checkFeatures,
  checkInterfaces,
  checkTunnels,
  checkPfKey,
  checkAlgorithms,
  checkAcceleration,
  checkLibrary,
  checkFips,
  checkOffload,
  checkNft,
  checkTun,
  checkService,
  checkTables,
  checkSupply,
  checkDefaults,
  checkListeners,
  checkLosses,
  checkSwitches,
  checkAcquiring,
  checkTunnelSettings,
  checkRedirects,
  checkFragments,
  checkPathMtu,
  checkCacheLimit,
  checkIpv6,
  checkFolders,
]

/** What the facts mean. Pure. */
export function diagnose(facts: Facts): Finding[] {
  return CHECKS.flatMap((check) => check(facts))
}

/** How many findings there are of each state. */
export function tally(findings: readonly Finding[]): Readonly<Record<State, number>> {
  const counts = { ok: 0, note: 0, warning: 0, problem: 0 }
  for (const { state } of findings) counts[state]++
  return counts
}

/** Negative where the first is the better one. */
export function byBadness(a: Finding, b: Finding): number {
  return STATES.indexOf(a.state) - STATES.indexOf(b.state)
}

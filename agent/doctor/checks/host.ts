/**
 * Versions, the clock, and memory.
 *
 * @module
 */

import { counted } from '../../model/counted.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'
import { tablesInUse } from './questions.ts'

const finding = findingsOf('host')

/** The oldest kernel that solipsec is meant for: it has namespace cookies, and default policies. */
const OLDEST_KERNEL = [5, 14] as const
const OLDEST_NODE = [20, 0] as const
/** Before this was written; no clock that is right says so. */
const EARLIEST = Date.UTC(2026, 0, 1)
/** How far vectors may be ahead of the clock: reserved ones, and small corrections. */
const VECTORS_AHEAD = 10 * 60_000
const LITTLE_MEMORY = 64 * 1024 * 1024

/** Kernel, Node and solipsec. */
export function checkVersions({ versions, kernel }: Facts): Finding[] {
  return [
    isOlder(kernel.release, OLDEST_KERNEL)
      ? finding(
          'kernel-version',
          `Linux ${kernel.release}`,
          'warning',
          'It is older than 5.14, the oldest that solipsec is made for.',
          'boot a newer kernel',
        )
      : finding('kernel-version', `Linux ${kernel.release}`, 'ok', 'It is new enough.'),
    isOlder(versions.node, OLDEST_NODE)
      ? finding(
          'node-version',
          `Node.js ${versions.node}`,
          'warning',
          'It is older than 20, the oldest that solipsec is made for.',
          'install Node.js 20 or later',
        )
      : finding('node-version', `Node.js ${versions.node}`, 'ok', 'It is new enough.'),
    finding('solipsec-version', `solipsec ${versions.solipsec}`, 'ok', 'This is what looked at the host.'),
  ]
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [found = 0, then = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return found < major || (found === major && then < minor)
}

/** Lifetimes of SAs are points in time; initialization vectors of the software data path follow the clock. */
export function checkClock({ clock }: Facts): Finding[] {
  const { now, isSynchronised, vectorsUntil } = clock
  const setIt = 'set the clock, and let it be kept: timedatectl set-ntp true'
  const findings: Finding[] = []
  if (now < EARLIEST) {
    findings.push(
      finding(
        'clock',
        'clock',
        'problem',
        `It says ${new Date(now).toISOString().slice(0, 10)}, which is past: SAs with a lifetime end at the wrong time, ` +
          'some at once when the clock is set.',
        setIt,
      ),
    )
  } else if ('value' in vectorsUntil && vectorsUntil.value > now + VECTORS_AHEAD) {
    const minutes = Math.round((vectorsUntil.value - now) / 60_000)
    findings.push(
      finding(
        'clock',
        'clock',
        'warning',
        `It has gone back by ${counted(minutes, 'minute')} since the software data path last ran: lifetimes of SAs last longer. ` +
          'Initialization vectors are not used twice for all that.',
        setIt,
      ),
    )
  } else findings.push(finding('clock', 'clock', 'ok', 'It shows a time that can be right.'))
  if ('unknown' in isSynchronised) {
    findings.push(unknownFinding('host', 'clock-synchronised', 'clock keeping', isSynchronised.unknown))
  } else if (isSynchronised.value) {
    findings.push(finding('clock-synchronised', 'clock keeping', 'ok', 'The clock is kept by another one.'))
  } else {
    findings.push(
      finding(
        'clock-synchronised',
        'clock keeping',
        'note',
        'Nobody keeps the clock by another one: should it jump, SAs with a lifetime end early or late.',
        'timedatectl set-ntp true',
      ),
    )
  }
  return findings
}

/** What policies and SAs may take; the kernel sets them no other limit. */
export function checkMemory(facts: Facts): Finding[] {
  const { availableBytes } = facts.memory
  if ('unknown' in availableBytes) return [unknownFinding('host', 'memory', 'memory', availableBytes.unknown)]
  const megabytes = Math.floor(availableBytes.value / 1024 / 1024)
  const tables = tablesInUse(facts)
  const loaded = tables
    ? ` ${counted(tables.ourPolicies + tables.otherPolicies, 'policy', 'policies')} and ` +
      `${counted(tables.ourStates + tables.otherStates, 'SA')} are loaded.`
    : ''
  const meaning = `${megabytes} MB are available, the only limit to the number of policies and SAs.${loaded}`
  if (availableBytes.value >= LITTLE_MEMORY) return [finding('memory', 'memory', 'ok', meaning)]
  return [
    finding(
      'memory',
      'memory',
      'warning',
      `${meaning} A command may fail for want of it.`,
      'free or add memory',
    ),
  ]
}

/**
 * Packets that policy refused, as XFRM's counters tell of them (Documentation/networking/xfrm_proc.rst). Pure.
 *
 * The kernel names no packet that it refuses: it counts. It counts packets that are to be passed on with those that come
 * in, and AH together with ESP.
 *
 * @module
 */

/** Packets by counter, as of `/proc/net/xfrm_stat`. */
export type Counters = ReadonlyMap<string, number>

export type FailureDirection = 'in' | 'out'

/** Packets of one kind that were refused. */
export interface PolicyFailure {
  readonly counter: string
  readonly direction: FailureDirection
  /** Why, in words. */
  readonly reason: string
  readonly count: number
}

interface Kind extends Pick<PolicyFailure, 'direction' | 'reason'> {
  /** Only told where that is asked for: it is no failure of policy. */
  readonly isUnknownSpi?: true
}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['XfrmInTmplMismatch', { direction: 'in', reason: 'not protected as a rule asks' }],
  ['XfrmInPolBlock', { direction: 'in', reason: 'refused by a rule, or not protected as one asks' }],
  ['XfrmInNoPols', { direction: 'in', reason: 'came out of a tunnel that no rule lets it come out of' }],
  ['XfrmInStateMismatch', { direction: 'in', reason: 'protected by an SA that is for other packets' }],
  ['XfrmInNoStates', { direction: 'in', reason: 'of an unknown SA', isUnknownSpi: true }],
  ['XfrmOutPolBlock', { direction: 'out', reason: 'refused by a rule' }],
])

/** What was refused between two looks. A counter that went down began anew. */
export function failuresBetween(before: Counters, after: Counters, withUnknownSpi: boolean): PolicyFailure[] {
  const failures: PolicyFailure[] = []
  for (const [counter, { isUnknownSpi, ...kind }] of KINDS) {
    if (isUnknownSpi && !withUnknownSpi) continue
    const [old, now] = [before.get(counter) ?? 0, after.get(counter) ?? 0]
    const count = now >= old ? now - old : now
    if (count > 0) failures.push({ counter, ...kind, count })
  }
  return failures
}

/** Both together, each kind once. */
export function addFailures(one: readonly PolicyFailure[], other: readonly PolicyFailure[]): PolicyFailure[] {
  const sums = new Map(one.map((failure) => [failure.counter, failure]))
  for (const failure of other) {
    const count = failure.count + (sums.get(failure.counter)?.count ?? 0)
    sums.set(failure.counter, { ...failure, count })
  }
  return [...sums.values()]
}

/** Reads `/proc/net/xfrm_stat`. */
export function parseCounters(text: string): Counters {
  return new Map([...text.matchAll(/^(\w+)\s+(\d+)$/gm)].map(([, name = '', count]) => [name, Number(count)]))
}

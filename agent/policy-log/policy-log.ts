/**
 * Messages about packets that policy refused: what to look at, how often, and what to say.
 *
 * @module
 */
import { isOn, type TunableValues, tunableValue } from '../model/tunables.ts'
import { type Counters, failuresBetween, type PolicyFailure } from './failures.ts'
import { Limiter } from './limiter.ts'
import type { Refuser } from './refusers.ts'

/** Where it is seen what was refused; `source.ts` has the real one. */
export interface FailureSource {
  counters(): Counters
  /** Policies that refused packets in this second or later, in seconds since 1970. */
  refusers(since: number): Refuser[]
}

/** One message, for people and for programs. */
export interface PolicyFailureMessage {
  readonly failures: readonly PolicyFailure[]
  /** Those that can be named; others may have refused as well. */
  readonly refusers: readonly Refuser[]
  readonly text: string
}

const MOST_REFUSERS = 5
/** Looks are cheap, but not free: not more often, and not so seldom that a message comes late. */
const SOONEST_LOOK_MS = 250
const LATEST_LOOK_MS = 1000

/** The interval for packets of unknown SAs where none is set for failures of policy. */
const UNKNOWN_SPI_INTERVAL_MS = 1000

interface Wishes {
  /** Milliseconds; 0: no messages. */
  readonly interval: number
  readonly policy: boolean
  readonly unknownSpi: boolean
}

function wishesOf(tunables: TunableValues): Wishes {
  const interval = tunableValue(tunables, 'ipsec_policy_log_interval')
  const unknownSpi = isOn(tunables, 'ipsecesp_log_unknown_spi') || isOn(tunables, 'ipsecah_log_unknown_spi')
  return {
    interval: interval > 0 || !unknownSpi ? interval : UNKNOWN_SPI_INTERVAL_MS,
    policy: interval > 0,
    unknownSpi,
  }
}

/** Milliseconds from one call of {@link PolicyLog.look} to the next; `undefined` where none is needed. */
export function lookInterval(tunables: TunableValues): number | undefined {
  const { interval } = wishesOf(tunables)
  return interval === 0 ? undefined : Math.min(LATEST_LOOK_MS, Math.max(SOONEST_LOOK_MS, interval))
}

export class PolicyLog {
  readonly #source: FailureSource
  readonly #limiter = new Limiter()
  #before: Counters
  /** Since when refusals were not told, in seconds since 1970. */
  #since: number

  /** What was refused before is not told. */
  constructor(source: FailureSource, wallClock: number = Date.now()) {
    this.#source = source
    this.#before = source.counters()
    this.#since = Math.floor(wallClock / 1000)
  }

  /**
   * Looks at the counters.
   *
   * @param now milliseconds by a clock that only goes forward
   * @param wallClock milliseconds since 1970
   * @returns what is to be logged, if anything
   */
  look(
    tunables: TunableValues,
    now: number = performance.now(),
    wallClock: number = Date.now(),
  ): PolicyFailureMessage | undefined {
    const { interval, policy, unknownSpi } = wishesOf(tunables)
    const after = this.#source.counters()
    const all = failuresBetween(this.#before, after, unknownSpi)
    this.#before = after
    const wanted = policy ? all : all.filter(({ counter }) => counter === 'XfrmInNoStates')
    const failures = this.#limiter.take(wanted, now, interval)
    if (failures.length === 0) return undefined
    const refusers = failures.some(isByRule) ? this.#source.refusers(this.#since) : []
    this.#since = Math.floor(wallClock / 1000)
    return { failures, refusers, text: messageText(failures, refusers) }
  }
}

/** A policy that only refuses did it, and can be named. */
function isByRule({ counter }: PolicyFailure): boolean {
  return counter.endsWith('PolBlock')
}

function messageText(failures: readonly PolicyFailure[], refusers: readonly Refuser[]): string {
  const parts = (['in', 'out'] as const).flatMap((direction) => {
    const some = failures.filter((failure) => failure.direction === direction)
    if (some.length === 0) return []
    const reasons = some.map(({ reason, count }) => `${count} ${reason}`)
    return [`${direction === 'in' ? 'incoming' : 'outgoing'} packets refused: ${reasons.join(', ')}`]
  })
  const named = refusers.slice(0, MOST_REFUSERS).map(refuserText)
  const more = refusers.length > named.length ? [`and ${refusers.length - named.length} more`] : []
  return [...parts, ...(named.length > 0 ? [`by ${[...named, ...more].join('; ')}`] : [])].join('; ')
}

function refuserText({ source, destination, protocol, rule }: Refuser): string {
  const packets = `${source} -> ${destination}${protocol === undefined ? '' : ` protocol ${protocol}`}`
  return rule ? `${rule.file}:${rule.line} (${packets})` : `what holds around all rules (${packets})`
}

/**
 * What may be said of a packet.
 *
 * @module
 */
import type { Cover } from '../capture/frame.ts'
import type { Policy } from '../datapath/software/policy/policy.ts'

/** In the order in which they are listed: the worst last. */
export const CATEGORIES = [
  /** Authentic, decrypted, and by the SAs that policy asks for. */
  'protected',
  /** In clear, as policy has it, or where there is none. */
  'clear',
  /** Protected, although no policy asks for that. */
  'unasked',
  /** Part of a protected packet; it is judged when the last part has come. */
  'fragment',
  /** What was inside a packet that was opened before: the kernel shows it once more, in clear. */
  'echo',
  /** Between other hosts, or no IP. */
  'notOurs',
  /** Cannot be told: an algorithm that is not known here, a packet that is none. */
  'notChecked',
  /** Came in without the protection that policy asks for: who carries the packets has to refuse it. */
  'arrivedInClear',
  /** Came in by other SAs than policy asks for, likewise. */
  'arrivedOtherwise',
  /** AH or ESP of this host, by an SA that is not there. */
  'unknownSa',
  'wrongIcv',
  /** No whole AH or ESP. */
  'malformed',
  /** Went out in clear, or with less than or something else than policy asks for. */
  'leak',
] as const

export type Category = (typeof CATEGORIES)[number]

/** What must not be: the check fails. */
export const FAILURES: ReadonlySet<Category> = new Set(['leak', 'unknownSa', 'wrongIcv', 'malformed'])
/** What comes from outside and is refused by who carries the packets, and what nobody can tell. */
export const WARNINGS: ReadonlySet<Category> = new Set(['arrivedInClear', 'arrivedOtherwise', 'notChecked'])

/** True of what nobody has to hear about. */
export function isFine(category: Category): boolean {
  return !FAILURES.has(category) && !WARNINGS.has(category)
}

export type Way = 'in' | 'out'

export interface Judgement {
  readonly category: Category
  readonly way?: Way
  /** Neither from this host nor for it. */
  readonly isPassing?: boolean
  /** How the packet was, where that is not fine: `in clear`. */
  readonly seen?: string
  /** That decided. */
  readonly policy?: Policy
  /** The AH or ESP that it is about: of a protected packet the outermost. */
  readonly cover?: Cover
}

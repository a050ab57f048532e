/**
 * Where our policies stand among all others: XFRM priority numbers, smallest first.
 *
 * Solaris ranks rules by class (bypass, AH+ESP, ESP, AH, drop), and by order of appearance within a class. Each
 * class has a band of 2^28 numbers; a rule's place within it is its position times {@link SLOTS}, so that its
 * satellites fit in between. Bands start above the numbers that strongSwan and Libreswan use (below 2^20), so
 * their more specific policies keep winning.
 *
 * @module
 */
import type { Action } from '../model/policy.ts'

/** Priorities that one position takes: the rule itself and what belongs right before and after it. */
export const SLOTS = 8

/** Distance between the positions of neighbouring rules, so that later ones can go between. */
const POSITION_STEP = 64

/** First position; below it there is room to insert. */
const FIRST_POSITION = POSITION_STEP

/** Positions must stay below this to keep to their band. */
export const MAX_POSITION = 0x1000_0000 / SLOTS - 1

/** Offsets from a position's base priority, in the order in which the kernel must ask. */
export const SLOT_EXCEPTION = 0
export const SLOT_SATELLITE = 1
export const SLOT_WIDE_SATELLITE = 2
export const SLOT_RULE = 3
export const SLOT_REFUSE = 4

/** First priority of each band. */
export const BAND = {
  /** Refuses packets of SAs that satisfy no rule at all, before any rule is looked at. */
  guard: 0x0900_0000,
  /** Keeps established connections under the policy that they began under. */
  pin: 0x0980_0000,
  /** What must never be caught by a rule: neighbour discovery, IKE, own addresses. */
  system: 0x0a00_0000,
  bypass: 0x1000_0000,
  ahEsp: 0x2000_0000,
  esp: 0x3000_0000,
  ah: 0x4000_0000,
  drop: 0x5000_0000,
  /** Refuses protected packets that no rule asked for. */
  fence: 0x7000_0000,
} as const

/**
 * The band of a rule: the boosts of all its alternatives together (ipsecconf(8): one `or pass` lifts the whole
 * rule into the bypass class).
 */
export function bandOf(actions: readonly Action[]): number {
  let ah = false
  let esp = false
  for (const action of actions) {
    if (action.kind === 'bypass') return BAND.bypass
    if (action.kind === 'protect') {
      ah ||= action.protection.ah !== undefined
      esp ||= action.protection.esp !== undefined
    }
  }
  if (ah && esp) return BAND.ahEsp
  if (esp) return BAND.esp
  return ah ? BAND.ah : BAND.drop
}

/** Base priority of a position in a band. */
export function priorityOf(band: number, position: number): number {
  if (position < 1 || position > MAX_POSITION)
    throw new RangeError(`policy position ${position} out of range`)
  return band + position * SLOTS
}

/** The position that a priority number of ours belongs to; `undefined` outside the rule bands. */
export function positionOf(priority: number): number | undefined {
  if (priority < BAND.bypass || priority >= BAND.fence) return undefined
  return Math.floor((priority & 0x0fff_ffff) / SLOTS)
}

/**
 * Positions for a new order of rules that keep as many old ones as possible, so that a small edit is a small
 * change in the kernel.
 *
 * @param old for each rule of the new order, the position that it had, or `undefined` for a new rule
 * @returns strictly increasing positions, one a rule
 */
export function assignPositions(old: readonly (number | undefined)[]): number[] {
  const kept = longestIncreasing(old)
  const result = new Array<number>(old.length)
  let previous = 0
  let i = 0
  while (i < old.length) {
    const own = kept[i] ? old[i] : undefined
    if (own !== undefined) {
      result[i++] = previous = own
      continue
    }
    let end = i
    while (end < old.length && !kept[end]) end++
    const next = end < old.length ? old[end] : undefined
    const count = end - i
    const step =
      next === undefined
        ? POSITION_STEP
        : Math.min(POSITION_STEP, Math.floor((next - previous) / (count + 1)))
    if (step < 1 || previous + step * count > MAX_POSITION) return renumber(old.length)
    for (let k = 1; i < end; k++) result[i++] = previous + step * k
    previous = result[end - 1] ?? previous
  }
  return result
}

function renumber(count: number): number[] {
  const step = Math.min(POSITION_STEP, Math.floor(MAX_POSITION / (count + 1)))
  if (step < 1) throw new RangeError(`${count} rules are more than the priority bands can hold`)
  return Array.from({ length: count }, (_, i) => FIRST_POSITION + i * step)
}

/** For each value 1 where it is of a longest strictly increasing subsequence of the defined values, else 0. */
function longestIncreasing(values: readonly (number | undefined)[]): Uint8Array {
  const tails: number[] = []
  const before = new Array<number>(values.length).fill(-1)
  values.forEach((value, i) => {
    if (value === undefined) return
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1
      else high = middle
    }
    before[i] = low > 0 ? (tails[low - 1] ?? -1) : -1
    tails[low] = i
  })
  const kept = new Uint8Array(values.length)
  for (let i = tails[tails.length - 1] ?? -1; i >= 0; i = before[i] ?? -1) kept[i] = 1
  return kept
}

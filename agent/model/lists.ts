/**
 * Lists that may be of any length: as arguments of `push` or `Math.max`, their items would have to fit on the stack, and some
 * hundred thousand do not.
 *
 * @module
 */

/** Adds items at the end of a list. */
export function append<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) list.push(item)
}

/** `Infinity` where there are none. */
export function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
}

/** `-Infinity` where there are none. */
export function greatest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
}

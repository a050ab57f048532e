/**
 * How long to wait between looks that nothing but time asks for. Pure.
 *
 * @module
 */

/** No more than this share of the time is spent in looks of one kind. */
const SHARE = 0.005

/**
 * Milliseconds until the next look.
 *
 * @param usual what it is where looks are short
 * @param took milliseconds of the last one
 */
export function pauseAfter(took: number, usual: number, share = SHARE): number {
  return Math.max(usual, took / share)
}

/**
 * The upper half of an extended sequence number (RFC 4304), of which packets carry the lower half only. A receiver infers
 * it from its window; one who looks on has no window, sees packets late and out of order, and tries.
 *
 * @module
 */
const HALF = 2 ** 31
const TWO_32 = 2 ** 32

/**
 * Upper halves to try, the likeliest first.
 *
 * @param low lower half, of the packet
 * @param last number of the packet that was opened last
 * @param start highest number that the SA's owner told of
 */
export function likelyHighs(low: number, last: number, start: number): number[] {
  const high = Math.floor(last / TWO_32)
  const lastLow = last % TWO_32
  const nearest = low < lastLow - HALF ? high + 1 : low > lastLow + HALF ? high - 1 : high
  const started = Math.floor(start / TWO_32)
  const all = [nearest, high, high + 1, high - 1, started, started + 1, started - 1, 0, 1]
  return [...new Set(all)].filter((one) => one >= 0)
}

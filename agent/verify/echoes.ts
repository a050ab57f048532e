/**
 * Packets that the kernel shows twice: what it takes out of a tunnel's ESP or AH comes in once more, by the same
 * interface, and a packet socket then sees it in clear. It is known by what was opened just before; each opened packet
 * accounts for one in clear.
 *
 * @module
 */
import type { IpHeader } from '../packet/ip-header.ts'

const MOST = 8192
const MOST_ALIKE = 64
/** Milliseconds. It follows at once, but for what other processors do meanwhile. */
const LIFETIME = 1000
/** Ports, and of TCP the sequence number: what is the same where segments were joined, too. */
const LOOKED_AT = 8

export class Echoes {
  /** Until when each is expected, by packet. Those that were expected last are last. */
  readonly #expected = new Map<number, number[]>()

  /** A packet was opened. @param time of its arrival, milliseconds */
  expect(bytes: Uint8Array, ip: IpHeader, time: number): void {
    const key = keyOf(bytes, ip)
    const times = this.#expected.get(key) ?? []
    times.push(time + LIFETIME)
    if (times.length > MOST_ALIKE) times.shift()
    this.#expected.delete(key)
    this.#expected.set(key, times)
    if (this.#expected.size > MOST) this.#expected.delete(this.#expected.keys().next().value ?? 0)
  }

  /** @returns true where this packet in clear is one that was opened before */
  take(bytes: Uint8Array, ip: IpHeader, time: number): boolean {
    const key = keyOf(bytes, ip)
    const times = this.#expected.get(key)?.filter((until) => until >= time) ?? []
    const isOne = times.shift() !== undefined
    if (times.length > 0) this.#expected.set(key, times)
    else this.#expected.delete(key)
    return isOne
  }
}

/** 52 bits of addresses, protocol and the first bytes behind the header. */
function keyOf(bytes: Uint8Array, { version, sourceAt, upperAt, end, protocol }: IpHeader): number {
  let high: number = protocol
  let low: number = version
  const mix = (byte: number) => {
    high = Math.imul(high ^ byte, 0x01000193)
    low = Math.imul(low + byte, 0x85ebca6b) ^ (low >>> 13)
  }
  for (let i = 0; i < (version === 4 ? 8 : 32); i++) mix(bytes[sourceAt + i] ?? 0)
  for (let at = upperAt; at < end && at < upperAt + LOOKED_AT; at++) mix(bytes[at] ?? 0)
  return (high >>> 6) * 2 ** 26 + (low >>> 6)
}

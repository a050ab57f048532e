/**
 * The anti-replay window (RFC 4303 section 3.4.3 and appendix A, RFC 4304), exact to the packet as the kernel's is: a
 * ring of bits in which each number of the window has a place of its own.
 *
 * @module
 */

/** Why a number is refused: the counters of `xfrm_stats`. */
export const FRESH = 0
export const TOO_OLD = 1
export const SEEN = 2
/** 0 is never sent, nor is what cannot be counted exactly: see {@link LAST_EXTENDED_SEQUENCE}. */
export const NEVER_SENT = 3
export type ReplayVerdict = typeof FRESH | typeof TOO_OLD | typeof SEEN | typeof NEVER_SENT

/** JavaScript counts exactly up to here. At ten million packets a second it takes 28 years. */
export const LAST_EXTENDED_SEQUENCE = Number.MAX_SAFE_INTEGER

const WORD = 32
const TWO_32 = 0x1_0000_0000

/** A window; `size` 0 means that nothing is checked. */
export class ReplayWindow {
  /** Numbers behind the highest one that are still accepted, itself included. */
  readonly size: number
  readonly extended: boolean
  /** The highest number that was accepted. At most {@link LAST_EXTENDED_SEQUENCE}. */
  #highest: number
  /** A power of two of bits, so that the ring goes on when 32-bit numbers do. */
  readonly #ring: Uint32Array
  readonly #mask: number

  /**
   * @param size at most 4096
   * @param highest numbers up to this one count as never seen where `seen` does not say otherwise
   */
  constructor(size: number, extended: boolean, highest = 0) {
    let bits = WORD
    while (bits < size) bits *= 2
    this.size = size
    this.extended = extended
    this.#ring = new Uint32Array(bits / WORD)
    this.#mask = bits - 1
    this.#highest = highest
  }

  get highest(): number {
    return this.#highest
  }

  /**
   * The whole number that a packet's 32 bits stand for. Without extended numbers, these bits themselves (RFC 4303
   * appendix A2.1: the half is chosen that puts the number nearest to the window).
   */
  wholeNumber(low: number): number {
    if (!this.extended) return low
    const top = this.#highest % TWO_32
    const half = (this.#highest - top) / TWO_32
    const bottom = top - this.size + 1
    if (bottom >= 0) return (low < bottom ? half + 1 : half) * TWO_32 + low
    // The window reaches back into the half before.
    return (low >= bottom + TWO_32 && half > 0 ? half - 1 : half) * TWO_32 + low
  }

  /** Whether this number may be accepted. To be asked before the ICV is checked, and again after. */
  check(number: number): ReplayVerdict {
    if (this.size === 0) return FRESH
    if (number === 0 || number > LAST_EXTENDED_SEQUENCE) return NEVER_SENT
    if (number > this.#highest) return FRESH
    if (this.#highest - number >= this.size) return TOO_OLD
    return this.#has(number) ? SEEN : FRESH
  }

  /** Remembers a number that {@link check} let pass and whose packet was authentic. */
  accept(number: number): void {
    if (this.size === 0) return
    if (number > this.#highest) this.#advance(number)
    const bit = this.#place(number)
    const word = bit >>> 5
    this.#ring[word] = (this.#ring[word] ?? 0) | (1 << (bit & 31))
  }

  /** True for a number of the window that was accepted. */
  #has(number: number): boolean {
    const bit = this.#place(number)
    return ((this.#ring[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0
  }

  #place(number: number): number {
    return ((number % TWO_32) & this.#mask) >>> 0
  }

  #advance(number: number): void {
    if (number - this.#highest > this.#mask) this.#ring.fill(0)
    else for (let n = this.#highest + 1; n < number; n++) this.#clear(n)
    this.#clear(number)
    this.#highest = number
  }

  #clear(number: number): void {
    const bit = this.#place(number)
    const word = bit >>> 5
    this.#ring[word] = (this.#ring[word] ?? 0) & ~(1 << (bit & 31))
  }

  /**
   * The bitmap of `xfrm_replay_state_esn`: `size` bits in words, in the kernel's ring order, in which number n lies at
   * bit (n - 1) modulo `size`.
   */
  toKernelBitmap(): number[] {
    const words = new Uint32Array(Math.ceil(this.size / WORD))
    for (let back = 0; back < this.size && back < this.#highest; back++) {
      const number = this.#highest - back
      if (!this.#has(number)) continue
      const bit = (number - 1) % this.size
      words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
    return [...words]
  }

  /** Takes a bitmap in the form of {@link toKernelBitmap} over. */
  readKernelBitmap(words: readonly number[], highest: number): void {
    this.#highest = highest
    this.#ring.fill(0)
    for (let back = 0; back < this.size && back < highest; back++) {
      const number = highest - back
      const bit = (number - 1) % this.size
      if (((words[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) {
        const place = this.#place(number)
        this.#ring[place >>> 5] = (this.#ring[place >>> 5] ?? 0) | (1 << (place & 31))
      }
    }
  }

  /** The bitmap of `xfrm_replay_state`: bit n is the number n before the highest. */
  toLegacyBitmap(): number {
    let bitmap = 0
    for (let back = 0; back < WORD && back < this.#highest; back++) {
      if (back < this.size && this.#has(this.#highest - back)) bitmap |= 1 << back
    }
    return bitmap >>> 0
  }

  /** Takes a bitmap in the form of {@link toLegacyBitmap} over. */
  readLegacyBitmap(bitmap: number, highest: number): void {
    this.#highest = highest
    this.#ring.fill(0)
    for (let back = 0; back < WORD && back < highest; back++) {
      if (((bitmap >>> back) & 1) === 0) continue
      const place = this.#place(highest - back)
      this.#ring[place >>> 5] = (this.#ring[place >>> 5] ?? 0) | (1 << (place & 31))
    }
  }
}

/**
 * Key material. A key is not a string: it prints as `<redacted>` wherever a program might print it by
 * accident (template strings, `console.log`, `JSON.stringify`, `util.inspect`), is compared in constant time,
 * and can be wiped.
 *
 * @module
 */
const inspect = Symbol.for('nodejs.util.inspect.custom')

/** Secret bytes with a length in bits. */
export class Secret {
  readonly #bytes: Uint8Array
  /** Length of the key in bits; the last byte is zero-padded on the right. */
  readonly bits: number

  /**
   * @param bytes the key, taken over (not copied): the caller gives up the array
   * @param bits  defaults to all bits of `bytes`
   */
  constructor(bytes: Uint8Array, bits: number = bytes.length * 8) {
    if (bits < 0 || Math.ceil(bits / 8) !== bytes.length) {
      throw new RangeError(`a key of ${bits} bits needs ${Math.ceil(bits / 8)} bytes, not ${bytes.length}`)
    }
    this.#bytes = bytes
    this.bits = bits
  }

  /** The raw bytes, for the one place that hands them to the kernel or a cipher. Not a copy. */
  reveal(): Uint8Array {
    return this.#bytes
  }

  /** Constant-time comparison (for equal lengths). */
  equals(other: Secret): boolean {
    if (this.bits !== other.bits) return false
    const theirs = other.#bytes
    let difference = 0
    for (let i = 0; i < this.#bytes.length; i++) difference |= (this.#bytes[i] ?? 0) ^ (theirs[i] ?? 0)
    return difference === 0
  }

  /** Overwrites the key with zeros. */
  wipe(): void {
    this.#bytes.fill(0)
  }

  toString(): string {
    return '<redacted>'
  }

  toJSON(): string {
    return '<redacted>'
  }

  [inspect](): string {
    return `Secret(${this.bits} bits, <redacted>)`
  }
}

/**
 * Lines of a key file: every algorithm, and whatever else an SA can have.
 *
 * @module
 */
import { FLAG_COMBINED, PROTOCOL_AH } from '../../../../../agent/model/algorithm.ts'
import { ALGORITHM_NULL, defaultAlgorithmTable } from '../../../../../agent/model/default-algorithms.ts'
import { allKeyBits } from '../../../../../agent/model/key-sizes.ts'
import { key } from './support.ts'

export const V4 = 'src 192.0.2.1 dst 192.0.2.2'
export const V6 = 'src 2001:db8::2 dst 2001:db8::1'

/** One file: each SA has the next SPI, and keys of its own. */
export class KeyLines {
  #count = 0

  /** That of the last line. */
  get spi(): number {
    return 0x1000 + this.#count
  }

  add(protocol: string, rest: string): string {
    this.#count += 1
    return `add ${protocol} spi ${this.spi} ${rest}`
  }

  sha256(): string {
    return `auth_alg sha256 authkey ${key(2 * this.#count, 256)}`
  }

  aes(): string {
    return `encr_alg aes encrkey ${key(2 * this.#count + 1)} ${this.sha256()}`
  }

  /** Every row of the table, in each of AH and ESP that it belongs to. @param most key sizes of each; absent: all */
  *everyAlgorithm(most?: number): Generator<string> {
    for (const { number, protocol, keySizes, flags, parameters } of defaultAlgorithmTable.algorithms) {
      const salt = (parameters?.salt ?? 0) * 8
      const sizes = number === ALGORITHM_NULL && protocol !== PROTOCOL_AH ? [0] : allKeyBits(keySizes)
      for (const bits of sizes.slice(0, most)) {
        const digits = key(10_000 + this.#count, bits + salt)
        if (protocol === PROTOCOL_AH) {
          yield this.add('ah', `${V4} auth_alg ${number} authkey ${digits}`)
          yield this.add('esp', `${V6} auth_alg ${number} authkey ${digits}`)
        } else {
          const reserved = salt ? `reserved_bits ${salt}` : ''
          const cipher = bits ? `encr_alg ${number} ${reserved} encrkey ${digits}` : `encr_alg ${number}`
          yield this.add('esp', `${V4} ${cipher} ${flags & FLAG_COMBINED ? '' : this.sha256()}`)
        }
      }
    }
  }
}

/**
 * Initialization vectors that no key ever sees twice, whatever happens: an SA may be deleted and added again with the
 * same key, the program may be killed, the host may reboot.
 *
 * A vector is a 64-bit number: one bit that differs between the two hosts of an SA (people give both directions the
 * same key), 45 bits of an epoch, 18 bits that count. Each user of a key takes an epoch of its own, which nobody else
 * ever gets: epochs follow the clock, at 4096 a second, and where the clock stands still or goes back, the last one that
 * was written down.
 *
 * @module
 */
import { ReservedCounter, type WriteMark } from './reservation.ts'

const COUNT_BITS = 18
const COUNT_LIMIT = 2 ** COUNT_BITS
const EPOCHS_A_SECOND = 4096
const EPOCH_LIMIT = 2 ** 45 - 1
/** Half a minute's worth between two writings. */
const EPOCH_BLOCK = 30 * EPOCHS_A_SECOND
/** 2025-01-01; 45 bits then last for 272 years. */
const BEGINNING_SECONDS = 1735689600

/** When an epoch is due by the clock, in milliseconds since 1970. */
export function epochTime(epoch: number): number {
  return (BEGINNING_SECONDS + epoch / EPOCHS_A_SECOND) * 1000
}

/** Where epochs come from; one for all SAs. */
export class IvEpochs {
  readonly #counter: ReservedCounter

  /**
   * @param mark the last mark that a program before wrote down; 0 where there was none
   * @param nowMs the clock, in milliseconds since 1970
   */
  constructor(mark: number, nowMs: number, write: WriteMark) {
    const byClock = Math.floor((nowMs / 1000 - BEGINNING_SECONDS) * EPOCHS_A_SECOND)
    this.#counter = new ReservedCounter(Math.max(mark, byClock, 0), EPOCH_LIMIT, EPOCH_BLOCK, write)
  }

  take(): number {
    const epoch = this.#counter.take()
    if (epoch === 0) throw new RangeError('no initialization vectors are left')
    return epoch
  }
}

/** The vectors of one SA. */
export class IvSource {
  readonly #epochs: IvEpochs
  readonly #side: 0 | 1
  #epoch = 0
  #count = COUNT_LIMIT

  /** @param side differs between the two hosts that use the key */
  constructor(epochs: IvEpochs, side: 0 | 1) {
    this.#epochs = epochs
    this.#side = side
  }

  /** Writes the next vector; one longer than 8 bytes begins with zeros. */
  write(view: DataView, at: number, length: number): void {
    if (this.#count >= COUNT_LIMIT) {
      this.#epoch = this.#epochs.take()
      this.#count = 0
    }
    const count = this.#count++
    for (let i = 0; i < length - 8; i += 4) view.setUint32(at + i, 0)
    const lowEpoch = this.#epoch % 2 ** 14
    const highEpoch = (this.#epoch - lowEpoch) / 2 ** 14
    view.setUint32(at + length - 8, ((this.#side << 31) | highEpoch) >>> 0)
    view.setUint32(at + length - 4, lowEpoch * COUNT_LIMIT + count)
  }
}

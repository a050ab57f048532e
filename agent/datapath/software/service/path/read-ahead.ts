/**
 * What the device has given and is not sent yet. In the device, all wait in one line; here, single packets pass by the
 * long pieces of busy connections, so that a question is not held up by somebody's download. The packets of one
 * connection stay in their order.
 *
 * @module
 */
import type { Memory } from '../../../../../netlink/codec/memory.ts'
import { V4_LENGTH, V6_LENGTH } from '../../../../packet/protocols.ts'
import { newVirtioHeader, segmentation, type VirtioHeader } from '../../offload/virtio-header.ts'

/** A long piece has as many packets, about: each sort gets half of the time when there is much of both. */
const SINGLES_IN_A_ROW = 32
const V4_PROTOCOL = 9
const V6_PROTOCOL = 6
const PORTS_LENGTH = 4

/** A packet, or several that have but one header. */
export interface Piece {
  readonly at: number
  end: number
  readonly header: VirtioHeader
  /** Equal for all packets of a connection. */
  connection: number
}

/** Reads the next piece, so that it begins at `at`. @returns where it ends; 0 where there is none */
type Read = (at: number, into: VirtioHeader) => number

export class ReadAhead {
  readonly #memory: Memory
  readonly #free: Piece[]
  readonly #singles: Piece[] = []
  readonly #bulk: Piece[] = []
  #singlesInARow = 0

  /** @param places of `memory` where a piece of any length may begin */
  constructor(memory: Memory, places: readonly number[]) {
    this.#memory = memory
    this.#free = places.map((at) => ({ at, end: 0, header: newVirtioHeader(), connection: 0 }))
  }

  get isEmpty(): boolean {
    return this.#singles.length === 0 && this.#bulk.length === 0
  }

  /** Reads until there is nothing more, or no place. */
  fill(read: Read): void {
    for (let piece = this.#free.at(-1); piece; piece = this.#free.at(-1)) {
      piece.end = read(piece.at, piece.header)
      if (piece.end === 0) return
      this.#free.pop()
      piece.connection = connectionOf(this.#memory.bytes, piece.at)
      const isBulk = piece.header.kind !== segmentation.NONE || isOf(piece.connection, this.#bulk)
      if (isBulk) this.#bulk.push(piece)
      else this.#singles.push(piece)
    }
  }

  /** What is to be sent next. It stays where it is until it is given back to {@link done}. */
  take(): Piece | undefined {
    const isTurnOfBulk = this.#singles.length === 0 || this.#isOverdue()
    this.#singlesInARow = isTurnOfBulk ? 0 : this.#singlesInARow + 1
    return isTurnOfBulk ? this.#bulk.shift() : this.#singles.shift()
  }

  /** Whether a long piece has waited long, and for nothing of its own connection. */
  #isOverdue(): boolean {
    const next = this.#singlesInARow >= SINGLES_IN_A_ROW ? this.#bulk[0] : undefined
    return next !== undefined && !isOf(next.connection, this.#singles)
  }

  done(piece: Piece): void {
    this.#free.push(piece)
  }
}

function isOf(connection: number, pieces: readonly Piece[]): boolean {
  for (const piece of pieces) if (piece.connection === connection) return true
  return false
}

/** Mixes addresses, protocol and ports. Two connections of one number merely wait for each other. */
function connectionOf(bytes: Uint8Array, at: number): number {
  const isV4 = (bytes[at] ?? 0) >> 4 === 4
  const length = isV4 ? V4_LENGTH : V6_LENGTH
  const protocol = bytes[at + (isV4 ? V4_PROTOCOL : V6_PROTOCOL)] ?? 0
  const addresses = mix(protocol, bytes, at + (isV4 ? 12 : 8), at + length)
  const isFragment = isV4 && (((bytes[at + 6] ?? 0) & 0x3f) | (bytes[at + 7] ?? 0)) !== 0
  if (isFragment) return addresses
  const ports = at + (isV4 ? ((bytes[at] ?? 0) & 0x0f) * 4 : length)
  return mix(addresses, bytes, ports, ports + PORTS_LENGTH)
}

/** Fowler, Noll and Vo's hash. */
function mix(start: number, bytes: Uint8Array, from: number, until: number): number {
  let mixed = start
  for (let at = from; at < until; at++) mixed = Math.imul(mixed ^ (bytes[at] ?? 0), 0x01000193)
  return mixed
}

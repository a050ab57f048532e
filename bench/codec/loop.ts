/**
 * One SA's two ends in one process: packets are sealed and opened again, nothing else.
 *
 * @module
 */
import type { AlgorithmAttributes } from '../../agent/datapath/software/crypto/keying.ts'
import { cryptoBackend } from '../../agent/datapath/software/crypto/select.ts'
import { espHeaderLength, openEsp, sealEsp } from '../../agent/datapath/software/esp.ts'
import { IvEpochs } from '../../agent/datapath/software/state/iv-source.ts'
import { State } from '../../agent/datapath/software/state/state.ts'
import { HEADROOM, TAILROOM } from '../../agent/packet/packet.ts'
import { IPPROTO_TCP } from '../../agent/packet/protocols.ts'
import { allocateArena } from '../../netlink/libc/arena.ts'
import { mode, proto } from '../../netlink/xfrm/constants.ts'
import { defaultState } from '../../netlink/xfrm/defaults.ts'

const WINDOW = 64

export class EspLoop {
  readonly #sender: State
  readonly #receiver: State
  readonly #arena
  readonly #length: number
  readonly #opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }

  /** @param length of the payload, bytes */
  constructor(attributes: AlgorithmAttributes, length: number) {
    this.#length = length
    this.#arena = allocateArena(HEADROOM + length + TAILROOM)
    this.#sender = stateOf(attributes)
    this.#receiver = stateOf(attributes)
  }

  /** Seals `count` packets. @returns where the last one ends */
  seal(count: number): number {
    let end = 0
    for (let i = 0; i < count; i++) {
      end = sealEsp(this.#sender, this.#arena, HEADROOM, HEADROOM + this.#length, IPPROTO_TCP, 0)
    }
    return end
  }

  /** Seals and opens `count` packets. @throws Error where one does not come out again */
  sealAndOpen(count: number): void {
    const espAt = HEADROOM - espHeaderLength(this.#sender)
    for (let i = 0; i < count; i++) {
      const failure = openEsp(this.#receiver, this.#arena, espAt, this.seal(1), this.#opened)
      if (failure) throw new Error(`a packet was refused: ${failure}`)
    }
  }

  close(): void {
    this.#sender.destroy()
    this.#receiver.destroy()
  }
}

function stateOf(attributes: AlgorithmAttributes): State {
  const replay_esn_val = {
    bmp_len: WINDOW / 32,
    oseq: 0,
    seq: 0,
    oseq_hi: 0,
    seq_hi: 0,
    replay_window: WINDOW,
    bmp: [0, 0],
  }
  const body = { ...defaultState(), mode: mode.TRANSPORT }
  return new State(
    {
      body: { ...body, id: { ...body.id, spi: 0x1000, proto: proto.ESP } },
      attributes: { ...attributes, replay_esn_val },
    },
    {
      backend: cryptoBackend(),
      epochs: new IvEpochs(0, Date.now(), () => {}),
      now: Math.floor(Date.now() / 1000),
      remember: () => {},
    },
  )
}

/**
 * A security association of the software data path: what XFRM said that it is, and what it has come to since.
 *
 * @module
 */

import type { XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import { mode, proto, stateFlag } from '../../../../netlink/xfrm/constants.ts'
import { wipeKeys } from '../../../../netlink/xfrm/keys.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { LifetimeCfg, UsersaInfo } from '../../../../netlink/xfrm/structs.ts'
import { type PaddingCheck, paddingCheckOf } from '../../../model/padding-check.ts'
import type { Backend } from '../crypto/backend.ts'
import type { EspTransform, KeyedMac } from '../crypto/esp-transform.ts'
import { espTransform, keyMac } from '../crypto/keying.ts'
import { type IvEpochs, IvSource } from './iv-source.ts'
import { HARD, type LifeStage, type Limits, limitsOf, stageByAmount, type Usage } from './lifetime.ts'
import { LAST_EXTENDED_SEQUENCE, ReplayWindow } from './replay-window.ts'
import { ReservedCounter } from './reservation.ts'

const LAST_SEQUENCE = 0xffff_ffff
/** Numbers to be sent that are lost at most when the program is killed … */
const SENDING_BLOCK = 65536
/** … and packets received after that are. */
const RECEIVING_BLOCK = 128

/** What an SA gets from the program around it. */
export interface StateSurroundings {
  readonly backend: Backend
  readonly epochs: IvEpochs
  /** Seconds since 1970. */
  readonly now: number
  /**
   * Writes down, where a program started after a crash finds it, that all sequence numbers up to these count as sent and
   * as seen.
   */
  readonly remember: (state: State, sent: number, seen: number) => void
}

/** An SA, in both roles: only where it lies tells whether it is for sending or for receiving. */
export class State {
  /** As XFRM gave it, without what only time and traffic tell: that stands in the fields below. */
  body: UsersaInfo
  attributes: XfrmAttributes
  readonly isTunnel: boolean
  readonly isExtended: boolean
  readonly paddingCheck: PaddingCheck
  readonly sequence: ReservedCounter
  readonly replay: ReplayWindow
  readonly iv: IvSource
  readonly usage: Usage
  /** `xfrm_stats`. */
  readonly failures = { replayWindow: 0, replay: 0, integrity: 0 }
  limits: Limits
  isDead = false
  /** The soft expiry has been announced. */
  isDying = false
  readonly #backend: Backend
  readonly #remember: StateSurroundings['remember']
  readonly #lastNumber: number
  /** Sequence numbers up to this one count as seen by whoever comes after a crash. */
  #seenMark: number
  #sealing: EspTransform | undefined
  #opening: EspTransform | undefined
  #mac: KeyedMac | undefined

  constructor(
    { body, attributes }: Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>,
    from: StateSurroundings,
  ) {
    const { ltime_val: past } = attributes
    this.body = body
    this.attributes = attributes
    this.isTunnel = body.mode === mode.TUNNEL
    this.paddingCheck = paddingCheckOf(attributes.sa_extra_flags ?? 0)
    this.isExtended = (body.flags & stateFlag.ESN) !== 0
    const { sent } = sequencesOf(attributes)
    this.#lastNumber = this.isExtended ? LAST_EXTENDED_SEQUENCE : LAST_SEQUENCE
    this.#remember = from.remember
    this.sequence = new ReservedCounter(sent, this.#lastNumber, SENDING_BLOCK, (mark) => {
      from.remember(this, mark, this.#seenMark)
    })
    this.replay = replayWindow(this)
    this.#seenMark = this.replay.highest
    this.iv = new IvSource(from.epochs, sideOf(body))
    this.usage = {
      bytes: Number(past?.bytes ?? 0n),
      packets: Number(past?.packets ?? 0n),
      addTime: Number(past?.add_time ?? 0n) || from.now,
      useTime: Number(past?.use_time ?? 0n),
      lastUsed: 0,
    }
    this.limits = limitsOf(body.lft)
    this.#backend = from.backend
  }

  /** The transform for sending. Keyed at the first packet: most SAs of a large set never see one. */
  get sealing(): EspTransform {
    this.#sealing ??= espTransform(this.attributes, 'encrypt', this.#backend)
    return this.#sealing
  }

  /** The transform for receiving. */
  get opening(): EspTransform {
    this.#opening ??= espTransform(this.attributes, 'decrypt', this.#backend)
    return this.#opening
  }

  /** AH's integrity code. */
  get mac(): KeyedMac {
    this.#mac ??= keyMac(this.attributes, this.#backend)
    if (!this.#mac) throw new TypeError('AH without an integrity algorithm')
    return this.#mac
  }

  /**
   * Keys a transform, to see that it can be had, and lets it go again.
   *
   * @throws UnsupportedAlgorithmError
   */
  verifyAlgorithms(): void {
    if (this.body.id.proto === proto.AH) this.mac.mac.destroy()
    else this.opening.destroy()
    this.#mac = undefined
    this.#opening = undefined
  }

  /** Remembers the number of an authentic packet, so that it is not taken a second time. */
  accept(number: number): void {
    const { replay } = this
    replay.accept(number)
    if (replay.size === 0 || number <= this.#seenMark) return
    // A mark beyond the last number would be written down as a small one.
    this.#seenMark = Math.min(number + RECEIVING_BLOCK, this.#lastNumber)
    this.#remember(this, this.sequence.mark, this.#seenMark)
  }

  /** Counts a packet. @param now seconds since 1970 */
  use(bytes: number, now: number): void {
    const { usage } = this
    usage.bytes += bytes
    usage.packets++
    if (usage.useTime === 0) usage.useTime = now
    usage.lastUsed = now
  }

  /** See {@link StateSurroundings.remember}. */
  get seenMark(): number {
    return this.#seenMark
  }

  /** How far the limits on bytes and packets are. A dead SA is at its end. */
  stage(): LifeStage {
    return this.isDead ? HARD : stageByAmount(this.limits, this.usage)
  }

  /** What an update may change of an SA that is in use: its limits, its encapsulation, its mark. */
  update(lft: LifetimeCfg, { encap, set_mark, set_mark_mask }: XfrmAttributes): void {
    this.body = { ...this.body, lft }
    const mark = set_mark === undefined ? {} : { set_mark, set_mark_mask: set_mark_mask ?? 0xffffffff }
    this.attributes = { ...this.attributes, ...(encap && { encap }), ...mark }
    this.limits = limitsOf(lft)
    this.isDying = false
  }

  /**
   * Sets the sequence numbers, of which those sent go up only, and what the SA was used for.
   *
   * @throws RangeError where a number would be used again, or cannot be counted
   */
  setCounters(numbers: XfrmAttributes): void {
    const { replay_val: plain, replay_esn_val: esn, ltime_val: past } = numbers
    const { sent, seen } = sequencesOf(numbers)
    if (!areCountable(numbers)) throw new RangeError(UNCOUNTABLE)
    this.sequence.skipTo(sent)
    if (esn) this.replay.readKernelBitmap(esn.bmp, this.isExtended ? seen : esn.seq)
    else this.replay.readLegacyBitmap(plain?.bitmap ?? 0, seen)
    this.#seenMark = this.replay.highest
    if (!past) return
    const { usage } = this
    usage.bytes = Number(past.bytes)
    usage.packets = Number(past.packets)
    usage.addTime = Number(past.add_time)
    usage.useTime = Number(past.use_time)
  }

  /** Takes the SA out of use and wipes its keys. */
  destroy(): void {
    this.isDead = true
    this.#sealing?.destroy()
    this.#opening?.destroy()
    this.#mac?.mac.destroy()
    wipeKeys(this)
  }
}

/** The window that the SA's attributes ask for, with what was received before. */
function replayWindow({ body, attributes, isExtended }: Pick<State, 'body' | 'attributes' | 'isExtended'>) {
  const { replay_val: plain, replay_esn_val: esn } = attributes
  if (!esn) {
    const window = new ReplayWindow(body.replay_window, false)
    window.readLegacyBitmap(plain?.bitmap ?? 0, plain?.seq ?? 0)
    return window
  }
  const window = new ReplayWindow(esn.replay_window, isExtended)
  window.readKernelBitmap(esn.bmp, isExtended ? sequencesOf(attributes).seen : esn.seq)
  return window
}

/** Why an SA is refused that is not {@link areCountable}. */
export const UNCOUNTABLE = 'sequence numbers from 2⁵³ on are not supported by the software data path'

/** Whether the last numbers sent and received can be counted on from. */
export function areCountable(attributes: XfrmAttributes): boolean {
  const { sent, seen } = sequencesOf(attributes)
  return Math.max(sent, seen) <= LAST_EXTENDED_SEQUENCE
}

/** The last numbers sent and received. */
function sequencesOf({ replay_val: plain, replay_esn_val: esn }: XfrmAttributes) {
  return esn
    ? { sent: esn.oseq_hi * 2 ** 32 + esn.oseq, seen: esn.seq_hi * 2 ** 32 + esn.seq }
    : { sent: plain?.oseq ?? 0, seen: plain?.seq ?? 0 }
}

/** The two hosts of an SA see its addresses the same way round: whoever sends from the smaller one is side 0. */
function sideOf({ saddr, id: { daddr } }: UsersaInfo): 0 | 1 {
  for (let i = 0; i < 16; i++) {
    const difference = (saddr[i] ?? 0) - (daddr[i] ?? 0)
    if (difference !== 0) return difference < 0 ? 0 : 1
  }
  return 0
}

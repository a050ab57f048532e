/**
 * SAs as the messages in which XFRM tells of them.
 *
 * @module
 */
import type { ReplayStateEsn, XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { LifetimeCur, UsersaInfo } from '../../../../netlink/xfrm/structs.ts'
import type { State } from '../state/state.ts'

const TWO_32 = 2 ** 32

/** The SA as it is now. */
export function stateMessage(state: State): XfrmMessage<'NEWSA'> {
  return { name: 'NEWSA', body: stateInfo(state), attributes: stateAttributes(state) }
}

/** `xfrm_usersa_info` with the counters of now. */
export function stateInfo({ body, usage, failures }: State): UsersaInfo {
  return {
    ...body,
    curlft: currentLifetime({ usage }),
    stats: {
      replay_window: failures.replayWindow,
      replay: failures.replay,
      integrity_failed: failures.integrity,
    },
  }
}

/** What the SA has been used for. */
function currentLifetime({ usage }: Pick<State, 'usage'>): LifetimeCur {
  return {
    bytes: BigInt(usage.bytes),
    packets: BigInt(usage.packets),
    add_time: BigInt(usage.addTime),
    use_time: BigInt(usage.useTime),
  }
}

function stateAttributes(state: State): XfrmAttributes {
  const { ltime_val: _past, ...attributes } = state.attributes
  return {
    ...attributes,
    ...replayAttributes(state),
    ...(state.usage.lastUsed > 0 && { lastused: BigInt(state.usage.lastUsed) }),
  }
}

/** Sequence numbers and window. */
function replayAttributes({ replay, sequence, attributes }: State): XfrmAttributes {
  const sent = sequence.last
  if (!attributes.replay_esn_val) {
    return { replay_val: { oseq: sent, seq: replay.highest, bitmap: replay.toLegacyBitmap() } }
  }
  return { replay_esn_val: esnValue(sent, replay.highest, replay.size, replay.toKernelBitmap()) }
}

function esnValue(sent: number, seen: number, replay_window: number, bmp: number[]): ReplayStateEsn {
  const halves = (number: number) => [number % TWO_32, Math.floor(number / TWO_32)] as const
  const [oseq, oseq_hi] = halves(sent)
  const [seq, seq_hi] = halves(seen)
  return { bmp_len: bmp.length, oseq, oseq_hi, seq, seq_hi, replay_window, bmp }
}

/** An SA's sequence numbers and what it was used for, as XFRM tells of them. */
export function countersMessage(state: State): XfrmMessage<'NEWAE'> {
  return newAe(state, replayAttributes(state))
}

/** The same for whoever comes after a crash: all numbers up to these count as sent and as seen. */
export function rememberedCounters(state: State, sent: number, seen: number): XfrmMessage<'NEWAE'> {
  const { replay, attributes } = state
  const full = 0xffff_ffff
  if (!attributes.replay_esn_val) return newAe(state, { replay_val: { oseq: sent, seq: seen, bitmap: full } })
  const bmp = replay.toKernelBitmap().map(() => full)
  return newAe(state, { replay_esn_val: esnValue(sent, seen, replay.size, bmp) })
}

function newAe(state: State, replay: XfrmAttributes): XfrmMessage<'NEWAE'> {
  const { id, family, saddr, reqid } = state.body
  return {
    name: 'NEWAE',
    body: { sa_id: { daddr: id.daddr, spi: id.spi, family, proto: id.proto }, saddr, flags: 0, reqid },
    attributes: { ...replay, ltime_val: currentLifetime(state) },
  }
}

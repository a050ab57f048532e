/**
 * The SADB: SAs by what a received packet says, and by what a policy asks for.
 *
 * @module
 */

import { family as af, mode } from '../../../../netlink/xfrm/constants.ts'
import type { UsersaInfo, UserTmpl } from '../../../../netlink/xfrm/structs.ts'
import { type Flow, stateSelectorMatches } from '../../../packet/flow.ts'
import { bytesKey } from '../../../packet/octets.ts'
import type { State } from './state.ts'

/** What names an SA on the wire. */
export interface StateId {
  readonly family: number
  /** 16 bytes. */
  readonly daddr: Uint8Array
  readonly spi: number
  readonly proto: number
}

export class StateTable {
  /** Of SAs with one SPI there are few: they differ in protocol or destination. */
  readonly #bySpi = new Map<number, State[]>()
  /** The newest first. */
  readonly #byPurpose = new Map<string, State[]>()
  readonly #all = new Set<State>()

  get size(): number {
    return this.#all.size
  }

  add(state: State): void {
    const { body } = state
    this.#all.add(state)
    prepend(this.#bySpi, body.id.spi, state)
    prepend(this.#byPurpose, purposeOf(body), state)
  }

  remove(state: State): void {
    const { body } = state
    this.#all.delete(state)
    take(this.#bySpi, body.id.spi, state)
    take(this.#byPurpose, purposeOf(body), state)
  }

  /** All SAs, the oldest first. */
  all(): Iterable<State> {
    return this.#all
  }

  find({ family, daddr, spi, proto }: StateId): State | undefined {
    return this.receiver(family, daddr, 0, spi, proto)
  }

  /**
   * The SA for a received packet.
   *
   * @param daddrAt where the packet's destination begins in `bytes`
   */
  receiver(
    family: number,
    bytes: Uint8Array,
    daddrAt: number,
    spi: number,
    proto: number,
  ): State | undefined {
    const candidates = this.#bySpi.get(spi)
    if (!candidates) return undefined
    const length = family === af.INET ? 4 : 16
    for (const state of candidates) {
      const { body } = state
      if (body.id.proto !== proto || body.family !== family) continue
      let same = true
      for (let i = 0; same && i < length; i++) same = body.id.daddr[i] === bytes[daddrAt + i]
      if (same) return state
    }
    return undefined
  }

  /**
   * The SA that a template of an outbound policy takes: one for the exact source before one for any, one with life
   * before it over one that is dying, then the newest.
   *
   * @param flow the packet, or around a tunnel, the packet of the tunnel
   */
  sender(tmpl: UserTmpl, flow: Flow): State | undefined {
    const isTunnel = tmpl.mode === mode.TUNNEL
    const family = isTunnel ? tmpl.family : flow.family
    const daddr = isTunnel ? tmpl.id.daddr : flow.destination
    const saddr = isTunnel ? tmpl.saddr : flow.source
    const key = (source: Uint8Array) =>
      purposeKey(family, tmpl.id.proto, tmpl.mode, tmpl.reqid, daddr, source)
    return this.#best(key(saddr), tmpl, flow) ?? this.#best(key(ANY), tmpl, flow)
  }

  #best(purpose: string, tmpl: UserTmpl, flow: Flow): State | undefined {
    let best: State | undefined
    for (const state of this.#byPurpose.get(purpose) ?? []) {
      if (state.isDead || (tmpl.id.spi !== 0 && tmpl.id.spi !== state.body.id.spi)) continue
      if (!stateSelectorMatches(state.body.sel, flow)) continue
      const isBetter =
        !best ||
        (best.isDying && !state.isDying) ||
        (best.isDying === state.isDying && best.usage.addTime < state.usage.addTime)
      if (isBetter) best = state
    }
    return best
  }
}

const ANY = new Uint8Array(16)

function purposeOf({ family, id, mode: itsMode, reqid, saddr }: UsersaInfo): string {
  return purposeKey(family, id.proto, itsMode, reqid, id.daddr, saddr)
}

function purposeKey(
  family: number,
  proto: number,
  itsMode: number,
  reqid: number,
  daddr: Uint8Array,
  saddr: Uint8Array,
): string {
  return `${family} ${proto} ${itsMode} ${reqid} ${bytesKey(daddr)}${bytesKey(saddr)}`
}

function prepend<K>(map: Map<K, State[]>, key: K, state: State): void {
  const list = map.get(key)
  if (list) list.unshift(state)
  else map.set(key, [state])
}

function take<K>(map: Map<K, State[]>, key: K, state: State): void {
  const list = map.get(key)
  const at = list?.indexOf(state) ?? -1
  if (!list || at < 0) return
  list.splice(at, 1)
  if (list.length === 0) map.delete(key)
}

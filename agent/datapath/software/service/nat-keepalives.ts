/**
 * When SAs with ESP in UDP are due for a keepalive: those that this host has sent with, and for some time has not (RFC
 * 3948 section 4).
 *
 * @module
 */
import { encapType } from '../../../../netlink/xfrm/constants.ts'
import type { State } from '../state/state.ts'

/** Seconds, where the SA says nothing else: `ipsecesp_nat_keepalive_interval` of Solaris. */
const INTERVAL = 20

export class NatKeepalives {
  /** When the last one was sent. */
  readonly #sent = new WeakMap<State, number>()

  /** The SAs that are due, which count as served with that. @param now seconds since 1970 */
  due(states: Iterable<State>, now: number): State[] {
    const found: State[] = []
    for (const state of states) {
      const { encap, nat_keepalive_interval: interval = INTERVAL } = state.attributes
      if (encap?.encap_type !== encapType.ESPINUDP || interval === 0) continue
      if (state.isDead || state.sequence.last === 0) continue
      const quietSince = Math.max(state.usage.lastUsed, this.#sent.get(state) ?? 0)
      if (now - quietSince < interval) continue
      this.#sent.set(state, now)
      found.push(state)
    }
    return found
  }
}

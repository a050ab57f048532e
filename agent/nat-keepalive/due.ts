/**
 * When SAs of the kernel with ESP in UDP are due for a keepalive: those that this host has sent with, and for some time has
 * not (RFC 3948 section 4). The software data path looks after its own.
 *
 * @module
 */
import { encapType } from '../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { type Address, sameAddress } from '../model/address.ts'
import { isOurState } from '../reconcile/ownership.ts'
import { readAddress } from '../translate/selectors.ts'

type State = Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>

/** Whom a keepalive goes to, and by which ports. */
export interface Keepalive {
  readonly source: Address
  readonly destination: Address
  readonly sourcePort: number
  readonly destinationPort: number
}

/** What was sent is remembered by SPI and destination. */
export class KeepaliveClock {
  #sent = new Map<string, number>()

  /**
   * The SAs that are due, which count as served with that.
   *
   * @param states a dump; those of other programs are theirs
   * @param interval seconds; 0: none
   * @param now seconds since 1970
   */
  due(
    states: readonly State[],
    localAddresses: readonly Address[],
    interval: number,
    now: number,
  ): Keepalive[] {
    const before = this.#sent
    this.#sent = new Map()
    if (interval === 0) return []
    const found: Keepalive[] = []
    for (const state of states) {
      const keepalive = keepaliveOf(state, localAddresses)
      if (!keepalive) continue
      const { body, attributes } = state
      const key = `${body.id.spi} ${String(body.id.daddr)}`
      const sent = before.get(key) ?? 0
      const quietSince = Math.max(Number(attributes.lastused ?? body.curlft.use_time), sent)
      const isDue = now - quietSince >= interval
      if (isDue) found.push(keepalive)
      this.#sent.set(key, isDue ? now : sent)
    }
    return found
  }
}

/** True for an SA that needs them once it is used. */
export function needsKeepalives({ body, attributes }: State, localAddresses: readonly Address[]): boolean {
  const { encap, nat_keepalive_interval: byKernel = 0 } = attributes
  if (encap?.encap_type !== encapType.ESPINUDP || byKernel > 0 || !isOurState(body.reqid)) return false
  const source = readAddress(body.saddr, body.family)
  return localAddresses.some((own) => sameAddress(own, source))
}

/** @returns `undefined` for an SA that needs none: not used yet, not in UDP, not outbound, not ours, or the kernel sends them */
function keepaliveOf(state: State, localAddresses: readonly Address[]): Keepalive | undefined {
  const { body, attributes } = state
  const { encap } = attributes
  if (!encap || body.curlft.packets === 0n || !needsKeepalives(state, localAddresses)) return undefined
  return {
    source: readAddress(body.saddr, body.family),
    destination: readAddress(body.id.daddr, body.family),
    sourcePort: encap.encap_sport,
    destinationPort: encap.encap_dport,
  }
}

/**
 * The ports of fragments that are in clear: only the first one of a packet has them, and policy was asked about the
 * packet as a whole.
 *
 * @module
 */

import type { Flow } from '../packet/flow.ts'
import { readFlow } from '../packet/flow-of.ts'
import type { IpHeader } from '../packet/ip-header.ts'
import { bytesKey } from '../packet/octets.ts'

/** Packets whose fragments may be on the way at one time. */
const MOST = 1024

export class FragmentPorts {
  /** The oldest first. */
  readonly #known = new Map<string, { readonly sport: number; readonly dport: number }>()

  /**
   * Fills in the ports of a fragment's flow.
   *
   * @param flow as `readFlow` made it, without ports
   * @returns false where the first fragment was not seen
   */
  complete(bytes: Uint8Array, ip: IpHeader, flow: Flow): boolean {
    const key = `${ip.identification} ${flow.protocol} ${bytesKey(flow.source)}${bytesKey(flow.destination)}`
    if (ip.fragmentOffset > 0) {
      const ports = this.#known.get(key)
      flow.sport = ports?.sport ?? 0
      flow.dport = ports?.dport ?? 0
      return ports !== undefined
    }
    readFlow(bytes, { ...ip, isFragment: false }, flow)
    this.#known.delete(key)
    this.#known.set(key, { sport: flow.sport, dport: flow.dport })
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value ?? '')
    return true
  }
}

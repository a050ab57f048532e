/**
 * The longest packet that the way to a host takes: as far as the first link tells, and routers behind it have said.
 *
 * @module
 */

import { requestLink, requestPath } from '../../../../netlink/route/request.ts'
import type { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { bytesKey } from '../../../packet/octets.ts'
import { V6_MIN_MTU } from '../../../packet/protocols.ts'
import { OWN } from './marks.ts'

/** Where no route says anything (RFC 894). */
const ETHERNET_MTU = 1500
/** Seconds after which the route is asked for again. */
const FRESH_FOR = 10
/** Seconds after which a router may be asked again by a long packet (RFC 8201 section 5.3; the kernel's `mtu_expires`). */
const LEARNT_FOR = 600
/** The kernel's `min_pmtu`. */
const SMALLEST_V4_MTU = 552
const MOST_REMEMBERED = 4096

/** Good until then, in seconds since 1970; or until it turns out not to hold, and `until` is in the past. */
export interface KnownMtu {
  readonly mtu: number
  until: number
}

export class PathMtu {
  readonly #socket: NetlinkSocket
  readonly #known = new Map<string, KnownMtu>()
  /** What routers have said. */
  readonly #learnt = new Map<string, KnownMtu>()

  /** @param socket of NETLINK_ROUTE; stays the caller's to close */
  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** @param destination 4 or 16 bytes; `now` in seconds */
  to(destination: Uint8Array, now: number): KnownMtu {
    const key = bytesKey(destination)
    const known = this.#known.get(key)
    if (known && now < known.until) return known
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear()
    const learnt = this.#learnt.get(key)
    const most = learnt && now < learnt.until ? learnt.mtu : Number.POSITIVE_INFINITY
    const path = { mtu: Math.min(this.#ask(destination), most), until: now + FRESH_FOR }
    this.#known.set(key, path)
    return path
  }

  /**
   * A router on the way says what it can take. Anybody can say that: less than every link takes is not believed, and
   * more than is known is no news.
   */
  learn(destination: Uint8Array, mtu: number, now: number): void {
    const least = destination.length === 4 ? SMALLEST_V4_MTU : V6_MIN_MTU
    const known = this.to(destination, now)
    if (mtu >= known.mtu) return
    if (this.#learnt.size >= MOST_REMEMBERED) this.#learnt.clear()
    this.#learnt.set(bytesKey(destination), { mtu: Math.max(mtu, least), until: now + LEARNT_FOR })
    this.#known.delete(bytesKey(destination))
    known.until = 0
  }

  /**
   * Of the device, not of what the kernel has learnt about the destination: that is about the packets inside, and comes
   * from ourselves.
   */
  #ask(destination: Uint8Array): number {
    try {
      const oif = requestPath(this.#socket, destination, OWN)?.attributes.oif
      const link = oif === undefined ? undefined : requestLink(this.#socket, oif)
      return link?.attributes.mtu ?? ETHERNET_MTU
    } catch {
      // No route: sending will fail, and say why.
      return ETHERNET_MTU
    }
  }
}

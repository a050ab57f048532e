/**
 * Fragments that come out of a tunnel for this host are put together here, before policy is asked: it is about ports, and
 * only whole packets have them. And the kernel must not do it: it would take a fragment that came in clear for a part of
 * one that was protected, and call the whole by the way that the last one came.
 *
 * @module
 */
import { allocateArena } from '../../../netlink/libc/arena.ts'
import { type IpHeader, parseIp } from '../../packet/ip-header.ts'
import { HEADROOM, type Packet } from '../../packet/packet.ts'
import { LONGEST, V6_LENGTH } from '../../packet/protocols.ts'
import { addFragment, DUPLICATE, HELD, newReassembly, TOO_MUCH } from '../../packet/reassembly.ts'
import type { State } from './state/state.ts'
import type { Counter } from './state/statistics.ts'

/** Seconds, as the clock of the databases counts. */
const TIMEOUT = 60

export class InnerFragments {
  readonly #table = newReassembly({ timeout: TIMEOUT })
  readonly #whole: Packet = { arena: allocateArena(HEADROOM + V6_LENGTH + LONGEST), at: HEADROOM, end: 0 }

  /**
   * @param ip its parsed header; that of the whole packet afterwards
   * @param path the SAs that it came by: parts that came by others are of another packet
   * @returns the whole packet, good until the next one; `held` while parts are missing; or why it is refused
   */
  add(
    packet: Packet,
    ip: IpHeader,
    path: readonly Pick<State, 'body'>[],
    now: number,
  ): Packet | 'held' | Counter {
    const way = path.map(({ body: { id } }) => `${id.proto} ${id.spi}`).join()
    const found = addFragment(this.#table, packet.arena.bytes, ip, now, way)
    if (found === HELD || found === DUPLICATE) return 'held'
    if (typeof found === 'number') return found === TOO_MUCH ? 'XfrmInBufferError' : 'XfrmInHdrError'
    const whole = this.#whole
    whole.arena.bytes.set(found, HEADROOM)
    whole.end = HEADROOM + found.length
    return parseIp(whole.arena.bytes, whole.at, whole.end, ip) ? whole : 'XfrmInHdrError'
  }
}

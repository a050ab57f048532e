/**
 * What passes whatever the rules say: the frame around them in Solaris's terms.
 *
 * @module
 */
import type { Address } from '../model/address.ts'
import type { ClearMessages } from '../translate/frame.ts'
import { isWithItself, type Packet, type Passage, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from './packet.ts'

export type Exception =
  /** This host with itself: no protection, ever. */
  | 'own'
  /** Passed on: rules of the host are about its own packets only. */
  | 'forwarded'
  /** UDP 500 and 4500 of this host. */
  | 'key management'
  /** Neighbour discovery and MLD. */
  | 'link'
  /** IGMP and PIM that come in clear, as far as tunables let them. */
  | 'multicast routing'

const IKE_PORTS = [500, 4500]
const PROTOCOL_IGMP = 2
const PROTOCOL_UDP = 17
const PROTOCOL_PIM = 103
const LINK_TYPES = [130, 131, 132, 133, 134, 135, 136, 137, 143]

/** An exception that the two ends alone make, and the way that a packet goes. */
export function hostException(
  packet: Pick<Packet, 'local' | 'remote'>,
  { isForwarded, tunnel }: Passage,
  ownAddresses: readonly Address[],
): Exception | undefined {
  if (tunnel) return undefined
  if (isForwarded) return 'forwarded'
  return isWithItself(packet, ownAddresses) ? 'own' : undefined
}

/** The exception that a packet of the host falls under; packets of tunnels have none. */
export function exceptionFor(
  packet: Packet,
  passage: Passage,
  ownAddresses: readonly Address[],
  { igmp, pim }: ClearMessages,
): Exception | undefined {
  const ofHosts = hostException(packet, passage, ownAddresses)
  if (ofHosts || passage.tunnel) return ofHosts
  const { way } = passage
  const { family, protocol, localPort, type } = packet
  if (protocol === PROTOCOL_UDP && IKE_PORTS.includes(localPort)) return 'key management'
  if (family === 'inet6' && protocol === PROTOCOL_ICMPV6 && LINK_TYPES.includes(type)) return 'link'
  const isMulticastRouting = (igmp && protocol === PROTOCOL_IGMP) || (pim && protocol === PROTOCOL_PIM)
  return family === 'inet' && way === 'in' && isMulticastRouting ? 'multicast routing' : undefined
}

/** ICMP that may come in clear although a rule asks for protection (`icmp_accept_clear_messages`). */
export function isToleratedIcmp({ family, protocol, type, code }: Packet): boolean {
  if (family === 'inet6') return protocol === PROTOCOL_ICMPV6 && [1, 2, 3, 129].includes(type)
  if (protocol !== PROTOCOL_ICMP) return false
  return [0, 4, 9, 11, 14, 16].includes(type) || (type === 3 && [0, 1, 4].includes(code))
}

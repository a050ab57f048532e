/**
 * Whose a packet is: sent by this host, for it, or passed on by it.
 *
 * @module
 */
import type { Frame } from '../capture/frame.ts'
import type { IpHeader } from '../packet/ip-header.ts'
import { read32 } from '../packet/octets.ts'
import type { Snapshot } from './snapshot.ts'
import type { Way } from './verdict.ts'

// linux/if_packet.h
const PACKET_BROADCAST = 1
const PACKET_MULTICAST = 2
const PACKET_OTHERHOST = 3
const PACKET_OUTGOING = 4
/** Where the cooked header has the index of the interface and the type of the packet. */
const IFINDEX_AT = 4
const TYPE_AT = 10

export interface Route {
  readonly way: Way
  /** Neither from this host nor for it. */
  readonly isPassing: boolean
}

const OUT: Route = { way: 'out', isPassing: false }
const IN: Route = { way: 'in', isPassing: false }
const PASSING_OUT: Route = { way: 'out', isPassing: true }
const PASSING_IN: Route = { way: 'in', isPassing: true }

/**
 * @param ip the frame's parsed header
 * @returns `undefined` for what is between others
 */
export function routeOf({ link, bytes }: Frame, ip: IpHeader, snapshot: Snapshot): Route | undefined {
  const type = link === 'cooked2' ? bytes[TYPE_AT] : undefined
  const { version, sourceAt, destinationAt } = ip
  if (type === PACKET_OTHERHOST) return undefined
  const isFromHere = snapshot.isLocal(bytes, sourceAt, version) || isUnspecified(bytes, sourceAt, version)
  if (type === undefined ? isFromHere : type === PACKET_OUTGOING) {
    if (isFromHere) return OUT
    return snapshot.facts.isForwarding ? PASSING_OUT : undefined
  }
  if (type === PACKET_BROADCAST || type === PACKET_MULTICAST) return IN
  if (isHere(bytes, destinationAt, version, snapshot)) return IN
  return snapshot.facts.isForwarding ? PASSING_IN : undefined
}

/** True for an address of this host, and for groups. */
export function isHere(bytes: Uint8Array, at: number, version: 4 | 6, snapshot: Snapshot): boolean {
  const first = bytes[at] ?? 0
  const isGroup = version === 4 ? first >= 224 : first === 0xff
  return isGroup || snapshot.isLocal(bytes, at, version)
}

/** The source of a host that has no address yet. */
function isUnspecified(bytes: Uint8Array, at: number, version: 4 | 6): boolean {
  for (let i = 0; i < (version === 4 ? 4 : 16); i++) if (bytes[at + i] !== 0) return false
  return true
}

/** Index of the frame's interface; 0 where it is not told. */
export function interfaceOf({ link, bytes }: Frame): number {
  return link === 'cooked2' ? read32(bytes, IFINDEX_AT) : 0
}

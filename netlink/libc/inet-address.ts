/**
 * Internet addresses as calls about sockets take and give them: `sockaddr_in` and `sockaddr_in6` (ip(7), ipv6(7)).
 *
 * @module
 */
import { littleEndian } from '../codec/memory.ts'
import { AF_INET, AF_INET6 } from './socket.ts'

export interface InetAddress {
  readonly family: 'inet' | 'inet6'
  /** 4 or 16. */
  readonly bytes: Uint8Array
}

/** Both kinds: length of the struct, its family's number, and where the address lies. */
const LAYOUT = {
  inet: { size: 16, number: AF_INET, at: 4, end: 8 },
  inet6: { size: 28, number: AF_INET6, at: 8, end: 24 },
} as const

/** The bytes of a `sockaddr`. */
export function writeInetAddress({ family, bytes }: InetAddress, port = 0): Uint8Array {
  const { size, number, at } = LAYOUT[family]
  const sockaddr = new Uint8Array(size)
  const view = new DataView(sockaddr.buffer)
  view.setUint16(0, number, littleEndian)
  view.setUint16(2, port)
  sockaddr.set(bytes, at)
  return sockaddr
}

/** What the bytes of a `sockaddr` say; `undefined` for other families, and for what is not whole. */
export function readInetAddress(
  sockaddr: Uint8Array,
): { readonly address: InetAddress; readonly port: number } | undefined {
  if (sockaddr.length < LAYOUT.inet.size) return undefined
  const view = new DataView(sockaddr.buffer, sockaddr.byteOffset, sockaddr.length)
  const number = view.getUint16(0, littleEndian)
  const family = (['inet', 'inet6'] as const).find((name) => LAYOUT[name].number === number)
  if (!family || sockaddr.length < LAYOUT[family].end) return undefined
  const { at, end } = LAYOUT[family]
  return { address: { family, bytes: sockaddr.slice(at, end) }, port: view.getUint16(2) }
}

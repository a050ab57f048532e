/**
 * A wire's packets without tcpdump: a packet socket of this process, which has everything at once and in order.
 *
 * @module
 */
import { foreign } from '../../../netlink/libc/ffi.ts'
import {
  bind,
  close,
  SO_RCVBUFFORCE,
  SOL_SOCKET,
  setSockOptInt,
  socket,
} from '../../../netlink/libc/socket.ts'
import type { Teardown } from '../../support/namespaces.ts'
import { type Packet, parsePacket } from '../../support/pcap.ts'
import { receive, SOCK_DGRAM, SOCK_NONBLOCK } from './sockets.ts'
import type { Station } from './station.ts'

const AF_PACKET = 17
const ETH_P_ALL = 3
const RECEIVE_BUFFER = 256 * 1024 * 1024

const ifNameToIndex = foreign<[string], number>('unsigned int if_nametoindex(str)')

/** Everything that passes one interface of a station, in both directions. */
export class Wiretap {
  readonly #fd: number

  private constructor(fd: number) {
    this.#fd = fd
  }

  static open(t: Teardown, station: Station, device = station.host.device): Wiretap {
    const fd = station.visit(() => openPacketSocket(ifNameToIndex(device)))
    t.teardown(() => close(fd))
    return new Wiretap(fd)
  }

  /** What has come since the last call, without ARP, neighbour discovery and MLD. */
  take(): Packet[] {
    const packets: Packet[] = []
    for (let bytes = receive(this.#fd); bytes; bytes = receive(this.#fd)) {
      const packet = parsePacket(Buffer.from(bytes))
      if (packet && !isDiscovery(packet)) packets.push(packet)
    }
    return packets
  }
}

function openPacketSocket(ifindex: number): number {
  // A datagram socket leaves the link-layer header away.
  const fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
  setSockOptInt(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
  const address = Buffer.alloc(20) // sockaddr_ll
  address.writeUInt16LE(AF_PACKET)
  address.writeUInt16BE(ETH_P_ALL, 2)
  address.writeInt32LE(ifindex, 4)
  bind(fd, address)
  return fd
}

/** Neighbour discovery (RFC 4861), and MLD (RFC 2710, 3810) behind its hop-by-hop header. */
function isDiscovery({ family, protocol, payload }: Packet): boolean {
  if (family !== 6) return false
  const type = payload[0] ?? 0
  return protocol === 0 || (protocol === 58 && type >= 133 && type <= 137)
}

const KINDS: Readonly<Record<number, string>> = {
  1: 'icmp',
  4: 'ipip',
  6: 'tcp',
  17: 'udp',
  41: 'ipv6',
  44: 'fragment',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'icmp6',
}

/** What a packet is to a wiretapper: ESP in UDP (RFC 3948) is told from IKE by an SPI that is not zero. */
export function kindOf({ protocol, payload }: Packet): string {
  const port = protocol === 17 && payload.readUInt16BE(2)
  if (port === 4500 && payload.length > 12 && payload.readUInt32BE(8) !== 0) return 'udp-esp'
  return KINDS[protocol] ?? `protocol ${protocol}`
}

/** The kinds of some packets, each once, sorted, with commas between. */
export function kindsOf(packets: readonly Packet[]): string {
  return [...new Set(packets.map(kindOf))].sort().join(',')
}

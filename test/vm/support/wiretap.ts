/**
 * A wire's packets without tcpdump: a packet socket of this process, which has everything at once and in order.
 *
 * @module
 */
import { foreign } from '../../../netlink/libc/ffi.ts'
import {
  bind,
  close,
  MSG_DONTWAIT,
  recvFrom,
  SO_RCVBUFFORCE,
  SOL_SOCKET,
  setSockOptInt,
  socket,
} from '../../../netlink/libc/socket.ts'
import type { Teardown } from '../../support/namespaces.ts'
import { type Packet, parsePacket } from '../../support/pcap.ts'
import { SOCK_DGRAM, SOCK_NONBLOCK } from './sockets.ts'
import type { Station } from './station.ts'

const AF_PACKET = 17
const ETH_P_ALL = 3
const SOCKADDR_LL = 20
const RECEIVE_BUFFER = 256 * 1024 * 1024

/** `sll_pkttype` of what the host itself sends, and where the byte is in a `sockaddr_ll`. */
const PACKET_OUTGOING = 4
const PKTTYPE_OFFSET = 10

const ifNameToIndex = foreign<[string], number>('unsigned int if_nametoindex(str)')

/** One end of a wire; the first one of the station where no device is named. */
export interface WireEnd {
  readonly station: Station
  readonly device?: string
}

/**
 * Everything that passes a wire. Only what the hosts at its ends send is looked at: a received tunnel packet is seen a
 * second time on its interface, taken out of the tunnel, and was never on the wire like that.
 */
export class Wiretap {
  readonly #fds: readonly number[]
  readonly #buffer = new Uint8Array(65536)
  readonly #from = Buffer.alloc(SOCKADDR_LL)
  readonly #fromLength = new Uint8Array(Uint32Array.of(SOCKADDR_LL).buffer)

  private constructor(fds: readonly number[]) {
    this.#fds = fds
  }

  /** @param ends - both of them, to see both directions */
  static open(t: Teardown, ...ends: WireEnd[]): Wiretap {
    const fds = ends.map(({ station, device = station.host.device }) =>
      station.visit(() => openPacketSocket(ifNameToIndex(device))),
    )
    t.teardown(() => {
      for (const fd of fds) close(fd)
    })
    return new Wiretap(fds)
  }

  /** What was sent since the last call, by the first end and then by the second, without ARP, discovery and MLD. */
  take(): Packet[] {
    return this.#fds.flatMap((fd) => this.#takeFrom(fd))
  }

  #takeFrom(fd: number): Packet[] {
    const packets: Packet[] = []
    for (;;) {
      const length = recvFrom(fd, this.#buffer, MSG_DONTWAIT, this.#from, this.#fromLength)
      if (length < 0) return packets
      if (this.#from[PKTTYPE_OFFSET] !== PACKET_OUTGOING) continue
      const packet = parsePacket(Buffer.from(this.#buffer.subarray(0, length)))
      if (packet && !isDiscovery(packet)) packets.push(packet)
    }
  }
}

function openPacketSocket(ifindex: number): number {
  // A datagram socket leaves the link-layer header away.
  const fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
  setSockOptInt(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
  const address = Buffer.alloc(SOCKADDR_LL)
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

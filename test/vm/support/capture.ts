/**
 * What is on a wire: frames from a packet socket, what each is at first sight, and a file of them for tshark.
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
import type { Host } from './host.ts'
import { receive, SOCK_NONBLOCK, SOCK_RAW } from './sockets.ts'

const AF_PACKET = 17
const ETH_P_ALL = 3
const ETHERNET_HEADER = 14
const RECEIVE_BUFFER = 64 * 1024 * 1024

const ifNameToIndex = foreign<[string], number>('unsigned int if_nametoindex(str)')

/** One frame, from its Ethernet header on. */
export interface Frame {
  readonly bytes: Buffer
  /** What a wiretapper sees. */
  readonly kind: string
  /** Offset of what comes after the IP header. */
  readonly payload: number
}

/** Everything that passes one interface of a host, in both directions. */
export class Capture {
  readonly #fd: number

  private constructor(fd: number) {
    this.#fd = fd
  }

  static open(host: Host, device: string): Capture {
    return new Capture(host.visit(() => openPacketSocket(ifNameToIndex(device))))
  }

  close(): void {
    close(this.#fd)
  }

  /** What has come since the last call, without what keeps a link alive (ARP, neighbour discovery, MLD). */
  take(): Frame[] {
    const frames: Frame[] = []
    for (let bytes = receive(this.#fd); bytes; bytes = receive(this.#fd)) {
      const frame = describe(Buffer.from(bytes))
      if (frame) frames.push(frame)
    }
    return frames
  }
}

function openPacketSocket(ifindex: number): number {
  const fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0)
  setSockOptInt(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
  const address = Buffer.alloc(20) // sockaddr_ll
  address.writeUInt16LE(AF_PACKET, 0)
  address.writeUInt16BE(ETH_P_ALL, 2)
  address.writeInt32LE(ifindex, 4)
  bind(fd, address)
  return fd
}

/** Names of IP protocols as `kind` gives them. */
const KINDS: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  4: 'ipip',
  6: 'tcp',
  17: 'udp',
  41: 'ipv6',
  44: 'fragment',
  50: 'esp',
  51: 'ah',
  58: 'icmp6',
}

function describe(bytes: Buffer): Frame | undefined {
  const etherType = bytes.readUInt16BE(12)
  if (etherType === 0x0800) {
    const payload = ETHERNET_HEADER + ((bytes[ETHERNET_HEADER] ?? 0) & 15) * 4
    return { bytes, payload, kind: kindOf(bytes, bytes[ETHERNET_HEADER + 9] ?? 0, payload) }
  }
  if (etherType !== 0x86dd) return undefined
  let next = bytes[ETHERNET_HEADER + 6] ?? 0
  let payload = ETHERNET_HEADER + 40
  if (next === 0) {
    // Hop-by-hop options: MLD reports bear them.
    next = bytes[payload] ?? 0
    payload += ((bytes[payload + 1] ?? 0) + 1) * 8
  }
  if (next === 58 && isLinkMessage(bytes[payload] ?? 0)) return undefined
  return { bytes, payload, kind: kindOf(bytes, next, payload) }
}

/** ESP in UDP (RFC 3948) is told from IKE on the same port by an SPI that is not zero. */
function kindOf(bytes: Buffer, protocol: number, payload: number): string {
  const isNatPort = protocol === 17 && bytes.readUInt16BE(payload) === 4500
  if (isNatPort && bytes.readUInt32BE(payload + 8) !== 0) return 'udp-esp'
  return KINDS[protocol] ?? String(protocol)
}

/** MLD (RFC 2710, 3810) and neighbour discovery (RFC 4861). */
function isLinkMessage(type: number): boolean {
  return (type >= 130 && type <= 137) || type === 143
}

/** The kinds of some frames, each once, in order of the alphabet. */
export function kindsOf(frames: readonly Frame[]): string[] {
  return [...new Set(frames.map(({ kind }) => kind))].sort()
}

/** A capture file (libpcap's classic format) of frames. */
export function pcapOf(frames: readonly Frame[]): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65535, 16)
  header.writeUInt32LE(1, 20) // LINKTYPE_ETHERNET
  const records = frames.flatMap(({ bytes }, second) => {
    const record = Buffer.alloc(16)
    record.writeUInt32LE(second, 0)
    record.writeUInt32LE(bytes.length, 8)
    record.writeUInt32LE(bytes.length, 12)
    return [record, bytes]
  })
  return Buffer.concat([header, ...records])
}

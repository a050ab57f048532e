/**
 * Real traffic between two hosts, one packet or connection at a time, and what became of it.
 *
 * That a packet was refused is never concluded from silence alone: XFRM counts each refusal at the host that
 * makes it, and that count is waited for.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { SystemError } from '../../../netlink/libc/errno.ts'
import { close, send } from '../../../netlink/libc/socket.ts'
import {
  accept,
  bound,
  connect,
  domainOf,
  listen,
  receive,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  sockaddr,
  trySend,
  until,
} from './sockets.ts'
import type { Station } from './station.ts'

/** One end of a flow. */
export interface End {
  readonly station: Station
  readonly address: string
  /** Gateways that may refuse what is sent from here. */
  readonly onTheWay?: readonly Station[]
}

/** Where between two addresses: port 7 and any source port unless said otherwise. */
export interface Ports {
  readonly port?: number
  readonly sourcePort?: number
  /** UDP: what to send, at least {@link MARKER} bytes, ending in something that only this packet has. */
  readonly payload?: Buffer
}

/** What became of a packet. */
export interface Verdict {
  readonly delivered: boolean
  /** The error that the sender's system call gave. */
  readonly error?: string
  /** Names of the XFRM counters that rose, at either host, unless it was delivered. */
  readonly refusals: readonly string[]
}

/** How long a packet that is neither delivered nor counted as refused is waited for. */
const PATIENCE_MS = 10_000
/** How long after a refusal the packet may still turn up. */
const GRACE_MS = 3

const DELIVERED: Verdict = { delivered: true, refusals: [] }

/** One UDP datagram from `from` to `to`. */
export function udp(from: End, to: End, { port = 7, sourcePort = 0, payload }: Ports = {}): Verdict {
  return withSockets((open) => {
    const receiver = open(to.station, () => bound(SOCK_DGRAM, 0, to.address, port))
    const sender = open(from.station, () => bound(SOCK_DGRAM, 0, from.address, sourcePort))
    return oneWay(from, to, sender, receiver, payload ?? randomBytes(MARKER), port)
  })
}

/** A TCP connection from `from` to `to`, with a few bytes each way. */
export function tcp(from: End, to: End, { port = 7, sourcePort = 0 }: Ports = {}): Verdict {
  return withSockets((open) => {
    const listener = open(to.station, () => bound(SOCK_STREAM, 0, to.address, port))
    listen(listener)
    const client = open(from.station, () => bound(SOCK_STREAM, 0, from.address, sourcePort))
    const question = randomBytes(16)
    const answer = randomBytes(16)
    let server: number | undefined
    let asked = false
    let answered = false
    const converse = () => {
      asked = asked || trySend(client, question)
      server ??= acceptOne(listener, open)
      if (server !== undefined && !answered && question.equals(receive(server) ?? NOTHING)) {
        answered = trySend(server, answer)
      }
      return answered && answer.equals(receive(client) ?? NOTHING)
    }
    return observe(from, to, () => connect(client, to.address, port), converse)
  })
}

const NOTHING = new Uint8Array()

/** The number of a message: type and code. */
export type IcmpType = readonly [type: number, code: number]

/** One ICMP or ICMPv6 message (the addresses' family decides) from `from` to `to`. */
export function icmp(from: End, to: End, [type, code]: IcmpType): Verdict {
  return withSockets((open) => {
    const [receiver, sender] = rawPair(from, to, open)
    return oneWay(from, to, sender, receiver, icmpMessage(type, code), 0)
  })
}

/** An echo request, and the system's reply to it. */
export function ping(from: End, to: End): Verdict {
  return withSockets((open) => {
    const [, sender] = rawPair(from, to, open)
    const [request, reply] = domainOf(to.address) === 2 ? [8, 0] : [128, 129]
    const message = icmpMessage(request, 0)
    const isReply = (packet: Uint8Array) =>
      packet.length >= message.length &&
      packet[packet.length - message.length] === reply &&
      Buffer.from(packet.subarray(-MARKER)).equals(message.subarray(-MARKER))
    return observe(
      from,
      to,
      () => send(sender, message, 0, sockaddr(to.address)),
      () => anyOf(sender, isReply),
    )
  })
}

/** Any packet of an IP protocol, the payload given, as a raw socket sends it. */
export function raw(from: End, to: End, protocol: number, payload: Uint8Array): Verdict {
  return withSockets((open) => {
    const receiver = open(to.station, () => bound(SOCK_RAW, protocol, to.address))
    const sender = open(from.station, () => bound(SOCK_RAW, protocol, from.address))
    return oneWay(from, to, sender, receiver, payload, 0)
  })
}

const PROTOCOL_ICMP = 1
const PROTOCOL_ICMPV6 = 58
/** Bytes at the end of a payload that a packet is known by. */
export const MARKER = 24

function rawPair(from: End, to: End, open: Open): [receiver: number, sender: number] {
  const protocol = domainOf(to.address) === 2 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6
  return [
    open(to.station, () => bound(SOCK_RAW, protocol, to.address)),
    open(from.station, () => bound(SOCK_RAW, protocol, from.address)),
  ]
}

/** Header, four bytes of its second word, and a marker to know it by. The checksum of ICMPv6 is the kernel's job. */
function icmpMessage(type: number, code: number): Buffer {
  const message = Buffer.concat([Buffer.from([type, code, 0, 0, 0, 1, 0, 1]), randomBytes(MARKER)])
  let sum = 0
  for (let i = 0; i < message.length; i += 2) sum += message.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  message.writeUInt16BE(~sum & 0xffff, 2)
  return message
}

type Open = (station: Station, make: () => number) => number

/** Closes whatever `use` opened. */
function withSockets<T>(use: (open: Open) => T): T {
  const fds: number[] = []
  try {
    return use((station, make) => {
      const fd = station.visit(make)
      fds.push(fd)
      return fd
    })
  } finally {
    for (const fd of fds) close(fd)
  }
}

function acceptOne(listener: number, open: Open): number | undefined {
  const connection = accept(listener)
  if (connection === undefined) return undefined
  // A connection belongs to its listener's namespace wherever it is accepted.
  return open(HERE, () => connection)
}

const HERE = { visit: <T>(what: () => T): T => what() } as Station

function oneWay(
  from: End,
  to: End,
  sender: number,
  receiver: number,
  message: Buffer | Uint8Array,
  port: number,
): Verdict {
  const marker = Buffer.from(message.subarray(-MARKER))
  const isIt = (packet: Uint8Array) => marker.equals(packet.subarray(-MARKER))
  return observe(
    from,
    to,
    () => send(sender, message, 0, sockaddr(to.address, port)),
    () => anyOf(receiver, isIt),
  )
}

function anyOf(fd: number, is: (packet: Uint8Array) => boolean): boolean {
  for (let packet = receive(fd); packet; packet = receive(fd)) if (is(packet)) return true
  return false
}

/** Does something, and waits until it has worked or one of the hosts has refused it. */
function observe(from: End, to: End, act: () => void, hasWorked: () => boolean): Verdict {
  const stations = [from.station, to.station, ...(from.onTheWay ?? [])]
  const before = stations.map((station) => station.refusals())
  const risen = () => [...new Set(stations.flatMap((station, i) => risenSince(station, before[i])))]
  let error: string | undefined
  try {
    act()
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown
    error = thrown.code
  }
  const wait = (ms: number) => until(() => (hasWorked() ? true : undefined), ms) === true
  if (!error) {
    const end = until(
      () => (hasWorked() ? 'worked' : risen().length > 0 ? 'refused' : undefined),
      PATIENCE_MS,
    )
    if (end === 'worked') return DELIVERED
  }
  if (wait(GRACE_MS)) return DELIVERED
  return { delivered: false, ...(error !== undefined && { error }), refusals: risen() }
}

function risenSince(station: Station, before: ReadonlyMap<string, number> | undefined): string[] {
  return [...station.refusals()]
    .filter(([name, count]) => count > (before?.get(name) ?? 0))
    .map(([name]) => name)
}

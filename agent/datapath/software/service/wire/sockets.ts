/**
 * Sockets of the data path: raw ones for ESP, AH and whole packets, and UDP ports for ESP in UDP.
 *
 * @module
 */
import { SystemError } from '../../../../../netlink/libc/errno.ts'
import * as libc from '../../../../../netlink/libc/socket.ts'
import {
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_PMTUDISC_PROBE,
  IP_RECVERR,
  IP_RECVTOS,
  IP_RECVTTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_RAW,
  IPV6_MTU_DISCOVER,
  IPV6_RECVDSTOPTS,
  IPV6_RECVERR,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVHOPOPTS,
  IPV6_RECVPKTINFO,
  IPV6_RECVRTHDR,
  IPV6_RECVTCLASS,
  IPV6_V6ONLY,
  SO_MARK,
  UDP_GRO,
} from '../../../../../netlink/libc/socket-options.ts'
import { IPPROTO_UDP } from '../../../../packet/protocols.ts'
import { OWN } from '../marks.ts'

const RECEIVE_BUFFER = 8 * 1024 * 1024

/** A UDP port of a family. */
export interface UdpPort {
  readonly family: number
  readonly port: number
}

/** A socket that sends whole packets: what its IP header says is what goes out. */
export function sendingSocket(family: number): number {
  const fd = rawSocket(family, IPPROTO_RAW)
  libc.setSockOptInt(fd, ...dontFragment(family))
  return fd
}

/** A socket that receives the packets of a protocol. */
export function receivingSocket(family: number, protocol: number): number {
  const fd = rawSocket(family, protocol)
  if (family === libc.AF_INET6) askForHeaders(fd)
  askForErrors(fd, family)
  return fd
}

/** What was learnt about the path holds for the protected packet, and the kernel would apply it to ours. */
function dontFragment(family: number): readonly [level: number, option: number, value: number] {
  return family === libc.AF_INET
    ? [IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE]
    : [IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_PROBE]
}

function rawSocket(family: number, protocol: number): number {
  const fd = libc.socket(family, libc.SOCK_RAW | libc.SOCK_NONBLOCK, protocol)
  libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_MARK, OWN)
  libc.setSockOptInt(fd, libc.SOL_SOCKET, libc.SO_RCVBUFFORCE, RECEIVE_BUFFER)
  return fd
}

/** A socket bound to a port. @throws SystemError `EADDRINUSE` */
export function udpSocket({ family, port }: UdpPort): number {
  const fd = libc.socket(family, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK, 0)
  try {
    libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_MARK, OWN)
    libc.setSockOptInt(fd, libc.SOL_SOCKET, libc.SO_RCVBUFFORCE, RECEIVE_BUFFER)
    const address = new Uint8Array(family === libc.AF_INET ? 16 : 28)
    new Uint16Array(address.buffer)[0] = family
    new DataView(address.buffer).setUint16(2, port)
    if (family === libc.AF_INET6) {
      libc.setSockOptInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
      askForHeaders(fd)
    } else
      for (const option of [IP_PKTINFO, IP_RECVTTL, IP_RECVTOS]) libc.setSockOptInt(fd, IPPROTO_IP, option, 1)
    libc.bind(fd, address)
    libc.setSockOptInt(fd, ...dontFragment(family))
    askForErrors(fd, family)
    takeTogether(fd)
    return fd
  } catch (error) {
    libc.close(fd)
    throw error
  }
}

/** What routers say about packets of the socket's protocol or port is kept for {@link ErrorQueue}. */
function askForErrors(fd: number, family: number): void {
  const [level, option] = family === libc.AF_INET ? [IPPROTO_IP, IP_RECVERR] : [IPPROTO_IPV6, IPV6_RECVERR]
  libc.setSockOptInt(fd, level, option, 1)
}

/** Datagrams that arrive one after the other may be given as one (Linux 5.0 and later). */
function takeTogether(fd: number): void {
  try {
    libc.setSockOptInt(fd, IPPROTO_UDP, UDP_GRO, 1)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
  }
}

/** An IPv6 socket gives the payload only; what stood before it comes beside it. */
function askForHeaders(fd: number): void {
  const options = [
    IPV6_RECVPKTINFO,
    IPV6_RECVHOPLIMIT,
    IPV6_RECVTCLASS,
    IPV6_RECVHOPOPTS,
    IPV6_RECVRTHDR,
    IPV6_RECVDSTOPTS,
  ]
  for (const option of options) libc.setSockOptInt(fd, IPPROTO_IPV6, option, 1)
}

/**
 * Sends keepalives by a socket of the system's own: the UDP ports belong to whoever receives ESP on them.
 *
 * @module
 */
import { memoryOf } from '../../netlink/codec/memory.ts'
import { writeInetAddress } from '../../netlink/libc/inet-address.ts'
import {
  AF_INET,
  AF_INET6,
  close,
  SOCK_NONBLOCK,
  SOCK_RAW,
  send,
  setSockOpt,
  socket,
} from '../../netlink/libc/socket.ts'
import {
  IP_XFRM_POLICY,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_RAW,
  IPV6_XFRM_POLICY,
} from '../../netlink/libc/socket-options.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../netlink/xfrm/defaults.ts'
import { userpolicy_info } from '../../netlink/xfrm/structs.ts'
import type { Family } from '../model/address.ts'
import { writeNatKeepalive } from '../packet/nat-keepalive.ts'
import type { Keepalive } from './due.ts'

const LARGEST = 64

export class KeepaliveSender {
  readonly #sockets = new Map<Family, number>()
  readonly #packet = new Uint8Array(LARGEST)

  /** Sends one, in the network namespace that the thread was in when the first of its family was sent. @throws SystemError */
  send({ source, destination, sourcePort, destinationPort }: Keepalive): void {
    const { family } = source
    const version = family === 'inet' ? 4 : 6
    const ends = { version, source: source.bytes, destination: destination.bytes } as const
    const end = writeNatKeepalive(this.#packet, 0, ends, [sourcePort, destinationPort])
    send(this.#socket(family), this.#packet.subarray(0, end), 0, writeInetAddress(destination))
  }

  #socket(family: Family): number {
    let fd = this.#sockets.get(family)
    if (fd === undefined) {
      fd = rawSocket(family)
      this.#sockets.set(family, fd)
    }
    return fd
  }

  close(): void {
    for (const fd of this.#sockets.values()) close(fd)
    this.#sockets.clear()
  }
}

/** To policy, what such a socket sends is of protocol 255: without a policy of its own, rules for all packets would protect it. */
function rawSocket(family: Family): number {
  const [domain, level, option] =
    family === 'inet'
      ? ([AF_INET, IPPROTO_IP, IP_XFRM_POLICY] as const)
      : ([AF_INET6, IPPROTO_IPV6, IPV6_XFRM_POLICY] as const)
  const fd = socket(domain, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW)
  const bypass = new Uint8Array(userpolicy_info.size)
  userpolicy_info.set(memoryOf(bypass), 0, { ...defaultPolicy(domain), dir: dir.OUT })
  try {
    setSockOpt(fd, level, option, bypass)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

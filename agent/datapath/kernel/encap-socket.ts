/**
 * UDP sockets for ESP in UDP (RFC 3948). The kernel takes ESP out of a datagram only where some process has bound
 * the port and asked for it (`UDP_ENCAP`); without one the datagram is refused as to a closed port. An IKE daemon
 * has such a socket; where none runs, a small process of ours holds it for as long as there are SAs for it.
 *
 * @module
 */
import { SystemError } from '../../../netlink/libc/errno.ts'
import { writeInetAddress } from '../../../netlink/libc/inet-address.ts'
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOL_SOCKET,
  setSockOptInt,
  socket,
} from '../../../netlink/libc/socket.ts'
import { IPPROTO_IPV6, IPPROTO_UDP, IPV6_V6ONLY, UDP_ENCAP } from '../../../netlink/libc/socket-options.ts'
import { encapType } from '../../../netlink/xfrm/constants.ts'
import { type Family, unspecified } from '../../model/address.ts'
import { helperName, startHelper } from '../../runtime/helper.ts'

/** A port that ESP in UDP arrives at, on every address of a family. */
export interface EncapPort {
  readonly family: Family
  readonly port: number
}

/** Sockets that were bound by this process, which has yet to hand them over. */
export class EncapSockets {
  readonly #bound: readonly { readonly at: EncapPort; readonly fd: number }[]
  #open = true

  private constructor(bound: readonly { at: EncapPort; fd: number }[]) {
    this.#bound = bound
  }

  /**
   * Binds the ports, in the calling thread's network namespace, that nobody has yet. One that is taken is left to
   * its owner: a holder of ours, or another program, which then has to take care of ESP by itself.
   *
   * @throws SystemError
   */
  static bind(ports: readonly EncapPort[]): EncapSockets {
    const bound: { at: EncapPort; fd: number }[] = []
    try {
      for (const at of ports) {
        const fd = bindPort(at)
        if (fd !== undefined) bound.push({ at, fd })
      }
      return new EncapSockets(bound)
    } catch (error) {
      for (const { fd } of bound) close(fd)
      throw error
    }
  }

  /**
   * Starts a process that keeps the sockets until the last SA for them is gone.
   *
   * @param lockPath the lock under which SAs are changed: the holder ends only while nobody is at it
   */
  handOver(lockPath: string): void {
    if (this.#bound.length === 0) return
    const holder = startHelper({
      name: helperName.encap,
      program: new URL('./encap-holder.js', import.meta.url),
      argv: [lockPath, ...this.#bound.map(({ at }) => `${at.family}:${at.port}`)],
      descriptors: this.#bound.map(({ fd }) => fd),
    })
    if (holder === undefined) throw new Error(`cannot start ${process.execPath} to hold UDP ports`)
  }

  /** Closes this process's descriptors; a holder has its own. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    for (const { fd } of this.#bound) close(fd)
  }
}

/** @returns `undefined` where the port is taken */
function bindPort({ family, port }: EncapPort): number | undefined {
  const fd = socket(family === 'inet' ? AF_INET : AF_INET6, SOCK_DGRAM, 0)
  try {
    if (family === 'inet6') setSockOptInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
    bind(fd, writeInetAddress(unspecified(family), port))
    setSockOptInt(fd, IPPROTO_UDP, UDP_ENCAP, encapType.ESPINUDP)
    // What is not ESP piles up unread: as little of it as the kernel allows.
    setSockOptInt(fd, SOL_SOCKET, SO_RCVBUFFORCE, 0)
    return fd
  } catch (error) {
    close(fd)
    if (error instanceof SystemError && error.code === 'EADDRINUSE') return undefined
    throw error
  }
}

/**
 * The kernel's own knowledge of sockets: `NETLINK_SOCK_DIAG` (linux/sock_diag.h, linux/inet_diag.h).
 *
 * @module
 */
import { littleEndian } from '../codec/memory.ts'
import { Subscription } from '../socket/events.ts'
import { NETLINK_SOCK_DIAG } from '../socket/protocols.ts'
import { NetlinkSocket } from '../socket/socket.ts'

const SOCK_DIAG_BY_FAMILY = 20

/** `SKNLGRP_INET_TCP_DESTROY` and so on: TCP and UDP of both families. */
const DESTROY_GROUPS = [1, 2, 3, 4] as const

// struct inet_diag_req_v2, struct inet_diag_msg
const REQUEST_SIZE = 56
const MESSAGE_SIZE = 72
const STATE = 1
const SOURCE_PORT = 4
const SOURCE = 8
const COOKIE = 44

const TCP_LISTEN = 10
const IPPROTO_TCP = 6

/** A socket that waits for connections. */
export interface ListeningSocket {
  readonly cookie: bigint
  readonly port: number
  /** 16 bytes; an IPv4 address is the first four. */
  readonly address: Uint8Array
}

/**
 * The listening TCP sockets of the calling thread's network namespace.
 *
 * @param family `AF_INET` or `AF_INET6`
 * @throws {NetlinkError}
 */
export function listeningSockets(family: number): ListeningSocket[] {
  const payload = new Uint8Array(REQUEST_SIZE)
  payload.set([family, IPPROTO_TCP])
  new DataView(payload.buffer).setUint32(4, 1 << TCP_LISTEN, littleEndian)
  const listening: ListeningSocket[] = []
  const socket = NetlinkSocket.open(NETLINK_SOCK_DIAG)
  try {
    socket.dump({ type: SOCK_DIAG_BY_FAMILY, payload }, ({ payload: found }) => {
      if (found.length < MESSAGE_SIZE || found[STATE] !== TCP_LISTEN) return
      const view = new DataView(found.buffer, found.byteOffset, found.length)
      const address = found.slice(SOURCE, SOURCE + 16)
      listening.push({ cookie: cookieIn(view), port: view.getUint16(SOURCE_PORT), address })
    })
  } finally {
    socket.close()
  }
  return listening
}

/**
 * Calls `gone` with the cookie of each TCP and UDP socket of this namespace that ceases to be, from now on.
 *
 * @param lost some may have been missed
 * @throws {NetlinkError} without CAP_NET_ADMIN
 */
export function watchDepartures(gone: (cookie: bigint) => void, lost: () => void): Subscription {
  return Subscription.open(
    NETLINK_SOCK_DIAG,
    { groups: DESTROY_GROUPS },
    {
      event: ({ type, payload }) => {
        if (type !== SOCK_DIAG_BY_FAMILY || payload.length < MESSAGE_SIZE) return
        gone(cookieIn(new DataView(payload.buffer, payload.byteOffset, payload.length)))
      },
      overrun: lost,
    },
  )
}

function cookieIn(view: DataView): bigint {
  return view.getBigUint64(COOKIE, littleEndian)
}

/**
 * Numbers of `NETLINK_SOCK_DIAG`. Sources: `linux/sock_diag.h`, `linux/inet_diag.h`, `net/tcp_states.h`.
 *
 * @module
 */

/** Groups of events: sockets that are no more (`SKNLGRP_`). */
export const diagGroup = {
  INET_TCP_DESTROY: 1,
  INET_UDP_DESTROY: 2,
  INET6_TCP_DESTROY: 3,
  INET6_UDP_DESTROY: 4,
} as const

/** States of sockets (`TCP_`). A UDP socket has the first after connect(2). */
export const socketState = {
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  TIME_WAIT: 6,
  CLOSE: 7,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: 10,
  CLOSING: 11,
} as const

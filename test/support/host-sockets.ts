/**
 * Sockets of a host of a test.
 *
 * @module
 */
import { openNetns, withNetns } from '../../netlink/libc/netns.ts'
import { close, send } from '../../netlink/libc/socket.ts'
import { bound, sockaddr } from '../vm/support/sockets.ts'
import type { Host, Teardown } from './namespaces.ts'

/** Opens sockets of a host, which are closed when the test ends. */
export function opener(t: Teardown, host: Host) {
  const netns = openNetns(host.namespace)
  const open: number[] = []
  t.teardown(() => {
    for (const fd of [...open, netns]) close(fd)
  })
  return (type: number, address: string, port = 0): number => {
    const fd = withNetns(netns, () => bound(type, 0, address, port))
    open.push(fd)
    return fd
  }
}

/** What sending to the discard port comes to: the name of the error, where there is one. */
export function sent(fd: number, to: string): string {
  try {
    send(fd, Uint8Array.of(1), 0, sockaddr(to, 9))
    return 'sent'
  } catch (error) {
    return (error as { code: string }).code
  }
}

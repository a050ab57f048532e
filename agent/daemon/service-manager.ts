/**
 * Tells systemd how the agent is: sd_notify(3).
 *
 * @module
 */
import { SystemError } from '../../netlink/libc/errno.ts'
import * as libc from '../../netlink/libc/socket.ts'

/**
 * Sends to the service manager that `NOTIFY_SOCKET` names; does nothing where there is none.
 *
 * @param lines one assignment each: an end of line within one would begin another
 */
export function notifyServiceManager(
  lines: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): void {
  const { NOTIFY_SOCKET: path } = env
  if (!path?.startsWith('/') && !path?.startsWith('@')) return
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM, 0)
  try {
    // Of an abstract name, the first character stands for a zero.
    libc.send(
      fd,
      Buffer.from(lines.map((line) => line.replaceAll('\n', ' ')).join('\n')),
      libc.MSG_NOSIGNAL,
      libc.unixAddress(path.replace(/^@/, '\0')),
    )
  } catch (error) {
    // A service manager that cannot be told is no reason to stop.
    if (!(error instanceof SystemError)) throw error
  } finally {
    libc.close(fd)
  }
}

/** Microseconds of the clock that systemd compares with (`MONOTONIC_USEC`). */
export function monotonicMicroseconds(): bigint {
  return process.hrtime.bigint() / 1000n
}

/**
 * A socket was not given what was asked for.
 *
 * @module
 */
import { errnoNumber } from '../../../netlink/libc/errno.ts'

/** `code` and `errno` as those of Node's own system errors, but `errno` is positive. */
export class SocketPolicyError extends Error {
  readonly code: string
  readonly errno: number

  constructor(code: string, reason: string) {
    super(reason)
    this.name = 'SocketPolicyError'
    this.code = code
    this.errno = errnoNumber(code) ?? 0
  }
}

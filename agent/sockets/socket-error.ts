/**
 * Why a request about a socket is refused: an error number that the program may act on, and a sentence for people.
 *
 * @module
 */
import { errnoNumber } from '../../netlink/libc/errno.ts'

export class SocketError extends Error {
  /** Name of the error number, such as `EINVAL`. */
  readonly code: string

  constructor(code: string, reason: string) {
    super(reason)
    this.name = 'SocketError'
    this.code = code
  }

  get errno(): number {
    return errnoNumber(this.code) ?? 0
  }
}

/**
 * Why a request was refused, in the kernel's manner: an error number, and a sentence for the extended ACK.
 *
 * @module
 */
import { errnoNumber } from '../../../../netlink/libc/errno.ts'

export class RequestError extends Error {
  readonly errno: number

  /** @param name `EINVAL`; `text` names fields, never their contents */
  constructor(name: string, text: string) {
    super(text)
    this.name = 'RequestError'
    this.errno = errnoNumber(name) ?? 22
  }
}

/**
 * The program of the software data path as those see it who only look on: it may end at any moment.
 *
 * @module
 */
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import type { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import { connectIfRunning } from './client.ts'

/** How a connection fails whose other end is no more. */
const GONE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

/**
 * A connection to the program of a namespace. A program that is about to end may still take connections, but answers
 * nothing: that it answers is tried.
 *
 * @param folder the state folder of the namespace
 * @returns `undefined` where no program answers
 */
export function connectIfAnswering(folder: string): XfrmConnection | undefined {
  return unlessGone(() => {
    const connection = connectIfRunning(folder)
    try {
      connection?.spdInfo()
      return connection
    } catch (error) {
      connection?.close()
      throw error
    }
  })
}

/** What `ask` gives; `undefined` where the program was or is gone. @throws what else goes wrong */
export function unlessGone<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

function isGone(error: unknown): boolean {
  if (!(error instanceof NetlinkError)) return false
  return error.code === 'ERR_NETLINK_ENDED' || GONE.has(error.errnoName ?? '')
}

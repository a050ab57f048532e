/**
 * Where the files of one network namespace live.
 *
 * @module
 */
import { join } from 'node:path'
import { netnsCookie } from '../../netlink/libc/netns.ts'
import { runDirectory } from './directory.ts'

/** The state folder of the network namespace that the calling thread is in. It need not be there. */
export function namespaceFolder(runFolder: string = runDirectory()): string {
  return join(runFolder, `netns-${netnsCookie()}`)
}

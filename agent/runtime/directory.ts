/**
 * Where files live that are as short-lived as the kernel's own tables: a tmpfs, gone at boot.
 *
 * @module
 */
import { join } from 'node:path'
import { netnsCookie } from '../../netlink/libc/netns.ts'

const DEFAULT = '/run/solipsec'

/** The runtime directory, unless `SOLIPSEC_RUN_DIR` says otherwise. */
export function runDirectory(): string {
  return process.env.SOLIPSEC_RUN_DIR || DEFAULT
}

/** The state folder of the network namespace that the calling thread is in. It need not be there. */
export function namespaceFolder(runFolder: string = runDirectory()): string {
  return join(runFolder, `netns-${netnsCookie()}`)
}

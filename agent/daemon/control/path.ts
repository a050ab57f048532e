/**
 * Where the agent's sockets are.
 *
 * @module
 */
import { join } from 'node:path'
import { netnsCookie } from '../../../netlink/libc/netns.ts'
import { runDirectory } from '../../reconcile/run-directory.ts'

/** The control socket of the agent of the calling thread's network namespace. */
export function controlPath(): string {
  return join(runDirectory(), `control.${netnsCookie()}`)
}

/** A symbolic link to the control socket of the agent that was started without `--netns`. */
export function usualControlPath(): string {
  return join(runDirectory(), 'control')
}

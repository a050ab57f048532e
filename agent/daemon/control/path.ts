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

/** The socket of that agent where programs ask for policies of their sockets. */
export function socketsPath(): string {
  return join(runDirectory(), `sockets.${netnsCookie()}`)
}

/** A symbolic link to the socket for programs of that same agent. */
export function usualSocketsPath(): string {
  return join(runDirectory(), 'sockets')
}

/** A symbolic link to the control socket of the agent that was started without `--netns`. */
export function usualControlPath(): string {
  return join(runDirectory(), 'control')
}

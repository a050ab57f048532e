/**
 * Where the agent's sockets are.
 *
 * @module
 */
import { readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { netnsCookie } from '../../netlink/libc/netns.ts'
import { runDirectory } from './directory.ts'

/** The control socket of the agent of the calling thread's network namespace. */
export function controlPath(): string {
  return join(runDirectory(), `control.${netnsCookie()}`)
}

/** The socket of that agent where programs ask for policies of their sockets. */
export function socketsPath(): string {
  return join(runDirectory(), `sockets.${netnsCookie()}`)
}

/** A symbolic link to the control socket of the agent that was started without `--netns`. */
function usualControlPath(): string {
  return join(runDirectory(), 'control')
}

/** A symbolic link to the socket for programs of that same agent. */
export function usualSocketsPath(): string {
  return join(runDirectory(), 'sockets')
}

/**
 * Makes these links, for programs that do not know of network namespaces.
 *
 * @returns takes them away again, unless they have become another agent's
 */
export function linkUsualSockets(): () => void {
  const links = [
    [usualControlPath(), basename(controlPath())],
    [usualSocketsPath(), basename(socketsPath())],
  ] as const
  for (const [link, target] of links) {
    rmSync(link, { force: true })
    symlinkSync(target, link)
  }
  return () => {
    for (const [link, target] of links) if (targetOf(link) === target) rmSync(link, { force: true })
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link)
  } catch {
    return undefined
  }
}

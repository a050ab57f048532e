/**
 * Two hosts, which are network namespaces of this machine, and the wire between them.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mustRun } from './processes.ts'

export interface Host {
  /** Name of its network namespace. */
  readonly name: string
  readonly address: string
}

export const left: Host = { name: 'solipsec-left', address: '192.0.2.1' }
export const right: Host = { name: 'solipsec-right', address: '192.0.2.2' }

/** Name of either host's interface. */
export const DEVICE = 'wire'

/** Makes both hosts and connects them. */
export async function connectHosts(): Promise<void> {
  removeHosts() // of a demo that was killed
  for (const { name } of [left, right]) await mustRun('ip', ['netns', 'add', name])
  const ends = [DEVICE, 'netns', left.name, 'type', 'veth', 'peer', 'name', DEVICE, 'netns', right.name]
  await mustRun('ip', ['link', 'add', ...ends])
  for (const { name, address } of [left, right]) {
    await mustRun('ip', ['-n', name, 'address', 'add', `${address}/24`, 'dev', DEVICE])
    await mustRun('ip', ['-n', name, 'link', 'set', DEVICE, 'up'])
  }
}

/** Removes both hosts, and with them their policies and SAs. Synchronous: also for the very end of a process. */
export function removeHosts(): void {
  for (const { name } of [left, right]) spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' })
}

/** The words that run a program on a host. */
export function on({ name }: Host, words: readonly string[]): string[] {
  return ['netns', 'exec', name, ...words]
}

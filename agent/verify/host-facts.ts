/**
 * What is to be known of a host beside policies and SAs.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DataPathKind } from '../datapath/data-path.ts'
import { type HostNetwork, isForwarding, readHostNetwork } from '../reconcile/host.ts'

/** With them, the kernel takes ESP off before a packet socket sees the packet. */
const EARLY_INPUT = ['esp4_offload', 'esp6_offload']

export interface HostFacts extends Pick<HostNetwork, 'localAddresses' | 'tunnels'> {
  readonly dataPath: DataPathKind
  readonly isForwarding: boolean
  /** ESP is taken off before we see packets that come in. */
  readonly hasEarlyInput: boolean
}

/** Reads them, in the network namespace of the calling thread. @throws NetlinkError */
export function readHostFacts(dataPath: DataPathKind): HostFacts {
  const { localAddresses, tunnels } = readHostNetwork()
  const isKernel = dataPath === 'kernel'
  const hasEarlyInput = isKernel && EARLY_INPUT.some((module) => existsSync(join('/sys/module', module)))
  return { localAddresses, tunnels, dataPath, isForwarding: isForwarding(), hasEarlyInput }
}

/** True where nothing has changed. */
export function sameFacts(a: HostFacts, b: HostFacts): boolean {
  return textOf(a) === textOf(b)
}

function textOf({ localAddresses, tunnels, ...rest }: HostFacts): string {
  const addresses = localAddresses.map(({ bytes }) => bytes.join('.'))
  const links = [...tunnels.values()].map(({ name, ifindex, endpoints: { local, remote } }) => [
    name,
    ifindex,
    local.bytes.join('.'),
    remote.bytes.join('.'),
  ])
  return JSON.stringify([addresses, links, rest])
}

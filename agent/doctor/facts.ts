/**
 * Everything that `solipsec doctor` knows of a host. Gathered here; what it means is told by `checks/`.
 *
 * @module
 */

import type { AlgorithmTable } from '../model/algorithm.ts'
import { runDirectory } from '../runtime/directory.ts'
import { type AbilityFacts, tryAbilities } from './facts/abilities.ts'
import {
  type ClockFacts,
  type FolderFacts,
  type MemoryFacts,
  type Purpose,
  readClock,
  readFolder,
  readMemory,
} from './facts/files.ts'
import { type KernelFacts, readKernel } from './facts/kernel.ts'
import { type PrivilegeFacts, readPrivileges } from './facts/privileges.ts'
import { type InterfaceFacts, readInterfaces, readSettings, type Settings } from './facts/settings.ts'
import { readSockets, type SocketFacts } from './facts/sockets.ts'
import { type SoftwareFacts, trySoftware } from './facts/software.ts'
import { readSpeed, type SpeedFacts } from './facts/speed.ts'
import { readSupply, type SupplyFacts } from './facts/supply.ts'
import { type PolicyFacts, readPolicies } from './facts/tables.ts'
import { type TunnelFacts, tryTunnels } from './facts/tunnels.ts'
import { type Known, knownValue } from './known.ts'

export interface Versions {
  /** Without the `v`. */
  readonly node: string
  readonly solipsec: string
}

export interface Facts {
  readonly versions: Versions
  readonly kernel: KernelFacts
  readonly privileges: PrivilegeFacts
  readonly abilities: AbilityFacts
  readonly tunnels: TunnelFacts
  readonly software: SoftwareFacts
  readonly speed: SpeedFacts
  readonly settings: Settings
  readonly interfaces: Known<readonly InterfaceFacts[]>
  readonly policies: PolicyFacts
  readonly supply: Known<SupplyFacts>
  readonly sockets: SocketFacts
  readonly folders: readonly FolderFacts[]
  readonly clock: ClockFacts
  readonly memory: MemoryFacts
}

/** What the caller knows better. */
export interface Place {
  /** Version of solipsec. */
  readonly version: string
  readonly algorithms: AlgorithmTable
  /** Folders of key files. */
  readonly secretFolders: readonly string[]
  /** Where the software data path keeps what a reboot must not lose. */
  readonly stateFolder: string
}

/**
 * Looks at the host, and at the network namespace of the calling thread. Trying loads modules of the kernel; nothing
 * else changes.
 */
export function gatherFacts({ version, algorithms, secretFolders, stateFolder }: Place): Facts {
  const abilities = tryAbilities(algorithms)
  const interfaces = readInterfaces()
  const folder = (purpose: Purpose) => (path: string) => readFolder(path, purpose)
  return {
    versions: { node: process.versions.node, solipsec: version },
    kernel: readKernel(),
    privileges: readPrivileges(),
    abilities,
    tunnels: tryTunnels(),
    software: trySoftware(),
    speed: readSpeed(knownValue(interfaces) ?? []),
    settings: readSettings(),
    interfaces,
    policies: readPolicies(),
    supply: readSupply(algorithms),
    sockets: readSockets(),
    folders: [
      folder('run')(runDirectory()),
      folder('state')(stateFolder),
      ...secretFolders.map(folder('secret')),
    ],
    clock: readClock(stateFolder),
    memory: readMemory(),
  }
}

/**
 * Who carries the packets of a network namespace: the kernel's XFRM, or the software data path where the kernel cannot.
 * Both are talked to in the same way, so nobody above has to know.
 *
 * @module
 */
import { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { SaProtocol } from '../model/association.ts'
import { lackingProtocols } from './kernel/probe.ts'
import { connectService, isRunning, isSoftware } from './software/service/client.ts'

export type DataPathKind = 'kernel' | 'software'
/** `auto`: the one that is in use; where none is yet, the kernel unless it lacks what is needed. */
export type DataPathChoice = DataPathKind | 'auto'

/** What a command asks for. */
export interface DataPathRequest {
  readonly choice: DataPathChoice
  /** Protocols of the SAs that the command is about to ask for; none where it only looks. */
  readonly needs: readonly SaProtocol[]
}

/** The other data path is in use. */
export class DataPathConflictError extends Error {
  constructor(used: DataPathKind, wanted: DataPathKind) {
    super(
      `policy or SAs are loaded on the ${used} data path, so the ${wanted} one cannot be used.\n` +
        'help: without --datapath (or SOLIPSEC_DATAPATH) the one in use is taken; to change over, take all away first\n' +
        '  (ipsecconf -F; ipseckey flush), then load it again',
    )
    this.name = 'DataPathConflictError'
  }
}

export interface DataPath {
  readonly kind: DataPathKind
  /** It was just taken into use: nothing is loaded yet. */
  readonly isNew: boolean
  /** For {@link DataPath.isNew} of the software one: what the kernel lacks. */
  readonly lacking: readonly SaProtocol[]
  /** The program of the software one had ended, and was started again. */
  readonly isRestarted: boolean
  readonly connection: XfrmConnection
}

/**
 * Opens the data path of the namespace that the calling thread is in.
 *
 * @param folder its state folder
 * @param isKernelUsed whether the kernel has policies or SAs of ours; asked only where it matters
 * @throws DataPathConflictError, ServiceStartError, NetlinkError
 */
export function openDataPath(
  folder: string,
  { choice, needs }: DataPathRequest,
  isKernelUsed: (connection: XfrmConnection) => boolean,
): DataPath {
  if (isSoftware(folder)) {
    if (choice === 'kernel') throw new DataPathConflictError('software', 'kernel')
    const isRestarted = !isRunning(folder)
    return { kind: 'software', isNew: false, lacking: [], isRestarted, connection: connectService(folder) }
  }
  const lacking = choice === 'auto' && needs.length > 0 ? lackingProtocols(needs) : []
  const wantsSoftware = choice === 'software' ? needs.length > 0 : lacking.length > 0
  if (!wantsSoftware) return kernelPath()
  refuseWhereUsed(isKernelUsed)
  return { kind: 'software', isNew: true, lacking, isRestarted: false, connection: connectService(folder) }
}

function kernelPath(): DataPath {
  return { kind: 'kernel', isNew: false, lacking: [], isRestarted: false, connection: XfrmConnection.open() }
}

function refuseWhereUsed(isKernelUsed: (connection: XfrmConnection) => boolean): void {
  let kernel: XfrmConnection
  try {
    kernel = XfrmConnection.open()
  } catch {
    // A kernel without XFRM has nothing loaded.
    return
  }
  try {
    if (isKernelUsed(kernel)) throw new DataPathConflictError('kernel', 'software')
  } finally {
    kernel.close()
  }
}

/** A connection to whoever carries the packets, for one who only looks or listens. */
export function connectDataPath(folder: string): XfrmConnection {
  return isSoftware(folder) ? connectService(folder) : XfrmConnection.open()
}

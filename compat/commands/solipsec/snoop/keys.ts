/**
 * The keys with which packets are opened: of a key file, or of the SAs that are in use.
 *
 * @module
 */
import { KeyRing } from '../../../../agent/capture/key-ring.ts'
import {
  type SaMessage,
  saFromAssociation,
  saFromDump,
  type ViewedSa,
} from '../../../../agent/capture/viewed-sa.ts'
import { type DataPathChoice, openDataPath } from '../../../../agent/datapath/data-path.ts'
import type { AlgorithmTable } from '../../../../agent/model/algorithm.ts'
import { hasErrors } from '../../../../agent/model/diagnostic.ts'
import { Store } from '../../../../agent/reconcile/store.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import { parse, showDiagnostics } from '../../ipseckey/load.ts'
import { algorithmTable, displayTable } from '../../support/algorithms.ts'
import { announceDataPath } from '../../support/data-path-option.ts'
import { CommandError } from '../../support/exit.ts'
import { explain } from '../../support/explain.ts'
import type { Io } from '../../support/io.ts'
import type { Request } from './arguments.ts'

/**
 * @returns `undefined` where packets are not to be opened
 * @throws CommandError where the keys were asked for and cannot be had
 */
export async function keyRing(request: Request, io: Io): Promise<KeyRing | undefined> {
  const { keys } = request
  if (keys.kind === 'none') return undefined
  if (keys.kind === 'file') return ringOfFile(keys.file, request, io)
  const ring = runningRing(keys.dataPath, request.input.kind === 'live', io)
  try {
    ring.load()
  } catch (error) {
    // A capture file may be looked at by anybody, keys or none; the table is nothing without them.
    const reason = reasonOf(error)
    if (request.wireshark !== undefined) throw new CommandError(reason)
    io.stderr.write(`NOTE: no keys, so nothing is decrypted: ${reason}\n`)
    return new KeyRing()
  }
  return ring
}

function reasonOf(error: unknown): string {
  const reason = error instanceof CommandError ? error : explain(error)
  if (!reason) throw error
  if (reason.outcome !== 'permission') return reason.message
  return 'the SAs in use are shown to root alone; a key file (-k FILE) can take their place'
}

/** SAs of the network namespace that the thread is in; while it captures, also those that come later. */
function runningRing(choice: DataPathChoice, isLive: boolean, io: Io): KeyRing {
  const table = displayTable()
  let isLoaded = false
  const source = {
    dump: () => {
      try {
        return dumpStates(choice, io)
      } catch (error) {
        // Who carried the packets may end meanwhile; what was read stays.
        if (isLoaded && (error instanceof NetlinkError || explain(error))) return []
        throw error
      } finally {
        isLoaded = true
      }
    },
    make: (message: SaMessage) => saFromDump(message, table),
  }
  return new KeyRing(source, isLive ? 1000 : Number.POSITIVE_INFINITY)
}

function dumpStates(choice: DataPathChoice, io: Io): readonly SaMessage[] {
  const dataPath = openDataPath(Store.open().folder, { choice, needs: [] }, () => false)
  announceDataPath(dataPath, io)
  const { connection } = dataPath
  try {
    return connection.states()
  } finally {
    connection.close()
  }
}

async function ringOfFile(file: string, request: Request, io: Io): Promise<KeyRing> {
  const table = await algorithmTable(io)
  const parsed = await parse(file, table, request, io)
  // Warnings are about what is to be installed.
  if (hasErrors(parsed.diagnostics)) {
    await showDiagnostics(parsed, io)
    const bad = parsed.entries.filter((entry) => hasErrors(entry.diagnostics)).length
    throw new CommandError(`${file}: ${bad} of ${parsed.entries.length} commands contained errors`)
  }
  const ring = new KeyRing()
  for (const command of parsed.commands) {
    if (command.kind !== 'add') continue
    const sa = viewedSa(command.association, table)
    if (sa) ring.add(sa)
    else {
      const { protocol, spi } = command.association
      io.stderr.write(
        `NOTE: ${protocol.toUpperCase()} SPI 0x${spi.toString(16)}: its algorithm is not known here\n`,
      )
    }
  }
  return ring
}

function viewedSa(
  association: Parameters<typeof saFromAssociation>[0],
  table: AlgorithmTable,
): ViewedSa | undefined {
  try {
    return saFromAssociation(association, table)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * `ipsecalgs(8)`: lists and changes the table of IPsec algorithms, and finds out what the kernel has of it.
 *
 * @module
 */
import { release } from 'node:os'
import type { AlgorithmTable } from '../../agent/model/algorithm.ts'
import type { Diagnostic } from '../../agent/model/diagnostic.ts'
import { defaultKeyBits } from '../../agent/model/key-sizes.ts'
import { kernelAlgorithmOf } from '../../agent/translate/kernel-algorithms.ts'
import { EDIT_ERRORS } from '../solaris/ipsecalgs/edit.ts'
import type { AlgorithmFile } from '../solaris/ipsecalgs/file.ts'
import { parseAlgorithmFile, printAlgorithmFile, tableOf } from '../solaris/ipsecalgs/file.ts'
import { listFile, listJson, listKernel } from '../solaris/ipsecalgs/listing.ts'
import {
  ALGORITHMS_PATH,
  loadAlgorithmFile,
  loadSynchronisedTable,
  synchronisedPath,
} from '../solaris/ipsecalgs/load.ts'
import { synchronise, synchronisedFile } from '../solaris/ipsecalgs/synchronised.ts'
import type { Edit, Request } from './ipsecalgs/arguments.ts'
import { interpret, optionTable } from './ipsecalgs/arguments.ts'
import type { Io } from './support/io.ts'
import { enter } from './support/run.ts'
import { start, usageError } from './support/start.ts'
import { systemText } from './support/system-text.ts'

const NAME = 'ipsecalgs'
/** Unlike the other commands, this one has a single exit code for failures, also as a service. */
const FAILURE = 1
/** As on Solaris: read by all, written only through this command. */
const FILE_MODE = 0o444
/** How long to wait for another ipsecalgs. */
const LOCK_WAIT_MILLISECONDS = 5000

/** Where the command's files are. */
export interface Places {
  readonly table: string
  readonly synchronised: string
  /** Held from reading the table to having written it. */
  readonly lock: string
}

function systemPlaces(): Places {
  const synchronised = synchronisedPath()
  return { table: ALGORITHMS_PATH, synchronised, lock: `${synchronised}.lock` }
}

/** @returns the exit code: 0, or 1 for any failure */
export async function run(argv: readonly string[], io: Io, places: Places = systemPlaces()): Promise<number> {
  const started = await start(NAME, optionTable, argv, io)
  if (typeof started === 'number') return Math.min(started, FAILURE)
  const asked = interpret(started.options, started.operands)
  if ('usage' in asked) {
    await usageError(NAME, asked.usage, io)
    return FAILURE
  }
  try {
    if ('error' in asked) throw new Refusal(asked.error)
    await carryOut(asked.request, io, places)
    return 0
  } catch (error) {
    const message = messageOf(error)
    if (message === undefined) throw error
    io.stderr.write(`${NAME}: ${message}\n`)
    return FAILURE
  }
}

/** What stops the command, in words for its user. */
class Refusal extends Error {}

async function carryOut(request: Request, io: Io, places: Places): Promise<void> {
  const { edit, json, netns } = request
  await enter(netns)
  if (request.listKernel) {
    const table = loadSynchronisedTable(places.synchronised) ?? (await probe(await loadTable(places), io))
    io.stdout.write(json ? listJson(table, true) : listKernel(table))
  } else if (edit || request.synchronise) {
    await change(request, edit, io, places)
  } else {
    const table = await loadTable(places)
    io.stdout.write(json ? listJson(table, false) : listFile(table))
  }
}

async function change(request: Request, edit: Edit | undefined, io: Io, places: Places): Promise<void> {
  const write = request.dryRun ? preview(io) : await fileWriter()
  const lock = request.dryRun ? undefined : await takeLock(places.lock)
  try {
    const before = await loadFile(places)
    const after = edit ? await edited(before, edit) : before
    if (edit) write(places.table, printAlgorithmFile(after))
    if (request.synchronise) {
      const table = await probe(tableOf(after), io)
      write(places.synchronised, printAlgorithmFile(synchronisedFile(table, release())))
    }
  } finally {
    lock?.release()
  }
}

type Write = (path: string, text: string) => void

function preview(io: Io): Write {
  return (path, text) => io.stdout.write(`Would write ${path}:\n${text}`)
}

async function fileWriter(): Promise<Write> {
  const { replaceFile } = await import('./support/atomic-file.ts')
  return (path, text) => replaceFile(path, text, FILE_MODE)
}

async function takeLock(path: string): Promise<{ release(): void }> {
  const [{ lockFile }, { mkdirSync }, { dirname }] = await Promise.all([
    import('../../netlink/libc/lock.ts'),
    import('node:fs'),
    import('node:path'),
  ])
  mkdirSync(dirname(path), { recursive: true })
  const lock = lockFile(path, LOCK_WAIT_MILLISECONDS)
  if (!lock) throw new Refusal(`another ipsecalgs is at work (it holds ${path})`)
  return lock
}

async function edited(file: AlgorithmFile, edit: Edit): Promise<AlgorithmFile> {
  const { applyEdit } = await import('./ipsecalgs/edit.ts')
  const result = applyEdit(file, edit)
  if ('error' in result) throw new Refusal(EDIT_ERRORS[result.error].text)
  // A file that cannot be read back (a line too long) would leave the host without any algorithm.
  const [problem] = parseAlgorithmFile(printAlgorithmFile(result.file), '').diagnostics
  if (problem) throw new Refusal(`the table would become unreadable: ${problem.message}`)
  return result.file
}

async function loadTable(places: Places): Promise<AlgorithmTable> {
  return tableOf(await loadFile(places))
}

async function loadFile(places: Places): Promise<AlgorithmFile> {
  const { file, diagnostics } = loadAlgorithmFile(places.table)
  if (!file) throw new Refusal(await corrupt(places.table, diagnostics))
  return file
}

async function corrupt(path: string, diagnostics: readonly Diagnostic[]): Promise<string> {
  const { renderDiagnostics } = await import('../diagnostics.ts')
  return `${path} is corrupt; no algorithm can be used until it is mended\n${renderDiagnostics(diagnostics).trimEnd()}`
}

/** Asks the kernel for each row, and sets its VALID flag accordingly. */
async function probe(table: AlgorithmTable, io: Io): Promise<AlgorithmTable> {
  const { probeAlgorithms } = await import('../../agent/datapath/kernel/probe.ts')
  const rows = table.algorithms.flatMap((entry) => {
    const algorithm = kernelAlgorithmOf(entry)
    return algorithm ? [{ entry, algorithm, keyBits: defaultKeyBits(entry.keySizes) }] : []
  })
  const results = probeAlgorithms(rows)
  if (results.some((result) => !result.available && result.lacks === 'protocol')) {
    io.stderr.write(
      `${NAME}: the kernel has no ESP; where rules need it, the software data path takes its place\n`,
    )
  }
  const available = new Set(rows.filter((_, index) => results[index]?.available).map(({ entry }) => entry))
  return synchronise(table, (entry) => available.has(entry))
}

/** Words for an error that a user can do something about; `undefined` for one of ours. */
function messageOf(error: unknown): string | undefined {
  if (error instanceof Refusal) return error.message
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  if (error.code === 'EPERM' || error.code === 'EACCES') return `insufficient privilege: ${systemText(error)}`
  const isSystem = /^E[A-Z0-9]+$/.test(error.code) || /^ERR_NET(LINK|NS)_/.test(error.code)
  return isSystem ? systemText(error) : undefined
}

/**
 * Key files and single commands: parsed and checked as a whole, then carried out as a whole.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import type { KeyFile } from '../../solaris/ipseckey/command.ts'
import { parseCommandLine, parseKeyFile } from '../../solaris/ipseckey/parser.ts'
import { algorithmTable } from '../support/algorithms.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { report } from '../support/report.ts'
import type { Request } from './arguments.ts'
import { execute } from './execute.ts'
import { readKeyFile } from './key-file.ts'

/** `-c`: syntax and meaning only. Needs no privilege and touches no kernel. */
export async function checkKeyFile(file: string, request: Request, io: Io): Promise<void> {
  const parsed = await parse(file, await algorithmTable(io), request, io)
  await showDiagnostics(parsed, io)
  stopOnErrors(parsed)
}

/** `-f`: everything in the file, or nothing of it. */
export async function loadKeyFile(file: string, request: Request, io: Io): Promise<void> {
  const algorithms = await algorithmTable(io)
  const parsed = await parse(file, algorithms, request, io)
  await showDiagnostics(parsed, io)
  stopOnErrors(parsed)
  if (io.service) io.stdout.write("Flushing existing SA's before adding new SA's\n")
  await execute(parsed.entries, { algorithms, request, io, flushFirst: io.service !== undefined })
  if (io.service) io.stdout.write(`${parsed.commands.length} actions successfully processed.\n`)
}

/** One command given as operands. */
export async function runOperands(words: readonly string[], request: Request, io: Io): Promise<void> {
  const algorithms = await algorithmTable(io)
  const parsed = parseCommandLine(words, { algorithms, resolver: systemResolver, numeric: request.numeric })
  await report(parsed.diagnostics, io)
  if (hasErrors(parsed.diagnostics)) throw new CommandError('')
  await execute(parsed.entries, { algorithms, request, io, flushFirst: false })
}

/** Reads a key file and takes it apart. */
export async function parse(
  file: string,
  algorithms: AlgorithmTable,
  request: Pick<Request, 'numeric'>,
  io: Io,
): Promise<KeyFile> {
  const options = { algorithms, resolver: systemResolver, numeric: request.numeric }
  return parseKeyFile(readKeyFile(file, io), file, options)
}

/** Each entry that there is something to say about, with what there is to say. */
export async function showDiagnostics({ entries }: KeyFile, io: Io): Promise<void> {
  for (const entry of entries) {
    if (entry.diagnostics.length === 0) continue
    // The text is made only when asked for: blanking its keys costs as much as reading them did.
    io.stderr.write(
      `Config file entry near line ${entry.lastLine} caused error(s) or warnings:\n${entry.text}\n`,
    )
    await report(entry.diagnostics, io)
  }
}

function stopOnErrors({ entries, diagnostics }: KeyFile): void {
  if (!hasErrors(diagnostics)) return
  const bad = entries.filter((entry) => hasErrors(entry.diagnostics)).length
  const all = entries.length
  throw new CommandError(
    bad === all
      ? 'Configuration file did not contain any valid SAs'
      : `${bad} of ${all} commands contained errors; nothing was changed.`,
  )
}

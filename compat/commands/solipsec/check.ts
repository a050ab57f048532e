/**
 * `solipsec check`: says everything that is wrong with a configuration, whatever language it is in. Needs no privilege and
 * touches no kernel.
 *
 * @module
 */
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { readConfiguration } from '../../configuration/index.ts'
import { addedBy, duplicatesIn } from '../../configuration/read/files.ts'
import { parseAlgorithmFile, tableOf } from '../../solaris/ipsecalgs/file.ts'
import { type PolicyEnvironment, parsePolicy } from '../../solaris/ipsecconf/index.ts'
import { parseKeyFile } from '../../solaris/ipseckey/parser.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { report } from '../support/report.ts'
import { interpret, optionTable, type Request } from './check/arguments.ts'
import { environmentFor } from './environment.ts'
import { configurationFiles, type InputFile, readInput } from './input.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec check', options: optionTable, interpret, carryOut })

/** What was found in a file. A count that it has no section for is absent. */
interface Findings {
  readonly rules?: number
  readonly associations?: number
  readonly algorithms?: number
  readonly tunnels?: number
  readonly sockets?: number
  readonly diagnostics: readonly Diagnostic[]
}

async function carryOut({ files, kind, json, quiet }: Request, io: Io): Promise<void> {
  const results: object[] = []
  let errors = 0
  for (const path of files) {
    const input = await readInput(path, kind, io)
    const findings = examine(input, await environmentFor(input, io), io)
    const { diagnostics, ...counts } = findings
    const found = diagnostics.filter(({ severity }) => severity === 'error').length
    errors += found
    if (json) {
      const { plainDiagnostics } = await import('../../diagnostics.ts')
      const plain = plainDiagnostics(diagnostics)
      results.push({ file: input.name, kind: input.kind, errors: found, ...counts, diagnostics: plain })
    } else await report(diagnostics, io)
    if (!json && !quiet && found === 0) io.stdout.write(`${input.name}: ${summary(counts)}no errors\n`)
  }
  if (json) io.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
  if (errors > 0) throw new CommandError(errors === 1 ? '1 error' : `${errors} errors`)
}

function examine(input: InputFile, environment: PolicyEnvironment, { env }: Io): Findings {
  const { kind, text, name } = input
  if (kind === 'json') return examineDocument(input, environment, env)
  if (kind === 'ipsecinit.conf') {
    const { rules, diagnostics } = parsePolicy(text, name, environment)
    return { rules: rules.length, diagnostics }
  }
  if (kind === 'ipsecalgs') {
    const { file, diagnostics } = parseAlgorithmFile(text, name)
    return { algorithms: file ? tableOf(file).algorithms.length : 0, diagnostics }
  }
  const parsed = parseKeyFile(text, name, environment)
  const diagnostics = [...exposure(input), ...parsed.diagnostics, ...duplicatesIn(parsed, name)]
  return { associations: addedBy(parsed).length, diagnostics }
}

function examineDocument(input: InputFile, environment: PolicyEnvironment, env: Io['env']): Findings {
  const files = configurationFiles(input, env)
  const { configuration, diagnostics } = readConfiguration(input.text, input.name, { ...environment, files })
  const { rules, associations, tunnels, sockets, hasAlgorithms, algorithms } = configuration ?? {}
  return {
    ...(rules && { rules: rules.length }),
    ...(associations && { associations: associations.length }),
    ...(hasAlgorithms && algorithms && { algorithms: algorithms.algorithms.length }),
    ...(tunnels && { tunnels: tunnels.length }),
    ...(sockets && { sockets: sockets.length }),
    diagnostics,
  }
}

/** The rule for key files, as ipseckey(8) has it. */
function exposure({ isExposed, name }: InputFile): Diagnostic[] {
  if (!isExposed) return []
  const hint = 'It should belong to root, mode 0600 or 0400.'
  const span = { line: 1, column: 1, length: 1 }
  return [{ severity: 'warning', message: 'The file has insecure permissions', file: name, span, hint }]
}

const NAMES: readonly (readonly [keyof Findings, singular: string, plural: string])[] = [
  ['rules', 'rule', 'rules'],
  ['associations', 'SA', 'SAs'],
  ['algorithms', 'algorithm', 'algorithms'],
  ['tunnels', 'tunnel', 'tunnels'],
  ['sockets', 'socket policy', 'socket policies'],
]

/** `3 rules, 2 SAs, `. */
function summary(counts: Omit<Findings, 'diagnostics'>): string {
  return NAMES.map(([name, singular, plural]) => {
    const count = (counts as Partial<Record<string, number>>)[name]
    return count === undefined ? '' : `${count} ${count === 1 ? singular : plural}, `
  }).join('')
}

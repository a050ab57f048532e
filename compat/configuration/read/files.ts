/**
 * Sections that are files of Solaris.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { append } from '../../../agent/model/lists.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { parseAlgorithmFile, tableOf } from '../../solaris/ipsecalgs/file.ts'
import { type PolicyEnvironment, parsePolicy } from '../../solaris/ipsecconf/index.ts'
import type { KeyEntry, KeyFile } from '../../solaris/ipseckey/command.ts'
import { parseKeyFile } from '../../solaris/ipseckey/parser.ts'
import type { JsonDocument } from '../document.ts'
import { duplicateEntries } from '../duplicates.ts'
import type { ConfigurationEnvironment, FilePurpose } from '../environment.ts'

interface Found {
  readonly text: string
  readonly name: string
}

/** Opens the file that a section refers to; reports where it cannot, and where others can read keys in it. */
function open(
  document: JsonDocument,
  purpose: Exclude<FilePurpose, 'key'>,
  path: string,
  environment: ConfigurationEnvironment,
): Found | undefined {
  const place = [purpose, 'file']
  const found = environment.files.read(path, purpose)
  if ('problem' in found) {
    document.error(place, found.problem)
    return undefined
  }
  if (found.isExposed && purpose === 'associations') {
    document.warning(place, `${found.name} has insecure permissions`, {
      hint: 'It should belong to root, mode 0600 or 0400.',
    })
  }
  return found
}

export function algorithmsOfFile(
  document: JsonDocument,
  path: string,
  environment: ConfigurationEnvironment,
  diagnostics: Diagnostic[],
): AlgorithmTable | undefined {
  const found = open(document, 'algorithms', path, environment)
  if (!found) return undefined
  const parsed = parseAlgorithmFile(found.text, found.name)
  append(diagnostics, parsed.diagnostics)
  return parsed.file && tableOf(parsed.file)
}

export function rulesOfFile(
  document: JsonDocument,
  path: string,
  environment: ConfigurationEnvironment,
  policy: PolicyEnvironment,
  diagnostics: Diagnostic[],
): Rule[] {
  const found = open(document, 'policies', path, environment)
  if (!found) return []
  const parsed = parsePolicy(found.text, found.name, policy)
  append(diagnostics, parsed.diagnostics)
  return parsed.rules
}

export function associationsOfFile(
  document: JsonDocument,
  path: string,
  environment: ConfigurationEnvironment,
  { algorithms, resolver }: PolicyEnvironment,
  diagnostics: Diagnostic[],
  places: AssociationPlaces,
): SecurityAssociation[] {
  const found = open(document, 'associations', path, environment)
  if (!found) return []
  const parsed = parseKeyFile(found.text, found.name, { algorithms, resolver })
  append(diagnostics, parsed.diagnostics)
  append(diagnostics, duplicatesIn(parsed, found.name))
  append(diagnostics, otherThanAdd(parsed, found.name))
  notePlaces(parsed, found.name, places)
  return addedBy(parsed)
}

/** Where each SA was written. */
export type AssociationPlaces = Map<SecurityAssociation, { readonly file: string; readonly line: number }>

export function notePlaces(
  { entries }: Pick<KeyFile, 'entries'>,
  file: string,
  places: AssociationPlaces,
): void {
  for (const { commands, firstLine: line } of entries) {
    for (const command of commands)
      if (command.kind === 'add') places.set(command.association, { file, line })
  }
}

export function addedBy({ commands }: Pick<KeyFile, 'commands'>): SecurityAssociation[] {
  return commands.flatMap((command) => (command.kind === 'add' ? [command.association] : []))
}

/** SAs that a key file adds twice. */
export function duplicatesIn({ entries }: KeyFile, file: string): Diagnostic[] {
  return duplicateEntries(entries).map(({ entry, earlier }) => ({
    severity: 'error',
    message: `Duplicate SA: line ${earlier.firstLine} adds one with this SPI, destination and protocol already`,
    file,
    span: { line: entry.firstLine, column: 1, length: 1 },
  }))
}

/** A configuration says what is to be there. It may begin with a flush, which goes without saying. */
export function otherThanAdd({ entries }: KeyFile, file: string): Diagnostic[] {
  const first = entries.findIndex(({ commands }) => commands.some(({ kind }) => kind === 'add'))
  return entries.flatMap((entry, index) =>
    isDeclarative(entry, first < 0 || index < first)
      ? []
      : [
          {
            severity: 'error' as const,
            message: 'Only add can be part of a configuration, and flush in front of all',
            file,
            span: { line: entry.firstLine, column: 1, length: 1 },
            hint: 'Load the file by ipseckey -f, or write down what is to be in the end.',
          },
        ],
  )
}

function isDeclarative({ commands }: KeyEntry, isInFront: boolean): boolean {
  return commands.every(({ kind }) => kind === 'add' || kind === 'quit' || (kind === 'flush' && isInFront))
}

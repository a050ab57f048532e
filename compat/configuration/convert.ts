/**
 * Files of Solaris to a JSON document and back. What one side has no words for is refused, with its place.
 *
 * @module
 */
import type { Diagnostic } from '../../agent/model/diagnostic.ts'
import { hasErrors } from '../../agent/model/diagnostic.ts'
import { append } from '../../agent/model/lists.ts'
import type { Configuration } from '../../schemas/generated/configuration.ts'
import { commentLines } from './comments.ts'
import type { JsonDocument } from './document.ts'
import { openDocument } from './index.ts'
import { formatJson } from './json/format.ts'
import { nodeAt, plainValue } from './json/tree.ts'
import type { FileKind } from './kind.ts'
import { validateDocument } from './validate.ts'
import { algorithmsFromSolaris } from './write/algorithms.ts'
import { associationsFromSolaris } from './write/associations.ts'
import { policiesFromSolaris, policiesToSolaris } from './write/policies.ts'
import { algorithmsToSolaris, associationsToSolaris } from './write/to-solaris.ts'

export type SolarisKind = Exclude<FileKind, 'json'>

export interface SolarisFile {
  readonly kind: SolarisKind
  readonly text: string
  readonly file: string
}

export interface Converted {
  /** Absent where something is wrong. */
  readonly text?: string
  readonly diagnostics: readonly Diagnostic[]
}

/** Joins files of Solaris to one document. @param schema what `$schema` says; for editors */
export function toJson(files: readonly SolarisFile[], schema?: string): Converted {
  const document: Configuration = schema === undefined ? {} : { $schema: schema }
  const diagnostics: Diagnostic[] = []
  for (const { kind, text, file } of files) {
    if (kind === 'ipsecinit.conf') {
      const read = policiesFromSolaris(text, file)
      append(diagnostics, read.diagnostics)
      document.policies = [...listOf(document.policies), ...read.policies]
    } else if (kind === 'ipseckeys') {
      const read = associationsFromSolaris(text, file)
      append(diagnostics, read.diagnostics)
      document.associations = [...listOf(document.associations), ...read.associations]
    } else {
      const read = algorithmsFromSolaris(text, file)
      append(diagnostics, read.diagnostics)
      document.algorithms = read.algorithms
    }
  }
  if (hasErrors(diagnostics)) return { diagnostics }
  return { text: formatJson(document), diagnostics }
}

function listOf<T>(section: readonly T[] | { readonly file: string } | undefined): readonly T[] {
  return Array.isArray(section) ? section : []
}

type Section = 'policies' | 'associations' | 'algorithms'

const SECTIONS: Readonly<Record<SolarisKind, Section>> = {
  'ipsecinit.conf': 'policies',
  ipseckeys: 'associations',
  ipsecalgs: 'algorithms',
}

/** What no file of Solaris has a place for. */
const UNSAYABLE = ['dataPath', 'drift', 'latch', 'tunnels', 'sockets', 'tunables', 'ike'] as const

/**
 * One section of a document as a file of Solaris.
 *
 * @param isPartial sections that no file of Solaris can say are left out without a word
 */
export function toSolaris(text: string, file: string, kind: SolarisKind, isPartial: boolean): Converted {
  const { document, diagnostics } = openDocument(text, file)
  if (!document) return { diagnostics }
  const value = plainValue(document.root) as Configuration
  validateDocument(document, value)
  const section = SECTIONS[kind]
  if (!hasErrors(document.report.diagnostics)) {
    if (!isPartial) refuseUnsayable(document, value)
    if (value[section] === undefined) document.error([], `The document has no \`${section}\``)
    const written = sectionText(document, value, section)
    if (written !== undefined && !hasErrors(document.report.diagnostics)) {
      return { text: written, diagnostics: document.withPointers(document.report.diagnostics) }
    }
  }
  return { diagnostics: document.withPointers(document.report.diagnostics) }
}

function refuseUnsayable(document: JsonDocument, value: Configuration): void {
  for (const section of UNSAYABLE) {
    const place = value[section] === undefined ? undefined : nodeAt(document.root, [section])?.name
    if (!place) continue
    document.report.error(document.token(place), `No file of Solaris has a place for \`${section}\``, {
      hint: 'With --partial it is left out.',
    })
  }
}

function sectionText(document: JsonDocument, value: Configuration, section: Section): string | undefined {
  const node = nodeAt(document.root, [section])?.value
  const head = commentLines(value.comment)
  if (node?.kind === 'array') {
    return section === 'policies'
      ? policiesToSolaris(document, node, head)
      : associationsToSolaris(document, node, head)
  }
  if (section === 'algorithms' && value.algorithms && value.algorithms.file === undefined) {
    return algorithmsToSolaris(document, value.algorithms, head)
  }
  if (node) document.error([section, 'file'], `\`${section}\` is a file of Solaris already`)
  return undefined
}

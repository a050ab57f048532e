/**
 * The JSON configuration: text to checked model values. Pure but for the environment that the caller gives.
 *
 * @module
 */
import type { AlgorithmTable } from '../../agent/model/algorithm.ts'
import type { SecurityAssociation } from '../../agent/model/association.ts'
import type { Diagnostic } from '../../agent/model/diagnostic.ts'
import type { Rule } from '../../agent/model/policy.ts'
import type { SocketPolicy } from '../../agent/model/socket-policy.ts'
import type { TunnelInterface } from '../../agent/model/tunnel.ts'
import type { Configuration, Tunables } from '../../schemas/generated/configuration.ts'
import { JsonDocument } from './document.ts'
import type { ConfigurationEnvironment } from './environment.ts'
import { parseJson } from './json/parse.ts'
import { plainValue } from './json/tree.ts'
import { byFileAndPlace, Sections } from './read/sections.ts'
import { validateDocument } from './validate.ts'

export type { ConfigurationEnvironment, ConfigurationFiles, FilePurpose, FileText } from './environment.ts'

/** A configuration with every name resolved. A section that the document lacks is absent: it is to stay as it is. */
export interface CheckedConfiguration {
  /** What the names of algorithms mean: the document's own table, or that of the environment. */
  readonly algorithms: AlgorithmTable
  /** The document has a table of its own, or says which file has it. */
  readonly hasAlgorithms: boolean
  readonly rules?: readonly Rule[]
  readonly associations?: readonly SecurityAssociation[]
  readonly tunnels?: readonly TunnelInterface[]
  readonly sockets?: readonly SocketPolicy[]
  readonly tunables?: Tunables
  /** Established connections keep their policy. */
  readonly latch?: boolean
  /** `DataPathChoice`; absent: not said. */
  readonly dataPath?: 'auto' | 'kernel' | 'software'
  /** `DriftChoice`; absent: not said. */
  readonly drift?: 'enforce' | 'report'
}

export interface ReadConfiguration {
  /** What could be read. Use it only where no diagnostic is an error. Absent where the text is no JSON object. */
  readonly configuration?: CheckedConfiguration
  /** Where each SA was written. Absent where the text is no JSON object. */
  readonly places?: ReadonlyMap<SecurityAssociation, { readonly file: string; readonly line: number }>
  /** Everything there is to say, about the document and the files that it refers to. */
  readonly diagnostics: readonly Diagnostic[]
}

/** A document that follows JSON, ready for its schema. */
export interface OpenedDocument {
  readonly document?: JsonDocument
  readonly diagnostics: readonly Diagnostic[]
}

/** Parses the text; duplicate names and what is no JSON become diagnostics. */
export function openDocument(text: string, file: string): OpenedDocument {
  const { root, problems } = parseJson(text)
  const document = new JsonDocument(text, file, root ?? { kind: 'scalar', value: null, start: 0, end: 0 })
  for (const { message, hint, ...range } of problems) {
    document.report.error(document.token(range), message, hint === undefined ? {} : { hint })
  }
  return { ...(root && { document }), diagnostics: document.report.diagnostics }
}

/**
 * Reads and checks a whole document. Never throws on bad input: all errors are collected, with their places.
 *
 * @param text the file's contents
 * @param file its name, for messages
 */
export function readConfiguration(
  text: string,
  file: string,
  environment: ConfigurationEnvironment,
): ReadConfiguration {
  const { document, diagnostics } = openDocument(text, file)
  if (!document) return { diagnostics }
  const value = plainValue(document.root)
  const flaws = validateDocument(document, value)
  if (document.root.kind !== 'object') return { diagnostics: document.withPointers(diagnostics) }
  const sections = new Sections(document, value as Configuration, flaws, environment)
  const configuration = sections.read()
  const all = [...document.withPointers(document.report.diagnostics), ...sections.diagnostics]
  return { configuration, places: sections.places, diagnostics: all.sort(byFileAndPlace(file)) }
}

/**
 * Files of Solaris, or a JSON document, as what is converted to the languages of other tools.
 *
 * @module
 */
import type { AlgorithmTable } from '../../agent/model/algorithm.ts'
import { type Diagnostic, hasErrors } from '../../agent/model/diagnostic.ts'
import { append } from '../../agent/model/lists.ts'
import type { Rule } from '../../agent/model/policy.ts'
import type { TunnelInterface } from '../../agent/model/tunnel.ts'
import type { Configuration } from '../../schemas/generated/configuration.ts'
import type { ConfigurationFiles } from '../configuration/environment.ts'
import { openDocument, readConfiguration } from '../configuration/index.ts'
import { nodeAt } from '../configuration/json/tree.ts'
import type { FileKind } from '../configuration/kind.ts'
import {
  type AssociationPlaces,
  addedBy,
  duplicatesIn,
  notePlaces,
  otherThanAdd,
} from '../configuration/read/files.ts'
import { parseAlgorithmFile, tableOf } from '../solaris/ipsecalgs/file.ts'
import { type PolicyEnvironment, parsePolicy } from '../solaris/ipsecconf/index.ts'
import { parseKeyFile } from '../solaris/ipseckey/parser.ts'
import type { ForeignInput } from './input.ts'
import type { PlacedAssociation, Unsaid } from './unsaid.ts'

export interface ForeignSource {
  readonly name: string
  readonly kind: FileKind
  readonly text: string
  /** For what a document refers to. */
  readonly files: ConfigurationFiles
}

export interface ReadForeignInput {
  readonly input: ForeignInput
  readonly tunnels: readonly TunnelInterface[]
  /** Sections of a document that are no rules and no SAs. */
  readonly unsaid: readonly Unsaid[]
  /** Use the rest only where none of them is an error. */
  readonly diagnostics: readonly Diagnostic[]
}

/** Reads all files together. `problem`: they cannot be taken together. */
export function readForeignInput(
  sources: readonly ForeignSource[],
  environment: PolicyEnvironment,
): ReadForeignInput | { readonly problem: string } {
  const document = sources.find(({ kind }) => kind === 'json')
  if (document) {
    if (sources.length > 1) return { problem: 'a JSON document is converted by itself, without other files' }
    return readDocument(document, environment)
  }
  const [policies, keys, tables] = (['ipsecinit.conf', 'ipseckeys', 'ipsecalgs'] as const).map((wanted) =>
    sources.filter(({ kind }) => kind === wanted),
  )
  for (const same of [policies, keys, tables]) {
    if (same && same.length > 1) return { problem: `there can be only one file of the kind ${same[0]?.kind}` }
  }
  return readSolaris(policies?.[0], keys?.[0], tables?.[0], environment)
}

function readSolaris(
  policy: ForeignSource | undefined,
  keys: ForeignSource | undefined,
  table: ForeignSource | undefined,
  { resolver, algorithms: usual }: PolicyEnvironment,
): ReadForeignInput {
  const diagnostics: Diagnostic[] = []
  const algorithms = table ? tableFrom(table, usual, diagnostics) : usual
  let rules: readonly Rule[] = []
  const associations: PlacedAssociation[] = []
  if (policy) {
    const parsed = parsePolicy(policy.text, policy.name, { algorithms, resolver })
    append(diagnostics, parsed.diagnostics)
    rules = parsed.rules
  }
  if (keys) {
    const { name, text } = keys
    const parsed = parseKeyFile(text, name, { algorithms, resolver })
    append(diagnostics, parsed.diagnostics)
    append(diagnostics, duplicatesIn(parsed, name))
    append(diagnostics, otherThanAdd(parsed, name))
    const places: AssociationPlaces = new Map()
    notePlaces(parsed, name, places)
    append(associations, placed(addedBy(parsed), places))
  }
  return { input: { algorithms, rules, associations }, tunnels: [], unsaid: [], diagnostics }
}

function tableFrom(
  { text, name }: ForeignSource,
  usual: AlgorithmTable,
  diagnostics: Diagnostic[],
): AlgorithmTable {
  const parsed = parseAlgorithmFile(text, name)
  append(diagnostics, parsed.diagnostics)
  return parsed.file ? tableOf(parsed.file) : usual
}

function placed(
  associations: Iterable<PlacedAssociation['association']>,
  places: ReadonlyMap<PlacedAssociation['association'], { readonly file: string; readonly line: number }>,
): PlacedAssociation[] {
  return [...associations].flatMap((association) => {
    const place = places.get(association)
    return place ? [{ association, ...place }] : []
  })
}

/** What has no words in any of the languages, and why. */
const SECTIONS: readonly (readonly [section: keyof Configuration, reason: string])[] = [
  ['dataPath', 'which data path to take is for solipsec alone'],
  ['tunnels', 'interfaces are made elsewhere: by ip link add, or the network manager'],
  ['sockets', 'policies for the sockets of single services have no words there'],
  ['tunables', 'tunables have no words there'],
  ['ike', 'rules of IKE have no words yet'],
]

function readDocument(
  { text, name, files }: ForeignSource,
  environment: PolicyEnvironment,
): ReadForeignInput {
  const { configuration, places, diagnostics } = readConfiguration(text, name, { ...environment, files })
  const {
    algorithms = environment.algorithms,
    rules = [],
    associations = [],
    tunnels = [],
  } = configuration ?? {}
  const input = { algorithms, rules, associations: placed(associations, places ?? new Map()) }
  const unsaid = hasErrors(diagnostics) ? [] : sectionsIn(text, name)
  return { input, tunnels, unsaid, diagnostics }
}

function sectionsIn(text: string, file: string): Unsaid[] {
  const { document } = openDocument(text, file)
  if (!document) return []
  return SECTIONS.flatMap(([section, reason]) => {
    const member = nodeAt(document.root, [section])?.name
    return member ? [{ file, line: document.line(member.start), text: `"${section}"`, reason }] : []
  })
}

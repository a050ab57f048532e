/**
 * The sections of a document, one after the other: each is read as far as the schema accepts it.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { append } from '../../../agent/model/lists.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import type { Configuration } from '../../../schemas/generated/configuration.ts'
import { checkRules, type PolicyEnvironment } from '../../solaris/ipsecconf/index.ts'
import type { KeyEntry } from '../../solaris/ipseckey/command.ts'
import { parseEntries } from '../../solaris/ipseckey/parser.ts'
import type { JsonDocument } from '../document.ts'
import { duplicateEntries } from '../duplicates.ts'
import type { ConfigurationEnvironment } from '../environment.ts'
import type { CheckedConfiguration } from '../index.ts'
import { type JsonArray, nodeAt } from '../json/tree.ts'
import type { Flaws } from '../validate.ts'
import { readAlgorithms } from './algorithms.ts'
import { type AssociationSyntax, associationSyntax, keyReader, warnOfExposedKeys } from './associations.ts'
import {
  type AssociationPlaces,
  addedBy,
  algorithmsOfFile,
  associationsOfFile,
  notePlaces,
  rulesOfFile,
} from './files.ts'
import { policySyntax } from './policies.ts'
import { readSockets } from './sockets.ts'
import { checkTunables } from './tunables.ts'
import { readTunnels, warnOfUnknownTunnels } from './tunnels.ts'

export class Sections {
  /** About files that the document refers to. */
  readonly diagnostics: Diagnostic[] = []
  /** Where each SA was written. */
  readonly places: AssociationPlaces = new Map()
  readonly #document: JsonDocument
  readonly #value: Configuration
  readonly #flaws: Flaws
  readonly #environment: ConfigurationEnvironment

  /** @param value of the document; what is flawed may be anything */
  constructor(
    document: JsonDocument,
    value: Configuration,
    flaws: Flaws,
    environment: ConfigurationEnvironment,
  ) {
    this.#document = document
    this.#value = value
    this.#flaws = flaws
    this.#environment = environment
  }

  read(): CheckedConfiguration {
    const { dataPath, drift, latch, tunables, tunnels, sockets } = this.#value
    const own = this.#algorithms()
    const policy = this.#policyEnvironment(own)
    const configuration: { -readonly [K in keyof CheckedConfiguration]: CheckedConfiguration[K] } = {
      algorithms: policy.algorithms,
      hasAlgorithms: own !== undefined,
    }
    const rules = this.#rules(policy)
    const associations = this.#associations(policy)
    if (rules) configuration.rules = rules
    if (associations) configuration.associations = associations
    if (tunnels && !this.#flaws.at('/tunnels')) {
      configuration.tunnels = readTunnels(this.#document, tunnels, this.#flaws)
      warnOfUnknownTunnels(this.#document, rules ?? [], configuration.tunnels)
    }
    if (sockets && !this.#flaws.at('/sockets')) {
      configuration.sockets = readSockets(this.#document, sockets, this.#flaws, policy)
    }
    if (tunables && !this.#flaws.within('/tunables')) {
      checkTunables(this.#document, tunables)
      configuration.tunables = tunables
    }
    if (dataPath && !this.#flaws.at('/dataPath')) configuration.dataPath = dataPath
    if (drift && !this.#flaws.at('/drift')) configuration.drift = drift
    if (latch && !this.#flaws.at('/latch')) configuration.latch = latch === 'on'
    return configuration
  }

  /** What the kernel lacks matters to nobody where the software data path is asked for. */
  #policyEnvironment(own: AlgorithmTable | undefined): PolicyEnvironment {
    const { algorithms, resolver, available } = this.#environment
    const needsKernel = available && this.#value.dataPath !== 'software'
    return { algorithms: own ?? algorithms, resolver, ...(needsKernel && { available }) }
  }

  #algorithms(): AlgorithmTable | undefined {
    const { algorithms } = this.#value
    if (!algorithms || this.#flaws.within('/algorithms')) return undefined
    const { file } = algorithms
    if (file === undefined) return readAlgorithms(this.#document, algorithms, ['algorithms'])
    return algorithmsOfFile(this.#document, file, this.#environment, this.diagnostics)
  }

  #rules(policy: PolicyEnvironment): Rule[] | undefined {
    const { policies } = this.#value
    if (!policies || this.#flaws.at('/policies')) return undefined
    const items = this.#list('policies')
    if (items) {
      const syntaxes = policySyntax(this.#document, items, '/policies', this.#flaws)
      return checkRules(syntaxes, this.#document.report, policy)
    }
    if (Array.isArray(policies) || this.#flaws.within('/policies')) return undefined
    return rulesOfFile(this.#document, policies.file, this.#environment, policy, this.diagnostics)
  }

  #associations(policy: PolicyEnvironment): SecurityAssociation[] | undefined {
    const { associations } = this.#value
    if (!associations || this.#flaws.at('/associations')) return undefined
    const items = this.#list('associations')
    if (items) return this.#ownAssociations(items, policy)
    if (Array.isArray(associations) || this.#flaws.within('/associations')) return undefined
    const { file } = associations
    return associationsOfFile(this.#document, file, this.#environment, policy, this.diagnostics, this.places)
  }

  #ownAssociations(items: JsonArray, { algorithms, resolver }: PolicyEnvironment): SecurityAssociation[] {
    const document = this.#document
    const { files } = this.#environment
    if (files.isExposed) warnOfExposedKeys(document, items)
    const readKey = keyReader(document, files)
    const syntaxes = associationSyntax(document, items, '/associations', this.#flaws, readKey, algorithms)
    const entries = syntaxes.map(({ entry }) => entry)
    const parsed = parseEntries(document.shown, entries, { algorithms, resolver })
    append(document.report.diagnostics, parsed.diagnostics)
    this.#reportDuplicates(syntaxes, parsed.entries)
    const entriesWithKey = parsed.entries.filter((_, index) => !syntaxes[index]?.isKeyless)
    notePlaces({ entries: entriesWithKey }, document.file, this.places)
    return addedBy({ commands: entriesWithKey.flatMap(({ commands }) => commands) })
  }

  /** The parser gives an entry for each SA, in their order. */
  #reportDuplicates(syntaxes: readonly AssociationSyntax[], entries: readonly KeyEntry[]): void {
    const document = this.#document
    const places = new Map(entries.map((entry, index) => [entry, syntaxes[index]?.node]))
    for (const { entry, earlier } of duplicateEntries(entries)) {
      const node = places.get(entry)
      const spi = node?.members.get('spi')?.value ?? node
      if (!spi) continue
      const line = places.get(earlier)?.members.get('spi')?.value.start
      const where = line === undefined ? 'Another SA' : `The SA on line ${document.line(line)}`
      document.report.error(document.token(spi), 'Duplicate SA', {
        hint: `${where} has this SPI, destination and protocol already.`,
      })
    }
  }

  #list(section: 'policies' | 'associations'): JsonArray | undefined {
    const node = nodeAt(this.#document.root, [section])?.value
    return node?.kind === 'array' ? node : undefined
  }
}

/** The document's own diagnostics first, each file's in the order of its text. */
export function byFileAndPlace(document: string): (a: Diagnostic, b: Diagnostic) => number {
  return (a, b) =>
    Number(a.file !== document) - Number(b.file !== document) ||
    (a.file < b.file ? -1 : Number(a.file > b.file)) ||
    a.span.line - b.span.line ||
    a.span.column - b.span.column
}

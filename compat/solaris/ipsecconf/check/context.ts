/**
 * What the checks of one file share: where errors go, where names come from, and what was looked up already.
 *
 * @module
 */
import type { Address, Prefix } from '../../../../agent/model/address.ts'
import {
  type Algorithm,
  type AlgorithmTable,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../../agent/model/algorithm.ts'
import type { Action, AlgorithmRequirement } from '../../../../agent/model/policy.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import { addressesOfName } from '../../addresses.ts'
import { type NamedNumber, protocolNamed, serviceNamed } from '../../names.ts'
import type { Token } from '../syntax/lexer.ts'
import type { Report } from '../syntax/report.ts'

/** What policy text is resolved against. */
export interface PolicyEnvironment {
  readonly algorithms: AlgorithmTable
  readonly resolver: Resolver
  /** The algorithms that the running kernel has. Absent: every one of the table passes. */
  readonly available?: readonly Pick<Algorithm, 'protocol' | 'number'>[]
}

/** A host or network name as the resolver knows it. */
export interface ResolvedName {
  readonly addresses: readonly Address[]
  /** The one address is a network from `networks(5)`. */
  readonly network: boolean
}

/** The algorithms of one protocol by lower-case name and by number. */
export interface AlgorithmIndex {
  readonly byName: ReadonlyMap<string, Algorithm>
  readonly byNumber: ReadonlyMap<number, Algorithm>
}

/** Prefixes, and the text that they were read from. */
interface KnownEnd {
  text: string | undefined
  prefixes: readonly Prefix[]
}

/** State of one run over one file. */
export class Context {
  readonly report: Report
  readonly environment: PolicyEnvironment
  readonly ah: AlgorithmIndex
  readonly esp: AlgorithmIndex
  /** Algorithm values that were found good, by property text: a file has few different ones. */
  readonly requirements = {
    authAlgorithm: new Map<string, AlgorithmRequirement>(),
    encrAlgorithm: new Map<string, AlgorithmRequirement>(),
    encrAuthAlgorithm: new Map<string, AlgorithmRequirement>(),
  }
  /** Actions that gave no diagnostics, by their text and the tunnel mode that they were checked with. */
  readonly actions = new Map<string, readonly Action[]>()
  /** The addresses read last that gave no diagnostics: rules in a row often share one. */
  readonly ends: Record<'source' | 'destination', KnownEnd> = {
    source: { text: undefined, prefixes: [] },
    destination: { text: undefined, prefixes: [] },
  }
  /** Mode of each tunnel, and where it was said first. */
  readonly tunnelModes = new Map<string, { mode: string; at: Token }>()
  readonly #available: ReadonlySet<string> | undefined
  readonly #names = new Map<string, ResolvedName>()
  readonly #services = new Map<string, NamedNumber | undefined>()
  readonly #protocols = new Map<string, NamedNumber | undefined>()

  constructor(report: Report, environment: PolicyEnvironment) {
    this.report = report
    this.environment = environment
    this.ah = indexAlgorithms(environment.algorithms, PROTOCOL_AH)
    this.esp = indexAlgorithms(environment.algorithms, PROTOCOL_ESP)
    this.#available =
      environment.available &&
      new Set(environment.available.map((entry) => `${entry.protocol}/${entry.number}`))
  }

  isAvailable(algorithm: Algorithm): boolean {
    return this.#available?.has(`${algorithm.protocol}/${algorithm.number}`) ?? true
  }

  /** Port of a service name. */
  service(name: string): NamedNumber | undefined {
    return remember(this.#services, name, (key) => serviceNamed(key, this.environment.resolver))
  }

  /** Number of a protocol name. */
  protocol(name: string): NamedNumber | undefined {
    return remember(this.#protocols, name, (key) => protocolNamed(key, this.environment.resolver))
  }

  /** Every address of a name, each once; asked of the resolver once a file. */
  resolve(name: string): ResolvedName {
    return remember(this.#names, name, (key) => {
      const { resolver } = this.environment
      const addresses = addressesOfName(resolver.addresses(key))
      const network = addresses.length === 0 ? resolver.network(key) : undefined
      return network ? { addresses: [network], network: true } : { addresses, network: false }
    })
  }
}

/** `look(key)`, asked once for each key, also where the answer is `undefined`. */
function remember<V>(memory: Map<string, V>, key: string, look: (key: string) => V): V {
  const known = memory.get(key)
  if (known !== undefined || memory.has(key)) return known as V
  const value = look(key)
  memory.set(key, value)
  return value
}

function indexAlgorithms(table: AlgorithmTable, protocol: number): AlgorithmIndex {
  const byName = new Map<string, Algorithm>()
  const byNumber = new Map<number, Algorithm>()
  for (const algorithm of table.algorithms) {
    if (algorithm.protocol !== protocol) continue
    if (!byNumber.has(algorithm.number)) byNumber.set(algorithm.number, algorithm)
    for (const name of algorithm.names) {
      const key = name.toLowerCase()
      if (!byName.has(key)) byName.set(key, algorithm)
    }
  }
  return { byName, byNumber }
}

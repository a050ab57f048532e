/**
 * Policy as text, in the form of a listing (`ipsecconf -l`), which is also what the parser reads.
 *
 * @module
 */
import { addressBits, formatAddress, type Prefix } from '../../../agent/model/address.ts'
import {
  type AlgorithmTable,
  algorithmByNumber,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../agent/model/algorithm.ts'
import { ALGORITHM_NULL } from '../../../agent/model/default-algorithms.ts'
import type { PolicyEntry } from '../../../agent/model/entries.ts'
import type {
  Action,
  AddressPair,
  AlgorithmRequirement,
  Direction,
  IcmpRange,
  Protection,
  Rule,
} from '../../../agent/model/policy.ts'
import type { Resolver } from '../../../agent/model/resolver.ts'
import { protocolName, serviceName } from '../names.ts'
import { defaultBits } from './check/algorithms.ts'
import { UNLIMITED_BITS } from './vocabulary.ts'

export interface PrintOptions {
  /** For the names of algorithms; one that it lacks prints as a number. */
  readonly algorithms: AlgorithmTable
  /** Names of hosts, services and protocols. Absent: numbers, as with `-n`. */
  readonly resolver?: Resolver
}

/** One entry as a line of a listing: `{ ulp tcp laddr 10.0.0.1/32 dir out } ipsec { encr_algs … } `. */
export function formatEntry(entry: PolicyEntry, options: PrintOptions): string {
  return formatLine(entry.rule, entry.pair, entry.direction, options)
}

/**
 * A rule in a form that {@link parsePolicy} reads back to the same meaning: one line for each of its address
 * pairs, as a line can name one pair of addresses only.
 */
export function formatRule(rule: Rule, options: PrintOptions): string {
  return rule.selector.pairs
    .map((pair) => formatLine(rule, pair, rule.direction, options).trimEnd())
    .join('\n')
}

function formatLine(rule: Rule, pair: AddressPair, direction: Direction, options: PrintOptions): string {
  const { tunnel, selector, actions } = rule
  const { protocol, localPort, remotePort, icmpType, icmpCode } = selector
  const { resolver } = options
  let line = '{ '
  if (tunnel) line += `tunnel ${tunnel.name} negotiate ${tunnel.mode} `
  if (protocol !== undefined) line += `ulp ${(resolver && protocolName(protocol, resolver)) ?? protocol} `
  if (pair.local) line += `laddr ${formatEnd(pair.local, resolver)} `
  if (localPort !== undefined) line += `lport ${formatPort(localPort, protocol, resolver)} `
  if (pair.remote) line += `raddr ${formatEnd(pair.remote, resolver)} `
  if (remotePort !== undefined) line += `rport ${formatPort(remotePort, protocol, resolver)} `
  if (icmpType || icmpCode) line += `type ${icmpType ? formatRange(icmpType) : 255} `
  if (icmpCode) line += `code ${formatRange(icmpCode)} `
  return `${line}dir ${direction} } ${formatActions(actions, options)}`
}

function formatPort(port: number, protocol: number | undefined, resolver: Resolver | undefined): string {
  return (resolver && serviceName(port, protocol, resolver)) ?? String(port)
}

/** Texts of lists of actions: a listing has few of them, thousands of times. */
const actionTexts = new WeakMap<
  readonly Action[],
  { readonly algorithms: AlgorithmTable; readonly text: string }
>()

function formatActions(actions: readonly Action[], options: PrintOptions): string {
  const known = actionTexts.get(actions)
  if (known?.algorithms === options.algorithms) return known.text
  const text = actions.map((action) => formatAction(action, options)).join('or ')
  actionTexts.set(actions, { algorithms: options.algorithms, text })
  return text
}

function formatEnd(prefix: Prefix, resolver: Resolver | undefined): string {
  const isHost = prefix.length === addressBits(prefix.family)
  const name = isHost ? resolver?.hostName(prefix) : undefined
  return `${name ?? formatAddress(prefix)}/${prefix.length}`
}

function formatRange({ from, to }: IcmpRange): string {
  return from === to ? String(from) : `${from}-${to}`
}

/** Ends with a blank, as in a listing. */
function formatAction(action: Action, options: PrintOptions): string {
  if (action.kind === 'bypass') return 'pass { } '
  if (action.kind === 'drop') return 'drop { } '
  return `ipsec { ${formatProtection(action.protection, options)}} `
}

function formatProtection({ ah, esp, unique }: Protection, { algorithms }: PrintOptions): string {
  let text = ''
  if (ah) text += `auth_algs ${formatRequirement(ah, PROTOCOL_AH, algorithms)} `
  if (esp) {
    const { encryption, authentication } = esp
    text += `encr_algs ${formatRequirement(encryption, PROTOCOL_ESP, algorithms)} `
    if (authentication)
      text += `encr_auth_algs ${formatRequirement(authentication, PROTOCOL_AH, algorithms)} `
  }
  return `${text}sa ${unique ? 'unique' : 'shared'} `
}

/** An algorithm with its key lengths, always written out: without them a reader would put the default. */
function formatRequirement(
  { algorithm, minBits, maxBits }: AlgorithmRequirement,
  protocol: number,
  table: AlgorithmTable,
): string {
  const known = algorithm === 0 ? undefined : algorithmByNumber(table, protocol, algorithm)
  const name = algorithm === 0 ? 'any' : (known?.names[0] ?? String(algorithm))
  const unlimited = minBits === 0 && maxBits === UNLIMITED_BITS
  const keyless = algorithm === 0 || (known ? defaultBits(known) === 0 : algorithm === ALGORITHM_NULL)
  if (unlimited && keyless) return name
  if (unlimited) return `${name}()`
  if (minBits === maxBits) return `${name}(${minBits})`
  return `${name}(${minBits || ''}..${maxBits === UNLIMITED_BITS ? '' : maxBits})`
}

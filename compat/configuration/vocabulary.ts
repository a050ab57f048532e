/**
 * The names of JSON members and the words of Solaris that say the same. One table for each language, used in both
 * directions.
 *
 * @module
 */
import {
  type Field,
  type Keyword,
  PATTERN_KEYWORDS,
  type PatternField,
  PROPERTY_KEYWORDS,
  type PropertyField,
} from '../solaris/ipsecconf/vocabulary.ts'
import { EXTENSIONS } from '../solaris/ipseckey/extension-names.ts'

/** A member of a rule: a path of names within its object, and the keyword. */
export interface PolicyMember<F extends Field> extends Keyword<F> {
  readonly path: readonly string[]
  readonly word: string
}

function policyMembers<F extends Field>(
  keywords: ReadonlyMap<string, Keyword<F>>,
  pairs: Readonly<Record<string, string>>,
): PolicyMember<F>[] {
  return Object.entries(pairs).flatMap(([path, word]) => {
    const keyword = keywords.get(word)
    return keyword ? [{ ...keyword, path: path.split('.'), word }] : []
  })
}

/** What a rule says of packets. */
export const PATTERN_MEMBERS: readonly PolicyMember<PatternField>[] = policyMembers(PATTERN_KEYWORDS, {
  'tunnel.name': 'tunnel',
  'tunnel.mode': 'negotiate',
  local: 'laddr',
  remote: 'raddr',
  localPort: 'lport',
  remotePort: 'rport',
  source: 'saddr',
  destination: 'daddr',
  sourceMask: 'smask',
  destinationMask: 'dmask',
  sourcePort: 'sport',
  destinationPort: 'dport',
  protocol: 'ulp',
  icmpType: 'type',
  icmpCode: 'code',
  direction: 'dir',
})

/** What `protect` asks for. */
export const PROPERTY_MEMBERS: readonly PolicyMember<PropertyField>[] = policyMembers(PROPERTY_KEYWORDS, {
  encryption: 'encr_algs',
  authentication: 'encr_auth_algs',
  ah: 'auth_algs',
  associations: 'sa',
})

/** Member of an SA, as a path with dots, to its extension. Flags and identities have more than one word, or none. */
const ASSOCIATION_WORDS: Readonly<Record<string, string>> = {
  spi: 'spi',
  pairSpi: 'pair-spi',
  source: 'src',
  destination: 'dst',
  source6: 'src6',
  destination6: 'dst6',
  'encryption.algorithm': 'encr_alg',
  'encryption.saltBits': 'reserved_bits',
  'encryption.key': 'encrkey',
  'authentication.algorithm': 'auth_alg',
  'authentication.key': 'authkey',
  upperProtocol: 'proto',
  sourcePort: 'sport',
  destinationPort: 'dport',
  'inner.source': 'isrc',
  'inner.destination': 'idst',
  'inner.source6': 'isrc6',
  'inner.destination6': 'idst6',
  'inner.protocol': 'iproto',
  'inner.sourcePort': 'isport',
  'inner.destinationPort': 'idport',
  'hard.bytes': 'hard_bytes',
  'hard.addTime': 'hard_addtime',
  'hard.useTime': 'hard_usetime',
  'hard.allocations': 'hard_alloc',
  'soft.bytes': 'soft_bytes',
  'soft.addTime': 'soft_addtime',
  'soft.useTime': 'soft_usetime',
  'soft.allocations': 'soft_alloc',
  'idle.addTime': 'idle_addtime',
  'idle.useTime': 'idle_usetime',
  replayWindow: 'replay',
  replayValue: 'replay_value',
  state: 'state',
  'encapsulation.local': 'nat_loc',
  'encapsulation.localPort': 'nat_lport',
  'encapsulation.remote': 'nat_rem',
  'encapsulation.remotePort': 'nat_rport',
  sourceIdentity: 'srcidtype',
  destinationIdentity: 'dstidtype',
}

/** The extension of a member path (`encryption.key`); `undefined` for members that are no extension. */
export function extensionOf(path: string): string | undefined {
  return Object.hasOwn(ASSOCIATION_WORDS, path) ? ASSOCIATION_WORDS[path] : undefined
}

const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(ASSOCIATION_WORDS).map(([path, word]) => [slotKey(word), path.split('.')]),
)

/** The path of names that an extension's value goes to; synonyms share one. */
export function memberOf(extension: string): readonly string[] | undefined {
  return MEMBERS.get(slotKey(extension))
}

function slotKey(extension: string): string {
  const known = EXTENSIONS.get(extension)
  return known ? `${known.slot}${known.onlyInet6 ? '6' : ''}` : ''
}

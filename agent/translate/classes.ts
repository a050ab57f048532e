/**
 * Protection classes: the tie between policies and SAs.
 *
 * A class is the set of requirements that an SA satisfies, out of all requirements that the rules in force make.
 * It depends on what the SA is (algorithms, key lengths, mode), never on a rule's number, so a manual SA, which
 * knows no rule, falls into its class by content. Each class has one reqid, derived from its text alone: the same
 * policy gives the same reqids on every host and after every restart.
 *
 * @module
 */

import { unspecified } from '../model/address.ts'
import {
  type Algorithm,
  type AlgorithmTable,
  FLAG_COMBINED,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../model/algorithm.ts'
import type { SaProtocol } from '../model/association.ts'
import { allKeyBits } from '../model/key-sizes.ts'
import { colour, type Treatment } from './colours.ts'
import { type Requirement, type SaContent, satisfies, type TunnelEndpoints } from './requirements.ts'
import { contentOfKind } from './socket-kinds.ts'

/** Reqids of ours: top four bits 0101, away from strongSwan's (from 1) and af_key's (from 16384). */
const REQID_BASE = 0x5000_0000
const REQID_TAG_MASK = 0xf000_0000
const REQID_AH = 0x0800_0000
const REQID_HASH_MASK = 0x07ff_ffff

export interface ProtectionClass {
  readonly protocol: SaProtocol
  /** Keys of the satisfied requirements, sorted; empty for SAs that serve no rule. */
  readonly signature: readonly string[]
  readonly reqid: number
  /** Value of the mark field: 1, 2, … within the protocol. Classes that no rule has to tell apart may share one. */
  readonly colour: number
}

/** The nested SAs that protect one packet, and nothing else: `{}` is clear text. */
export interface Combination {
  readonly esp?: ProtectionClass
  readonly ah?: ProtectionClass
}

export interface ClassTable {
  readonly esp: readonly ProtectionClass[]
  readonly ah: readonly ProtectionClass[]
  /** The class that an SA belongs to; `undefined` where it satisfies no requirement. */
  classOf(content: SaContent): ProtectionClass | undefined
  /** The classes whose SAs satisfy a requirement, in a stable order. Empty where no algorithm in the table can. */
  accepting(requirement: Requirement): readonly ProtectionClass[]
}

/** True for a reqid in the range that solipsec uses. */
export function isOurReqid(reqid: number): boolean {
  return (reqid & REQID_TAG_MASK) >>> 0 === REQID_BASE
}

/** The reqid of SAs that satisfy no rule: no template ever names it. */
export function unclassedReqid(protocol: SaProtocol): number {
  return REQID_BASE | (protocol === 'ah' ? REQID_AH : 0)
}

/** What a rule asks for: its alternatives, each with the requirements of its headers. */
export type Alternatives = readonly (readonly Requirement[])[]

/**
 * Divides all SAs that the algorithm table allows into classes.
 *
 * @param rules those in force, duplicates allowed
 * @param kinds requirements for SAs of one kind each, which sockets are bound to: such SAs have a class of their own,
 *   and a reqid that depends on nothing else, so that the sockets' policies stay right whatever becomes of the rules
 */
export function buildClasses(
  rules: Iterable<Alternatives>,
  table: AlgorithmTable,
  kinds: readonly Requirement[] = [],
): ClassTable {
  const distinct = new Map<string, Requirement>(kinds.map((one) => [one.key, one]))
  const different = new Map<string, Alternatives>()
  for (const alternatives of rules) {
    for (const requirement of alternatives.flat()) distinct.set(requirement.key, requirement)
    const text = alternatives.map((one) => one.map(({ key }) => key).join(' + ')).join(SEPARATOR)
    different.set(text, alternatives)
  }
  const groups = groupByTunnel(distinct.values())
  const classes = new Map<string, ProtectionClass>()
  for (const protocol of ['esp', 'ah'] as const) {
    const signatures = new Set<string>()
    for (const group of groups.values()) {
      const ofKinds = group.flatMap(({ kind }) => (kind?.protocol === protocol ? [contentOfKind(kind)] : []))
      for (const content of [...ofKinds, ...possibleContents(protocol, group[0]?.tunnel, table)]) {
        const signature = signatureOf(content, group)
        if (signature !== '') signatures.add(signature)
      }
    }
    numberClasses(protocol, [...signatures].sort(), [...different.values()], classes, kinds)
  }
  const all = [...classes.values()]
  const accepting = new Map<string, ProtectionClass[]>()
  for (const key of distinct.keys())
    accepting.set(
      key,
      all.filter((one) => one.signature.includes(key)),
    )
  const everything = [...distinct.values()]
  return {
    esp: all.filter((one) => one.protocol === 'esp'),
    ah: all.filter((one) => one.protocol === 'ah'),
    classOf: (content) => classes.get(signatureOf(content, everything)),
    accepting: (requirement) => accepting.get(requirement.key) ?? [],
  }
}

/** Transport requirements, and those of each tunnel, never meet in one SA. */
function groupByTunnel(requirements: Iterable<Requirement>): Map<string, Requirement[]> {
  const groups = new Map<string, Requirement[]>()
  for (const requirement of requirements) {
    const { tunnel } = requirement
    const key = tunnel ? [...tunnel.local.bytes, '-', ...tunnel.remote.bytes].join(' ') : ''
    const group = groups.get(key)
    if (group) group.push(requirement)
    else groups.set(key, [requirement])
  }
  return groups
}

const SEPARATOR = ' | '

function signatureOf(content: SaContent, requirements: readonly Requirement[]): string {
  const keys: string[] = []
  for (const requirement of requirements) if (satisfies(content, requirement)) keys.push(requirement.key)
  return keys.sort().join(SEPARATOR)
}

/** Every kind of SA that the table allows: in transport mode, or of a tunnel. */
export function* possibleContents(
  protocol: SaProtocol,
  tunnel: TunnelEndpoints | undefined,
  table: AlgorithmTable,
): Generator<SaContent> {
  const mode = tunnel ? 'tunnel' : 'transport'
  const source = tunnel?.local ?? unspecified('inet')
  const destination = tunnel?.remote ?? unspecified('inet')
  const ciphers =
    protocol === 'esp' ? table.algorithms.filter((one) => one.protocol === PROTOCOL_ESP) : [undefined]
  const integrity = table.algorithms.filter((one) => one.protocol === PROTOCOL_AH)
  for (const cipher of ciphers) {
    const combined = cipher !== undefined && (cipher.flags & FLAG_COMBINED) !== 0
    const partners = combined ? [undefined] : protocol === 'ah' ? integrity : [undefined, ...integrity]
    for (const encrBits of keyBits(cipher)) {
      for (const partner of partners) {
        for (const authBits of keyBits(partner)) {
          const algorithms = { encrBits, authBits, combined }
          const numbers = { encrAlgorithm: cipher?.number ?? 0, authAlgorithm: partner?.number ?? 0 }
          const place = { mode, source, destination } as const
          yield { protocol, ...numbers, ...algorithms, ...place, unique: false }
          yield { protocol, ...numbers, ...algorithms, ...place, unique: true }
        }
      }
    }
  }
}

/** Every key length in bits that an algorithm takes; 0 where there is no algorithm or no key. */
function keyBits(algorithm: Algorithm | undefined): number[] {
  const bits = algorithm ? allKeyBits(algorithm.keySizes) : []
  return bits.length > 0 ? bits : [0]
}

function numberClasses(
  protocol: SaProtocol,
  signatures: readonly string[],
  rules: readonly Alternatives[],
  classes: Map<string, ProtectionClass>,
  kinds: readonly Requirement[],
): void {
  const keys = signatures.map((signature) => signature.split(SEPARATOR))
  const reqids = assignReqids(protocol, signatures, keys, kinds)
  const treatments = rules.map((rule) => treatmentBy(rule, protocol, keys))
  const colours = colour(signatures.length, treatments)
  signatures.forEach((signature, i) => {
    const reqid = reqids.get(signature) ?? 0
    classes.set(signature, { protocol, signature: keys[i] ?? [], reqid, colour: colours[i] ?? 0 })
  })
}

/** A number for each signature: those with a kind first, by the kind alone. */
function assignReqids(
  protocol: SaProtocol,
  signatures: readonly string[],
  keys: readonly (readonly string[])[],
  kinds: readonly Requirement[],
): Map<string, number> {
  const ofKinds = kindReqids(kinds)
  const taken = new Set<number>([unclassedReqid(protocol), ...ofKinds.values()])
  const reqids = new Map<string, number>()
  for (const [i, signature] of signatures.entries()) {
    const kind = keys[i]?.find((key) => ofKinds.has(key))
    reqids.set(signature, (kind !== undefined && ofKinds.get(kind)) || freeReqid(protocol, signature, taken))
  }
  return reqids
}

/** The reqids of kinds that sockets are bound to, by the keys of their requirements. */
export function kindReqids(kinds: readonly Requirement[]): ReadonlyMap<string, number> {
  const taken = new Set<number>([unclassedReqid('esp'), unclassedReqid('ah')])
  const protocols = new Map(kinds.map(({ protocol, key }) => [key, protocol]))
  const ordered = [...protocols].sort(([a], [b]) => (a < b ? -1 : 1))
  return new Map(ordered.map(([key, protocol]) => [key, freeReqid(protocol, key, taken)]))
}

/** The number that a text stands for; the next one where that is taken. */
function freeReqid(protocol: SaProtocol, text: string, taken: Set<number>): number {
  let reqid = reqidFor(protocol, hash(text))
  while (taken.has(reqid)) reqid = reqidFor(protocol, reqid + 1)
  taken.add(reqid)
  return reqid
}

/** A rule treats classes alike where it accepts them for the same alternatives' other header. */
function treatmentBy(
  alternatives: Alternatives,
  protocol: SaProtocol,
  signatures: readonly (readonly string[])[],
): Treatment {
  const partners = alternatives.flatMap((requirements) => {
    const own = requirements.find((one) => one.protocol === protocol)
    const other = requirements.find((one) => one.protocol !== protocol)
    return own ? [{ own: own.key, other: other?.key ?? 'alone' }] : []
  })
  return signatures.map((signature) => {
    const accepted = partners.filter(({ own }) => signature.includes(own)).map(({ other }) => other)
    return accepted.length > 0 ? [...new Set(accepted)].sort().join(SEPARATOR) : undefined
  })
}

function reqidFor(protocol: SaProtocol, value: number): number {
  return unclassedReqid(protocol) | (value & REQID_HASH_MASK)
}

/** FNV-1a, 32 bits: spreads class texts over reqids; nothing about it has to be secret or collision-free. */
function hash(text: string): number {
  let value = 0x811c_9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x0100_0193)
  return value >>> 0
}

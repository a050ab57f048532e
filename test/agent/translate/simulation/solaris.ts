/**
 * What Solaris does with a packet, straight from the rules: ipsecconf(8) and the behaviour that the manuals
 * describe. It knows nothing of Linux, and is deliberately not made of the code that it judges.
 *
 * @module
 */
import { type Address, isUnspecified, type Prefix } from '../../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import type {
  Action,
  AddressPair,
  AlgorithmRequirement,
  IcmpRange,
  Protection,
  Rule,
} from '../../../../agent/model/policy.ts'
import { isIcmp, type Packet, type Wrapping } from './packet.ts'

/** What a rule asks for a packet; `undefined` = no rule is about it. */
export function winningRule(rules: readonly Rule[], packet: Packet, way: 'in' | 'out'): Rule | undefined {
  const candidates = rules.filter(
    (rule) => (rule.direction === way || rule.direction === 'both') && isAbout(rule, packet),
  )
  // Class first; within a class the first of the file.
  const best = Math.max(...candidates.map(({ actions }) => rankOf(actions)))
  return candidates.find(({ actions }) => rankOf(actions) === best)
}

/** Boosts of all alternatives together: pass 4, ESP 2, AH 1; drop has none. */
function rankOf(actions: readonly Action[]): number {
  let boosts = 0
  for (const action of actions) {
    if (action.kind === 'bypass') boosts |= 4
    if (action.kind === 'protect' && action.protection.esp) boosts |= 2
    if (action.kind === 'protect' && action.protection.ah) boosts |= 1
  }
  return boosts & 4 ? 4 : boosts
}

function isAbout({ selector }: Rule, packet: Packet): boolean {
  const { protocol, localPort, remotePort, icmpType, icmpCode } = selector
  if (!selector.pairs.some((pair) => coversEnds(pair, packet))) return false
  if (protocol !== undefined && protocol !== packet.protocol) return false
  if ((localPort || remotePort) && ![6, 17, 33, 132, 136].includes(packet.protocol)) return false
  if (localPort && localPort !== packet.localPort) return false
  if (remotePort && remotePort !== packet.remotePort) return false
  if (!icmpType) return true
  return isIcmp(packet.protocol) && inRange(packet.type, icmpType) && inRange(packet.code, icmpCode)
}

/** 255 is any. */
function inRange(value: number, range: IcmpRange | undefined): boolean {
  return !range || range.from === 255 || (value >= range.from && value <= range.to)
}

function coversEnds({ local, remote }: AddressPair, packet: Packet): boolean {
  return covers(local, packet.local) && covers(remote, packet.remote)
}

function covers(prefix: Prefix | undefined, address: Address): boolean {
  if (!prefix) return true
  if (prefix.family !== address.family) return false
  for (let bit = 0; bit < prefix.length; bit++) {
    if (bitOf(prefix, bit) !== bitOf(address, bit)) return false
  }
  return true
}

function bitOf({ bytes }: Address, bit: number): number {
  return ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1
}

/** True where the SAs around a packet are what the protection asks for: all of it, and nothing besides. */
export function isExactly({ esp, ah, unique }: Protection, wrapping: Wrapping): boolean {
  if (!esp !== !wrapping.esp || !ah !== !wrapping.ah) return false
  if (esp && wrapping.esp && !espOffers(wrapping.esp, esp)) return false
  if (ah && wrapping.ah && !hasAlgorithm(ah, wrapping.ah.authAlgorithm, wrapping.ah.authKey?.bits))
    return false
  const used = [wrapping.esp, wrapping.ah].filter((sa) => sa !== undefined)
  return (
    !unique || used.every((sa) => sa.upperProtocol !== 0 || sa.sourcePort !== 0 || sa.destinationPort !== 0)
  )
}

const NULL = 11
const GMAC = 23
const COMBINED = [14, 15, 16, 18, 19, 20, GMAC, 28]

function espOffers(
  sa: SecurityAssociation,
  { encryption, authentication }: NonNullable<Protection['esp']>,
): boolean {
  const { encrAlgorithm: cipher } = sa
  // "any" asks for encryption, whichever; NULL and GMAC are none.
  if (encryption.algorithm === 0 && (cipher === NULL || cipher === GMAC)) return false
  if (!hasAlgorithm(encryption, cipher, (sa.encrKey?.bits ?? 0) - sa.saltBits)) return false
  if (!authentication) return true
  if (COMBINED.includes(cipher)) return authentication.algorithm === 0
  return sa.authAlgorithm !== 0 && hasAlgorithm(authentication, sa.authAlgorithm, sa.authKey?.bits)
}

function hasAlgorithm(wanted: AlgorithmRequirement, number: number, bits = 0): boolean {
  if (wanted.algorithm !== 0 && wanted.algorithm !== number) return false
  return bits >= wanted.minBits && bits <= wanted.maxBits
}

/** `icmp_accept_clear_messages` and its like. */
export interface ClearTunables {
  readonly icmp: boolean
  readonly igmp: boolean
  readonly pim: boolean
}

const ALL_ON: ClearTunables = { icmp: true, igmp: true, pim: true }
const IGMP = 2
const PIM = 103

/** True where a packet that arrives like this is delivered. */
export function accepts(
  rules: readonly Rule[],
  wrapping: Wrapping,
  packet: Packet,
  tunables = ALL_ON,
): boolean {
  const clear = !wrapping.esp && !wrapping.ah
  if (isKeyManagement(packet, packet.localPort) || isLinkMaintenance(packet)) return usable(rules, wrapping)
  if (clear && packet.family === 'inet') {
    if (packet.protocol === IGMP && tunables.igmp) return true
    if (packet.protocol === PIM && tunables.pim) return true
  }
  const rule = winningRule(rules, packet, 'in')
  if (!rule) return clear
  if (mayBeClear(rule) && clear) return true
  const protections = protectionsOf(rule)
  if (clear && protections.length > 0 && tunables.icmp && isToleratedIcmp(packet)) return true
  return protections.some((protection) => isExactly(protection, wrapping))
}

/**
 * An exception lets in what comes under SAs as well, but not under one that no rule whatever could ask for.
 */
function usable(rules: readonly Rule[], { esp, ah }: Wrapping): boolean {
  const all = rules.flatMap(protectionsOf)
  const serves = (wrapping: Wrapping): boolean =>
    all.some((one) => {
      const part: Protection = wrapping.esp
        ? { ...(one.esp && { esp: one.esp }), unique: one.unique }
        : { ...(one.ah && { ah: one.ah }), unique: one.unique }
      return isExactly(part, wrapping)
    })
  return (!esp || serves({ esp })) && (!ah || serves({ ah }))
}

/** Dropping always works, so what comes after it is never tried. */
function beforeDrop(actions: readonly Action[]): readonly Action[] {
  const drop = actions.findIndex(({ kind }) => kind === 'drop')
  return drop < 0 ? actions : actions.slice(0, drop)
}

export function mayBeClear({ actions }: Rule): boolean {
  return beforeDrop(actions).some(({ kind }) => kind === 'bypass')
}

export function protectionsOf({ actions }: Rule): Protection[] {
  return beforeDrop(actions).flatMap((action) => (action.kind === 'protect' ? [action.protection] : []))
}

/** UDP 500 and 4500 of this host. */
export function isKeyManagement({ protocol }: Packet, port: number): boolean {
  return protocol === 17 && (port === 500 || port === 4500)
}

/** ND and MLD. */
export function isLinkMaintenance({ protocol, family, type }: Packet): boolean {
  return family === 'inet6' && protocol === 58 && [130, 131, 132, 133, 134, 135, 136, 137, 143].includes(type)
}

/** Accepted in clear where protection is asked for. */
function isToleratedIcmp({ family, protocol, type, code }: Packet): boolean {
  if (family === 'inet6') return protocol === 58 && [1, 2, 3, 129].includes(type)
  if (protocol !== 1) return false
  return [0, 4, 9, 11, 14, 16].includes(type) || (type === 3 && [0, 1, 4].includes(code))
}

export type Expectation =
  /** In clear. */
  | { readonly kind: 'clear' }
  /** Under SAs as one of these asks. */
  | { readonly kind: 'protected'; readonly as: readonly Protection[] }
  /** Not at all: dropped, or kept until there are SAs. */
  | { readonly kind: 'held' }

/** What an outbound packet of this host must look like, given the SAs that there are. */
export function departure(
  rules: readonly Rule[],
  associations: readonly SecurityAssociation[],
  packet: Packet,
): Expectation {
  if (isKeyManagement(packet, packet.localPort) || isLinkMaintenance(packet)) return { kind: 'clear' }
  const rule = winningRule(rules, packet, 'out')
  if (!rule) return { kind: 'clear' }
  const fitting = associations.filter((sa) => carries(sa, packet))
  const esps = [undefined, ...fitting.filter(({ protocol }) => protocol === 'esp')]
  const ahs = [undefined, ...fitting.filter(({ protocol }) => protocol === 'ah')]
  const wrappings = esps.flatMap((esp) =>
    ahs.map((ah): Wrapping => ({ ...(esp && { esp }), ...(ah && { ah }) })),
  )
  const first = protectionsOf(rule).find((one) => wrappings.some((wrapping) => isExactly(one, wrapping)))
  if (first) return { kind: 'protected', as: [first] }
  return mayBeClear(rule) ? { kind: 'clear' } : { kind: 'held' }
}

/** The SA is for these two hosts, and for this flow if it is for one. */
function carries(sa: SecurityAssociation, packet: Packet): boolean {
  const same = (a: Address, b: Address) => covers({ ...a, length: 8 * a.bytes.length }, b)
  const fits = (wanted: number, value: number) => wanted === 0 || wanted === value
  return (
    (isUnspecified(sa.source) ? sa.source.family === packet.family : same(sa.source, packet.local)) &&
    same(sa.destination, packet.remote) &&
    fits(sa.upperProtocol, packet.protocol) &&
    fits(sa.sourcePort, packet.localPort) &&
    fits(sa.destinationPort, packet.remotePort)
  )
}

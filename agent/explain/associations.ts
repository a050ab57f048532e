/**
 * Which SAs a packet can have around it, and whether they are what a rule asks for.
 *
 * @module
 */
import { type Address, isUnspecified, prefixContains, sameAddress } from '../model/address.ts'
import type { Protection } from '../model/policy.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import {
  type Requirement,
  requirementsOf,
  satisfies,
  type TunnelEndpoints,
} from '../translate/requirements.ts'
import type { Packet, Passage } from './packet.ts'

/** The SAs that protect one packet: at most one ESP, and around it at most one AH. `{}` is clear text. */
export interface Wrapping {
  readonly esp?: KernelAssociation
  readonly ah?: KernelAssociation
}

/** The SAs of one packet's hosts, by what stands where: those of AH are around ESP, or alone. */
export interface Fitting {
  readonly esp: readonly KernelAssociation[]
  readonly ah: readonly KernelAssociation[]
}

/** How many SAs of each protocol are looked at: the newest. More between two hosts are as good as these. */
const MOST = 16

/**
 * The SAs that may protect a packet as far as addresses and ports go, whatever their algorithms: those for the
 * packet's own source before those for any.
 *
 * @param associations the newest first
 */
export function fittingAssociations(
  associations: readonly KernelAssociation[],
  packet: Packet,
  { way, tunnel }: Pick<Passage, 'way' | 'tunnel'>,
): Fitting {
  const ends = tunnel ? tunnel.endpoints : packet
  const [from, to] = way === 'out' ? [ends.local, ends.remote] : [ends.remote, ends.local]
  const fitting = associations.filter(
    ({ association: { source, destination } }) =>
      sameAddress(destination, to) && (isFromAny(source, from) || sameAddress(source, from)),
  )
  const carrying = fitting
    .filter((one) => carries(one, packet, way))
    .sort((a, b) => Number(isUnspecified(a.association.source)) - Number(isUnspecified(b.association.source)))
  return {
    esp: carrying.filter(({ content }) => content.protocol === 'esp').slice(0, MOST),
    ah: carrying.filter(({ content }) => content.protocol === 'ah').slice(0, MOST),
  }
}

function isFromAny(source: Address, { family }: Address): boolean {
  return isUnspecified(source) && source.family === family
}

/** True where the SA is not for other flows between the same hosts. */
function carries({ association }: KernelAssociation, packet: Packet, way: 'in' | 'out'): boolean {
  const { upperProtocol, sourcePort, destinationPort, inner } = association
  const { local, remote, protocol, localPort, remotePort } = packet
  const [source, destination] = way === 'out' ? [local, remote] : [remote, local]
  const [from, to] = way === 'out' ? [localPort, remotePort] : [remotePort, localPort]
  const fits = (wanted: number, value: number) => wanted === 0 || wanted === value
  if (!inner) {
    return fits(upperProtocol, protocol) && fits(sourcePort, from) && fits(destinationPort, to)
  }
  return (
    covers(inner.source, source) &&
    covers(inner.destination, destination) &&
    fits(inner.protocol, protocol) &&
    fits(inner.sourcePort, from) &&
    fits(inner.destinationPort, to)
  )
}

/** The selector of a tunnel SA for both families is left unspecified. */
function covers(prefix: Parameters<typeof prefixContains>[0], address: Address): boolean {
  return (prefix.length === 0 && isUnspecified(prefix)) || prefixContains(prefix, address)
}

/** Some SA between the same hosts is for single flows: choices among alternatives are then made for all flows at once. */
export function hasFlowAssociations(associations: readonly KernelAssociation[], { remote }: Packet): boolean {
  return associations.some(
    ({ content, association }) => content.unique && sameAddress(association.destination, remote),
  )
}

/** The SAs among `fitting` that give just this protection; `undefined` where some of them is missing. */
export function wrappingFor(
  protection: Protection,
  fitting: Fitting,
  tunnel: TunnelEndpoints | undefined,
): Wrapping | undefined {
  const wrapping: { -readonly [K in keyof Wrapping]: Wrapping[K] } = {}
  for (const requirement of requirementsOf(protection, tunnel)) {
    const found = fitting[requirement.protocol].find(({ content }) => satisfies(content, requirement))
    if (!found) return undefined
    wrapping[requirement.protocol] = found
  }
  return wrapping
}

/** True where the SAs around a packet are what the protection asks for: all of it, and nothing besides. */
export function isExactly(
  protection: Protection,
  wrapping: Wrapping,
  tunnel: TunnelEndpoints | undefined,
): boolean {
  const requirements = requirementsOf(protection, tunnel)
  return (['esp', 'ah'] as const).every((protocol) => {
    const asked = requirements.find((one) => one.protocol === protocol)
    return isMet(asked, wrapping[protocol])
  })
}

function isMet(asked: Requirement | undefined, sa: KernelAssociation | undefined): boolean {
  return asked && sa ? satisfies(sa.content, asked) : asked === undefined && sa === undefined
}

/** Every way in which SAs can be around a packet, clear text first. */
export function wrappingsOf({ esp, ah }: Fitting): Wrapping[] {
  const esps = [undefined, ...esp]
  const ahs = [undefined, ...ah]
  return ahs.flatMap((outer) =>
    esps.map((inner): Wrapping => ({ ...(inner && { esp: inner }), ...(outer && { ah: outer }) })),
  )
}

export function isClear({ esp, ah }: Wrapping): boolean {
  return !esp && !ah
}

/** The SAs, outermost first. */
export function pathOf({ esp, ah }: Wrapping): KernelAssociation[] {
  return [ah, esp].filter((one) => one !== undefined)
}

/**
 * Kinds of SAs and requirements in words, for people.
 *
 * @module
 */
import { formatAddress } from '../model/address.ts'
import { type AlgorithmTable, algorithmByNumber, PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'
import type { AlgorithmRequirement } from '../model/policy.ts'
import type { Requirement, SaKind, TunnelEndpoints } from '../translate/requirements.ts'

/** `ESP aes-cbc 128, hmac-sha256 256`. */
export function describeKind(kind: SaKind, table: AlgorithmTable): string {
  const { protocol, encrAlgorithm, encrBits, authAlgorithm, authBits, unique, tunnel } = kind
  const parts: string[] = []
  if (protocol === 'esp') parts.push(`${nameOf(PROTOCOL_ESP, encrAlgorithm, table)} ${encrBits}`)
  if (authAlgorithm !== 0) parts.push(`${nameOf(PROTOCOL_AH, authAlgorithm, table)} ${authBits}`)
  return sentence(protocol, parts, unique, tunnel)
}

export function describeRequirement(requirement: Requirement, table: AlgorithmTable): string {
  const { protocol, encryption, authentication, unique, tunnel } = requirement
  const parts: string[] = []
  if (encryption) parts.push(`${bounds(encryption, PROTOCOL_ESP, table)} encryption`)
  if (authentication) parts.push(`${bounds(authentication, PROTOCOL_AH, table)} authentication`)
  return sentence(protocol, parts, unique, tunnel)
}

function sentence(
  protocol: string,
  parts: readonly string[],
  unique: boolean,
  tunnel: TunnelEndpoints | undefined,
): string {
  const ends = tunnel && [tunnel.local, tunnel.remote].map(formatAddress).join(' and ')
  return [
    protocol.toUpperCase(),
    parts.join(', '),
    ...(unique ? ['for one flow'] : []),
    ...(ends ? [`in tunnel mode between ${ends}`] : []),
  ].join(' ')
}

function bounds(
  { algorithm, minBits, maxBits }: AlgorithmRequirement,
  protocol: number,
  table: AlgorithmTable,
): string {
  const name = algorithm === 0 ? 'any' : nameOf(protocol, algorithm, table)
  if (minBits === 0 && maxBits === 65535) return name
  return `${name} (${minBits}..${maxBits === 65535 ? '' : maxBits} bits)`
}

function nameOf(protocol: number, number: number, table: AlgorithmTable): string {
  return algorithmByNumber(table, protocol, number)?.names[0] ?? `algorithm ${number}`
}

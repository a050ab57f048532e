/**
 * Kinds of SAs that sockets are bound to.
 *
 * The policy of a socket names one reqid in each direction, and cannot be changed by anyone who does not hold the
 * socket. So it is bound to one kind of SA: one choice of algorithms and key lengths out of those that its requirement
 * allows, as Solaris's latch keeps a connection to the algorithms that it began with. SAs of a kind that sockets are
 * bound to are a protection class of their own, whose reqid is made of the kind alone. Whatever rules come and go, the
 * SAs keep it, and the sockets keep their SAs.
 *
 * @module
 */
import { formatAddress, unspecified } from '../model/address.ts'
import type { Requirement, SaContent, SaKind, TunnelEndpoints } from './requirements.ts'

/** The kind of an SA; of one in tunnel mode with the tunnel's ends as this host has them. */
export function kindOf(
  { protocol, encrAlgorithm, encrBits, authAlgorithm, authBits, combined, unique }: SaContent,
  tunnel?: TunnelEndpoints,
): SaKind {
  const numbers = { encrAlgorithm, encrBits, authAlgorithm, authBits }
  return { protocol, ...numbers, combined, unique, ...(tunnel && { tunnel }) }
}

/** Content that an SA of this kind may have. */
export function contentOfKind({ tunnel, ...rest }: SaKind): SaContent {
  const mode = tunnel ? 'tunnel' : 'transport'
  const source = tunnel?.local ?? unspecified('inet')
  const destination = tunnel?.remote ?? unspecified('inet')
  return { ...rest, mode, source, destination }
}

/** Canonical text: equal kinds have equal keys. Stable across versions, because reqids derive from it. */
export function kindKey(kind: SaKind): string {
  const { protocol, encrAlgorithm, encrBits, authAlgorithm, authBits, unique, tunnel } = kind
  const parts = [`socket ${protocol}`]
  if (protocol === 'esp') parts.push(`encr ${encrAlgorithm}(${encrBits})`)
  if (authAlgorithm !== 0) parts.push(`auth ${authAlgorithm}(${authBits})`)
  if (unique) parts.push('unique')
  if (tunnel) parts.push(`tunnel ${[tunnel.local, tunnel.remote].map(formatAddress).sort().join('-')}`)
  return parts.join(' ')
}

/** What only SAs of this kind satisfy. */
export function requirementOfKind(kind: SaKind): Requirement {
  const { protocol, unique, tunnel } = kind
  return { protocol, unique, ...(tunnel && { tunnel }), kind, key: kindKey(kind) }
}

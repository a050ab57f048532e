/**
 * How long the PF_KEY message about an SA would be: the number that `dump` prints. The layouts are those of
 * RFC 2367 section 2.3 and `pf_key(4P)`; every extension fills whole 64-bit words.
 *
 * @module
 */
import type { Acquire, AssociationStatus, Identity } from '../../../../agent/model/association.ts'
import type { Secret } from '../../../../agent/model/secret.ts'

const BASE = 16
const SA = 16
const LIFETIME = 32
/** Header and a padded `sockaddr_in6`. */
const ADDRESS = 40
const KEY_HEADER = 8
const IDENTITY_HEADER = 16
const PAIR = 8
const REPLAY_VALUE = 16

/** Bytes of a message that says no more than its base header. */
export const BARE_LENGTH = BASE

/** Bytes of an ACQUIRE. */
export function acquireLength({ inner }: Acquire): number {
  return BASE + ADDRESS * (inner ? 4 : 2)
}

/** Bytes of a message about an SA. */
export function messageLength(status: AssociationStatus): number {
  const { soft, hard, idle, inner, encapsulation } = status
  const lifetimes = 1 + [soft, hard, idle].filter(hasLimit).length
  const natAddresses = [encapsulation?.local, encapsulation?.remote].filter(Boolean).length
  const addresses = 2 + (inner ? 2 : 0) + natAddresses
  return (
    BASE +
    SA +
    lifetimes * LIFETIME +
    addresses * ADDRESS +
    keyLength(status.authKey) +
    keyLength(status.encrKey) +
    identityLength(status.sourceIdentity) +
    identityLength(status.destinationIdentity) +
    (status.pairSpi === undefined ? 0 : PAIR) +
    (status.replayValue === 0n ? 0 : REPLAY_VALUE)
  )
}

/** True where at least one limit is set. */
export function hasLimit(lifetime: object): boolean {
  return Object.values(lifetime).some((limit) => limit !== 0n)
}

function words(length: number): number {
  return Math.ceil(length / 8) * 8
}

function keyLength(key: Secret | undefined): number {
  return key ? KEY_HEADER + words(Math.ceil(key.bits / 8)) : 0
}

function identityLength(identity: Identity | undefined): number {
  return identity ? IDENTITY_HEADER + words(Buffer.byteLength(identity.value) + 1) : 0
}

/**
 * What is asked for a socket, and the same as an `ipsec_req_t` (ipsec(4P) of Solaris).
 *
 * @module
 */
import {
  type AlgorithmTable,
  algorithmByNumber,
  FLAG_COMBINED,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../model/algorithm.ts'
import type { AlgorithmRequirement } from '../model/policy.ts'
import type { SocketPolicy } from '../model/socket-policy.ts'
import { EMPTY_REQUEST, type IpsecRequest } from './request-codec.ts'
import { SocketError } from './socket-error.ts'

/** What a socket is to have; `undefined` in its place: no policy of its own. */
export type SocketDemand = Omit<SocketPolicy, 'service'>

/** `IPSEC_PREF_…` */
const PREF_NEVER = 0x01
const PREF_REQUIRED = 0x02
const PREF_UNIQUE = 0x04
const PREF_ALL = PREF_NEVER | PREF_REQUIRED | PREF_UNIQUE

/** 0 and 65535 bits are no limit. */
const MOST_BITS = 65535

/**
 * The meaning of a request; `undefined` where all of it is 0: the socket's own policy goes.
 *
 * @throws SocketError EINVAL where it has none
 */
export function demandOf(request: IpsecRequest, table: AlgorithmTable): SocketDemand | undefined {
  const { ipsr_ah_req: ah, ipsr_esp_req: esp, ipsr_self_encap_req: encap } = request
  const { ipsr_auth_alg, ipsr_esp_alg, ipsr_esp_auth_alg } = request
  checkPreference('ipsr_ah_req', ah)
  checkPreference('ipsr_esp_req', esp)
  checkPreference('ipsr_self_encap_req', encap)
  checkAlgorithm('ipsr_auth_alg', PROTOCOL_AH, ipsr_auth_alg, table)
  checkAlgorithm('ipsr_esp_alg', PROTOCOL_ESP, ipsr_esp_alg, table)
  checkAlgorithm('ipsr_esp_auth_alg', PROTOCOL_AH, ipsr_esp_auth_alg, table)
  const cipher = algorithmByNumber(table, PROTOCOL_ESP, ipsr_esp_alg)
  if (cipher && (cipher.flags & FLAG_COMBINED) !== 0 && ipsr_esp_auth_alg !== 0) {
    throw new SocketError(
      'EINVAL',
      `${cipher.names[0]} authenticates by itself: ipsr_esp_auth_alg has to be 0`,
    )
  }
  const algorithms = ipsr_auth_alg | ipsr_esp_alg | ipsr_esp_auth_alg
  if ((ah | esp | encap | algorithms) === 0) return undefined
  const selfEncapsulation = (encap & PREF_REQUIRED) !== 0
  const [needsAh, needsEsp] = [(ah & PREF_REQUIRED) !== 0, (esp & PREF_REQUIRED) !== 0]
  if (needsAh || needsEsp) {
    const protection = {
      ...(needsAh && { ah: anyLength(ipsr_auth_alg) }),
      ...(needsEsp && {
        esp: {
          encryption: anyLength(ipsr_esp_alg),
          ...(ipsr_esp_auth_alg !== 0 && { authentication: anyLength(ipsr_esp_auth_alg) }),
        },
      }),
      unique: ((ah | esp) & PREF_UNIQUE) !== 0,
    }
    return { action: { kind: 'protect', protection }, selfEncapsulation }
  }
  if ((ah & esp & PREF_NEVER) === 0 || selfEncapsulation) {
    throw new SocketError('EINVAL', 'the request asks neither for AH, nor for ESP, nor to be without both')
  }
  return { action: { kind: 'bypass' }, selfEncapsulation: false }
}

function checkPreference(name: string, value: number): void {
  if ((value & ~PREF_ALL) !== 0) throw new SocketError('EINVAL', `${name} has bits without a meaning`)
  if ((value & PREF_NEVER) !== 0 && (value & PREF_REQUIRED) !== 0) {
    throw new SocketError('EINVAL', `${name} says both IPSEC_PREF_NEVER and IPSEC_PREF_REQUIRED`)
  }
}

function checkAlgorithm(name: string, protocol: number, number: number, table: AlgorithmTable): void {
  if (number === 0 || algorithmByNumber(table, protocol, number)) return
  throw new SocketError('EINVAL', `${name}: there is no algorithm ${number}`)
}

function anyLength(algorithm: number): AlgorithmRequirement {
  return { algorithm, minBits: 0, maxBits: MOST_BITS }
}

/**
 * A demand as a request.
 *
 * @throws SocketError ERANGE where a request has no room for it: it knows no key lengths
 */
export function requestOf(demand: SocketDemand | undefined): IpsecRequest {
  if (!demand) return EMPTY_REQUEST
  const { action, selfEncapsulation } = demand
  if (action.kind === 'bypass') {
    return { ...EMPTY_REQUEST, ipsr_ah_req: PREF_NEVER, ipsr_esp_req: PREF_NEVER }
  }
  const { ah, esp, unique } = action.protection
  const required = PREF_REQUIRED | (unique ? PREF_UNIQUE : 0)
  if (esp?.authentication?.algorithm === 0) throw unsayable('that ESP authenticates, by whatever algorithm')
  return {
    ipsr_ah_req: ah ? required : 0,
    ipsr_esp_req: esp ? required : 0,
    ipsr_self_encap_req: selfEncapsulation ? PREF_REQUIRED : 0,
    ipsr_auth_alg: numberOf(ah),
    ipsr_esp_alg: numberOf(esp?.encryption),
    ipsr_esp_auth_alg: numberOf(esp?.authentication),
  }
}

function numberOf(requirement: AlgorithmRequirement | undefined): number {
  if (!requirement) return 0
  const { algorithm, minBits, maxBits } = requirement
  if (minBits !== 0 || maxBits !== MOST_BITS) throw unsayable('key lengths')
  return algorithm
}

function unsayable(what: string): SocketError {
  return new SocketError('ERANGE', `an ipsec_req_t cannot say ${what}: ask for JSON`)
}

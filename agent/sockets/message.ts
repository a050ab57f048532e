/**
 * Requests about sockets and the answers to them, as they stand on the wire: see solipsec-sockets(7).
 *
 * @module
 */
import type { Address } from '../model/address.ts'
import { parseAddress } from '../model/address.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import { demandOf, requestOf, type SocketDemand } from './demand.ts'
import { type DemandJson, demandJson } from './demand-json.ts'
import {
  decodeRequest,
  EMPTY_REQUEST,
  encodeRequest,
  type IpsecRequest,
  REQUEST_MEMBERS,
} from './request-codec.ts'
import { SocketError } from './socket-error.ts'

/** Bytes of a request. */
export const LARGEST_REQUEST = 4096
/** Seconds. */
export const LONGEST_WAIT = 60
/** One byte that asks, in the binary form, what a socket has. */
const BINARY_QUERY = 0x3f
const OPENING_BRACE = 0x7b

/** How the answer is to be written. */
export type Form = 'binary' | 'json'

export type SocketRequest = { readonly form: Form } & (
  | { readonly kind: 'query' }
  | { readonly kind: 'remove' }
  | {
      readonly kind: 'set'
      readonly demand: SocketDemand
      /** Whom the socket will talk to. */
      readonly peer?: Address
      /** Seconds to wait for SAs. */
      readonly wait: number
    }
  | {
      /** What the configuration says for the service that asks. */
      readonly kind: 'service'
      readonly peer?: Address
      readonly wait: number
    }
)

/** A policy in the words of a configuration: its meaning, or what is wrong with it. */
export type ReadPolicy = (policy: unknown) => { readonly demand: SocketDemand } | { readonly reason: string }

export interface Vocabulary {
  readonly algorithms: AlgorithmTable
  readonly readPolicy: ReadPolicy
}

/** @throws SocketError EINVAL */
export function readRequest(bytes: Uint8Array, vocabulary: Vocabulary): SocketRequest {
  if (formOf(bytes) === 'json') return readJson(bytes, vocabulary)
  const form = 'binary'
  if (bytes.length === 1 && bytes[0] === BINARY_QUERY) return { form, kind: 'query' }
  return fromDemand(form, demandOf(decodeRequest(bytes), vocabulary.algorithms))
}

/** The form in which a request is written, be it right or not. */
export function formOf(bytes: Uint8Array): Form {
  return bytes[0] === OPENING_BRACE ? 'json' : 'binary'
}

function fromDemand(form: Form, demand: SocketDemand | undefined, more: Options = {}): SocketRequest {
  if (!demand) return { form, kind: 'remove' }
  const { peer, wait = 0 } = more
  return { form, kind: 'set', demand, ...(peer && { peer }), wait }
}

interface Options {
  readonly peer?: Address
  readonly wait?: number
}

function readJson(bytes: Uint8Array, { algorithms, readPolicy }: Vocabulary): SocketRequest {
  const form = 'json'
  const { peer, wait, request, ...policy } = parse(bytes)
  const options = { ...readPeer(peer), ...readWait(wait) }
  if (request !== undefined) {
    const [other] = Object.keys(policy)
    if (other !== undefined) throw invalid(`'${other}' cannot stand beside 'request'`)
    return fromDemand(form, demandOf(readNumbers(request), algorithms), options)
  }
  if (policy.action === 'query' || policy.action === 'none') {
    if (Object.keys(policy).length > 1) throw invalid(`'${policy.action}' stands alone`)
    return policy.action === 'query' ? { form, kind: 'query' } : { form, kind: 'remove' }
  }
  if (policy.action === 'service') {
    const other = Object.keys(policy).find((name) => name !== 'action')
    if (other !== undefined) throw invalid(`'${other}' cannot stand beside 'service'`)
    return { form, kind: 'service', wait: 0, ...options }
  }
  const read = readPolicy(policy)
  if ('reason' in read) throw invalid(read.reason)
  return fromDemand(form, read.demand, options)
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    throw invalid('the request begins as JSON, but is none')
  }
}

function readPeer(peer: unknown): Options {
  if (peer === undefined) return {}
  const address = typeof peer === 'string' ? parseAddress(peer) : undefined
  if (!address) throw invalid("'peer' has to be an IP address")
  return { peer: address }
}

function readWait(wait: unknown): Options {
  if (wait === undefined) return {}
  if (typeof wait !== 'number' || !(wait >= 0 && wait <= LONGEST_WAIT)) {
    throw invalid(`'wait' has to be a number of seconds up to ${LONGEST_WAIT}`)
  }
  return { wait }
}

/** Members that are absent are 0. */
function readNumbers(request: unknown): IpsecRequest {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw invalid("'request' has to be an object with the members of an ipsec_req_t")
  }
  const given = new Map(Object.entries(request as Record<string, unknown>))
  const numbers: Record<string, number> = { ...EMPTY_REQUEST }
  for (const [name, largest] of REQUEST_MEMBERS) {
    const value = given.get(name) ?? 0
    given.delete(name)
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > largest) {
      throw invalid(`'${name}' has to be an integer from 0 to ${largest}`)
    }
    numbers[name] = value
  }
  const [unknown] = given.keys()
  if (unknown !== undefined) throw invalid('an ipsec_req_t has no member of this name')
  return numbers as unknown as IpsecRequest
}

function invalid(reason: string): SocketError {
  return new SocketError('EINVAL', reason)
}

/** What became of a request that was carried out. */
export type SocketAnswer =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'set'
      /** The SAs that it is bound to, in words; empty for one that passes in clear. */
      readonly associations: readonly string[]
      /** False where nothing had to be done: its packets never leave this host. */
      readonly isApplied: boolean
    }
  | {
      readonly kind: 'policy'
      readonly demand: SocketDemand | undefined
      /** It came by accepting a connection. */
      readonly isInherited: boolean
    }

interface AnswerJson {
  errno: number
  code?: string
  reason?: string
  associations?: readonly string[]
  applied?: boolean
  policy?: DemandJson
  request?: IpsecRequest
  inherited?: true
}

/** The answer's bytes. */
export function writeAnswer(form: Form, answer: SocketAnswer, algorithms: AlgorithmTable): Uint8Array {
  if (form === 'json') return jsonBytes({ errno: 0, ...jsonOf(answer, algorithms) })
  if (answer.kind !== 'policy') return binaryBytes(0, new Uint8Array(0))
  try {
    return binaryBytes(0, encodeRequest(requestOf(answer.demand)))
  } catch (error) {
    if (!(error instanceof SocketError)) throw error
    return writeRefusal(form, error)
  }
}

function jsonOf(answer: SocketAnswer, algorithms: AlgorithmTable): Omit<AnswerJson, 'errno'> {
  if (answer.kind === 'done') return {}
  if (answer.kind === 'set') return { associations: answer.associations, applied: answer.isApplied }
  const { demand, isInherited } = answer
  return {
    policy: demandJson(demand, algorithms),
    ...rawOf(demand),
    ...(isInherited && { inherited: true }),
  }
}

/** Absent where an `ipsec_req_t` has no room for it. */
function rawOf(demand: SocketDemand | undefined): Pick<AnswerJson, 'request'> {
  try {
    return { request: requestOf(demand) }
  } catch (error) {
    if (error instanceof SocketError) return {}
    throw error
  }
}

export function writeRefusal(form: Form, { errno, code, message }: SocketError): Uint8Array {
  if (form === 'json') return jsonBytes({ errno, code, reason: message })
  return binaryBytes(errno, new TextEncoder().encode(message))
}

function jsonBytes(answer: AnswerJson): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(answer))
}

/** A C int, then an `ipsec_req_t` where one was asked for, or the reason as text. */
function binaryBytes(errno: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + rest.length)
  bytes.set(new Uint8Array(Int32Array.of(errno).buffer))
  bytes.set(rest, 4)
  return bytes
}

/**
 * The messages of `NETLINK_SOCK_DIAG` about TCP and UDP sockets. Question and answer have the same number, so each has a
 * codec of its own.
 *
 * @module
 */
import { attributes, nlattrSize } from '../codec/attributes.ts'
import { u8, u32, u64, type ValueOf } from '../codec/field.ts'
import { align4, littleEndian } from '../codec/memory.ts'
import { type MessageOf, messageFamily } from '../codec/message.ts'
import { exactly } from '../codec/payload.ts'
import * as s from './structs.ts'

/** `SOCK_DIAG_BY_FAMILY` */
const BY_FAMILY = 20
/** `INET_DIAG_CGROUP_ID` */
const CGROUP_ID = 21

/** `INET_DIAG_`: only what is used here; all others stay bytes. */
const diagAttributes = attributes('INET_DIAG', {
  tos: [5, exactly(u8)],
  tclass: [6, exactly(u8)],
  shutdown: [8, exactly(u8)],
  protocol: [10, exactly(u8)],
  skv6only: [11, exactly(u8)],
  mark: [15, exactly(u32)],
  /** Since 5.8: the inode of the directory of the cgroup that the socket was made in. */
  cgroup_id: [CGROUP_ID, exactly(u64)],
})

/** `INET_DIAG_REQ_`. */
const diagRequestAttributes = attributes('INET_DIAG_REQ', {
  protocol: [3, exactly(u32)],
})

/** The codec of questions. */
export const diagRequest = messageFamily('SOCK_DIAG', {
  BY_FAMILY: [BY_FAMILY, s.inet_diag_req_v2, diagRequestAttributes],
})

/** The codec of answers and events. */
export const diag = messageFamily('SOCK_DIAG', {
  BY_FAMILY: [BY_FAMILY, s.inet_diag_msg, diagAttributes],
})

/** A socket. */
export type DiagMessage = MessageOf<(typeof diag)['definitions']>

const ANY: ValueOf<typeof s.inet_diag_sockid> = {
  idiag_sport: 0,
  idiag_dport: 0,
  idiag_src: new Uint8Array(16),
  idiag_dst: new Uint8Array(16),
  idiag_if: 0,
  idiag_cookie: 0n,
}

/** Which sockets a dump is about. */
export interface SocketsWanted {
  /** AF_INET or AF_INET6. */
  readonly family: number
  /** IPPROTO_TCP or IPPROTO_UDP. */
  readonly protocol: number
  /** By `socketState`. */
  readonly states: readonly number[]
}

/**
 * The cgroup of a socket, without reading the rest of the answer: of many sockets few may be wanted.
 *
 * @param payload of a message about a socket
 * @returns `undefined` where the kernel does not say it
 */
export function cgroupIdOf(payload: Uint8Array): bigint | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  for (let at = s.inet_diag_msg.size; at + nlattrSize <= payload.length; ) {
    const length = view.getUint16(at, littleEndian)
    if (length < nlattrSize) return undefined
    const isWanted = view.getUint16(at + 2, littleEndian) === CGROUP_ID && length === nlattrSize + 8
    if (isWanted && at + length <= payload.length) return view.getBigUint64(at + nlattrSize, littleEndian)
    at += align4(length)
  }
  return undefined
}

/** Number of the request. */
export const DIAG_REQUEST = diagRequest.type('BY_FAMILY')

/** Payload of a request for sockets. To be sent with NLM_F_DUMP. */
export function dumpSockets({ family, protocol, states }: SocketsWanted): Uint8Array {
  const body = {
    sdiag_family: family,
    sdiag_protocol: protocol,
    idiag_ext: 0,
    idiag_states: states.reduce((bits, state) => bits | (1 << state), 0) >>> 0,
    id: ANY,
  }
  return diagRequest.encode({ name: 'BY_FAMILY', body, attributes: {} })
}

/**
 * Answers that carry an error number: ACKs (`NLMSG_ERROR`) and ends of dumps (`NLMSG_DONE`), with the
 * kernel's extended ACK behind them.
 *
 * @module
 */
import { align4, littleEndian, memoryOf } from '../codec/memory.ts'
import { NetlinkError, type NetlinkFault } from './error.ts'
import {
  formatMessage,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  type ReceivedMessage,
} from './message.ts'

// linux/netlink.h, enum nlmsgerr_attrs
const NLMSGERR_ATTR_MSG = 1
const NLMSGERR_ATTR_OFFS = 2
const NLMSGERR_ATTR_MISS_TYPE = 5
const NLMSGERR_ATTR_MISS_NEST = 6
const NLA_TYPE_MASK = 0x3fff
const NLA_HDRLEN = 4

/** What an ACK or the end of a dump says. */
export interface Answer {
  /** Positive error number, 0 for success. */
  readonly errno: number
  readonly extack?: string
  readonly offset?: number
  readonly missingType?: number
  readonly missingNest?: number
}

/**
 * What a protocol knows about its own messages; every part may be left out. The texts end up in errors, so
 * they name fields and never show their contents.
 */
export interface Dialect {
  /** `XFRM_MSG_NEWPOLICY` for 19. */
  messageName?(type: number): string | undefined
  /** Name of the field or attribute at `offset` of `message` (header included). */
  fieldName?(type: number, message: Uint8Array, offset: number): string | undefined
  /** Name of a top-level attribute of a message type. */
  attributeName?(type: number, attribute: number): string | undefined
  /** A more telling code and hint for what the kernel answered. */
  classify?(
    type: number,
    answer: Answer,
    request: Uint8Array,
  ): { readonly code?: string; readonly hint?: string } | undefined
}

/**
 * Reads the payload of an `NLMSG_ERROR` or `NLMSG_DONE`. A short or broken tail loses the extended ACK but
 * not the error number; a `NLMSG_DONE` without any number (old kernels) is a success.
 *
 * @throws {NetlinkError} ERR_NETLINK_MALFORMED for an `NLMSG_ERROR` without its error number
 */
export function parseAnswer(message: ReceivedMessage): Answer {
  const { payload, type, flags } = message
  if (payload.length < 4) {
    if (type !== NLMSG_ERROR) return { errno: 0 }
    throw new NetlinkError({
      operation: 'receive',
      code: 'ERR_NETLINK_MALFORMED',
      detail: `an ACK of ${payload.length} bytes, expected at least 4`,
      sequence: message.sequence,
    })
  }
  const view = memoryOf(payload).view
  const errno = Math.abs(view.getInt32(0, littleEndian))
  if (!(flags & NLM_F_ACK_TLVS)) return { errno }
  return { errno, ...parseAttributes(payload, type === NLMSG_ERROR ? echoEnd(view, flags) : 4) }
}

/**
 * Writes what {@link parseAnswer} reads: the `NLMSG_ERROR` that answers a request, with the request's header and, where
 * there is a text, the extended ACK.
 */
export function formatAnswer(
  { type, flags, sequence, portId }: ReceivedMessage,
  { errno, extack = '' }: Pick<Answer, 'errno' | 'extack'>,
): Uint8Array {
  const message = new TextEncoder().encode(extack)
  const start = 4 + NLMSG_HDRLEN
  const length = NLA_HDRLEN + message.length + 1
  const payload = new Uint8Array(start + (extack === '' ? 0 : align4(length)))
  const { view } = memoryOf(payload)
  view.setInt32(0, -errno, littleEndian)
  view.setUint32(4, NLMSG_HDRLEN, littleEndian)
  view.setUint16(8, type, littleEndian)
  view.setUint16(10, flags, littleEndian)
  view.setUint32(12, sequence, littleEndian)
  view.setUint32(16, portId, littleEndian)
  if (extack !== '') {
    view.setUint16(start, length, littleEndian)
    view.setUint16(start + 2, NLMSGERR_ATTR_MSG, littleEndian)
    payload.set(message, start + NLA_HDRLEN)
  }
  const answer = { type: NLMSG_ERROR, flags: NLM_F_CAPPED | (extack === '' ? 0 : NLM_F_ACK_TLVS), payload }
  return formatMessage(answer, sequence, portId)
}

/** Where the echoed request ends: header only where it was capped or where all went well. */
function echoEnd(view: DataView, flags: number): number {
  if (flags & NLM_F_CAPPED || view.byteLength < 8) return 4 + NLMSG_HDRLEN
  return 4 + Math.max(NLMSG_HDRLEN, align4(view.getUint32(4, littleEndian)))
}

function parseAttributes(payload: Uint8Array, start: number): Omit<Answer, 'errno'> {
  const view = memoryOf(payload).view
  const found: { -readonly [K in keyof Answer]?: Answer[K] } = {}
  for (let at = start; at + NLA_HDRLEN <= payload.length; ) {
    const length = view.getUint16(at, littleEndian)
    if (length < NLA_HDRLEN || at + length > payload.length) break
    const type = view.getUint16(at + 2, littleEndian) & NLA_TYPE_MASK
    const value = payload.subarray(at + NLA_HDRLEN, at + length)
    if (type === NLMSGERR_ATTR_MSG) found.extack = text(value)
    else if (value.length >= 4) {
      const number = memoryOf(value).view.getUint32(0, littleEndian)
      if (type === NLMSGERR_ATTR_OFFS) found.offset = number
      else if (type === NLMSGERR_ATTR_MISS_TYPE) found.missingType = number
      else if (type === NLMSGERR_ATTR_MISS_NEST) found.missingNest = number
    }
    at += align4(length)
  }
  return found
}

function text(value: Uint8Array): string {
  const end = value.indexOf(0)
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end))
}

/** Where in the caller's work an answer belongs. */
export interface Place {
  readonly sequence: number
  readonly index?: number
}

/**
 * The error for an answer with a number.
 *
 * @param type - type of the request
 * @param request - the request's bytes, header included, for naming the field; only read
 */
export function answerError(
  answer: Answer,
  type: number,
  request: Uint8Array,
  dialect: Dialect,
  place: Place,
): NetlinkError {
  const { offset, missingType, missingNest } = answer
  const field = offset === undefined ? undefined : dialect.fieldName?.(type, request, offset)
  const missingName =
    missingType === undefined || missingNest !== undefined
      ? undefined
      : dialect.attributeName?.(type, missingType)
  const fault: NetlinkFault = {
    operation: operationName(type, dialect),
    ...answer,
    ...place,
    ...(field !== undefined && { field }),
    ...(missingName !== undefined && { missingName }),
    ...privilegeHint(answer),
    ...dialect.classify?.(type, answer, request),
  }
  return new NetlinkError(fault)
}

/** The message's name in errors. */
export function operationName(type: number, dialect: Dialect): string {
  return dialect.messageName?.(type) ?? `netlink message ${type}`
}

const EPERM = 1

function privilegeHint(answer: Answer): { hint?: string } {
  return answer.errno === EPERM ? { hint: 'run as root, or with CAP_NET_ADMIN in the network namespace' } : {}
}

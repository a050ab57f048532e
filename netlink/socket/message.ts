/**
 * The frame of netlink: messages with a 16-byte header, several to a datagram. Payloads are opaque here.
 *
 * @module
 */
import { align4, littleEndian, type Memory, memoryOf } from '../codec/memory.ts'
import { NetlinkError } from './error.ts'

/** netlink(7): size of `struct nlmsghdr`. */
export const NLMSG_HDRLEN = 16

export const NLMSG_NOOP = 1
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const NLMSG_OVERRUN = 4
/** To a program in the kernel's stead only: tell what was counted, as text in the form of `/proc/net/xfrm_stat`. */
export const NLMSG_STATISTICS = 14
/** To a program in the kernel's stead only: join the groups whose numbers are the payload. No protocol of Linux uses it. */
export const NLMSG_SUBSCRIBE = 15
/** Types below are the protocol-independent control messages. */
export const NLMSG_MIN_TYPE = 16

export const NLM_F_REQUEST = 0x1
export const NLM_F_MULTI = 0x2
export const NLM_F_ACK = 0x4
export const NLM_F_DUMP_INTR = 0x10
/** With a GET: NLM_F_ROOT and NLM_F_MATCH, the whole table. */
export const NLM_F_DUMP = 0x300
/** With a NEW: replace what exists. */
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
/** With an error or the end of a dump: the error text echoes only the request's header. */
export const NLM_F_CAPPED = 0x100
/** With an error or the end of a dump: attributes follow. */
export const NLM_F_ACK_TLVS = 0x200

/** A message to send. Sequence, port and the flags REQUEST, ACK and DUMP are the socket's business. */
export interface Message {
  readonly type: number
  readonly flags?: number
  /** Fixed struct and attributes. Only read, and not kept. */
  readonly payload: Uint8Array
}

/** A message as it came in. Who hands it out says how long `payload` may be used. */
export interface ReceivedMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** Port of the socket whose request this answers or reports; 0 for the kernel's own doing. */
  readonly portId: number
  readonly payload: Uint8Array
}

/**
 * Writes one whole message at `offset` of `target`, which must have room for it.
 *
 * @returns the offset behind the message, padding included
 */
export function writeMessage(
  target: Memory,
  offset: number,
  message: Message,
  sequence = 0,
  portId = 0,
): number {
  const length = NLMSG_HDRLEN + message.payload.length
  const end = offset + align4(length)
  const { bytes, view } = target
  if (end > bytes.length) {
    throw new RangeError(`netlink message of ${length} bytes does not fit into ${bytes.length - offset}`)
  }
  view.setUint32(offset, length, littleEndian)
  view.setUint16(offset + 4, message.type, littleEndian)
  view.setUint16(offset + 6, message.flags ?? 0, littleEndian)
  view.setUint32(offset + 8, sequence, littleEndian)
  view.setUint32(offset + 12, portId, littleEndian)
  bytes.set(message.payload, offset + NLMSG_HDRLEN)
  bytes.fill(0, offset + length, end)
  return end
}

/** One message as bytes of its own. */
export function formatMessage(message: Message, sequence = 0, portId = 0): Uint8Array {
  const bytes = new Uint8Array(align4(NLMSG_HDRLEN + message.payload.length))
  writeMessage(memoryOf(bytes), 0, message, sequence, portId)
  return bytes
}

/**
 * The messages of a datagram, in order. Payloads are views into `datagram`. A last message whose length is
 * no multiple of 4 may come without its padding.
 *
 * @throws {NetlinkError} ERR_NETLINK_MALFORMED with the offset, after the messages before it were handed out
 */
export function* parseMessages(datagram: Uint8Array): Generator<ReceivedMessage, void> {
  const { view } = memoryOf(datagram)
  let offset = 0
  while (offset < datagram.length) {
    const left = datagram.length - offset
    if (left < NLMSG_HDRLEN) throw malformed(`${left} bytes where a header of ${NLMSG_HDRLEN} begins`, offset)
    const length = view.getUint32(offset, littleEndian)
    if (length < NLMSG_HDRLEN || length > left) {
      throw malformed(`message length ${length}, expected ${NLMSG_HDRLEN} to ${left}`, offset)
    }
    yield {
      type: view.getUint16(offset + 4, littleEndian),
      flags: view.getUint16(offset + 6, littleEndian),
      sequence: view.getUint32(offset + 8, littleEndian),
      portId: view.getUint32(offset + 12, littleEndian),
      payload: datagram.subarray(offset + NLMSG_HDRLEN, offset + length),
    }
    offset += align4(length)
  }
}

/** The same message with a payload that may be kept. */
export function keep(message: ReceivedMessage): ReceivedMessage {
  return { ...message, payload: message.payload.slice() }
}

function malformed(detail: string, offset: number): NetlinkError {
  return new NetlinkError({ operation: 'receive', code: 'ERR_NETLINK_MALFORMED', detail, offset })
}

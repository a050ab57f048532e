/**
 * Every message of `NETLINK_XFRM` (`XFRM_MSG_`).
 *
 * @module
 * @example
 * const payload = encodeMessage({
 *   name: 'NEWPOLICY',
 *   body: { ...defaultPolicy(), sel, dir: dir.OUT, priority: 100 },
 *   attributes: { tmpl: [{ ...defaultTemplate(), id: { daddr, spi: 0, proto: 50 }, reqid: 7 }] },
 * })
 */
import { type MessageOf, messageFamily, noBody } from '../codec/message.ts'
import { sadAttributes, spdAttributes, xfrmAttributes } from './attributes.ts'
import * as s from './structs.ts'

/** The codec of the family. The functions below are its plain face. */
export const xfrm = messageFamily('XFRM', {
  NEWSA: [16, s.usersa_info, xfrmAttributes],
  DELSA: [17, s.usersa_id, xfrmAttributes],
  GETSA: [18, s.usersa_id, xfrmAttributes],
  NEWPOLICY: [19, s.userpolicy_info, xfrmAttributes],
  DELPOLICY: [20, s.userpolicy_id, xfrmAttributes],
  GETPOLICY: [21, s.userpolicy_id, xfrmAttributes],
  ALLOCSPI: [22, s.userspi_info, xfrmAttributes],
  ACQUIRE: [23, s.user_acquire, xfrmAttributes],
  EXPIRE: [24, s.user_expire, xfrmAttributes],
  UPDPOLICY: [25, s.userpolicy_info, xfrmAttributes],
  UPDSA: [26, s.usersa_info, xfrmAttributes],
  POLEXPIRE: [27, s.user_polexpire, xfrmAttributes],
  FLUSHSA: [28, s.usersa_flush, xfrmAttributes],
  FLUSHPOLICY: [29, noBody, xfrmAttributes],
  NEWAE: [30, s.aevent_id, xfrmAttributes],
  GETAE: [31, s.aevent_id, xfrmAttributes],
  REPORT: [32, s.user_report, xfrmAttributes],
  MIGRATE: [33, s.userpolicy_id, xfrmAttributes],
  NEWSADINFO: [34, s.info_flags, sadAttributes],
  GETSADINFO: [35, s.info_flags, sadAttributes],
  NEWSPDINFO: [36, s.info_flags, spdAttributes],
  GETSPDINFO: [37, s.info_flags, spdAttributes],
  MAPPING: [38, s.user_mapping, xfrmAttributes],
  SETDEFAULT: [39, s.userpolicy_default, xfrmAttributes],
  GETDEFAULT: [40, s.userpolicy_default, xfrmAttributes],
  MIGRATE_STATE: [41, s.user_migrate_state, xfrmAttributes],
})

type Messages = (typeof xfrm)['definitions']

/** Name of a message, without `XFRM_MSG_`. */
export type MessageName = keyof Messages

/** One message, or the union of all, told apart by `name`. */
export type XfrmMessage<N extends MessageName = MessageName> = MessageOf<Messages, N>

/** The `nlmsg_type` of a message. */
export function messageType(name: MessageName): number {
  return xfrm.type(name)
}

/** The message of an `nlmsg_type`, or `undefined` where it is none of XFRM's. */
export function messageName(type: number): MessageName | undefined {
  return xfrm.nameOf(type)
}

/**
 * The payload of a message: all that follows the `nlmsghdr`, padded to 4 bytes.
 *
 * @throws EncodeError where a value does not fit its field
 */
export function encodeMessage(message: XfrmMessage): Uint8Array {
  return xfrm.encode(message)
}

/**
 * Reads the payload of a message. Attributes that have no description are kept in `attributes.unknown`, and
 * encoding the result gives the payload again (padding that was not zero becomes zero).
 *
 * @param type its `nlmsg_type`
 * @throws DecodeError where the payload is short, over-long or malformed, or the type is none of XFRM's
 */
export function decodeMessage(type: number, payload: Uint8Array): XfrmMessage {
  return xfrm.decode(type, payload)
}

/**
 * The payload of a dump request. Its filter attributes (`proto`, `address_filter`) stand right behind the
 * `nlmsghdr`: behind a body the kernel would overlook them without a word.
 */
export function encodeDump(name: 'GETSA' | 'GETPOLICY', attributes: XfrmMessage<'GETSA'>['attributes'] = {}) {
  return xfrm.encodeDump(name, attributes)
}

/**
 * The filter of a dump request.
 *
 * @throws DecodeError
 */
export function decodeDump(name: 'GETSA' | 'GETPOLICY', payload: Uint8Array) {
  return xfrm.decodeDump(name, payload)
}

/**
 * Name of the field or attribute at an offset of a whole message, as extended ACKs give it: counted from the
 * start of the `nlmsghdr`.
 *
 * @param payload the payload of the request, without `nlmsghdr`
 * @returns for example `xfrm_userpolicy_info.sel.family` or `XFRMA_TMPL[1].id.spi`; empty where nothing is
 */
export function describeOffset(type: number, payload: Uint8Array, offset: number): string {
  return xfrm.describe(type, payload, offset)
}

/**
 * `solipsec/netlink`: XFRM over netlink, from bytes to connections. Knows nothing of Solaris.
 *
 * @module
 * @example
 * import { XfrmConnection } from 'solipsec/netlink'
 *
 * const xfrm = XfrmConnection.open({ netns: 'blue' })
 * for (const { body } of xfrm.policies()) console.log(body.index, body.priority)
 * xfrm.close()
 */
export { DecodeError, EncodeError } from './codec/errors.ts'
export { OpaqueBytes, opaque } from './codec/opaque.ts'
export { SystemError } from './libc/errno.ts'
export * as systemResolver from './libc/names.ts'
export { enterNetns, NamespaceError, netnsCookie, withNetns } from './libc/netns.ts'
export { NetlinkError } from './socket/error.ts'
export { NetlinkSocket } from './socket/socket.ts'
export { fromXfrmAddress, toXfrmAddress } from './xfrm/address.ts'
export type { XfrmAttributes } from './xfrm/attributes.ts'
export { XfrmConnection, type XfrmEventHandler } from './xfrm/connection.ts'
export * as constants from './xfrm/constants.ts'
export { defaultLifetime, defaultPolicy, defaultState, defaultTemplate } from './xfrm/defaults.ts'
export {
  decodeMessage,
  describeOffset,
  encodeMessage,
  type MessageName,
  messageName,
  messageType,
  type XfrmMessage,
} from './xfrm/messages.ts'

/**
 * XFRM messages as whole netlink messages, for clients and for journals. They may hold keys: what is not handed on is
 * wiped.
 *
 * @module
 */
import { formatMessage } from '../socket/message.ts'
import { encodeMessage, messageType, type XfrmMessage } from './messages.ts'

/** One message, header included, padded to 4 bytes. */
export function formatXfrm(message: XfrmMessage, flags = 0, sequence = 0, portId = 0): Uint8Array {
  const payload = encodeMessage(message)
  const bytes = formatMessage({ type: messageType(message.name), flags, payload }, sequence, portId)
  payload.fill(0)
  return bytes
}

/** Messages one behind the other. The parts are wiped. */
export function joinAndWipe(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    part.fill(0)
    at += part.length
  }
  return whole
}

/**
 * XFRM messages as whole netlink messages, for clients and for the journal. They may hold keys: what is not handed on is
 * wiped.
 *
 * @module
 */
import { formatMessage } from '../../../../netlink/socket/message.ts'
import { encodeMessage, messageType, type XfrmMessage } from '../../../../netlink/xfrm/messages.ts'

/** One message, header included, padded to 4 bytes. */
export function formatXfrm(message: XfrmMessage, flags = 0, sequence = 0, portId = 0): Uint8Array {
  const payload = encodeMessage(message)
  const bytes = formatMessage({ type: messageType(message.name), flags, payload }, sequence, portId)
  payload.fill(0)
  return bytes
}

/** Messages one behind the other, `size` bytes together. The parts are wiped. */
export function joinAndWipe(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    part.fill(0)
    at += part.length
  }
  return whole
}

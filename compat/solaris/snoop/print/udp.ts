/**
 * UDP (RFC 768), and ESP inside it (RFC 3948).
 *
 * @module
 */
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import { IPPROTO_ESP, UDP_HEADER_LENGTH } from '../../../../agent/packet/protocols.ts'
import { decodeApplication } from './application.ts'
import { add, type Context, lack, type Step } from './layer.ts'
import { decodePorts, portLine } from './tcp.ts'
import { hex } from './text.ts'

const TITLE = 'UDP Header'
/** Where a NAT is in between, IKE and ESP share this port. */
const IKE_NAT = 4500

export function decodeUdp(context: Context, { at, end, partial }: Step): Step | undefined {
  const { bytes } = context
  const wrong = lack(context, at, UDP_HEADER_LENGTH, end)
  if (wrong !== undefined) return decodePorts(context, 'UDP', TITLE, at, end, wrong)
  const source = read16(bytes, at)
  const destination = read16(bytes, at + 2)
  const length = read16(bytes, at + 4)
  const checksum = read16(bytes, at + 6)
  let fault = ''
  // A length of 0 is that of a jumbogram (RFC 2675).
  if (length < UDP_HEADER_LENGTH && length !== 0) fault = `[malformed: length ${length}]`
  else if (at + length > end && !partial && !context.quoted) {
    fault = `[malformed: length ${length}, ${end - at} bytes there]`
  }
  const summary = `UDP D=${destination} S=${source} LEN=${length}`
  add(context, 'UDP', TITLE, fault === '' ? summary : `${summary} ${fault}`, [
    portLine(context, 'Source', source, 'udp'),
    portLine(context, 'Destination', destination, 'udp'),
    `Length = ${length}`,
    `Checksum = ${hex(checksum, 4).toUpperCase()}${checksum === 0 ? ' (no checksum)' : ''}`,
    ...(fault === '' ? [] : [fault]),
  ])
  if (fault.includes(`: length ${length}]`)) return undefined
  const dataAt = at + UDP_HEADER_LENGTH
  const dataEnd = length === 0 ? end : Math.min(end, at + length)
  if (source === IKE_NAT || destination === IKE_NAT) {
    return decodeEncapsulated(context, dataAt, dataEnd, partial)
  }
  if (!context.quoted) {
    decodeApplication(context, { transport: 'udp', source, destination, at: dataAt, end: dataEnd, partial })
  }
  return undefined
}

/** ESP's SPI is not 0, which is how IKE is told from it; a single octet of ones keeps the NAT's mapping alive. */
function decodeEncapsulated(context: Context, at: number, end: number, partial: boolean): Step | undefined {
  const { bytes } = context
  if (end - at === 1 && lack(context, at, 1, end) === undefined && bytes[at] === 0xff) {
    add(context, 'ESP', 'NAT Keepalive', 'NAT keepalive', ['NAT keepalive'])
    return undefined
  }
  if (lack(context, at, 4, end) === undefined && read32(bytes, at) === 0) {
    add(context, 'IKE', 'Internet Key Exchange', `IKE LEN=${end - at - 4}`, [`Length = ${end - at - 4}`])
    return undefined
  }
  return end > at ? { protocol: IPPROTO_ESP, at, end, partial } : undefined
}

/**
 * ICMPv6 (RFC 4443), with neighbour discovery (RFC 4861) and multicast listeners (RFC 2710, RFC 3810).
 *
 * @module
 */
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import { IPPROTO_IPV6 } from '../../../../agent/packet/protocols.ts'
import { add, addBroken, type Context, lack, type Step } from './layer.ts'
import { addressAndName, addressText, etherText, hex } from './text.ts'

const TITLE = 'ICMPv6 Header'
const FIXED_LENGTH = 4
/** An error's own header, before the packet that it quotes. */
const ERROR_LENGTH = 8
/** The first type of neighbour discovery (RFC 4861); those of multicast listener discovery stand before it. */
const ROUTER_SOLICITATION = 133

interface Kind {
  readonly name: string
  /** Where the target address stands, from the beginning of the message. */
  readonly target?: number
  /** Where options of neighbour discovery begin. */
  readonly options?: number
}

const KINDS: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [1, { name: 'Destination unreachable' }],
  [2, { name: 'Packet too big' }],
  [3, { name: 'Time exceeded' }],
  [4, { name: 'Parameter problem' }],
  [128, { name: 'Echo request' }],
  [129, { name: 'Echo reply' }],
  [130, { name: 'Group membership query', target: 8 }],
  [131, { name: 'Group membership report', target: 8 }],
  [132, { name: 'Group membership termination', target: 8 }],
  [ROUTER_SOLICITATION, { name: 'Router solicitation', options: 8 }],
  [134, { name: 'Router advertisement', options: 16 }],
  [135, { name: 'Neighbor solicitation', target: 8, options: 24 }],
  [136, { name: 'Neighbor advertisement', target: 8, options: 24 }],
  [137, { name: 'Redirect', target: 8, options: 40 }],
  [143, { name: 'Multicast listener report v2' }],
])

const UNREACHABLE = [
  'No route to destination',
  'Administratively prohibited',
  'Beyond scope of source address',
  'Address unreachable',
  'Port unreachable',
  'Source address failed policy',
  'Reject route',
]
const EXCEEDED = ['Hop limit exceeded in transit', 'Fragment reassembly time exceeded']
const PROBLEMS = ['Erroneous header field', 'Unrecognized next header', 'Unrecognized option']

/** Decodes the message; of an error, the packet that it quotes comes next. */
export function decodeIcmp6(context: Context, { at, end }: Step): Step | undefined {
  const { bytes } = context
  const type = lack(context, at, 1, end) === undefined ? (bytes[at] ?? 0) : 0
  const kind = KINDS.get(type)
  const isError = type >= 1 && type <= 4
  const echo = type === 128 || type === 129
  const length = kind?.target !== undefined ? kind.target + 16 : isError || echo ? ERROR_LENGTH : FIXED_LENGTH
  const wrong = lack(context, at, length, end)
  if (wrong !== undefined) {
    const name = kind === undefined ? 'ICMPv6' : `ICMPv6 ${kind.name}`
    if (kind === undefined) return addBroken(context, 'ICMPv6', TITLE, wrong)
    add(context, 'ICMPv6', TITLE, `${name} ${wrong}`, [`Type = ${type} (${kind.name})`, wrong])
    return undefined
  }
  const code = bytes[at + 1] ?? 0
  const { note, details } = meaning(bytes, at, type, code)
  const target = kind?.target === undefined ? [] : [targetLine(context, at + kind.target, type)]
  const shown = note === '' ? '' : ` (${note})`
  add(context, 'ICMPv6', TITLE, `ICMPv6 ${kind?.name ?? `Type ${type}`}${shown}`, [
    `Type = ${type} (${kind?.name ?? 'unknown'})`,
    `Code = ${code}${isError && note !== '' && type !== 2 ? ` (${note})` : ''}`,
    `Checksum = ${hex(read16(bytes, at + 2))}`,
    ...details,
    ...target,
    ...(kind?.options === undefined ? [] : optionLines(context, at + kind.options, end)),
    ...(isError ? ['[ subject header follows ]'] : []),
  ])
  if (!isError || context.quoted) return undefined
  context.quoted = true
  return { protocol: IPPROTO_IPV6, at: at + ERROR_LENGTH, end, partial: true }
}

/** The address that a message of multicast listener or neighbour discovery is about. */
function targetLine({ bytes, options }: Context, at: number, type: number): string {
  const label = type < ROUTER_SOLICITATION ? 'Multicast address' : 'Target node'
  return `${label} = ${addressAndName(bytes, at, 16, options)}`
}

function meaning(
  bytes: Uint8Array,
  at: number,
  type: number,
  code: number,
): { note: string; details: string[] } {
  switch (type) {
    case 1:
      return { note: UNREACHABLE[code] ?? `Code ${code}`, details: [] }
    case 2: {
      const mtu = read32(bytes, at + 4)
      return { note: `MTU=${mtu}`, details: [`MTU = ${mtu}`] }
    }
    case 3:
      return { note: EXCEEDED[code] ?? `Code ${code}`, details: [] }
    case 4:
      return { note: PROBLEMS[code] ?? `Code ${code}`, details: [`Pointer = ${read32(bytes, at + 4)}`] }
    case 128:
    case 129: {
      const id = read16(bytes, at + 4)
      const sequence = read16(bytes, at + 6)
      return {
        note: `ID: ${id} Sequence number: ${sequence}`,
        details: [`Identifier = ${id}`, `Sequence number = ${sequence}`],
      }
    }
    case 135:
    case 136:
      return { note: '', details: type === 136 ? advertisementFlags(bytes[at + 4] ?? 0) : [] }
    default:
      return { note: '', details: [] }
  }
}

function advertisementFlags(flags: number): string[] {
  return [
    `Router flag: ${flags >>> 7 === 1 ? 'SET' : 'NOT SET'}`,
    `Solicited flag: ${((flags >>> 6) & 1) === 1 ? 'SET' : 'NOT SET'}`,
    `Override flag: ${((flags >>> 5) & 1) === 1 ? 'SET' : 'NOT SET'}`,
  ]
}

/** Options of neighbour discovery (RFC 4861 section 4.6). */
function optionLines(context: Context, from: number, end: number): string[] {
  const { bytes } = context
  const lines: string[] = []
  let at = from
  while (at < end) {
    const length = lack(context, at, 2, end) === undefined ? (bytes[at + 1] ?? 0) * 8 : 2
    const wrong = length === 0 ? '[malformed: option of 0 bytes]' : lack(context, at, length, end)
    if (wrong !== undefined) return [...lines, wrong]
    lines.push(optionLine(bytes, at, length))
    at += length
  }
  return lines
}

function optionLine(bytes: Uint8Array, at: number, length: number): string {
  const kind = bytes[at] ?? 0
  if (kind === 1) return `Source link-layer address = ${etherText(bytes, at + 2, Math.min(8, length - 2))}`
  if (kind === 2) return `Target link-layer address = ${etherText(bytes, at + 2, Math.min(8, length - 2))}`
  if (kind === 3 && length === 32) return `Prefix = ${addressText(bytes, at + 16, 16)}/${bytes[at + 2]}`
  if (kind === 5) return `MTU = ${read32(bytes, at + 4)}`
  return `Option type = ${kind}, ${length} bytes`
}

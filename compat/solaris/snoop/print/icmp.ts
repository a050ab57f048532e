/**
 * ICMP (RFC 792).
 *
 * @module
 */
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import { IPPROTO_IPIP } from '../../../../agent/packet/protocols.ts'
import { add, addBroken, type Context, lack, type Step } from './layer.ts'
import { addressAndName, addressText, hex } from './text.ts'

const TITLE = 'ICMP Header'
/** Of all messages that are shown here. */
const FIXED_LENGTH = 8

const TYPES: ReadonlyMap<number, string> = new Map([
  [0, 'Echo reply'],
  [3, 'Destination unreachable'],
  [4, 'Source quench'],
  [5, 'Redirect'],
  [8, 'Echo request'],
  [9, 'Router advertisement'],
  [10, 'Router solicitation'],
  [11, 'Time exceeded'],
  [12, 'Parameter problem'],
  [13, 'Time stamp request'],
  [14, 'Time stamp reply'],
  [15, 'Information request'],
  [16, 'Information reply'],
  [17, 'Address mask request'],
  [18, 'Address mask reply'],
])

const UNREACHABLE = [
  'Network unreachable',
  'Host unreachable',
  'Protocol unreachable',
  'Port unreachable',
  'Fragmentation needed',
  'Source route failed',
  'Unknown network',
  'Unknown host',
  'Source host isolated',
  'Net administratively prohibited',
  'Host administratively prohibited',
  'Net unreachable for this TOS',
  'Host unreachable for this TOS',
  'Communication administratively prohibited',
  'Host precedence violation',
  'Precedence cutoff in effect',
]
const REDIRECTS = ['for network', 'for host', 'for tos and network', 'for tos and host']
const EXCEEDED = ['in transit', 'in reassembly']

/** Decodes the message; of an error, the packet that it quotes comes next. */
export function decodeIcmp(context: Context, { at, end }: Step): Step | undefined {
  const { bytes, options } = context
  const wrong = lack(context, at, FIXED_LENGTH, end)
  if (wrong !== undefined) return addBroken(context, 'ICMP', TITLE, wrong)
  const type = bytes[at] ?? 0
  const code = bytes[at + 1] ?? 0
  const { note, codeText, details } = meaning(context, at, type, code)
  const name = TYPES.get(type) ?? `Type ${type}`
  const quotes = type === 3 || type === 4 || type === 5 || type === 11 || type === 12
  add(context, 'ICMP', TITLE, `ICMP ${name}${note === '' ? '' : ` (${note})`}`, [
    `Type = ${type} (${TYPES.get(type) ?? 'unknown'})`,
    `Code = ${code}${codeText === '' ? '' : ` (${codeText})`}`,
    `Checksum = ${hex(read16(bytes, at + 2), 4)}`,
    ...details,
    ...(type === 5 ? [`Gateway address = ${addressAndName(bytes, at + 4, 4, options)}`] : []),
    ...(quotes ? ['[ subject header follows ]'] : []),
  ])
  if (!quotes || context.quoted) return undefined
  context.quoted = true
  return { protocol: IPPROTO_IPIP, at: at + FIXED_LENGTH, end, partial: true }
}

interface Meaning {
  /** In the summary, in parentheses. */
  readonly note: string
  readonly codeText: string
  readonly details: readonly string[]
}

function meaning({ bytes }: Context, at: number, type: number, code: number): Meaning {
  const id = read16(bytes, at + 4)
  const sequence = read16(bytes, at + 6)
  switch (type) {
    case 0:
    case 8:
    case 13:
    case 14:
      return {
        note: `ID: ${id} Sequence number: ${sequence}`,
        codeText: '',
        details: [`Identifier = ${id}`, `Sequence number = ${sequence}`],
      }
    case 3: {
      const text = UNREACHABLE[code] ?? `Code ${code}`
      if (code !== 4) return { note: text, codeText: text, details: [] }
      return { note: `${text}, MTU=${sequence}`, codeText: text, details: [`Next-hop MTU = ${sequence}`] }
    }
    case 5: {
      const text = REDIRECTS[code] ?? `Code ${code}`
      return { note: `${text} to ${addressText(bytes, at + 4, 4)}`, codeText: text, details: [] }
    }
    case 11: {
      const text = EXCEEDED[code] ?? `Code ${code}`
      return { note: text, codeText: text, details: [] }
    }
    case 12:
      return { note: '', codeText: '', details: [`Pointer = ${read32(bytes, at + 4) >>> 24}`] }
    default:
      return { note: '', codeText: '', details: [] }
  }
}

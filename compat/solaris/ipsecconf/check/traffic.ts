/**
 * Upper-layer protocol, ports, and ICMP types and codes of a pattern.
 *
 * @module
 */
import type { IcmpRange, Selector } from '../../../../agent/model/policy.ts'
import { describeClash, type NamedNumber } from '../../names.ts'
import type { Setting } from '../syntax/parser.ts'
import { type IcmpWords, IPPROTO_ICMP, IPPROTO_ICMPV6, icmpWords, WITH_PORTS } from '../vocabulary.ts'
import type { PatternFields } from './collect.ts'
import type { Context } from './context.ts'
import { parseInteger } from './integer.ts'

/** What a selector says above the IP layer. */
export type Traffic = { readonly [K in keyof Required<Omit<Selector, 'pairs'>>]: Selector[K] | undefined }

/** ICMP types and codes have this value for "any". */
const ICMP_ANY = 255

/** Reads the fields above IP; `localPort` is the source port of the pattern. Errors leave their field out. */
export function checkTraffic(fields: PatternFields, context: Context): Traffic {
  const protocol = checkProtocol(fields.protocol, context)
  const localPort = checkPort(fields.sourcePort, protocol, context)
  const remotePort = checkPort(fields.destinationPort, protocol, context)
  if (protocol === 'bad') return { ...NOTHING, localPort, remotePort }
  const { icmpType, icmpCode } = checkIcmp(fields, protocol, context)
  return { protocol, localPort, remotePort, icmpType, icmpCode }
}

const NOTHING: Traffic = {
  protocol: undefined,
  localPort: undefined,
  remotePort: undefined,
  icmpType: undefined,
  icmpCode: undefined,
}

type Protocol = number | 'bad' | undefined

function checkProtocol(setting: Setting | undefined, context: Context): Protocol {
  if (!setting) return undefined
  const { text } = setting.value
  const number = parseInteger(text, 255) ?? numberNamed(context.protocol(text), setting, context)
  if (number === undefined) return 'bad'
  if (number !== 0) return number
  warnOfZero(setting, 'every protocol', context)
  return undefined
}

function checkPort(setting: Setting | undefined, protocol: Protocol, context: Context): number | undefined {
  if (!setting) return undefined
  const { value, field } = setting
  const port = parseInteger(value.text, 65535) ?? numberNamed(context.service(value.text), setting, context)
  if (port === undefined) return undefined
  if (port === 0) warnOfZero(setting, 'every port', context)
  else if (typeof protocol === 'number' && !WITH_PORTS.has(protocol)) {
    context.report.fault(value, 'Bad', field, {
      expected: `no port, as IP protocol ${protocol} has none`,
      hint: 'Ports go with tcp, udp, sctp, dccp and udplite, or stand without `ulp` for all of them.',
    })
  } else return port
  return undefined
}

/** The number of a name; `undefined` after an error, where there is none or more than one. */
function numberNamed(
  named: NamedNumber | undefined,
  { value, field }: Setting,
  context: Context,
): number | undefined {
  if (named && 'number' in named) return named.number
  context.report.fault(value, 'Bad', field, named && describeClash(value.text, named))
  return undefined
}

function warnOfZero({ keyword, value }: Setting, meaning: string, context: Context): void {
  context.report.warning(value, `${keyword.text} ${value.text} means ${meaning}`, {
    hint: `Leave \`${keyword.text}\` out to say the same.`,
  })
}

function checkIcmp(
  fields: PatternFields,
  protocol: number | undefined,
  context: Context,
): Pick<Traffic, 'icmpType' | 'icmpCode'> {
  const { icmpType, icmpCode } = fields
  if (!icmpType && !icmpCode) return NOTHING
  const words = icmpWords(protocol)
  if (!words) {
    for (const setting of [icmpType, icmpCode]) {
      if (!setting) continue
      context.report.fault(setting.keyword, 'Bad', setting.field, {
        expected: `\`ulp icmp\` or \`ulp ipv6-icmp\` in a pattern with \`${setting.keyword.text}\``,
      })
    }
    return NOTHING
  }
  if (icmpCode && !icmpType) {
    context.report.fault(icmpCode.keyword, 'Bad', 'icmpCode', { expected: 'a `type` with the `code`' })
  }
  return {
    icmpType: icmpType && checkRange(icmpType, words, protocol, context),
    icmpCode: icmpCode && checkRange(icmpCode, words, protocol, context),
  }
}

/** A type or code; `undefined` for any, and after an error. */
function checkRange(
  setting: Setting,
  words: IcmpWords,
  protocol: number | undefined,
  context: Context,
): IcmpRange | undefined {
  const { text } = setting.value
  const range = parseRange(text, wordsFor(setting, words))
  if (range) return range.to === ICMP_ANY && (range.from === 0 || range.from === ICMP_ANY) ? undefined : range
  const other = icmpWords(protocol === IPPROTO_ICMP ? IPPROTO_ICMPV6 : IPPROTO_ICMP)
  const family = protocol === IPPROTO_ICMP ? 'ICMPv6' : 'ICMP'
  const hint =
    other && Object.hasOwn(wordsFor(setting, other), text)
      ? { hint: `${text} belongs to ${family}.` }
      : { hint: `Names: ${Object.keys(wordsFor(setting, words)).join(', ')}.` }
  context.report.fault(setting.value, 'Bad', setting.field, hint)
  return undefined
}

function wordsFor(setting: Setting, words: IcmpWords): Readonly<Record<string, number>> {
  return setting.field === 'icmpType' ? words.types : words.codes
}

function parseRange(text: string, words: Readonly<Record<string, number>>): IcmpRange | undefined {
  if (Object.hasOwn(words, text)) {
    const number = words[text] ?? 0
    return { from: number, to: number }
  }
  const dash = text.indexOf('-')
  const from = parseInteger(dash < 0 ? text : text.slice(0, dash), ICMP_ANY)
  const to = dash < 0 ? from : parseInteger(text.slice(dash + 1), ICMP_ANY)
  return from === undefined || to === undefined || from > to ? undefined : { from, to }
}

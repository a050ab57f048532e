/**
 * The words of the command line as a packet.
 *
 * @module
 */

import { hasPorts, isIcmp, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../../../../agent/explain/packet.ts'
import { type Address, formatAddress, parseAddress } from '../../../../agent/model/address.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import { protocolNamed, serviceNamed } from '../../../solaris/names.ts'
import { CommandError } from '../../support/exit.ts'

/** What is above IP, as far as it was told. */
export interface UpperLayer {
  readonly protocol?: number
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly type?: number
  readonly code?: number
}

export interface Ends {
  readonly source: Address
  readonly destination: Address
}

/** Stands for every value. */
const OPEN = ['-', 'any']

/** ICMP messages that people ask about by name: RFC 792, RFC 4443. */
const ICMP_NAMES: Readonly<Record<string, readonly [number | undefined, number | undefined]>> = {
  echo: [8, 128],
  'echo-request': [8, 128],
  'echo-reply': [0, 129],
  unreachable: [3, 1],
  'time-exceeded': [11, 3],
  redirect: [5, 137],
  'packet-too-big': [undefined, 2],
  'router-solicitation': [10, 133],
  'router-advertisement': [9, 134],
  'neighbour-solicitation': [undefined, 135],
  'neighbour-advertisement': [undefined, 136],
}

/**
 * The two ends of a packet. Of a name, the first address of a family that the other end has, too.
 *
 * @throws CommandError
 */
export function readEnds(source: string, destination: string, resolver: Resolver): Ends {
  const [from, to] = [addressesOf(source, resolver), addressesOf(destination, resolver)]
  for (const one of from) {
    const other = to.find(({ family }) => family === one.family)
    if (other) return { source: one, destination: other }
  }
  throw new CommandError(`${source} and ${destination} have no family of addresses in common`)
}

function addressesOf(word: string, resolver: Resolver): readonly Address[] {
  const numeric = parseAddress(word)
  if (numeric) return [numeric]
  if (word.includes('/')) throw new CommandError(`${word}: a packet has one address, not a network`)
  const found = resolver.addresses(word)
  if (found.length === 0) throw new CommandError(`${word} is no address, and there is no host of this name`)
  return found
}

/**
 * `tcp`, `tcp 443`, `tcp 49152 443`, `icmp 3/4`, `icmp echo`, `47`.
 *
 * @throws CommandError
 */
export function readUpperLayer(
  [word, first, second]: readonly string[],
  { source }: Ends,
  resolver: Resolver,
): UpperLayer {
  if (word === undefined || OPEN.includes(word)) {
    if (first !== undefined) throw new CommandError('ports, and types of ICMP, need a protocol')
    return {}
  }
  const protocol = readProtocol(word, source, resolver)
  if (first === undefined) return { protocol }
  if (isIcmp(protocol)) {
    const rest = second === undefined ? first : `${first}/${second}`
    return { protocol, ...readIcmp(rest, protocol) }
  }
  if (!hasPorts(protocol)) throw new CommandError(`protocol ${word} has no ports`)
  const ports = second === undefined ? [undefined, first] : [first, second]
  const [sourcePort, destinationPort] = ports.map((port) => readPort(port, resolver))
  return {
    protocol,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
  }
}

function readProtocol(word: string, { family }: Address, resolver: Resolver): number {
  const lower = word.toLowerCase()
  if (lower === 'icmp6') return PROTOCOL_ICMPV6
  const number =
    numberOf(word, 255) ?? named(word, protocolNamed(lower, resolver) ?? protocolNamed(word, resolver))
  if (number === undefined) throw new CommandError(`there is no protocol '${word}'`)
  // Who asks for icmp between IPv6 addresses means theirs; by its number, the other one can still be had.
  return number === PROTOCOL_ICMP && family === 'inet6' && lower === 'icmp' ? PROTOCOL_ICMPV6 : number
}

function readPort(word: string | undefined, resolver: Resolver): number | undefined {
  if (word === undefined || OPEN.includes(word)) return undefined
  const port = numberOf(word, 65535) ?? named(word, serviceNamed(word, resolver))
  if (port === undefined) throw new CommandError(`there is no service '${word}'`)
  return port
}

function named(word: string, found: ReturnType<typeof serviceNamed>): number | undefined {
  if (found === undefined || 'number' in found) return found?.number
  throw new CommandError(
    `${word} is ${found.onSolaris} on Solaris and ${found.onThisSystem} on this system: write the number`,
  )
}

function readIcmp(text: string, protocol: number): UpperLayer {
  const [typeWord = '', codeWord = '', ...more] = text.split('/')
  const names = Object.hasOwn(ICMP_NAMES, typeWord) ? ICMP_NAMES[typeWord] : undefined
  const type = OPEN.includes(typeWord)
    ? undefined
    : (names?.[protocol === PROTOCOL_ICMP ? 0 : 1] ?? numberOf(typeWord, 255))
  const code = OPEN.includes(codeWord) || codeWord === '' ? undefined : numberOf(codeWord, 255)
  const isBad = (word: string, value: number | undefined) =>
    word !== '' && !OPEN.includes(word) && value === undefined
  if (more.length > 0 || typeWord === '' || isBad(typeWord, type) || isBad(codeWord, code)) {
    throw new CommandError(`'${text}' is no ICMP message: expected TYPE or TYPE/CODE, such as 8/0, or echo`)
  }
  return { ...(type !== undefined && { type }), ...(code !== undefined && { code }) }
}

function numberOf(word: string, most: number): number | undefined {
  const value = /^\d{1,5}$/.test(word) ? Number(word) : Number.NaN
  return value <= most ? value : undefined
}

/** Two addresses in words. */
export function endsText({ source, destination }: Ends): string {
  return `${formatAddress(source)} and ${formatAddress(destination)}`
}

/**
 * Hosts, networks and ports with what goes before them: `from`, `to`, `ether`, `inet`, `inet6`.
 *
 * @module
 */

import { type Address, type Family, parseAddress } from '../../../../agent/model/address.ts'
import { IPPROTO_TCP, IPPROTO_UDP } from '../../../../agent/packet/protocols.ts'
import { nearest } from '../../../nearest.ts'
import { addressesOfName } from '../../addresses.ts'
import type { Condition } from './arithmetic.ts'
import { all, inPrefix, isEther, isHost, isPort, isProtocol, type Side } from './conditions.ts'
import type { Token } from './lexer.ts'
import { networkOf, parseEther, parseNetwork } from './names.ts'
import type { Parser } from './parser.ts'
import { REFUSED, SIDES, WORDS } from './vocabulary.ts'

interface Qualifiers {
  side: Side
  family: Family | undefined
  ether: boolean
  /** `tcp` or `udp` between `from` or `to` and `port`. */
  protocol: number | undefined
}

const HOST = 'a host: its name or its address'

/** Reads from the first qualifier, `host`, `net`, `port` or name on. */
export function parseTarget(parser: Parser): Condition {
  const qualifiers = readQualifiers(parser)
  const { side, protocol } = qualifiers
  const { text } = parser.current
  const refused = REFUSED.get(text)
  if (refused !== undefined) parser.fail(parser.current, `\`${text}\` is not supported`, { hint: refused })
  if (text === 'port') {
    parser.next()
    const condition = isPort(side, readPort(parser))
    return protocol === undefined ? condition : all([isProtocol(protocol), condition])
  }
  if (protocol !== undefined) {
    parser.fail(parser.current, `Unexpected ${parser.shown(parser.current)}`, { expected: '`port`' })
  }
  if (text === 'net') {
    parser.next()
    return readNetwork(parser, side)
  }
  const named = text === 'host'
  if (named) parser.next()
  return readHost(parser, qualifiers, named)
}

function readQualifiers(parser: Parser): Qualifiers {
  const qualifiers: Qualifiers = { side: 'either', family: undefined, ether: false, protocol: undefined }
  for (;;) {
    const { text } = parser.current
    const side = SIDES.get(text)
    if (side !== undefined) qualifiers.side = side
    else if (text === 'inet' || text === 'inet6') qualifiers.family = text
    else if (text === 'ether') qualifiers.ether = true
    else if ((text === 'tcp' || text === 'udp') && parser.ahead().text === 'port') {
      qualifiers.protocol = text === 'tcp' ? IPPROTO_TCP : IPPROTO_UDP
    } else return qualifiers
    parser.next()
  }
}

function readPort(parser: Parser): number {
  const token = parser.next()
  const expected = 'a port (0..65535) or the name of a service'
  if (token.kind === 'number') {
    if (token.value > 65535) parser.fail(token, `Bad port: ${parser.written(token)}`, { expected })
    return token.value
  }
  if (token.kind !== 'word') parser.fail(token, `Bad port: ${parser.shown(token)}`, { expected })
  const port = parser.names.service?.(parser.written(token))
  return port ?? parser.fail(token, `Unknown service: ${parser.written(token)}`, { expected })
}

function readNetwork(parser: Parser, side: Side): Condition {
  const token = parser.next()
  const expected = 'a network: its number (`172.16`), a prefix (`172.16.0.0/12`), or its name'
  if (token.kind !== 'number' && token.kind !== 'word') {
    parser.fail(token, `Bad network: ${parser.shown(token)}`, { expected })
  }
  const written = parser.written(token)
  let length: number | undefined
  if (parser.current.text === '/' && parser.current.start === token.end) {
    parser.next()
    length = parser.number('the length of a prefix', 128)
  }
  const literal = parseNetwork(written, length)
  if (literal !== undefined) return inPrefix(side, literal)
  const named = length === undefined ? parser.names.network?.(written) : undefined
  if (named !== undefined) return inPrefix(side, networkOf(named))
  return parser.fail(token, `Unknown network: ${written}${length === undefined ? '' : `/${length}`}`, {
    expected,
  })
}

function readHost(parser: Parser, qualifiers: Qualifiers, named: boolean): Condition {
  const token = parser.current
  if (token.kind !== 'word' || (!named && WORDS.has(token.text))) {
    const message =
      token.kind === 'end' ? 'The expression ends too early' : `Bad host: ${parser.shown(token)}`
    parser.fail(token, message, { expected: HOST })
  }
  parser.next()
  const { side, family, ether } = qualifiers
  const written = parser.written(token)
  const address = parseAddress(written)
  const etherAddress = address === undefined ? parseEther(written) : undefined
  if (etherAddress !== undefined) return isEther(side, etherAddress)
  if (ether) return isEther(side, etherOf(parser, token))
  const found = address === undefined ? addressesOfName(parser.names.addresses(written)) : [address]
  const fitting = found.filter((one: Address) => family === undefined || one.family === family)
  if (fitting.length > 0) return isHost(side, fitting)
  if (found.length > 0) {
    const kind = family === 'inet' ? 'IPv4' : 'IPv6'
    return parser.fail(token, `${written} has no ${kind} address`, {
      expected: `a host with an ${kind} address`,
    })
  }
  const match = named ? undefined : nearest(written, WORDS)
  return parser.fail(token, `Unknown host: ${written}`, {
    expected: named ? HOST : `${HOST}, or a word of the language`,
    ...(match !== undefined && { hint: `Did you mean \`${match}\`?` }),
  })
}

function etherOf(parser: Parser, token: Token): Uint8Array {
  const written = parser.written(token)
  const bytes = parser.names.ether?.(written)
  if (bytes?.length === 6) return bytes
  return parser.fail(token, `No Ethernet address of ${written} is known`, {
    expected: 'an Ethernet address, as in `ether host 8:0:20:f:b1:51`, or a host of ethers(5)',
  })
}

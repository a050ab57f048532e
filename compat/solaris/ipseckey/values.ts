/**
 * Readers of extension values. Each takes the next word of an entry, and gives the checked value with its place,
 * or reports what was expected there and gives nothing. A word that is out of place but is itself an extension
 * name is left for the next extension, so that one missing value is one error.
 *
 * @module
 */
import { type Address, isUnspecified, type Prefix, parseAddress } from '../../../agent/model/address.ts'
import {
  type Algorithm,
  algorithmByName,
  algorithmByNumber,
  PROTOCOL_AH,
} from '../../../agent/model/algorithm.ts'
import type { Identity, SaState } from '../../../agent/model/association.ts'
import { nearest } from '../../nearest.ts'
import { addressesOfName, unresolved } from '../addresses.ts'
import { describeClash, type NamedNumber, protocolNamed, serviceNamed } from '../names.ts'
import type { EntryReader } from './entry.ts'
import { EXTENSION_NAMES } from './extension-names.ts'
import { parseKey, type RawKey } from './keys.ts'
import type { Token } from './lexer.ts'
import { parseBigNumber, parseNumber } from './numbers.ts'
import { IDENTITY_TYPES, SA_STATES } from './words.ts'

/** A value and the word that it was read from. */
export interface Given<T> {
  readonly value: T
  readonly token: Token
}

/** The addresses that one word stands for; several only for a name. */
export interface NamedAddresses {
  readonly addresses: readonly Address[]
  readonly isName: boolean
}

/** The next word; at the end of the entry, an error. */
function expectWord(reader: EntryReader, what: string): Token | undefined {
  const token = reader.take()
  if (!token) reader.error(`Unexpected end of command line, was expecting ${what}.`)
  return token
}

/** Reports a word of the wrong kind, and leaves it in place where it is the next extension's name. */
function reject(
  reader: EntryReader,
  token: Token,
  message: string,
  expected: string,
  hint?: string,
): undefined {
  reader.error(message, token, expected, hint)
  if (EXTENSION_NAMES.has(token.text)) reader.putBack()
}

/** A number in a range; never cut to fit. */
export function readNumber(reader: EntryReader, min: number, max: number): Given<number> | undefined {
  const token = expectWord(reader, 'a number')
  return token && numberOf(reader, token, min, max)
}

function numberOf(reader: EntryReader, token: Token, min: number, max: number): Given<number> | undefined {
  const value = parseNumber(token.text)
  const expected = `a number from ${min} to ${max}`
  if (value === undefined) {
    return reject(reader, token, `Expecting a number, not ${reader.quote(token)}!`, expected)
  }
  if (value < min || value > max) {
    return reject(reader, token, `The number ${reader.quote(token)} is out of range.`, expected)
  }
  return { value, token }
}

/** A number from 0 up to a limit, exact beyond 2^53. */
export function readBigNumber(reader: EntryReader, max: bigint): Given<bigint> | undefined {
  const token = expectWord(reader, 'a number')
  if (!token) return undefined
  const value = parseBigNumber(token.text)
  const expected = `a number from 0 to ${max}`
  if (value === undefined) {
    return reject(reader, token, `Expecting a number, not ${reader.quote(token)}!`, expected)
  }
  if (value > max)
    return reject(reader, token, `The number ${reader.quote(token)} is out of range.`, expected)
  return { value, token }
}

/** A port by number or service name. */
export function readPort(reader: EntryReader, min: number): Given<number> | undefined {
  const token = expectWord(reader, 'a number')
  if (!token) return undefined
  if (parseNumber(token.text) !== undefined) return numberOf(reader, token, min, 65535)
  const named = serviceNamed(token.text, reader.parsing.options.resolver)
  return numberNamed(reader, token, named, `a port number (${min}..65535) or the name of a service`)
}

/** An IP protocol by number or name. */
export function readProtocol(reader: EntryReader): Given<number> | undefined {
  const token = expectWord(reader, 'a number')
  if (!token) return undefined
  if (parseNumber(token.text) !== undefined) return numberOf(reader, token, 0, 255)
  const named = protocolNamed(token.text, reader.parsing.options.resolver)
  return numberNamed(reader, token, named, 'a protocol number (0..255) or the name of a protocol')
}

function numberNamed(
  reader: EntryReader,
  token: Token,
  named: NamedNumber | undefined,
  expected: string,
): Given<number> | undefined {
  if (named && 'number' in named) return { value: named.number, token }
  const advice = named ? describeClash(reader.quote(token), named) : { expected, hint: undefined }
  const message = `Expecting a number, not ${reader.quote(token)}!`
  return reject(reader, token, message, advice.expected, advice.hint)
}

/** An algorithm of the table by name or number. */
export function readAlgorithm(reader: EntryReader, protocol: number): Given<Algorithm> | undefined {
  const token = expectWord(reader, 'an algorithm name')
  if (!token) return undefined
  const table = reader.parsing.options.algorithms
  const number = parseNumber(token.text)
  const value =
    algorithmByName(table, protocol, token.text) ??
    (number === undefined ? undefined : algorithmByNumber(table, protocol, number))
  if (value && value.number !== 0) return { value, token }
  const kind = protocol === PROTOCOL_AH ? 'authentication' : 'encryption'
  const names = table.algorithms.flatMap((entry) => (entry.protocol === protocol ? entry.names : []))
  const expected = `an ${kind} algorithm of "ipsecalgs", by name or number (1..255)`
  const message = `Unknown ${kind} algorithm ${reader.quote(token)}.`
  return reject(reader, token, message, expected, algorithmHint(token.text, number, kind, names))
}

function algorithmHint(
  word: string,
  number: number | undefined,
  kind: string,
  names: readonly string[],
): string | undefined {
  if (number === 0 || /^(any|none)$/i.test(word)) {
    return kind === 'encryption'
      ? 'Write "encr_alg null", or leave it out, for an SA that does not encrypt.'
      : 'Leave auth_alg out for an SA that does not authenticate.'
  }
  return didYouMean(nearest(word, names))
}

/** `Did you mean "…"?` */
export function didYouMean(word: string | undefined): string | undefined {
  return word === undefined ? undefined : `Did you mean "${word}"?`
}

/** A key. Its digits go nowhere but into the value. */
export function readKey(
  reader: EntryReader,
  kind: 'authentication' | 'encryption',
): Given<RawKey> | undefined {
  const token = expectWord(reader, 'a key')
  if (!token) return undefined
  const key = parseKey(token.text)
  if ('reason' in key) {
    const message = `Invalid ${kind} key: ${key.reason}.`
    return reject(reader, token, message, 'a key as [0x]HEX or [0x]HEX/BITS', key.hint)
  }
  reader.noteKey(key.bytes)
  if (key.truncated)
    reader.warn(`WARNING: Lower bits will be truncated: the key is cut to ${key.bits} bits.`, token)
  return { value: key, token }
}

/** An address, or a name with any number of them. IPv4-mapped IPv6 addresses are the IPv4 addresses. */
export function readAddresses(reader: EntryReader, onlyInet6: boolean): Given<NamedAddresses> | undefined {
  const token = expectWord(reader, 'an address')
  if (!token) return undefined
  const value = addressesOf(reader, token, token.text, onlyInet6)
  return value && { value, token }
}

function addressesOf(
  reader: EntryReader,
  token: Token,
  text: string,
  onlyInet6: boolean,
): NamedAddresses | undefined {
  const numeric = parseAddress(text)
  const found = numeric ? [numeric] : reader.parsing.addresses(text)
  const addresses = addressesOfName(found).filter((address) => !onlyInet6 || address.family === 'inet6')
  if (addresses.length > 0) return { addresses, isName: !numeric }
  if (found.length > 0) {
    return reject(
      reader,
      token,
      `No IPv6 address in ${reader.quote(token)}.`,
      'an IPv6 address, or a name that has one',
    )
  }
  const message = `Unknown address or name ${reader.quote(token)}.`
  const expected = 'an address or a host name'
  if (reader.parsing.options.numeric) {
    return reject(reader, token, message, expected, 'With -n names are not looked up.')
  }
  if (EXTENSION_NAMES.has(token.text) || reader.isSecret(token))
    return reject(reader, token, message, expected)
  reader.error(message, token, expected, undefined, unresolved(text))
  return undefined
}

/** One address, by number or by a name that has exactly one. */
export function readAddress(reader: EntryReader): Given<Address> | undefined {
  const given = readAddresses(reader, false)
  return given && single(reader, given)
}

function single(reader: EntryReader, given: Given<NamedAddresses>): Given<Address> | undefined {
  const [address, ...others] = given.value.addresses
  if (address && others.length === 0) return { value: address, token: given.token }
  const message = `The name ${reader.quote(given.token)} has several addresses.`
  reader.error(message, given.token, 'a single address', 'Write the address that is meant.')
  return undefined
}

/** `ADDRESS[/LENGTH]` or `NAME[/LENGTH]`; without a length, one host. */
export function readPrefix(reader: EntryReader, onlyInet6: boolean): Given<Prefix> | undefined {
  const token = expectWord(reader, 'an address')
  if (!token) return undefined
  const slash = token.text.lastIndexOf('/')
  const text = slash < 0 ? token.text : token.text.slice(0, slash)
  const named = addressesOf(reader, token, text, onlyInet6)
  const address = named && single(reader, { value: named, token })
  if (!address) return undefined
  const bits = address.value.bytes.length * 8
  const length = slash < 0 ? bits : parseNumber(token.text.slice(slash + 1))
  if (length === undefined || length > bits) {
    return reject(
      reader,
      token,
      `Bad prefix length in ${reader.quote(token)}.`,
      `a prefix length from 0 to ${bits}`,
    )
  }
  if (slash < 0 && isUnspecified(address.value)) {
    const hint = `Write ${reader.quote(token)} with /0 for every address.`
    return reject(
      reader,
      token,
      `${reader.quote(token)} is no inner address.`,
      'an address, or a prefix',
      hint,
    )
  }
  return { value: { ...address.value, length }, token }
}

/** One of `larval mature dying dead`, any case. */
export function readState(reader: EntryReader): Given<SaState> | undefined {
  const token = expectWord(reader, 'a string')
  if (!token) return undefined
  const value = SA_STATES.find((state) => state === token.text.toLowerCase())
  if (value && value !== 'larval') return { value, token }
  const hint = value
    ? 'A larval SA is one that is still being negotiated; nobody can set that state.'
    : didYouMean(nearest(token.text, SA_STATES))
  return reject(reader, token, 'WARNING: Cannot set LARVAL SA state.', '"mature", "dying" or "dead"', hint)
}

/** `udp`, or a word that begins with it. */
export function readEncapsulation(reader: EntryReader): Given<true> | undefined {
  const token = expectWord(reader, 'a string')
  if (!token) return undefined
  if (token.text.startsWith('udp')) return { value: true, token }
  return reject(reader, token, 'Can only specify udp encapsulation.', '"udp"')
}

/** `TYPE VALUE`. */
export function readIdentity(reader: EntryReader): Given<Identity> | undefined {
  const token = expectWord(reader, 'an identity type')
  if (!token) return undefined
  const type = IDENTITY_TYPES.get(token.text.toLowerCase()) ?? parseNumber(token.text)
  if (type === undefined || type < 1 || type > 65535) {
    const expected = `${[...IDENTITY_TYPES.keys()].join(', ')}, or a number from 1 to 65535`
    const hint = didYouMean(nearest(token.text, IDENTITY_TYPES.keys()))
    reject(reader, token, `Unknown identity type ${reader.quote(token)}.`, expected, hint)
    if (!EXTENSION_NAMES.has(reader.peek()?.text ?? '')) reader.take()
    return undefined
  }
  const value = expectWord(reader, 'a string')
  return value && { value: { type, value: value.text }, token: value }
}

/**
 * Addresses, prefixes and masks of a pattern, and their combination to pairs of one family.
 *
 * @module
 */
import {
  type Address,
  addressBits,
  formatAddress,
  formatPrefix,
  hostPrefix,
  isUnspecified,
  maskPrefix,
  type Prefix,
  parseAddress,
} from '../../../../agent/model/address.ts'
import type { AddressPair } from '../../../../agent/model/policy.ts'
import { looksNumeric, unmapped, unresolved } from '../../addresses.ts'
import type { Token } from '../syntax/lexer.ts'
import type { Setting } from '../syntax/parser.ts'
import type { Context } from './context.ts'

/** Both ends of a pattern as it names them: source or local, destination or remote. */
export interface AddressSettings {
  readonly sourceAddress: Setting | undefined
  readonly destinationAddress: Setting | undefined
  readonly sourceMask: Setting | undefined
  readonly destinationMask: Setting | undefined
}

/**
 * The address pairs of a pattern, `local` being its source end.
 *
 * @returns `undefined` after an error
 */
export function checkAddresses(settings: AddressSettings, context: Context): AddressPair[] | undefined {
  const { sourceAddress, destinationAddress, sourceMask, destinationMask } = settings
  const local = checkEnd(sourceAddress, sourceMask, context)
  const remote = checkEnd(destinationAddress, destinationMask, context)
  if (local === 'bad' || remote === 'bad') return undefined
  if (!local) return remote ? remote.map((prefix) => ({ remote: prefix })) : [{}]
  if (!remote) return local.map((prefix) => ({ local: prefix }))
  const pairs: AddressPair[] = []
  for (const one of local) {
    for (const other of remote) if (one.family === other.family) pairs.push({ local: one, remote: other })
  }
  if (pairs.length > 0) return pairs
  const at = destinationAddress?.value ?? sourceAddress?.value
  if (at) {
    context.report.error(at, 'No matching IPv4 or IPv6 saddr/daddr pairs', {
      expected: 'an address of the same family on both ends',
    })
  }
  return undefined
}

/** The prefixes of one end; `undefined` where it is not restricted. */
function checkEnd(
  address: Setting | undefined,
  mask: Setting | undefined,
  context: Context,
): readonly Prefix[] | 'bad' | undefined {
  if (!address) {
    if (!mask) return undefined
    const end = mask.field === 'sourceMask' ? 'sourceAddress' : 'destinationAddress'
    context.report.fault(mask.keyword, 'Requires', end, {
      hint: 'A mask says how much of an address counts; without the address it says nothing.',
    })
    return 'bad'
  }
  const prefixes = parseEnd(address, mask !== undefined, context)
  if (!mask || prefixes === 'bad') return prefixes
  return applyMask(prefixes, address.value, mask, context)
}

/**
 * An address that gave no diagnostics, and stands in the same place of the next rule, is the same one there.
 *
 * @param masked a mask says how much of the address counts, so that it need not have a prefix
 */
function parseEnd({ value, field }: Setting, masked: boolean, context: Context): readonly Prefix[] | 'bad' {
  if (masked) return readEnd(value, masked, context)
  const end = field === 'sourceAddress' ? context.ends.source : context.ends.destination
  if (end.text === value.text) return end.prefixes
  const before = context.report.diagnostics.length
  const prefixes = readEnd(value, masked, context)
  if (prefixes !== 'bad' && context.report.diagnostics.length === before) {
    end.text = value.text
    end.prefixes = prefixes
  }
  return prefixes
}

function readEnd(value: Token, masked: boolean, context: Context): Prefix[] | 'bad' {
  const slash = value.text.indexOf('/')
  const name = slash < 0 ? value.text : value.text.slice(0, slash)
  const length = slash < 0 ? undefined : value.text.slice(slash + 1)
  const literal = parseAddress(name)
  if (literal) {
    const address = unmapped(literal)
    if (length !== undefined) return literalPrefix(literal, length, value, context)
    if (!masked && looksLikeNetwork(address)) warnOfNetwork(value, address, context)
    return [hostPrefix(address)]
  }
  if (looksNumeric(name)) {
    context.report.error(value, `Could not resolve address ${value.text}.`, {
      expected: 'an IPv4 address as four decimal numbers, or an IPv6 address without a zone',
    })
    return 'bad'
  }
  const { addresses, network } = context.resolve(name)
  if (addresses.length === 0) {
    context.report.error(value, `Could not resolve address ${value.text}.`, {
      expected: 'an address, or a name that hosts, DNS or networks know',
      ...unresolved(name),
    })
    return 'bad'
  }
  if (length === undefined) {
    if (network && !masked) warnOfNetwork(value, addresses[0], context)
    return addresses.map(hostPrefix)
  }
  return nameWithPrefix(addresses, length, value, context)
}

function nameWithPrefix(
  addresses: readonly Address[],
  length: string,
  value: Token,
  context: Context,
): Prefix[] | 'bad' {
  const [first, second] = addresses
  if (!first || second) {
    context.report.error(value, `Can't set /${length} prefix on multi-host name.`, {
      hint: `${value.text.split('/')[0]} has ${addresses.length} addresses: write the one you mean.`,
    })
    return 'bad'
  }
  const bits = parsePrefixLength(length, first, value, context)
  return bits === undefined ? 'bad' : [maskPrefix({ ...first, length: bits })]
}

function literalPrefix(literal: Address, length: string, value: Token, context: Context): Prefix[] | 'bad' {
  const address = unmapped(literal)
  if (address !== literal) {
    context.report.error(value, `Unparseable prefix: '${length}'.`, {
      hint: `A prefix on an IPv4-mapped address is ambiguous: write ${formatAddress(address)}/… .`,
    })
    return 'bad'
  }
  const bits = parsePrefixLength(length, address, value, context)
  if (bits === undefined) return 'bad'
  const prefix = { family: address.family, bytes: address.bytes, length: bits }
  if (!hasHostBits(prefix)) return [prefix]
  const masked = maskPrefix(prefix)
  context.report.warning(value, `${value.text} has bits beyond its prefix, which count for nothing`, {
    hint: `It is read as ${formatPrefix(masked)}.`,
  })
  return [masked]
}

/** True where a bit beyond the prefix is set. */
function hasHostBits({ bytes, length }: Prefix): boolean {
  const whole = length >> 3
  if (((bytes[whole] ?? 0) & (0xff >> (length & 7))) !== 0) return true
  for (let i = whole + 1; i < bytes.length; i++) if (bytes[i] !== 0) return true
  return false
}

function parsePrefixLength(
  text: string,
  address: Address,
  value: Token,
  context: Context,
): number | undefined {
  const bits = addressBits(address.family)
  const expected = `a prefix length from 0 to ${bits}`
  if (!/^[0-9]+$/.test(text)) {
    context.report.error(value, `Unparseable prefix: '${text}'.`, { expected })
    return undefined
  }
  const length = Number(text)
  if (length <= bits) return length
  context.report.error(value, `/${text} prefix is too big!`, { expected })
  return undefined
}

/** Ends like a network: `.0`, or an all-zero interface identifier (RFC 4291 section 2.5.4). */
function looksLikeNetwork({ bytes }: Address): boolean {
  for (let i = bytes.length === 4 ? 3 : 8; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

function warnOfNetwork(value: Token, address: Address | undefined, context: Context): void {
  const everything = address && isUnspecified(address) ? '/0' : '/prefix'
  context.report.warning(value, `${value.text} without a prefix is one single address`, {
    hint: `Write ${value.text}${everything} if the network is meant.`,
  })
}

function applyMask(
  prefixes: readonly Prefix[],
  address: Token,
  mask: Setting,
  context: Context,
): Prefix[] | 'bad' {
  const { report } = context
  const [first, second] = prefixes
  if (address.text.includes('/')) {
    report.error(mask.value, "Can't set mask and /NN prefix.", { hint: 'Leave the mask out.' })
  } else if (!first || second) {
    report.error(mask.value, "Can't set mask on multi-host name.", {
      hint: `${address.text} has ${prefixes.length} addresses: write the one you mean.`,
    })
  } else if (first.family === 'inet6') {
    report.fault(mask.value, 'Bad', mask.field, { hint: 'IPv6 has no masks: write address/prefix.' })
  } else {
    const bits = parseMask(mask.value.text)
    if (bits !== undefined) return [maskPrefix({ ...first, length: bits })]
    report.fault(mask.value, 'Bad', mask.field, {
      expected: 'a mask of one-bits followed by zero-bits, such as 255.255.255.0 or 0xffffff00',
    })
  }
  return 'bad'
}

/** Prefix length of a mask; `undefined` for no mask, all zeros, or ones after zeros. */
function parseMask(text: string): number | undefined {
  const value = /^0[xX][0-9a-fA-F]{1,8}$/.test(text) ? Number(text) : dottedMask(text)
  if (value === undefined || value === 0) return undefined
  const bits = Math.clz32(~value)
  return (value << bits) >>> 0 === 0 || bits === 32 ? bits : undefined
}

function dottedMask(text: string): number | undefined {
  const address = text.includes(':') ? undefined : parseAddress(text)
  if (!address) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = address.bytes
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

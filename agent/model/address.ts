/**
 * IP addresses and prefixes as plain values.
 *
 * @module
 */
import { sameBytes } from './bytes.ts'

/** The two address families, by the names that `ip` and RFC 3493 use. */
export type Family = 'inet' | 'inet6'

/** One IPv4 (4 bytes) or IPv6 (16 bytes) address in network order. Treat `bytes` as read-only. */
export interface Address {
  readonly family: Family
  readonly bytes: Uint8Array
}

/** An address and a prefix length in bits. Host bits beyond `length` may be set; matching ignores them. */
export interface Prefix extends Address {
  readonly length: number
}

/** Bits in an address of this family: 32 or 128. */
export function addressBits(family: Family): 32 | 128 {
  return family === 'inet' ? 32 : 128
}

/** The unspecified address: 0.0.0.0 or `::`. */
export function unspecified(family: Family): Address {
  return { family, bytes: new Uint8Array(family === 'inet' ? 4 : 16) }
}

/** The prefix that every address of the family matches: 0.0.0.0/0 or `::/0`. */
export function anyPrefix(family: Family): Prefix {
  return { ...unspecified(family), length: 0 }
}

/** The prefix that matches this one address. */
export function hostPrefix(address: Address): Prefix {
  return { family: address.family, bytes: address.bytes, length: addressBits(address.family) }
}

/** True for 0.0.0.0 and `::`. */
export function isUnspecified(address: Address): boolean {
  return address.bytes.every((byte) => byte === 0)
}

/** True for 127.0.0.0/8 and `::1`. */
export function isLoopback({ family, bytes }: Address): boolean {
  if (family === 'inet') return bytes[0] === 127
  return bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))
}

/**
 * Reads a numeric address: dotted quad with four decimal parts, or any IPv6 text form of RFC 4291 section
 * 2.2. A v4-mapped IPv6 address (`::ffff:a.b.c.d`) stays IPv6. Zone identifiers are not accepted.
 *
 * @returns the address, or `undefined` where the text is not a numeric address
 */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(':')) {
    const bytes = parseInet6(text)
    return bytes && { family: 'inet6', bytes }
  }
  const bytes = parseInet(text)
  return bytes && { family: 'inet', bytes }
}

function parseInet(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4)
  let index = 0
  let value = 0
  let digits = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 46
    if (code === 46) {
      if (digits === 0 || index > 3) return undefined
      bytes[index++] = value
      value = 0
      digits = 0
    } else {
      if (code < 48 || code > 57 || (digits === 1 && value === 0)) return undefined
      value = value * 10 + code - 48
      if (value > 255) return undefined
      digits++
    }
  }
  return index === 4 ? bytes : undefined
}

/** One pass, as listings and policy files have many: groups go to the front, and move back at the end for `::`. */
function parseInet6(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16)
  let length = 0
  let gap = -1
  let i = 0
  if (text.startsWith('::')) {
    gap = 0
    i = 2
  }
  while (i < text.length) {
    const start = i
    let group = 0
    for (let digit = hexDigit(text, i); digit >= 0; digit = hexDigit(text, i)) {
      group = (group << 4) | digit
      if (++i - start > 4) return undefined
    }
    if (text.charCodeAt(i) === 46) {
      const quad = length <= 12 ? parseInet(text.slice(start)) : undefined
      if (!quad) return undefined
      bytes.set(quad, length)
      length += 4
      break
    }
    if (i === start || length > 14) return undefined
    bytes[length] = group >> 8
    bytes[length + 1] = group & 0xff
    length += 2
    if (i === text.length) break
    if (text.charCodeAt(i++) !== 58 || i === text.length) return undefined
    if (text.charCodeAt(i) === 58) {
      if (gap >= 0) return undefined
      gap = length
      i++
    }
  }
  if (gap < 0) return length === 16 ? bytes : undefined
  if (length > 14) return undefined
  bytes.copyWithin(16 - (length - gap), gap, length)
  return bytes.fill(0, gap, 16 - (length - gap))
}

function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Writes an address in its canonical form: dotted quad, or RFC 5952. */
export function formatAddress(address: Address): string {
  const { bytes } = address
  if (address.family === 'inet') return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0))
  if (isV4Mapped(bytes)) return `::ffff:${bytes.subarray(12).join('.')}`
  const run = longestZeroRun(groups)
  if (run.length < 2) return groups.map(hex).join(':')
  const head = groups.slice(0, run.start).map(hex).join(':')
  const tail = groups
    .slice(run.start + run.length)
    .map(hex)
    .join(':')
  return `${head}::${tail}`
}

function isV4Mapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
}

function hex(group: number): string {
  return group.toString(16)
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  let length = 0
  groups.forEach((group, i) => {
    if (group !== 0) {
      length = 0
      return
    }
    if (length === 0) start = i
    length++
    if (length > best.length) best = { start, length }
  })
  return best
}

/** Writes `address/length`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`
}

/** Same family and same bytes. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && sameBytes(a.bytes, b.bytes)
}

/** The prefix with every bit beyond its length cleared: the form in which prefixes are compared and stored. */
export function maskPrefix(prefix: Prefix): Prefix {
  if (prefix.length === 8 * prefix.bytes.length) return prefix
  const bytes = new Uint8Array(prefix.bytes)
  for (let i = 0; i < bytes.length; i++) {
    const keep = Math.min(8, Math.max(0, prefix.length - 8 * i))
    bytes[i] = (bytes[i] ?? 0) & (0xff00 >> keep)
  }
  return { family: prefix.family, bytes, length: prefix.length }
}

/** True where `address` lies inside `prefix`. */
export function prefixContains(prefix: Prefix, address: Address): boolean {
  return prefix.family === address.family && sharedBits(prefix.bytes, address.bytes) >= prefix.length
}

/** True where some address lies in both prefixes. */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && sharedBits(a.bytes, b.bytes) >= Math.min(a.length, b.length)
}

function sharedBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) ^ (b[i] ?? 0)
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24
  }
  return 8 * a.length
}

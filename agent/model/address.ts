/**
 * IP addresses and prefixes as plain values.
 *
 * @module
 */

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

function parseInet6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = parseGroups(halves[1] ?? '', true)
  if (!head || !tail) return undefined
  const count = head.length + tail.length
  if (halves.length === 1 ? count !== 8 : count > 7) return undefined
  const groups = [...head, ...new Array<number>(8 - count).fill(0), ...tail]
  const bytes = new Uint8Array(16)
  groups.forEach((group, i) => {
    bytes[2 * i] = group >> 8
    bytes[2 * i + 1] = group & 0xff
  })
  return bytes
}

/** The 16-bit groups on one side of `::`. An embedded dotted quad may only end the whole address. */
function parseGroups(text: string, mayEndInQuad: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = mayEndInQuad && i === parts.length - 1 ? parseInet(part) : undefined
      if (!quad) return undefined
      const [a = 0, b = 0, c = 0, d = 0] = quad
      groups.push((a << 8) | b, (c << 8) | d)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
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
  return a.family === b.family && a.bytes.every((byte, i) => byte === b.bytes[i])
}

/** The prefix with every bit beyond its length cleared: the form in which prefixes are compared and stored. */
export function maskPrefix(prefix: Prefix): Prefix {
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

/** A copy in which every kind of byte array is a plain one, so that comparing looks at the bytes alone. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}

/** Bytes from hexadecimal digits; white space is left out. */
export function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.replace(/\s/g, ''), 'hex'))
}

/**
 * Integers of network byte order, at places in bytes. The caller has made sure that the place is inside.
 *
 * @module
 */

/** Where a loop over single bytes becomes slower than making a view for `set`. */
const SHORT = 96

export function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

/** Unsigned. */
export function read32(bytes: Uint8Array, at: number): number {
  return ((read16(bytes, at) << 16) | read16(bytes, at + 2)) >>> 0
}

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, value >>> 16)
  write16(bytes, at + 2, value)
}

/** Copies `from[at..end)` to `to[toAt…)`. In one array, the stretches may overlap only if the copy goes downward. */
export function copy(from: Uint8Array, at: number, end: number, to: Uint8Array, toAt: number): void {
  if (end - at > SHORT) to.set(from.subarray(at, end), toAt)
  else for (let i = at; i < end; i++) to[toAt + i - at] = from[i] ?? 0
}

/** A copy in memory of its own, also of Node's buffers, whose `slice` makes none. */
export function copyOf(bytes: Uint8Array, at: number, end: number): Uint8Array {
  const own = new Uint8Array(end - at)
  copy(bytes, at, end, own, 0)
  return own
}

/** True where `length` bytes are the same. */
export function sameRange(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

/** Bytes as text, to be a key of a map. */
export function bytesKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

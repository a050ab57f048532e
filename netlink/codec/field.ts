/**
 * Values of fixed size: integers, byte strings, names. A field reads and writes without checking bounds;
 * whoever holds it (a struct's payload, an attribute) has checked once that `size` bytes are there.
 *
 * @module
 */
import { EncodeError } from './errors.ts'
import { littleEndian, type Memory } from './memory.ts'

/** A value of fixed size. */
export interface Field<T> {
  /** What it is, in words of the kernel's headers: `u32`, `be16`, `xfrm_selector`. */
  readonly kind: string
  readonly size: number
  get(memory: Memory, at: number): T
  /** @throws EncodeError where the value does not fit */
  set(memory: Memory, at: number, value: T): void
  /** Path of what stands at `offset` inside the field; empty for one without parts. */
  locate(offset: number): string
}

/** The TypeScript value of a field. */
export type ValueOf<F> = F extends Field<infer T> ? T : never

const nowhere = () => ''

function misfit(kind: string, value: unknown): EncodeError {
  return new EncodeError(`${typeof value === 'number' ? value : typeof value} is not a ${kind}`)
}

/** Unsigned 8-bit number. */
export const u8: Field<number> = {
  kind: 'u8',
  size: 1,
  get: ({ bytes }, at) => bytes[at] ?? 0,
  set({ bytes }, at, value) {
    if ((value & 0xff) !== value) throw misfit('u8', value)
    bytes[at] = value
  },
  locate: nowhere,
}

function u16Of(kind: string, order: boolean): Field<number> {
  return {
    kind,
    size: 2,
    get: ({ view }, at) => view.getUint16(at, order),
    set({ view }, at, value) {
      if ((value & 0xffff) !== value) throw misfit(kind, value)
      view.setUint16(at, value, order)
    },
    locate: nowhere,
  }
}

function u32Of(kind: string, order: boolean): Field<number> {
  return {
    kind,
    size: 4,
    get: ({ view }, at) => view.getUint32(at, order),
    set({ view }, at, value) {
      if (value >>> 0 !== value) throw misfit(kind, value)
      view.setUint32(at, value, order)
    },
    locate: nowhere,
  }
}

/** Unsigned 16-bit number in host order. */
export const u16 = u16Of('u16', littleEndian)
/** Unsigned 16-bit number, big endian on the wire. */
export const be16 = u16Of('be16', false)
/** Unsigned 32-bit number in host order. */
export const u32 = u32Of('u32', littleEndian)
/** Unsigned 32-bit number, big endian on the wire. */
export const be32 = u32Of('be32', false)

/** Signed 32-bit number in host order. */
export const s32: Field<number> = {
  kind: 's32',
  size: 4,
  get: ({ view }, at) => view.getInt32(at, littleEndian),
  set({ view }, at, value) {
    if ((value | 0) !== value) throw misfit('s32', value)
    view.setInt32(at, value, littleEndian)
  },
  locate: nowhere,
}

const maxU64 = 0xffff_ffff_ffff_ffffn

/** Unsigned 64-bit number in host order. */
export const u64: Field<bigint> = {
  kind: 'u64',
  size: 8,
  get: ({ view }, at) => view.getBigUint64(at, littleEndian),
  set({ view }, at, value) {
    if (typeof value !== 'bigint' || value < 0n || value > maxU64) throw misfit('u64', value)
    view.setBigUint64(at, value, littleEndian)
  },
  locate: nowhere,
}

/** Exactly `size` bytes. Reading copies. */
export function bytes(size: number, kind = `bytes[${size}]`): Field<Uint8Array> {
  return {
    kind,
    size,
    get: (memory, at) => memory.bytes.slice(at, at + size),
    set(memory, at, value) {
      if (value.length !== size) throw new EncodeError(`${value.length} bytes where ${size} belong`)
      const target = memory.bytes
      for (let i = 0; i < size; i++) target[at + i] = value[i] ?? 0
    },
    locate: nowhere,
  }
}

/** `char name[size]`: text up to the first NUL, padded with NULs. One character is one byte (Latin-1). */
export function name(size: number): Field<string> {
  return {
    kind: `char[${size}]`,
    size,
    get({ bytes }, at) {
      let text = ''
      for (let i = at; i < at + size; i++) {
        const code = bytes[i] ?? 0
        if (code === 0) break
        text += String.fromCharCode(code)
      }
      return text
    },
    set({ bytes }, at, value) {
      if (value.length > size) throw new EncodeError(`longer than ${size} characters`)
      for (let i = 0; i < size; i++) {
        // Past the end of the text charCodeAt gives NaN, and NaN & 0xff is the NUL that we want.
        const code = value.charCodeAt(i)
        if (code === 0 || code > 0xff) throw new EncodeError('a character that is not Latin-1')
        bytes[at + i] = code & 0xff
      }
    },
    locate: nowhere,
  }
}

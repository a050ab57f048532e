/**
 * What an attribute can hold: something whose length is known only from the attribute's header. A payload
 * checks that length once, and then lets fields read.
 *
 * @module
 */
import { DecodeError, EncodeError, join, within } from './errors.ts'
import type { Field } from './field.ts'
import type { Memory } from './memory.ts'
import { opaque } from './opaque.ts'
import type { Struct } from './struct.ts'

/** A value that fills the bytes between two offsets. */
export interface Payload<T> {
  /** Length in bytes of this value. */
  sizeOf(value: T): number
  /** @throws DecodeError with a path relative to this payload */
  get(memory: Memory, start: number, end: number): T
  /** Writes `sizeOf(value)` bytes. @throws EncodeError */
  set(memory: Memory, at: number, value: T): void
  /** Path of what stands at `offset`, which lies between `start` and `end`. */
  locate(memory: Memory, start: number, end: number, offset: number): string
}

/** The TypeScript value of a payload. */
export type PayloadValue<P> = P extends Payload<infer T> ? T : never

/** One field that fills the payload. */
export interface Exactly<T> extends Payload<T> {
  readonly field: Field<T>
}

/** Any number of fields of one kind. */
export interface ListOf<T> extends Payload<readonly T[]> {
  readonly element: Field<T>
}

/** A payload of exactly one field: nothing missing, nothing behind it. */
export function exactly<T>(field: Field<T>): Exactly<T> {
  return {
    field,
    sizeOf: () => field.size,
    get(memory, start, end) {
      if (end - start !== field.size) throw wrongLength(end - start, field.size, start, field.locate)
      return field.get(memory, start)
    },
    set: (memory, at, value) => field.set(memory, at, value),
    locate: (_memory, start, _end, offset) => field.locate(offset - start),
  }
}

/** A payload of fields one after the other. */
export function listOf<T>(element: Field<T>): ListOf<T> {
  const { size } = element
  const locate = (offset: number) => join(`[${Math.floor(offset / size)}]`, element.locate(offset % size))
  return {
    element,
    sizeOf: (values) => values.length * size,
    get(memory, start, end) {
      const partial = (end - start) % size
      if (partial !== 0) throw wrongLength(end - start, end - start - partial + size, start, locate)
      const values: T[] = []
      for (let at = start; at < end; at += size) values.push(element.get(memory, at))
      return values
    },
    set(memory, at, values) {
      values.forEach((value, i) => {
        try {
          element.set(memory, at + i * size, value)
        } catch (error) {
          throw within(`[${i}]`, error)
        }
      })
    },
    locate: (_memory, start, _end, offset) => locate(offset - start),
  }
}

/** The variable end of a struct: `count` units behind its fixed head. */
export interface Tail<T> {
  /** Bytes of one unit. */
  readonly unit: number
  count(value: T): number
  get(memory: Memory, at: number, count: number): T
  set(memory: Memory, at: number, value: T): void
}

/** Bytes as the tail of a struct. They do not print: see {@link OpaqueBytes}. */
export const opaqueTail: Tail<Uint8Array> = {
  unit: 1,
  count: (value) => value.length,
  get: (memory, at, count) => opaque(memory.bytes.subarray(at, at + count)),
  set: (memory, at, value) => memory.bytes.set(value, at),
}

/** Fields of one kind as the tail of a struct. */
export function tailOf<T>(element: Field<T>): Tail<readonly T[]> {
  return {
    unit: element.size,
    count: (values) => values.length,
    get: (memory, at, count) =>
      Array.from({ length: count }, (_, i) => element.get(memory, at + i * element.size)),
    set(memory, at, values) {
      for (const [i, value] of values.entries()) element.set(memory, at + i * element.size, value)
    },
  }
}

/** A struct that ends in a tail, and how its head tells the tail's length. */
export interface Flexible<H, N extends string, T> extends Payload<H & { readonly [K in N]: T }> {
  readonly head: Struct<H>
  readonly tailName: N
  readonly tail: Tail<T>
  /** Member of the head that gives the length of the tail. */
  readonly counter: keyof H & string
  /** Units of the tail for a value of that member. */
  units(counted: number): number
}

/**
 * A struct with a flexible array member. The member of the head that counts it is written as given, and
 * must fit the tail: two truths that differ are an error, never a choice.
 *
 * @param units turns the value of `counter` into a number of tail units, for example bits into bytes
 * @param headAlone the tail may also be left out altogether, whatever the counter says; it is then empty
 */
export function flexible<H, const N extends string, T>(
  head: Struct<H>,
  tailName: N,
  tail: Tail<T>,
  counter: keyof H & string,
  units: (counted: number) => number = (counted) => counted,
  headAlone = false,
): Flexible<H, N, T> {
  type Value = H & { readonly [K in N]: T }
  const locate = (offset: number) => (offset < head.size ? head.locate(offset) : tailName)
  const tailUnits = (value: H) => units(value[counter] as number)
  return {
    head,
    tailName,
    tail,
    counter,
    units,
    sizeOf: (value) => head.size + tail.count(value[tailName]) * tail.unit,
    get(memory, start, end) {
      const length = end - start
      if (length < head.size) throw wrongLength(length, head.size, start, locate)
      const value = head.get(memory, start)
      const count = headAlone && length === head.size ? 0 : tailUnits(value)
      const size = head.size + count * tail.unit
      if (length !== size) throw wrongLength(length, size, start, locate)
      const end_ = tail.get(memory, start + head.size, count)
      return Object.assign(value as object, { [tailName]: end_ }) as unknown as Value
    },
    set(memory, at, value) {
      const have = tail.count(value[tailName])
      const want = tailUnits(value)
      if (have !== want && !(headAlone && have === 0)) {
        throw new EncodeError(`${counter} stands for ${want} of ${tailName}, which has ${have}`, counter)
      }
      head.set(memory, at, value)
      tail.set(memory, at + head.size, value[tailName])
    },
    locate: (_memory, start, _end, offset) => locate(offset - start),
  }
}

/** Bytes of any number that may be shown, such as an address of either family. Reading copies. */
export const raw: Payload<Uint8Array> = {
  sizeOf: (value) => value.length,
  get: (memory, start, end) => memory.bytes.slice(start, end),
  set: (memory, at, value) => memory.bytes.set(value, at),
  locate: () => '',
}

/** A payload that nobody looks into. Reading copies; see {@link OpaqueBytes}. */
export const anything: Payload<Uint8Array> = {
  ...raw,
  get: (memory, start, end) => opaque(memory.bytes.subarray(start, end)),
}

/** An attribute that says what it says by being there. */
export const flag: Payload<true> = {
  sizeOf: () => 0,
  get(_memory, start, end) {
    if (end !== start) throw wrongLength(end - start, 0, start, () => '')
    return true
  },
  set: () => undefined,
  locate: () => '',
}

/** A string with its terminating NUL (`NLA_NUL_STRING`), such as an interface name. Latin-1. */
export const text: Payload<string> = {
  sizeOf: (value) => value.length + 1,
  get(memory, start, end) {
    const codes = memory.bytes.subarray(start, end)
    const length = codes.indexOf(0)
    if (length < 0 || length !== codes.length - 1) {
      throw new DecodeError('text that does not end in its only NUL', start, '')
    }
    return Buffer.from(codes.buffer, codes.byteOffset, length).toString('latin1')
  },
  set(memory, at, value) {
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code === 0 || code > 0xff) throw new EncodeError('a character that is not Latin-1')
      memory.bytes[at + i] = code
    }
    memory.bytes[at + value.length] = 0
  },
  locate: () => '',
}

/** The error for a payload of `length` bytes that should have `size`. It points at where the two part. */
function wrongLength(
  length: number,
  size: number,
  start: number,
  locate: (offset: number) => string,
): DecodeError {
  const short = length < size
  const reason = short ? `${length} bytes, ${size} needed` : `${length} bytes, ${size} expected`
  return new DecodeError(reason, start + Math.min(length, size), short ? locate(length) : '')
}

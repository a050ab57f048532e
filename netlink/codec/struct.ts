/**
 * C structs, declared as a list of members in order with their padding spelled out.
 *
 * @module
 */
import { join, within } from './errors.ts'
import type { Field, ValueOf } from './field.ts'
import { clear, type Memory } from './memory.ts'

/** Bytes that the compiler put between members. Written as zeros, skipped when reading. */
export interface Padding {
  readonly padding: number
}

/** Name and type of one member, or padding. */
export type Member = readonly [name: string, field: Field<unknown>] | Padding

type Named<M> = Extract<M, readonly [string, Field<unknown>]>

/** The TypeScript value of a struct with these members. */
export type MembersValue<M extends readonly Member[]> = {
  readonly [E in Named<M[number]> as E[0]]: ValueOf<E[1]>
}

/** One member where it lies. */
export interface Placed {
  readonly name: string
  readonly offset: number
  readonly field: Field<unknown>
}

/** A described struct: a field that has parts. */
export interface Struct<T> extends Field<T> {
  readonly members: readonly Placed[]
}

/** `count` bytes of padding. */
export function pad(count: number): Padding {
  return { padding: count }
}

/**
 * Describes a struct. Offsets are the running sum of what stands before.
 *
 * @param kind its name in the kernel's headers
 * @param size its `sizeof`, written down by hand so that a slip in the list is found at load
 * @throws TypeError where the members do not add up to `size`
 * @example
 * const mark = struct('xfrm_mark', 8, [['v', u32], ['m', u32]])
 * // a Struct<{ readonly v: number; readonly m: number }>
 */
export function struct<const M extends readonly Member[]>(
  kind: string,
  size: number,
  members: M,
): Struct<MembersValue<M>> {
  const placed: Placed[] = []
  const gaps: { start: number; end: number }[] = []
  let end = 0
  for (const member of members) {
    const start = end
    if ('padding' in member) {
      end += member.padding
      gaps.push({ start, end })
    } else {
      placed.push({ name: member[0], offset: start, field: member[1] })
      end += member[1].size
    }
  }
  if (end !== size) throw new TypeError(`${kind} is described with ${end} bytes, but has ${size}`)
  type T = MembersValue<M>
  return {
    kind,
    size,
    members: placed,
    get: (memory, at) => read(placed, memory, at) as T,
    set(memory, at, value) {
      write(placed, memory, at, value as Record<string, unknown>)
      for (const gap of gaps) clear(memory.bytes, at + gap.start, at + gap.end)
    },
    locate: (offset) => locate(placed, offset),
  }
}

function read(members: readonly Placed[], memory: Memory, at: number): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const { name, offset, field } of members) value[name] = field.get(memory, at + offset)
  return value
}

function write(members: readonly Placed[], memory: Memory, at: number, value: Record<string, unknown>): void {
  let current = ''
  try {
    for (const { name, offset, field } of members) {
      current = name
      field.set(memory, at + offset, value[name])
    }
  } catch (error) {
    throw within(current, error)
  }
}

function locate(members: readonly Placed[], offset: number): string {
  const member = members.find((one) => offset >= one.offset && offset < one.offset + one.field.size)
  return member === undefined ? '(padding)' : join(member.name, member.field.locate(offset - member.offset))
}

/**
 * Sets of netlink attributes (`struct nlattr`): length and type in 4 bytes, then a payload padded to 4.
 *
 * A set's value is a plain object, one property an attribute. The order of its properties is the order on
 * the wire. What has no place in such an object (attributes that nobody described, repeated ones) is kept
 * as bytes under `unknown`, with its position, so that a decoded set encodes to the bytes that it came from.
 *
 * @module
 */
import { DecodeError, EncodeError, join, within } from './errors.ts'
import { align4, clear, littleEndian, type Memory } from './memory.ts'
import { opaque } from './opaque.ts'
import type { Payload, PayloadValue } from './payload.ts'

/** `sizeof(struct nlattr)` */
export const nlattrSize = 4
/** Flag in an attribute's type: its payload is a set of attributes (`NLA_F_NESTED`). */
const nestedFlag = 0x8000

/** An attribute as bytes. */
export interface RawAttribute {
  /** Number, with its flag bits. */
  readonly type: number
  readonly bytes: Uint8Array
  /** Place among all attributes of the set, from 0. Without it, the attribute comes last. */
  readonly index?: number
}

/** What a set may hold: the key in the value, the number on the wire, the payload. */
export type Definitions = { readonly [key: string]: readonly [type: number, payload: Payload<unknown>] }

/** The TypeScript value of a set. */
export type AttributesValue<D extends Definitions> = {
  readonly [K in keyof D]?: PayloadValue<D[K][1]>
} & { readonly unknown?: readonly RawAttribute[] }

/** A described set of attributes. It is a payload too, for sets inside attributes. */
export interface AttributeSet<D extends Definitions = Definitions> extends Payload<AttributesValue<D>> {
  /** What the kernel calls it: `XFRMA`, `IFLA`. */
  readonly prefix: string
  readonly definitions: D
}

interface Entry {
  readonly key: string
  readonly type: number
  readonly title: string
  readonly payload: Payload<unknown>
  /** The payload is a set of attributes. */
  readonly isSet: boolean
}

type Values = Record<string, unknown>

/**
 * Describes a set of attributes.
 *
 * @param prefix how the kernel's names of these attributes begin: `XFRMA` makes `XFRMA_IF_ID` of `if_id`
 */
export function attributes<const D extends Definitions>(prefix: string, definitions: D): AttributeSet<D> {
  const set = new Entries(prefix, definitions)
  return {
    prefix,
    definitions,
    sizeOf: (value) => set.sizeOf(value as Values),
    get: (memory, start, end) => set.get(memory, start, end) as AttributesValue<D>,
    set: (memory, at, value) => set.set(memory, at, value as Values),
    locate: (memory, start, end, offset) => set.locate(memory, start, end, offset),
  }
}

/** The tables behind one set, by key and by number. */
class Entries {
  readonly #prefix: string
  readonly #byKey = new Map<string, Entry>()
  readonly #byType: (Entry | undefined)[] = []

  constructor(prefix: string, definitions: Definitions) {
    this.#prefix = prefix
    for (const [key, [type, payload]] of Object.entries(definitions)) {
      const title = `${prefix}_${key.toUpperCase()}`
      const entry = { key, type, title, payload, isSet: 'definitions' in payload }
      if (this.#byType[type] !== undefined) throw new TypeError(`${entry.title}: number ${type} is taken`)
      this.#byKey.set(key, entry)
      this.#byType[type] = entry
    }
  }

  sizeOf(values: Values): number {
    let size = 0
    for (const key in values) {
      const value = values[key]
      if (key === 'unknown' || value === undefined) continue
      const { payload, title } = this.#entry(key)
      try {
        size += nlattrSize + align4(payload.sizeOf(value))
      } catch (error) {
        throw within(title, error)
      }
    }
    for (const raw of rawAttributes(values)) size += nlattrSize + align4(raw.bytes.length)
    return size
  }

  set(memory: Memory, start: number, values: Values): void {
    const raws = rawAttributes(values)
    let at = start
    let rawsWritten = 0
    let index = 0
    for (const key in values) {
      const value = values[key]
      if (key === 'unknown' || value === undefined) continue
      for (let raw = raws[rawsWritten]; raw?.index !== undefined && raw.index <= index; index++) {
        at = writeRaw(memory, at, raw)
        raw = raws[++rawsWritten]
      }
      at = writeEntry(memory, at, this.#entry(key), value)
      index++
    }
    for (const raw of raws.slice(rawsWritten)) at = writeRaw(memory, at, raw)
  }

  get(memory: Memory, start: number, end: number): Values {
    const values: Values = {}
    const raws: RawAttribute[] = []
    let index = 0
    for (let at = start; at < end; index++) {
      const length = attributeLength(memory, at, end)
      const type = memory.view.getUint16(at + 2, littleEndian)
      const entry = this.#known(type)
      if (entry === undefined) {
        raws.push({ type, bytes: copy(memory, at + nlattrSize, at + length), index })
      } else {
        if (entry.key in values) raws.push(this.#displace(memory, start, at, entry, values))
        values[entry.key] = readEntry(memory, at, at + length, entry)
      }
      at += Math.min(align4(length), end - at)
    }
    if (raws.length > 0) values.unknown = raws.sort((a, b) => (a.index ?? 0) - (b.index ?? 0))
    return values
  }

  locate(memory: Memory, start: number, end: number, offset: number): string {
    for (let at = start; at < end; ) {
      const length = attributeLength(memory, at, end)
      const type = memory.view.getUint16(at + 2, littleEndian)
      if (offset < at + align4(length)) return this.#locateIn(memory, at, at + length, type, offset)
      at += align4(length)
    }
    return ''
  }

  #locateIn(memory: Memory, at: number, end: number, type: number, offset: number): string {
    const entry = this.#known(type)
    const title = entry?.title ?? `${this.#prefix}(${type})`
    if (offset >= end) return join(title, '(padding)')
    if (entry === undefined || offset < at + nlattrSize) return title
    return join(title, entry.payload.locate(memory, at + nlattrSize, end, offset))
  }

  #entry(key: string): Entry {
    const entry = this.#byKey.get(key)
    if (entry === undefined) throw new EncodeError(`no ${this.#prefix} attribute has the name ${key}`)
    return entry
  }

  /**
   * The description for a type on the wire. A set inside may have the nested flag or not: some senders leave
   * it out, and it is not written back. Any other flag makes it an attribute that we do not know.
   */
  #known(type: number): Entry | undefined {
    const entry = this.#byType[type & ~nestedFlag]
    return type & nestedFlag && entry?.isSet === false ? undefined : entry
  }

  /** Where an attribute comes twice the kernel heeds the last: the one before becomes raw bytes. */
  #displace(memory: Memory, start: number, end: number, entry: Entry, values: Values): RawAttribute {
    delete values[entry.key]
    let found: RawAttribute | undefined
    for (let at = start, index = 0; at < end; index++) {
      const length = attributeLength(memory, at, end)
      const type = memory.view.getUint16(at + 2, littleEndian)
      if (this.#known(type) === entry) {
        found = { type, bytes: copy(memory, at + nlattrSize, at + length), index }
      }
      at += align4(length)
    }
    if (found === undefined) throw new Error(`${entry.title} was read and cannot be found again`)
    return found
  }
}

function rawAttributes(values: Values): readonly RawAttribute[] {
  return (values.unknown as readonly RawAttribute[] | undefined) ?? []
}

/** Length of the attribute at an offset, its header included, checked against the end of the set. */
function attributeLength(memory: Memory, at: number, end: number): number {
  if (end - at < nlattrSize) throw new DecodeError(`${end - at} bytes left over`, at, '')
  const length = memory.view.getUint16(at, littleEndian)
  if (length < nlattrSize) throw new DecodeError(`an attribute of ${length} bytes`, at, '')
  if (length > end - at) {
    throw new DecodeError(`an attribute of ${length} bytes where ${end - at} are left`, at, '')
  }
  return length
}

function readEntry(memory: Memory, at: number, end: number, entry: Entry): unknown {
  try {
    return entry.payload.get(memory, at + nlattrSize, end)
  } catch (error) {
    throw within(entry.title, error)
  }
}

function writeEntry(memory: Memory, at: number, entry: Entry, value: unknown): number {
  try {
    const length = nlattrSize + entry.payload.sizeOf(value)
    writeHeader(memory, at, length, entry.type)
    entry.payload.set(memory, at + nlattrSize, value)
    return finish(memory, at, length)
  } catch (error) {
    throw within(entry.title, error)
  }
}

function writeRaw(memory: Memory, at: number, raw: RawAttribute): number {
  const length = nlattrSize + raw.bytes.length
  writeHeader(memory, at, length, raw.type)
  memory.bytes.set(raw.bytes, at + nlattrSize)
  return finish(memory, at, length)
}

function writeHeader(memory: Memory, at: number, length: number, type: number): void {
  if (length > 0xffff) throw new EncodeError(`${length} bytes are more than an attribute holds`)
  memory.view.setUint16(at, length, littleEndian)
  memory.view.setUint16(at + 2, type, littleEndian)
}

/** Pads an attribute; gives where the next begins. */
function finish(memory: Memory, at: number, length: number): number {
  const end = at + align4(length)
  clear(memory.bytes, at + length, end)
  return end
}

function copy(memory: Memory, start: number, end: number): Uint8Array {
  return opaque(memory.bytes.subarray(start, end))
}

/**
 * Netlink messages: a type, a fixed body, and attributes behind it. What is called payload here is all that
 * follows the 16-byte `nlmsghdr`.
 *
 * @module
 */
import type { AttributeSet, AttributesValue, Definitions } from './attributes.ts'
import { DecodeError, EncodeError, join, within } from './errors.ts'
import { u16, u32 } from './field.ts'
import { align4, clear, littleEndian, type Memory, memoryOf } from './memory.ts'
import { type Struct, struct } from './struct.ts'

/** `struct nlmsghdr`, which stands before every message. */
export const nlmsghdr = struct('nlmsghdr', 16, [
  ['nlmsg_len', u32],
  ['nlmsg_type', u16],
  ['nlmsg_flags', u16],
  ['nlmsg_seq', u32],
  ['nlmsg_pid', u32],
])

/** The body of a message that has none. */
export const noBody = struct('none', 0, [])

/** Number, body and attributes of one message type. */
export type Definition = readonly [type: number, body: Struct<unknown>, attributes: AttributeSet<Definitions>]

type BodyOf<D> = D extends readonly [number, Struct<infer T>, unknown] ? T : never
type AttributesOf<D> = D extends readonly [number, unknown, AttributeSet<infer A>]
  ? AttributesValue<A>
  : never

/** The messages of a family as one union, to be told apart by `name`. */
export type MessageOf<D extends { readonly [name: string]: Definition }, N extends keyof D = keyof D> = {
  [K in N]: { readonly name: K; readonly body: BodyOf<D[K]>; readonly attributes: AttributesOf<D[K]> }
}[N]

/** The header fields that the sender of a message chooses. */
export interface Header {
  /** `NLM_F_` flags. */
  readonly flags: number
  readonly seq: number
}

/** Codec of all messages of one netlink family. */
export interface MessageFamily<D extends { readonly [name: string]: Definition }> {
  readonly definitions: D
  /** The `nlmsg_type` of a message. */
  type(name: keyof D): number
  /** The message of an `nlmsg_type`, or `undefined`. */
  nameOf(type: number): keyof D | undefined
  /** Payload length in bytes, a multiple of 4. */
  size(message: MessageOf<D>): number
  /** The payload. @throws EncodeError where a value does not fit its field */
  encode(message: MessageOf<D>): Uint8Array
  /**
   * Writes a whole message, `nlmsghdr` and all, into memory that the caller owns.
   *
   * @returns the offset behind it, always a multiple of 4 from `at`
   * @throws EncodeError also where the message does not fit; what lies behind `at` is then undefined
   */
  write(memory: Memory, at: number, message: MessageOf<D>, header: Header): number
  /**
   * Payload of a dump request. The kernel reads the attributes of one right behind the `nlmsghdr`, with no
   * body between.
   */
  encodeDump(name: keyof D, attributes: MessageOf<D>['attributes']): Uint8Array
  /**
   * The attributes of a payload that {@link encodeDump} made.
   *
   * @throws DecodeError
   */
  decodeDump(name: keyof D, payload: Uint8Array): MessageOf<D>['attributes']
  /**
   * Reads a payload. The result owns its bytes: the payload may be overwritten afterwards.
   *
   * @throws DecodeError with an offset counted from the start of the payload
   */
  decode(type: number, payload: Uint8Array): MessageOf<D>
  /** Name of what stands at an offset of a whole message, counted from its `nlmsghdr`, as extended ACKs do. */
  describe(type: number, payload: Uint8Array, offset: number): string
}

/** Builds the codec of a family from the table of its messages. */
export function messageFamily<const D extends { readonly [name: string]: Definition }>(
  family: string,
  definitions: D,
): MessageFamily<D> {
  const names = new Map<number, keyof D & string>()
  for (const [name, [type]] of Object.entries(definitions)) names.set(type, name)
  const definition = (name: keyof D): Definition => {
    const found = definitions[name]
    if (found === undefined) throw new EncodeError(`${family} has no message ${String(name)}`)
    return found
  }
  return {
    definitions,
    type: (name) => definition(name)[0],
    nameOf: (type) => names.get(type),
    size: (message) => payloadSize(definition(message.name), message),
    encode(message) {
      const found = definition(message.name)
      const memory = memoryOf(new Uint8Array(payloadSize(found, message)))
      writePayload(memory, 0, found, message)
      return memory.bytes
    },
    write(memory, at, message, header) {
      const found = definition(message.name)
      const end = at + nlmsghdr.size + payloadSize(found, message)
      if (end > memory.bytes.length) throw new EncodeError(`${end - at} bytes do not fit in the buffer`)
      writeHeader(memory, at, end - at, found[0], header)
      writePayload(memory, at + nlmsghdr.size, found, message)
      return end
    },
    encodeDump(name, attributes) {
      const set = definition(name)[2]
      const memory = memoryOf(new Uint8Array(set.sizeOf(attributes)))
      set.set(memory, 0, attributes)
      return memory.bytes
    },
    decodeDump(name, payload) {
      const memory = memoryOf(payload)
      return definition(name)[2].get(memory, 0, payload.length) as MessageOf<D>['attributes']
    },
    decode(type, payload) {
      const name = names.get(type)
      if (name === undefined) throw new DecodeError(`${family} message ${type} is not known`, 0, '')
      return { name, ...readPayload(memoryOf(payload), definition(name)) } as MessageOf<D>
    },
    describe(type, payload, offset) {
      if (offset < nlmsghdr.size) return join(nlmsghdr.kind, nlmsghdr.locate(offset))
      const name = names.get(type)
      if (name === undefined) return ''
      return describePayload(memoryOf(payload), definition(name), offset - nlmsghdr.size)
    },
  }
}

/** Writes an `nlmsghdr`. The port id stays 0: the kernel knows who sends. */
export function writeHeader(memory: Memory, at: number, length: number, type: number, header: Header): void {
  const { view } = memory
  view.setUint32(at, length, littleEndian)
  view.setUint16(at + 4, type, littleEndian)
  view.setUint16(at + 6, header.flags, littleEndian)
  view.setUint32(at + 8, header.seq, littleEndian)
  view.setUint32(at + 12, 0, littleEndian)
}

interface Parts {
  readonly body: unknown
  readonly attributes: AttributesValue<Definitions>
}

function payloadSize([, body, attributes]: Definition, message: Parts): number {
  return align4(body.size) + attributes.sizeOf(message.attributes)
}

function writePayload(memory: Memory, at: number, [, body, attributes]: Definition, message: Parts): void {
  try {
    body.set(memory, at, message.body)
  } catch (error) {
    throw within(body.kind, error)
  }
  const end = at + align4(body.size)
  clear(memory.bytes, at + body.size, end)
  attributes.set(memory, end, message.attributes)
}

/** A body without attributes may lack its padding. */
function readPayload(memory: Memory, [, body, attributes]: Definition): Parts {
  const { length } = memory.bytes
  if (length < body.size) {
    const path = join(body.kind, body.locate(length))
    throw new DecodeError(`${length} bytes, ${body.size} needed`, length, path)
  }
  return {
    body: body.get(memory, 0),
    attributes: attributes.get(memory, Math.min(align4(body.size), length), length),
  }
}

function describePayload(memory: Memory, [, body, attributes]: Definition, offset: number): string {
  if (offset < body.size) return join(body.kind, body.locate(offset))
  const start = align4(body.size)
  if (offset < start) return join(body.kind, '(padding)')
  try {
    return attributes.locate(memory, start, memory.bytes.length, offset)
  } catch (error) {
    // The request itself is malformed before that offset: there is no name to give.
    if (error instanceof DecodeError) return ''
    throw error
  }
}

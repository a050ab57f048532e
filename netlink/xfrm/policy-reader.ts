/**
 * The handwritten twin of the table codec for the policies of a dump, which come by the ten thousand. It knows
 * the attributes that such policies carry and leaves every other message to the table; a test holds the two
 * against each other.
 *
 * @module
 */
import { align4, littleEndian, type Memory, memoryOf } from '../codec/memory.ts'
import { decodeMessage, messageType, type XfrmMessage } from './messages.ts'
import {
  lifetime_cfg,
  lifetime_cur,
  type Selector,
  type UserTmpl,
  user_tmpl,
  userpolicy_info,
  userpolicy_type,
} from './structs.ts'

type Policy = XfrmMessage<'NEWPOLICY'>
type Attributes = { -readonly [K in 'tmpl' | 'policy_type' | 'mark' | 'if_id']?: Policy['attributes'][K] }

const NEWPOLICY = messageType('NEWPOLICY')
const bodySize = userpolicy_info.size
const [TMPL, POLICY_TYPE, MARK, IF_ID] = [5, 16, 21, 31]
const attributeHeader = 4
const addressSize = 16

/**
 * Reads policies one after the other. Neighbours are alike: where one has the lifetime, the counters, the templates
 * or an address of the one before, both share the same (immutable) value.
 */
export class PolicyReader {
  #memory = memoryOf(new Uint8Array(0))
  readonly #limits = new Repeated((memory, from) => lifetime_cfg.get(memory, from))
  readonly #counters = new Repeated((memory, from) => lifetime_cur.get(memory, from))
  readonly #templates = new Repeated(readTemplates)
  /** Addresses of the policy before: of a pair of hosts, each is the source of one policy and the other's destination. */
  #source = new Uint8Array(0)
  #destination = new Uint8Array(0)

  /**
   * As `decodeMessage`: the result owns its bytes.
   *
   * @throws DecodeError
   */
  read(type: number, payload: Uint8Array): XfrmMessage {
    const policy = type === NEWPOLICY ? this.#read(payload) : undefined
    return policy ?? decodeMessage(type, payload)
  }

  /** `undefined` for what only the table can read, or refuse. */
  #read(payload: Uint8Array): Policy | undefined {
    if (payload.length < bodySize) return undefined
    if (payload.buffer !== this.#memory.bytes.buffer) this.#memory = memoryOf(new Uint8Array(payload.buffer))
    const start = payload.byteOffset
    const attributes = this.#readAttributes(start + bodySize, start + payload.length)
    return attributes && { name: 'NEWPOLICY', body: this.#readInfo(start), attributes }
  }

  #readAttributes(start: number, end: number): Attributes | undefined {
    const memory = this.#memory
    const { view } = memory
    const attributes: Attributes = {}
    for (let at = start; at < end; ) {
      if (end - at < attributeHeader) return undefined
      const size = view.getUint16(at, littleEndian) - attributeHeader
      const type = view.getUint16(at + 2, littleEndian)
      const from = at + attributeHeader
      if (size < 0 || from + size > end) return undefined
      if (type === TMPL && size % user_tmpl.size === 0 && !attributes.tmpl) {
        attributes.tmpl = this.#templates.get(memory, from, from + size)
      } else if (type === POLICY_TYPE && size === userpolicy_type.size && !attributes.policy_type) {
        attributes.policy_type = userpolicy_type.get(memory, from)
      } else if (type === MARK && size === 8 && !attributes.mark) {
        attributes.mark = { v: view.getUint32(from, littleEndian), m: view.getUint32(from + 4, littleEndian) }
      } else if (type === IF_ID && size === 4 && attributes.if_id === undefined) {
        attributes.if_id = view.getUint32(from, littleEndian)
      } else return undefined
      at = from + align4(size)
    }
    return attributes
  }

  #readInfo(at: number): Policy['body'] {
    const { bytes, view } = this.#memory
    return {
      sel: this.#readSelector(at),
      lft: this.#limits.get(this.#memory, at + 56, at + 120),
      curlft: this.#counters.get(this.#memory, at + 120, at + 152),
      priority: view.getUint32(at + 152, littleEndian),
      index: view.getUint32(at + 156, littleEndian),
      dir: bytes[at + 160] ?? 0,
      action: bytes[at + 161] ?? 0,
      flags: bytes[at + 162] ?? 0,
      share: bytes[at + 163] ?? 0,
    }
  }

  #readSelector(at: number): Selector {
    const { bytes, view } = this.#memory
    const daddr = this.#readAddress(at)
    const saddr = this.#readAddress(at + 16)
    this.#destination = daddr
    this.#source = saddr
    return {
      daddr,
      saddr,
      dport: view.getUint16(at + 32),
      dport_mask: view.getUint16(at + 34),
      sport: view.getUint16(at + 36),
      sport_mask: view.getUint16(at + 38),
      family: view.getUint16(at + 40, littleEndian),
      prefixlen_d: bytes[at + 42] ?? 0,
      prefixlen_s: bytes[at + 43] ?? 0,
      proto: bytes[at + 44] ?? 0,
      ifindex: view.getUint32(at + 48, littleEndian),
      user: view.getUint32(at + 52, littleEndian),
    }
  }

  #readAddress(at: number): Uint8Array<ArrayBuffer> {
    const { bytes } = this.#memory
    if (isAt(bytes, at, this.#source)) return this.#source
    if (isAt(bytes, at, this.#destination)) return this.#destination
    return bytes.slice(at, at + addressSize)
  }
}

/** Reads a part of a message; where its bytes are those of the time before, it gives the same value again. */
class Repeated<T> {
  readonly #read: (memory: Memory, from: number, to: number) => T
  #last: { readonly view: DataView; readonly value: T } | undefined

  constructor(read: (memory: Memory, from: number, to: number) => T) {
    this.#read = read
  }

  /** The value between two offsets, whose distance is a multiple of 4. */
  get(memory: Memory, from: number, to: number): T {
    if (this.#last && sameWords(memory.view, from, to, this.#last.view)) return this.#last.value
    const { view } = memoryOf(memory.bytes.slice(from, to))
    const value = this.#read(memory, from, to)
    this.#last = { view, value }
    return value
  }
}

function sameWords(view: DataView, from: number, to: number, other: DataView): boolean {
  if (to - from !== other.byteLength) return false
  for (let i = to - from - 4; i >= 0; i -= 4) if (view.getInt32(from + i) !== other.getInt32(i)) return false
  return true
}

function isAt(bytes: Uint8Array, at: number, address: Uint8Array): boolean {
  if (address.length !== addressSize) return false
  for (let i = 0; i < addressSize; i++) if (bytes[at + i] !== address[i]) return false
  return true
}

function readTemplates(memory: Memory, from: number, to: number): readonly UserTmpl[] {
  const templates: UserTmpl[] = []
  for (let at = from; at < to; at += user_tmpl.size) templates.push(user_tmpl.get(memory, at))
  return templates
}

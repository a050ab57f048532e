/**
 * The handwritten twin of the table codec for the policies of a dump, which come by the ten thousand. It knows
 * the attributes that such policies carry and leaves every other message to the table; a test holds the two
 * against each other.
 *
 * @module
 */
import { align4, littleEndian, type Memory, memoryOf } from '../codec/memory.ts'
import { defaultLifetime } from './defaults.ts'
import { decodeMessage, messageType, type XfrmMessage } from './messages.ts'
import { type Selector, type UserTmpl, user_tmpl, userpolicy_info, userpolicy_type } from './structs.ts'

type Policy = XfrmMessage<'NEWPOLICY'>
type Attributes = { -readonly [K in 'tmpl' | 'policy_type' | 'mark' | 'if_id']?: Policy['attributes'][K] }

const NEWPOLICY = messageType('NEWPOLICY')
const bodySize = userpolicy_info.size
const [TMPL, POLICY_TYPE, MARK, IF_ID] = [5, 16, 21, 31]
const attributeHeader = 4

const FOREVER = defaultLifetime()

/**
 * Reads policies one after the other. Neighbours are alike: where one has the lifetime or the templates of the
 * one before, both share the same (immutable) value.
 */
export class PolicyReader {
  #memory = memoryOf(new Uint8Array(0))
  /** Bytes of the templates read last, and their value. */
  #templateBytes = new Uint8Array(0)
  #templates: readonly UserTmpl[] = []

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
    return attributes && { name: 'NEWPOLICY', body: readInfo(this.#memory, start), attributes }
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
        attributes.tmpl = this.#readTemplates(from, from + size)
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

  #readTemplates(from: number, to: number): readonly UserTmpl[] {
    const { bytes } = this.#memory
    if (!isAt(bytes, from, to, this.#templateBytes)) {
      const templates: UserTmpl[] = []
      for (let at = from; at < to; at += user_tmpl.size) templates.push(user_tmpl.get(this.#memory, at))
      this.#templateBytes = bytes.slice(from, to)
      this.#templates = templates
    }
    return this.#templates
  }
}

function isAt(bytes: Uint8Array, from: number, to: number, wanted: Uint8Array): boolean {
  if (to - from !== wanted.length) return false
  for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return false
  return true
}

function readInfo(memory: Memory, at: number): Policy['body'] {
  const { bytes, view } = memory
  return {
    sel: readSelector(memory, at),
    lft: readLifetime(view, at + 56),
    curlft: {
      bytes: view.getBigUint64(at + 120, littleEndian),
      packets: view.getBigUint64(at + 128, littleEndian),
      add_time: view.getBigUint64(at + 136, littleEndian),
      use_time: view.getBigUint64(at + 144, littleEndian),
    },
    priority: view.getUint32(at + 152, littleEndian),
    index: view.getUint32(at + 156, littleEndian),
    dir: bytes[at + 160] ?? 0,
    action: bytes[at + 161] ?? 0,
    flags: bytes[at + 162] ?? 0,
    share: bytes[at + 163] ?? 0,
  }
}

function readSelector({ bytes, view }: Memory, at: number): Selector {
  return {
    daddr: bytes.slice(at, at + 16),
    saddr: bytes.slice(at + 16, at + 32),
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

/** Nearly every policy lasts forever: limits of all ones, and no times. */
function readLifetime(view: DataView, at: number): Policy['body']['lft'] {
  let forever = true
  for (let i = 0; i < 64 && forever; i += 4) forever = view.getInt32(at + i) === (i < 32 ? -1 : 0)
  if (forever) return FOREVER
  return {
    soft_byte_limit: view.getBigUint64(at, littleEndian),
    hard_byte_limit: view.getBigUint64(at + 8, littleEndian),
    soft_packet_limit: view.getBigUint64(at + 16, littleEndian),
    hard_packet_limit: view.getBigUint64(at + 24, littleEndian),
    soft_add_expires_seconds: view.getBigUint64(at + 32, littleEndian),
    hard_add_expires_seconds: view.getBigUint64(at + 40, littleEndian),
    soft_use_expires_seconds: view.getBigUint64(at + 48, littleEndian),
    hard_use_expires_seconds: view.getBigUint64(at + 56, littleEndian),
  }
}

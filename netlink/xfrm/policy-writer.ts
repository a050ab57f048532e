/**
 * The handwritten twin of the table codec for NEWPOLICY and UPDPOLICY, which are sent by the ten thousand.
 * It knows the attributes that such policies carry and leaves every other message to the table; a test holds
 * the two against each other byte for byte.
 *
 * @module
 */
import { EncodeError } from '../codec/errors.ts'
import { clear, littleEndian, type Memory } from '../codec/memory.ts'
import { type Header, writeHeader } from '../codec/message.ts'
import { messageType, type XfrmMessage, xfrm } from './messages.ts'
import type { LifetimeCfg, LifetimeCur, Selector, UserpolicyInfo, UserTmpl } from './structs.ts'

/** A message that adds or replaces one policy. */
export type PolicyMessage = XfrmMessage<'NEWPOLICY'> | XfrmMessage<'UPDPOLICY'>

const headerSize = 16
const bodySize = 168
const templateSize = 64
const NEWPOLICY = messageType('NEWPOLICY')
const UPDPOLICY = messageType('UPDPOLICY')
const TMPL = 5
const MARK = 21
const IF_ID = 31

/**
 * Writes a whole message, `nlmsghdr` and all. Same contract and same bytes as `xfrm.write`.
 *
 * @returns the offset behind the message
 * @throws EncodeError where a value does not fit its field, or the message the memory
 */
export function writePolicy(memory: Memory, at: number, message: PolicyMessage, header: Header): number {
  const length = lengthOf(message)
  if (length === undefined || at + length > memory.bytes.length)
    return xfrm.write(memory, at, message, header)
  try {
    writeHeader(memory, at, length, message.name === 'NEWPOLICY' ? NEWPOLICY : UPDPOLICY, header)
    writeInfo(memory, at + headerSize, message.body)
    writeAttributes(memory, at + headerSize + bodySize, message.attributes)
    return at + length
  } catch (error) {
    // A value that does not fit. The table fails on it as well, and knows its name.
    if (error === misfit) return xfrm.write(memory, at, message, header)
    throw error
  }
}

/** Length with `nlmsghdr`, or `undefined` where an attribute is none of those written here. */
function lengthOf({ attributes }: PolicyMessage): number | undefined {
  let length = headerSize + bodySize
  for (const key in attributes) {
    if (key === 'tmpl' && attributes.tmpl !== undefined) length += 4 + templateSize * attributes.tmpl.length
    else if (key === 'mark' && attributes.mark !== undefined) length += 12
    else if (key === 'if_id' && attributes.if_id !== undefined) length += 8
    else return undefined
  }
  return length
}

function writeAttributes(memory: Memory, start: number, attributes: PolicyMessage['attributes']): void {
  let at = start
  for (const key in attributes) {
    if (key === 'tmpl') at = writeTemplates(memory, at, attributes.tmpl ?? [])
    else if (key === 'mark') at = writeMark(memory, at, attributes.mark?.v, attributes.mark?.m)
    else at = writeIfId(memory, at, attributes.if_id)
  }
}

function writeTemplates(memory: Memory, start: number, templates: readonly UserTmpl[]): number {
  attribute(memory, start, 4 + templateSize * templates.length, TMPL)
  let at = start + 4
  for (const template of templates) {
    writeTemplate(memory, at, template)
    at += templateSize
  }
  return at
}

function writeMark(memory: Memory, at: number, v: number | undefined, m: number | undefined): number {
  attribute(memory, at, 12, MARK)
  u32(memory, at + 4, v)
  u32(memory, at + 8, m)
  return at + 12
}

function writeIfId(memory: Memory, at: number, ifId: number | undefined): number {
  attribute(memory, at, 8, IF_ID)
  u32(memory, at + 4, ifId)
  return at + 8
}

function writeInfo(memory: Memory, at: number, info: UserpolicyInfo): void {
  writeSelector(memory, at, info.sel)
  writeLifetime(memory, at + 56, info.lft)
  writeCounters(memory, at + 120, info.curlft)
  u32(memory, at + 152, info.priority)
  u32(memory, at + 156, info.index)
  u8(memory, at + 160, info.dir)
  u8(memory, at + 161, info.action)
  u8(memory, at + 162, info.flags)
  u8(memory, at + 163, info.share)
  clear(memory.bytes, at + 164, at + 168)
}

function writeSelector(memory: Memory, at: number, sel: Selector): void {
  address(memory, at, sel.daddr)
  address(memory, at + 16, sel.saddr)
  u16(memory, at + 32, sel.dport, false)
  u16(memory, at + 34, sel.dport_mask, false)
  u16(memory, at + 36, sel.sport, false)
  u16(memory, at + 38, sel.sport_mask, false)
  u16(memory, at + 40, sel.family, littleEndian)
  u8(memory, at + 42, sel.prefixlen_d)
  u8(memory, at + 43, sel.prefixlen_s)
  u8(memory, at + 44, sel.proto)
  clear(memory.bytes, at + 45, at + 48)
  u32(memory, at + 48, sel.ifindex)
  u32(memory, at + 52, sel.user)
}

function writeLifetime(memory: Memory, at: number, lft: LifetimeCfg): void {
  u64(memory, at, lft.soft_byte_limit)
  u64(memory, at + 8, lft.hard_byte_limit)
  u64(memory, at + 16, lft.soft_packet_limit)
  u64(memory, at + 24, lft.hard_packet_limit)
  u64(memory, at + 32, lft.soft_add_expires_seconds)
  u64(memory, at + 40, lft.hard_add_expires_seconds)
  u64(memory, at + 48, lft.soft_use_expires_seconds)
  u64(memory, at + 56, lft.hard_use_expires_seconds)
}

function writeCounters(memory: Memory, at: number, curlft: LifetimeCur): void {
  u64(memory, at, curlft.bytes)
  u64(memory, at + 8, curlft.packets)
  u64(memory, at + 16, curlft.add_time)
  u64(memory, at + 24, curlft.use_time)
}

function writeTemplate(memory: Memory, at: number, template: UserTmpl): void {
  const { id } = template
  address(memory, at, id.daddr)
  be32(memory, at + 16, id.spi)
  u8(memory, at + 20, id.proto)
  clear(memory.bytes, at + 21, at + 24)
  u16(memory, at + 24, template.family, littleEndian)
  clear(memory.bytes, at + 26, at + 28)
  address(memory, at + 28, template.saddr)
  u32(memory, at + 44, template.reqid)
  u8(memory, at + 48, template.mode)
  u8(memory, at + 49, template.share)
  u8(memory, at + 50, template.optional)
  clear(memory.bytes, at + 51, at + 52)
  u32(memory, at + 52, template.aalgos)
  u32(memory, at + 56, template.ealgos)
  u32(memory, at + 60, template.calgos)
}

/** Thrown here and caught here; a constant, so that it costs no stack trace. */
const misfit = new EncodeError('a value that does not fit')

function attribute(memory: Memory, at: number, length: number, type: number): void {
  u16(memory, at, length, littleEndian)
  memory.view.setUint16(at + 2, type, littleEndian)
}

function u8(memory: Memory, at: number, value: number): void {
  if ((value & 0xff) !== value) throw misfit
  memory.bytes[at] = value
}

function u16(memory: Memory, at: number, value: number, order: boolean): void {
  if ((value & 0xffff) !== value) throw misfit
  memory.view.setUint16(at, value, order)
}

function u32(memory: Memory, at: number, value: number | undefined): void {
  if (value === undefined || value >>> 0 !== value) throw misfit
  memory.view.setUint32(at, value, littleEndian)
}

function be32(memory: Memory, at: number, value: number): void {
  if (value >>> 0 !== value) throw misfit
  memory.view.setUint32(at, value, false)
}

function u64(memory: Memory, at: number, value: bigint): void {
  if (typeof value !== 'bigint' || value < 0n || value > 0xffff_ffff_ffff_ffffn) throw misfit
  memory.view.setBigUint64(at, value, littleEndian)
}

function address(memory: Memory, at: number, value: Uint8Array): void {
  if (value.length !== 16) throw misfit
  for (let i = 0; i < 16; i++) memory.bytes[at + i] = value[i] ?? 0
}

/**
 * The link layer: Ethernet with VLAN tags (IEEE 802.1Q), Linux's two cooked headers, BSD's loopback header, or nothing
 * before IP. Its summary is there for every packet, as it carries the packet's size.
 *
 * @module
 */
import {
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  isVlanTag,
  VLAN_TAG_LENGTH,
} from '../../../../agent/capture/ethertypes.ts'
import { TYPED_HEADERS } from '../../../../agent/capture/link-layers.ts'
import { read16 } from '../../../../agent/packet/octets.ts'
import { add, addBroken, type Context, lack } from './layer.ts'
import { ethertypeText, LARGEST_LENGTH } from './protocols.ts'
import { etherText } from './text.ts'
import { timeOfDay } from './time.ts'

/** What the link layer says about the rest. */
export interface LinkPayload {
  /** Ethernet type; lengths of IEEE 802.3 and unknown ones too. */
  readonly type: number
  readonly at: number
}

/** Header length of `LINKTYPE_NULL`. */
const NULL_LENGTH = 4

/** Decodes what comes before IP or ARP; `undefined` where it is cut. */
export function decodeLink(context: Context, end: number): LinkPayload | undefined {
  switch (context.frame.link) {
    case 'ethernet':
      return decodeEther(context, end)
    case 'cooked':
      return decodeCooked(context, end, 'cooked', 6, 4)
    case 'cooked2':
      return decodeCooked(context, end, 'cooked2', 12, 11)
    case 'null':
      return decodeOther(context, 'NULL', 'Loopback Header', NULL_LENGTH, end)
    case 'raw':
      return decodeOther(context, 'RAW', 'Packet', 0, end)
  }
}

function decodeEther(context: Context, end: number): LinkPayload | undefined {
  const { bytes } = context
  const { typeAt, length } = TYPED_HEADERS.ethernet
  const wrong = lack(context, 0, length, end)
  if (wrong !== undefined) return addBroken(context, 'ETHER', 'Ether Header', wrong)
  context.destination = destinationColumn(bytes)
  const { type, at, tags } = stepOverTags(context, read16(bytes, typeAt), length, end)
  const text = ethertypeText(type)
  add(context, 'ETHER', 'Ether Header', `ETHER Type=${text}, size = ${context.frame.wireLength} bytes`, [
    ...arrival(context),
    `Destination = ${etherText(bytes, 0)}, ${etherKind(bytes)}`.trimEnd(),
    `Source      = ${etherText(bytes, 6)},`,
    ...tags,
    type <= LARGEST_LENGTH ? `IEEE 802.3 length = ${type} bytes` : `Ethertype = ${text}`,
  ])
  return { type, at }
}

/** VLAN tags stand between the Ethernet type and the payload, each with the type of what is behind it. */
function stepOverTags(
  context: Context,
  outerType: number,
  from: number,
  end: number,
): LinkPayload & { readonly tags: readonly string[] } {
  const { bytes } = context
  const tags: string[] = []
  let type = outerType
  let at = from
  while (isVlanTag(type) && at + VLAN_TAG_LENGTH <= Math.min(end, context.captured)) {
    const control = read16(bytes, at)
    const id = control & 0xfff
    type = read16(bytes, at + 2)
    at += VLAN_TAG_LENGTH
    // An ID of 0 is a priority tag: the packet is in no VLAN.
    if (id !== 0) context.tag += `VLAN#${id}: `
    tags.push(`VLAN ID = ${id}`, `VLAN Priority = ${control >>> 13}`)
  }
  return { type, at, tags }
}

/** Both cooked headers hold the same, at different places. */
function decodeCooked(
  context: Context,
  end: number,
  link: 'cooked' | 'cooked2',
  addressAt: number,
  addressLengthAt: number,
): LinkPayload | undefined {
  const { bytes } = context
  const { typeAt, length } = TYPED_HEADERS[link]
  const wrong = lack(context, 0, length, end)
  if (wrong !== undefined) return addBroken(context, 'COOKED', 'Cooked Header', wrong)
  const { type, at, tags } = stepOverTags(context, read16(bytes, typeAt), length, end)
  const kind = link === 'cooked' ? read16(bytes, 0) : (bytes[10] ?? 0)
  const addressLength = link === 'cooked' ? read16(bytes, addressLengthAt) : (bytes[addressLengthAt] ?? 0)
  const text = ethertypeText(type)
  const details = [...arrival(context), `Packet type = ${COOKED_KINDS[kind] ?? kind}`]
  if (addressLength > 0)
    details.push(`Source      = ${etherText(bytes, addressAt, Math.min(8, addressLength))},`)
  details.push(...tags, `Ethertype = ${text}`)
  const summary = `COOKED Type=${text}, size = ${context.frame.wireLength} bytes`
  add(context, 'COOKED', 'Cooked Header', summary, details)
  if (kind === 1) context.destination = '(broadcast)'
  else if (kind === 2) context.destination = '(multicast)'
  return { type, at }
}

const COOKED_KINDS = ['to this host', 'broadcast', 'multicast', 'to another host', 'from this host']

function decodeOther(
  context: Context,
  name: string,
  title: string,
  length: number,
  end: number,
): LinkPayload | undefined {
  const { bytes, frame } = context
  const wrong = lack(context, 0, length, end)
  if (wrong !== undefined) return addBroken(context, name, title, wrong)
  const at = frame.ipAt < 0 ? length : frame.ipAt
  const version = at < context.captured && frame.ipAt >= 0 ? (bytes[at] ?? 0) >>> 4 : 0
  const type = version === 4 ? ETHERTYPE_IPV4 : version === 6 ? ETHERTYPE_IPV6 : 0xffff
  const text = ethertypeText(type)
  const summary = `${name} Type=${text}, size = ${frame.wireLength} bytes`
  add(context, name, title, summary, [...arrival(context), `Ethertype = ${text}`])
  return { type, at }
}

function arrival({ frame, captured, options }: Context): string[] {
  const cut = frame.wireLength > captured ? `, truncated to ${captured} bytes` : ''
  return [
    `Packet ${frame.number} arrived at ${timeOfDay(frame.time, options)}`,
    `Packet size = ${frame.wireLength} bytes${cut}`,
  ]
}

function isBroadcast(bytes: Uint8Array): boolean {
  for (let i = 0; i < 6; i++) if (bytes[i] !== 0xff) return false
  return true
}

function etherKind(bytes: Uint8Array): string {
  if (isBroadcast(bytes)) return '(broadcast)'
  return ((bytes[0] ?? 0) & 1) !== 0 ? '(multicast)' : ''
}

function destinationColumn(bytes: Uint8Array): string {
  return etherKind(bytes) || '*'
}

/**
 * Numbers, addresses and octets as text. All that comes from packets or name services is made safe for terminals.
 *
 * @module
 */
import { formatAddress } from '../../../../agent/model/address.ts'
import type { PrintOptions } from './options.ts'

/** Longer names would only serve to push other columns out of sight. */
const LONGEST_NAME = 255

/** Control, format, surrogate and line-breaking characters become a full stop; what a terminal shows stays. */
export function safe(text: string): string {
  return text.slice(0, LONGEST_NAME).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '.')
}

/** Octets as ASCII, others as a full stop. */
export function ascii(bytes: Uint8Array, at: number, end: number): string {
  let text = ''
  for (let i = at; i < end; i++) {
    const octet = bytes[i] ?? 0
    text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.'
  }
  return text
}

export function hex(value: number, digits = 1): string {
  return value.toString(16).padStart(digits, '0')
}

/** Octets as hexadecimal digits without separators. */
export function hexOctets(bytes: Uint8Array, at: number, end: number): string {
  let text = ''
  for (let i = at; i < end; i++) text += hex(bytes[i] ?? 0, 2)
  return text
}

/** A link-layer address as Solaris writes it: `8:0:20:f:b1:51`. */
export function etherText(bytes: Uint8Array, at: number, length = 6): string {
  let text = hex(bytes[at] ?? 0)
  for (let i = 1; i < length; i++) text += `:${hex(bytes[at + i] ?? 0)}`
  return text
}

/** An IP address of 4 or 16 octets as digits. */
export function addressText(bytes: Uint8Array, at: number, length: 4 | 16): string {
  return formatAddress({ family: length === 4 ? 'inet' : 'inet6', bytes: bytes.slice(at, at + length) })
}

/** The host's name where there is one, otherwise its address. */
export function hostText(bytes: Uint8Array, at: number, length: 4 | 16, options: PrintOptions): string {
  const address = { family: length === 4 ? 'inet' : 'inet6', bytes: bytes.slice(at, at + length) } as const
  const name = options.hostName?.(address)
  return name === undefined || name === '' ? formatAddress(address) : safe(name)
}

/** Address and name, as the verbose form has them: `192.168.116.16, enigma`. */
export function addressAndName(bytes: Uint8Array, at: number, length: 4 | 16, options: PrintOptions): string {
  return `${addressText(bytes, at, length)}, ${hostText(bytes, at, length, options)}`
}

/** Bits of a field as Solaris pictures them, the others as dots: `...1 ....` for bit 4 of 8. */
export function bit(value: number, position: number): string {
  let text = ''
  for (let i = 7; i >= 0; i--) {
    text += i === position ? String((value >>> position) & 1) : '.'
    if (i === 4) text += ' '
  }
  return text
}

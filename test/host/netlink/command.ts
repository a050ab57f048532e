/**
 * Words in which the tables of commands say what a command should send.
 *
 * @module
 */
import { parseAddress } from '../../../agent/model/address.ts'
import { familyOf, toXfrmAddress } from '../../../netlink/xfrm/address.ts'
import { family } from '../../../netlink/xfrm/constants.ts'
import { anyAddress, defaultId, defaultSelector, defaultTemplate } from '../../../netlink/xfrm/defaults.ts'
import type { MessageName, XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import type { Selector, UserTmpl } from '../../../netlink/xfrm/structs.ts'
import type { Difference } from './differences.ts'

/** A request for a dump: its attributes stand where other messages have their body. */
export interface Dump {
  readonly dump: 'GETSA' | 'GETPOLICY'
  readonly attributes: XfrmMessage<'GETSA'>['attributes']
}

/** One `ip` command line and the messages that it should send. */
export interface Command {
  readonly line: string
  readonly sends: readonly (XfrmMessage | Dump)[]
  /** How iproute2's bytes differ from ours, where they do. */
  readonly differs?: Difference
  /** Command lines to run before, which are not looked at. */
  readonly before?: readonly string[]
}

/** A message from its parts. */
export function message<N extends MessageName>(
  name: N,
  body: XfrmMessage<N>['body'],
  attributes?: XfrmMessage<N>['attributes'],
): XfrmMessage {
  return { name, body, attributes: attributes ?? {} } as unknown as XfrmMessage
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text)
  if (address === undefined) throw new TypeError(`${text} is not an address`)
  return address.bytes
}

/** An address as XFRM takes it; none for the unspecified one. */
export function address(text?: string): Uint8Array {
  return text === undefined ? anyAddress() : toXfrmAddress(bytesOf(text))
}

/** The family of an address in text. */
export function familyOfText(text: string): number {
  return familyOf(bytesOf(text))
}

/** A selector of two prefixes, written `address/length`, and whatever else it says. */
export function between(src: string, dst: string, more: Partial<Selector> = {}): Selector {
  const [saddr = '', prefixlen_s] = src.split('/')
  const [daddr = '', prefixlen_d] = dst.split('/')
  return {
    ...defaultSelector(familyOfText(saddr)),
    saddr: address(saddr),
    daddr: address(daddr),
    prefixlen_s: Number(prefixlen_s),
    prefixlen_d: Number(prefixlen_d),
    ...more,
  }
}

/** A template for a protocol, and whatever else it says. */
export function template(proto: number, more: Partial<UserTmpl> = {}): UserTmpl {
  const base = defaultTemplate(more.family ?? family.INET)
  return { ...base, id: { ...defaultId(), proto }, ...more }
}

/** Bytes counting up from zero. */
export function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i)
}

/**
 * A policy of the software data path, as XFRM gave it.
 *
 * @module
 */

import type { XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { Selector, UserpolicyInfo, UserTmpl } from '../../../../netlink/xfrm/structs.ts'
import { bytesKey } from '../../../packet/octets.ts'

export interface Policy {
  readonly info: UserpolicyInfo
  readonly templates: readonly UserTmpl[]
  readonly markValue: number
  readonly markMask: number
  readonly attributes: XfrmAttributes
  /** Seconds since 1970; 0 = never. */
  readonly addTime: number
  useTime: number
  /** What it has let through with protection, or for want of an SA without: packets as they were in clear, IP headers included. */
  bytes: number
  packets: number
}

/** A packet of so many bytes was let through. @param now seconds since 1970 */
export function countPacket(policy: Policy, length: number, now: number): void {
  policy.useTime = now
  policy.bytes += length
  policy.packets++
}

export function policyOf(
  { body, attributes }: Pick<XfrmMessage<'NEWPOLICY'>, 'body' | 'attributes'>,
  index: number,
  now: number,
): Policy {
  const { v, m } = attributes.mark ?? { v: 0, m: 0 }
  return {
    info: { ...body, index },
    templates: attributes.tmpl ?? [],
    markValue: (v & m) >>> 0,
    markMask: m,
    attributes,
    addTime: now,
    useTime: 0,
    bytes: 0,
    packets: 0,
  }
}

/** What makes two policies of one direction the same for XFRM: selector, mark and interface id. */
export function policyIdentity(sel: Selector, { mark, if_id = 0 }: XfrmAttributes): string {
  const { v = 0, m = 0 } = mark ?? {}
  const numbers = [
    sel.family,
    sel.prefixlen_s,
    sel.prefixlen_d,
    sel.proto,
    sel.sport,
    sel.sport_mask,
    sel.dport,
    sel.dport_mask,
    sel.ifindex,
    sel.user,
    v & m,
    m,
    if_id,
  ]
  return `${bytesKey(sel.saddr)} ${bytesKey(sel.daddr)} ${numbers.join(' ')}`
}

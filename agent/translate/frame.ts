/**
 * The fixed frame around the rules: what must pass whatever they say, and what must not although they are silent.
 *
 * @module
 */
import { dir } from '../../netlink/xfrm/constants.ts'
import type { Mark, Selector } from '../../netlink/xfrm/structs.ts'
import { type Address, anyPrefix, type Family, hostPrefix } from '../model/address.ts'
import type { ClassTable } from './classes.ts'
import { clearIcmpSelectors } from './clear-icmp.ts'
import { combinationMark } from './combinations.ts'
import { allow, block, type KernelPolicy } from './kernel-policy.ts'
import { fieldOf, inField, type MarkLayout } from './marks.ts'
import { BAND } from './priorities.ts'
import { alignedBlocks, makeSelector } from './selectors.ts'

const PROTOCOL_IGMP = 2
const PROTOCOL_UDP = 17
const PROTOCOL_ICMPV6 = 58
const PROTOCOL_PIM = 103

/** IKE and IKE with NAT traversal (RFC 7296 section 2). */
const IKE_PORTS = [500, 4500] as const

/** ICMPv6 types without which a link does not work: MLD (RFC 2710, 3810), neighbour discovery (RFC 4861). */
const LINK_TYPES = [
  [130, 132],
  [133, 137],
  [143, 143],
] as const

/** Messages of protocols that hosts and routers live by, and that come in clear where the tunables say so. */
export interface ClearMessages {
  /** Errors and answers (see `clear-icmp.ts`). */
  readonly icmp: boolean
  readonly igmp: boolean
  readonly pim: boolean
}

export interface FrameContext {
  readonly classes: ClassTable
  readonly marks: MarkLayout | undefined
  /** Families that some rule is about. */
  readonly families: readonly Family[]
  /** Addresses of this host that nobody else can send from: what comes from them is its own. */
  readonly ownAddresses: readonly Address[]
  /** What is let in before all rules. ICMP only where no rule drops it, so that nothing is undone. */
  readonly clearMessages: ClearMessages
}

/** All policies of the frame. */
export function framePolicies(context: FrameContext): KernelPolicy[] {
  return context.families.flatMap((family) => [
    ...guard(family, context),
    ...system(family, context),
    ...fence(family, context),
  ])
}

function anySelector(family: Family): Selector {
  return makeSelector(anyPrefix(family), anyPrefix(family))
}

/** Packets of SAs that satisfy no requirement are refused before any rule can tolerate them as an extra. */
function guard(family: Family, { marks }: FrameContext): KernelPolicy[] {
  if (!marks) return []
  return [marks.esp, marks.ah].map((field) =>
    block(dir.IN, anySelector(family), BAND.guard, { v: inField(field, field.unclassed), m: field.mask }),
  )
}

/** A packet that some SA protected, but no rule asked for, is refused as on Solaris; Linux would deliver it. */
function fence(family: Family, { marks, classes }: FrameContext): KernelPolicy[] {
  if (!marks) return []
  const bits: Mark[] = []
  for (const protocol of ['esp', 'ah'] as const) {
    if (classes[protocol].length === 0) continue
    const field = fieldOf(marks, protocol)
    for (let bit = 0; bit < field.bits; bit++) {
      const value = inField(field, 2 ** bit)
      bits.push({ v: value, m: value })
    }
  }
  return bits.map((mark) => block(dir.IN, anySelector(family), BAND.fence, mark))
}

function system(family: Family, context: FrameContext): KernelPolicy[] {
  const policies = [...ike(family), ...clearIcmp(family, context)]
  if (family === 'inet') policies.push(...multicastRouting(context))
  else policies.push(...link(), ...loopback(context.ownAddresses))
  return policies
}

/** UDP 500 and 4500 of this host are always in clear: key management must work before there are keys. */
function ike(family: Family): KernelPolicy[] {
  const any = anyPrefix(family)
  return IKE_PORTS.flatMap((port) => {
    const own = { value: port, mask: 0xffff }
    return [
      allow(dir.OUT, makeSelector(any, any, PROTOCOL_UDP, own, undefined), BAND.system),
      allow(dir.IN, makeSelector(any, any, PROTOCOL_UDP, undefined, own), BAND.system),
    ]
  })
}

function link(): KernelPolicy[] {
  const any = anyPrefix('inet6')
  return LINK_TYPES.flatMap(([from, to]) => alignedBlocks(from, to)).flatMap((type) => {
    const sel = makeSelector(any, any, PROTOCOL_ICMPV6, type)
    return [allow(dir.OUT, sel, BAND.system), allow(dir.IN, sel, BAND.system)]
  })
}

/**
 * Traffic of this host with itself is never protected. IPv4's bypasses XFRM by itself, IPv6's does not. It is known
 * by its addresses: to XFRM, whatever is delivered here comes in on the loopback interface.
 */
function loopback(addresses: readonly Address[]): KernelPolicy[] {
  const any = anyPrefix('inet6')
  return addresses
    .filter((address) => address.family === 'inet6')
    .map(hostPrefix)
    .flatMap((own) => [
      allow(dir.OUT, makeSelector(any, own), BAND.system),
      allow(dir.IN, makeSelector(own, any), BAND.system),
    ])
}

/** `igmp_accept_clear_messages` and `pim_accept_clear_messages`. */
function multicastRouting(context: FrameContext): KernelPolicy[] {
  const any = anyPrefix('inet')
  const { igmp, pim } = context.clearMessages
  return [...(igmp ? [PROTOCOL_IGMP] : []), ...(pim ? [PROTOCOL_PIM] : [])].map((protocol) =>
    allow(dir.IN, makeSelector(any, any, protocol), BAND.system, undefined, clearOnly(context)),
  )
}

function clearIcmp(family: Family, context: FrameContext): KernelPolicy[] {
  if (!context.clearMessages.icmp) return []
  return clearIcmpSelectors(family).map((sel) =>
    allow(dir.IN, sel, BAND.system, undefined, clearOnly(context)),
  )
}

/** Matches packets that no SA protected; `undefined`, which matches all, where no marks are to be had. */
function clearOnly({ marks }: FrameContext): Mark | undefined {
  return marks && combinationMark({}, marks)
}

/**
 * How packets get to the software data path, and how those that may not pass are kept from passing: an nftables table
 * that asks the policies' selectors in the policies' order. It stands by itself. While the program is away, what should
 * be protected is refused, and what passes in clear passes.
 *
 * @module
 */
import { action, family as af, dir } from '../../../../../netlink/xfrm/constants.ts'
import type { Selector } from '../../../../../netlink/xfrm/structs.ts'
import { formatAddress } from '../../../../model/address.ts'
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IPIP,
  IPPROTO_IPV6,
} from '../../../../packet/protocols.ts'
import { BAND } from '../../../../translate/priorities.ts'
import { readAddress } from '../../../../translate/selectors.ts'
import type { Tunnel } from '../../../../translate/tunnels.ts'
import type { Policy } from '../../policy/policy.ts'
import { OWN, STEERED } from '../marks.ts'

/** The table's name. */
export const STEERING_TABLE = 'solipsec-datapath'
/**
 * Behind all that others may do with a packet: rules that set its mark (for several ways out, `meta mark set ct mark` is
 * common) would take the bit that steers it off again, and it would leave in clear. Addresses are then those after
 * destination NAT, as the kernel's policies see them, too.
 */
const LAST = 300

const STEER = `meta mark set meta mark or ${hex(STEERED)} accept`

/** What tunnel interfaces send: IPv4 and IPv6 in IP, and GRE. */
const TUNNELLING: readonly number[] = [IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE]

type Verdict = 'clear' | 'protect' | 'refuse'

/** Policies of one verdict that stand next to each other: in whatever order they are asked, the outcome is the same. */
interface Run {
  readonly verdict: Verdict
  readonly policies: Policy[]
}

/** What the table is made from. */
export interface Steering {
  /** Name of the device that the data path reads from and writes to. */
  readonly device: string
  readonly policies: readonly Policy[]
  /** Interfaces that policies are bound to: their own packets are steered, whatever is inside. */
  readonly tunnels: readonly Pick<Tunnel, 'endpoints' | 'protocols'>[]
}

/**
 * The script for nft(8) that replaces the table, in one transaction, by one that does just this. Of an IPv6 fragment that
 * is not the first, netfilter tells the protocol only where that is no extension header, as AH is one.
 */
export function steeringScript({ device, policies, tunnels }: Steering): string {
  const out = new Chain('out', runsOf(policies, dir.OUT), {
    clear: 'accept',
    protect: STEER,
    refuse: 'counter name refused_out drop',
  })
  const inward = new Chain('in', runsOf(policies, dir.IN), {
    clear: 'accept',
    protect: 'counter name clear_in drop',
    refuse: 'counter name refused_in drop',
  })
  const forward = new Chain('forward', runsOf(policies, dir.FWD), {
    clear: 'accept',
    protect: 'counter name clear_in drop',
    refuse: 'counter name refused_in drop',
  })
  return `${removalScript()}table inet ${STEERING_TABLE} {
counter refused_out { }
counter escaped { }
counter clear_in { }
counter refused_in { }
${out.sets()}${inward.sets()}${forward.sets()}chain output { type route hook output priority ${LAST}; policy accept;
socket mark & ${hex(OWN)} != 0 accept
oif lo accept
${tunnels.map(tunnelRule).join('')}${out.rules()}}
chain escaped { type filter hook postrouting priority ${LAST}; policy accept;
meta mark & ${hex(STEERED)} != 0 oifname != "${device}" counter name escaped drop
}
chain input { type filter hook input priority mangle; policy accept;
iif lo accept
iifname "${device}" accept
meta l4proto { 50, 51 } accept
frag nexthdr { 50, 51 } accept
${inward.rules()}}
chain forward { type filter hook forward priority mangle; policy accept;
iifname "${device}" accept
${forward.rules()}}
}
`
}

function tunnelRule({ endpoints: { local, remote }, protocols }: Steering['tunnels'][number]): string {
  const ip = local.family === 'inet' ? 'ip' : 'ip6'
  const ends = `${ip} saddr ${formatAddress(local)} ${ip} daddr ${formatAddress(remote)}`
  return `${ends} meta l4proto { ${protocols.join(', ')} } ${STEER}\n`
}

/** The script that takes the table away, if it is there. */
export function removalScript(): string {
  // Naming it first makes the deletion succeed where it is not there.
  return `table inet ${STEERING_TABLE}\ndelete table inet ${STEERING_TABLE}\n`
}

function runsOf(policies: readonly Policy[], direction: number): Run[] {
  const runs: Run[] = []
  for (const policy of policies) {
    if (policy.info.dir !== direction || isAboutOneself(policy)) continue
    const verdict = verdictOf(policy, direction)
    const last = runs.at(-1)
    if (last?.verdict === verdict) last.policies.push(policy)
    else runs.push({ verdict, policies: [policy] })
  }
  return runs
}

/**
 * The host's traffic with itself is told by its interface here. The addresses in these policies are those that the host
 * had when they were made: one that has moved to another host since must not be a way past the rules.
 */
function isAboutOneself({ info: { priority, sel } }: Policy): boolean {
  return priority === BAND.system && sel.proto === 0
}

function verdictOf({ info, templates }: Policy, direction: number): Verdict {
  if (info.action === action.BLOCK) return 'refuse'
  // Whether there is an SA is seen where SAs are, packet by packet.
  if (direction === dir.OUT) return templates.length > 0 ? 'protect' : 'clear'
  return templates.some(({ optional }) => optional === 0) ? 'protect' : 'clear'
}

/** One direction's rules. Between single hosts there may be many policies: they are looked up in sets. */
class Chain {
  readonly #sets = new Map<string, { readonly type: string; readonly elements: string[] }>()
  readonly #lines: string[] = []
  readonly #name: string

  constructor(name: string, runs: readonly Run[], verdicts: Readonly<Record<Verdict, string>>) {
    this.#name = name
    for (const [number, { verdict, policies }] of runs.entries()) {
      for (const policy of policies) {
        // What goes into a tunnel is steered where it comes out of it again, in the tunnel's own header.
        const isOwnWay = verdict === 'protect' && policy.info.sel.ifindex !== 0
        this.#add(policy, number, verdicts[isOwnWay ? 'clear' : verdict])
      }
    }
  }

  #add(policy: Policy, run: number, verdict: string): void {
    if (policy.markMask !== 0) {
      this.#addMarked(policy, run, verdict)
      return
    }
    const exact = exactKey(policy.info.sel)
    if (!exact) {
      this.#lines.push(`${[...conditions(policy), verdict].join(' ')}\n`)
      return
    }
    const name = `${this.#name}_${run}_${exact.shape}`
    const set = this.#sets.get(name)
    if (set) set.elements.push(exact.element)
    else {
      this.#sets.set(name, { type: exact.type, elements: [exact.element] })
      this.#lines.push(`${exact.expression} @${name} ${verdict}\n`)
    }
  }

  /**
   * A tunnel's own packet still bears the mark of the packet inside, but the kernel looks policy up for it with the
   * tunnel's mark, which is 0.
   */
  #addMarked(policy: Policy, run: number, verdict: string): void {
    const { sel, dir: direction } = policy.info
    const isForTunnels = direction === dir.OUT && (sel.proto === 0 || TUNNELLING.includes(sel.proto))
    if (isForTunnels && policy.markValue === 0) {
      const protocols = sel.proto === 0 ? TUNNELLING : [sel.proto]
      for (const proto of protocols) {
        this.#add({ ...policy, info: { ...policy.info, sel: { ...sel, proto } }, markMask: 0 }, run, verdict)
      }
    }
    const isOnlyForTunnels = isForTunnels && sel.proto !== 0
    if (!isOnlyForTunnels) this.#lines.push(`${[...conditions(policy), verdict].join(' ')}\n`)
  }

  sets(): string {
    return [...this.#sets]
      .map(
        ([name, { type, elements }]) =>
          `set ${name} { type ${type}; elements = { ${elements.join(', ')} }; }\n`,
      )
      .join('')
  }

  rules(): string {
    return this.#lines.join('')
  }
}

interface ExactKey {
  readonly shape: string
  readonly type: string
  readonly expression: string
  readonly element: string
}

/** How a selector is looked up in a set: two single hosts, and each other field either exact or free. */
function exactKey(sel: Selector): ExactKey | undefined {
  const isV4 = sel.family === af.INET
  const bits = isV4 ? 32 : 128
  const ports = [sel.sport_mask, sel.dport_mask]
  if (sel.prefixlen_s !== bits || sel.prefixlen_d !== bits || sel.ifindex !== 0) return undefined
  if (isIcmp(sel.proto) && ports.some((mask) => mask !== 0)) return undefined
  if (ports.some((mask) => mask !== 0 && mask !== 0xffff) || (sel.proto === 0 && ports.some(Boolean)))
    return undefined
  const ip = isV4 ? 'ip' : 'ip6'
  const address = isV4 ? 'ipv4_addr' : 'ipv6_addr'
  const parts = [
    { letter: '', type: address, expression: `${ip} saddr`, value: text(sel.saddr, sel) },
    { letter: isV4 ? '4' : '6', type: address, expression: `${ip} daddr`, value: text(sel.daddr, sel) },
    ...(sel.proto === 0
      ? []
      : [{ letter: 'p', type: 'inet_proto', expression: 'meta l4proto', value: String(sel.proto) }]),
    ...(sel.sport_mask === 0
      ? []
      : [{ letter: 's', type: 'inet_service', expression: 'th sport', value: String(sel.sport) }]),
    ...(sel.dport_mask === 0
      ? []
      : [{ letter: 'd', type: 'inet_service', expression: 'th dport', value: String(sel.dport) }]),
  ]
  return {
    shape: parts.map(({ letter }) => letter).join(''),
    type: parts.map(({ type }) => type).join(' . '),
    expression: parts.map(({ expression }) => expression).join(' . '),
    element: parts.map(({ value }) => value).join(' . '),
  }
}

/** A selector as conditions of one rule. */
function conditions({ info: { sel }, markValue, markMask }: Policy): string[] {
  const ip = sel.family === af.INET ? 'ip' : 'ip6'
  const found: string[] = []
  if (markMask !== 0) found.push(`meta mark & ${hex(markMask)} == ${hex(markValue)}`)
  if (sel.ifindex !== 0) found.push(`meta oif ${sel.ifindex}`)
  found.push(`meta nfproto ${sel.family === af.INET ? 'ipv4' : 'ipv6'}`)
  if (sel.prefixlen_s > 0) found.push(`${ip} saddr ${text(sel.saddr, sel)}/${sel.prefixlen_s}`)
  if (sel.prefixlen_d > 0) found.push(`${ip} daddr ${text(sel.daddr, sel)}/${sel.prefixlen_d}`)
  if (sel.proto !== 0) found.push(`meta l4proto ${sel.proto}`)
  const [first, second] = isIcmp(sel.proto)
    ? (['@th,0,8', '@th,8,8'] as const)
    : (['th sport', 'th dport'] as const)
  const limit = isIcmp(sel.proto) ? 0xff : 0xffff
  found.push(
    ...masked(first, sel.sport, sel.sport_mask, limit),
    ...masked(second, sel.dport, sel.dport_mask, limit),
  )
  return found
}

function masked(field: string, value: number, mask: number, limit: number): string[] {
  if (mask === 0) return []
  // The kernel compares ICMP's one byte as two: with bits beyond it, nothing matches.
  const bits = mask & limit
  return bits === limit ? [`${field} ${value}`] : [`${field} & ${hex(bits)} == ${hex(value & bits)}`]
}

function isIcmp(protocol: number): boolean {
  return protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6
}

function text(bytes: Uint8Array, sel: Selector): string {
  return formatAddress(readAddress(bytes, sel.family))
}

function hex(bits: number): string {
  return `0x${(bits >>> 0).toString(16)}`
}

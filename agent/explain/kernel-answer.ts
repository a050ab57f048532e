/**
 * What becomes of a packet by the kernel's tables: XFRM's look-up, done on a dump. The kernel itself has no request
 * that would answer it: XFRM_MSG_GETPOLICY finds a policy by its own selector only, not by a packet.
 *
 * @module
 */
import { action, family as af, dir, mode } from '../../netlink/xfrm/constants.ts'
import type { Selector, UserTmpl } from '../../netlink/xfrm/structs.ts'
import { type Protector, satisfiesTemplates } from '../datapath/software/policy/templates.ts'
import { type Flow, newFlow, selectorMatches, stateSelectorMatches } from '../packet/flow.ts'
import { isOurPolicyIndex } from '../reconcile/ownership.ts'
import type { InstalledPolicy } from '../reconcile/plan.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import { familyNumber } from '../translate/selectors.ts'
import { isIcmp, outerPacket, type Packet, type Passage } from './packet.ts'

/** What is looked up in. */
export interface KernelTables {
  /** In the order of asking: see {@link inAskingOrder}. */
  readonly policies: readonly InstalledPolicy[]
  /** Whoever's they are, the newest first. */
  readonly associations: readonly KernelAssociation[]
  /** The mark bit of packets that are passed on; 0 = none. */
  readonly forwardedMark: number
  /** Directions in which what no policy is about is dropped (`ip xfrm policy setdefault`). */
  readonly blocked: readonly Lookup['direction'][]
}

/** Policies as the kernel asks them: smallest priority first, of equal ones the older. */
export function inAskingOrder(newestFirst: readonly InstalledPolicy[]): InstalledPolicy[] {
  return newestFirst
    .filter(({ ifId }) => ifId === 0)
    .reverse()
    .sort((a, b) => a.info.priority - b.info.priority)
}

/** One question to the policies, and the one that answers it. */
export interface Lookup {
  readonly direction: 'in' | 'out' | 'fwd'
  readonly mark: number
  /** The tunnel interface's own packet, not the one that it carries. */
  readonly isOuter: boolean
  readonly policy: InstalledPolicy | undefined
  /** Of solipsec; else of another program. */
  readonly isOurs: boolean
}

export type KernelDeparture =
  | { readonly kind: 'clear' }
  /** SAs, the innermost first. */
  | { readonly kind: 'protected'; readonly associations: readonly KernelAssociation[] }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'held'; readonly missing: UserTmpl }

export interface DepartureAnswer {
  readonly departure: KernelDeparture
  readonly lookups: readonly Lookup[]
}

export interface ArrivalAnswer {
  readonly isAccepted: boolean
  readonly lookups: readonly Lookup[]
}

/** The flow key of a packet in its own direction. */
export function flowOf(packet: Packet, way: 'in' | 'out', ifindex = 0): Flow {
  const { family, local, remote, protocol, localPort, remotePort, type, code } = packet
  const flow = newFlow()
  const [source, destination] = way === 'out' ? [local, remote] : [remote, local]
  const [sport, dport] = way === 'out' ? [localPort, remotePort] : [remotePort, localPort]
  flow.source.set(source.bytes)
  flow.destination.set(destination.bytes)
  // The flow key keeps ICMP type and code where others have ports.
  const ports = isIcmp(protocol) ? { sport: type, dport: code } : { sport, dport }
  return Object.assign(flow, { family: familyNumber(family), protocol, ifindex, ...ports })
}

/** What the kernel does with a packet that leaves. */
export function askDeparture(packet: Packet, passage: Passage, tables: KernelTables): DepartureAnswer {
  const { isForwarded, tunnel, ifindex } = passage
  const lookups: Lookup[] = []
  const flow = flowOf(packet, 'out', ifindex)
  const mark = isForwarded ? tables.forwardedMark : 0
  if (isForwarded) {
    const passing = lookUp(tables, dir.FWD, flow, 0, lookups)
    const isBlocked = passing ? !admits(passing, []) : tables.blocked.includes('fwd')
    if (isBlocked) return { departure: { kind: 'blocked' }, lookups }
  }
  const departure = resolve(lookUp(tables, dir.OUT, flow, mark, lookups), flow, tables)
  if (departure.kind !== 'clear' || !tunnel) return { departure, lookups }
  // Nothing protects the packet on its way into the interface; what the interface sends is asked about again.
  const outer = flowOf(outerPacket(packet, tunnel), 'out')
  return { departure: resolve(lookUp(tables, dir.OUT, outer, 0, lookups, true), outer, tables), lookups }
}

function resolve(policy: InstalledPolicy | undefined, flow: Flow, tables: KernelTables): KernelDeparture {
  if (!policy) return { kind: tables.blocked.includes('out') ? 'blocked' : 'clear' }
  if (policy.info.action === action.BLOCK) return { kind: 'blocked' }
  const chosen: KernelAssociation[] = []
  // What is around a tunnel is between the tunnel's ends.
  let ends: Ends = flow
  for (const tmpl of policy.tmpl) {
    if (tmpl.mode === mode.TUNNEL) ends = { source: tmpl.saddr, destination: tmpl.id.daddr }
    const found = sender(tmpl, flow, ends, tables.associations)
    if (found) chosen.push(found)
    else if (tmpl.optional === 0) return { kind: 'held', missing: tmpl }
  }
  return chosen.length === 0 ? { kind: 'clear' } : { kind: 'protected', associations: chosen }
}

type Ends = Pick<Flow, 'source' | 'destination'>

/** The SA that the kernel takes: one for the packet's own source before one for any, then the newest. */
function sender(
  tmpl: UserTmpl,
  flow: Flow,
  { source, destination }: Ends,
  associations: readonly KernelAssociation[],
): KernelAssociation | undefined {
  const length = tmpl.family === af.INET ? 4 : 16
  const suitable = associations.filter(({ state: { body } }) => {
    return (
      body.id.proto === tmpl.id.proto &&
      body.reqid === tmpl.reqid &&
      body.mode === tmpl.mode &&
      body.family === tmpl.family &&
      (tmpl.id.spi === 0 || tmpl.id.spi === body.id.spi) &&
      startsAlike(body.id.daddr, destination, length) &&
      (isZero(body.saddr) || startsAlike(body.saddr, source, length)) &&
      carriesFlow(body.sel, flow)
    )
  })
  const own = suitable.filter(({ state }) => !isZero(state.body.saddr))
  return newest(own.length > 0 ? own : suitable)
}

function newest(associations: readonly KernelAssociation[]): KernelAssociation | undefined {
  let best: KernelAssociation | undefined
  for (const one of associations) if (!best || one.counters.add_time > best.counters.add_time) best = one
  return best
}

function startsAlike(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false
  return true
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/**
 * What the kernel does with a packet that arrives.
 *
 * @param path the SAs that protected it, outermost first
 */
export function askArrival(
  packet: Packet,
  { isForwarded, tunnel }: Passage,
  path: readonly KernelAssociation[],
  tables: KernelTables,
): ArrivalAnswer {
  const lookups: Lookup[] = []
  const mark = path.reduce((before, { setMark }) => {
    const { value, mask } = setMark ?? { value: 0, mask: 0 }
    return ((before & ~mask) | (value & mask)) >>> 0
  }, 0)
  if (tunnel && path.length === 0) {
    const outer = flowOf(outerPacket(packet, tunnel), 'in')
    const policy = lookUp(tables, dir.IN, outer, 0, lookups, true)
    if (policy && !admits(policy, [])) return { isAccepted: false, lookups }
  }
  const flow = flowOf(packet, 'in')
  if (path.some(({ state }) => !carriesFlow(state.body.sel, flow))) return { isAccepted: false, lookups }
  const direction = isForwarded ? dir.FWD : dir.IN
  const policy = lookUp(tables, direction, flow, mark, lookups)
  // Without a policy, transport mode is tolerated, and a tunnel is not.
  const isBlocked = tables.blocked.includes(isForwarded ? 'fwd' : 'in')
  const isAccepted = policy ? admits(policy, path) : !isBlocked && path.every((one) => !isTunnelMode(one))
  return { isAccepted, lookups }
}

/** A selector without prefixes, protocol and ports is for every flow, whatever its family. */
function carriesFlow(sel: Selector, flow: Flow): boolean {
  const isAny =
    sel.prefixlen_s === 0 &&
    sel.prefixlen_d === 0 &&
    sel.proto === 0 &&
    (sel.sport_mask | sel.dport_mask) === 0
  return isAny || stateSelectorMatches(sel, flow)
}

function isTunnelMode({ state }: KernelAssociation): boolean {
  return state.body.mode === mode.TUNNEL
}

function admits({ info, tmpl }: InstalledPolicy, path: readonly KernelAssociation[]): boolean {
  if (info.action === action.BLOCK) return false
  const protectors = path.map(
    (one): Protector => ({
      body: one.state.body,
      attributes: one.state.attributes,
      isTunnel: isTunnelMode(one),
    }),
  )
  return satisfiesTemplates(tmpl, protectors, protectors.length)
}

const NAMES = { [dir.IN]: 'in', [dir.OUT]: 'out', [dir.FWD]: 'fwd' } as const

function lookUp(
  { policies }: KernelTables,
  direction: typeof dir.IN | typeof dir.OUT | typeof dir.FWD,
  flow: Flow,
  mark: number,
  lookups: Lookup[],
  isOuter = false,
): InstalledPolicy | undefined {
  const policy = policies.find(
    (one) => one.info.dir === direction && hasMark(one, mark) && selectorMatches(one.info.sel, flow),
  )
  const isOurs = policy !== undefined && isOurPolicyIndex(policy.info.index)
  lookups.push({ direction: NAMES[direction], mark, isOuter, policy, isOurs })
  return policy
}

function hasMark({ mark }: InstalledPolicy, value: number): boolean {
  return !mark || (value & mark.m) >>> 0 === (mark.v & mark.m) >>> 0
}

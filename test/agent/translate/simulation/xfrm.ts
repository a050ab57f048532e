/**
 * What Linux does with a packet, given its policy and state tables: the lookup rules of XFRM, written for
 * legibility. It knows nothing of Solaris, rules or classes.
 *
 * @module
 */

import { prefixContains } from '../../../../agent/model/address.ts'
import type { KernelPolicy } from '../../../../agent/translate/kernel-policy.ts'
import { readAddress } from '../../../../agent/translate/selectors.ts'
import { action, family as af, dir, mode, proto } from '../../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { Selector, UserTmpl } from '../../../../netlink/xfrm/structs.ts'
import { isIcmp, type Packet } from './packet.ts'

/** An SA as it was sent to the kernel. */
export type State = Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>

type Way = typeof dir.IN | typeof dir.OUT

/** A packet from its source's point of view, as the flow key has it. */
interface Flow {
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly family: number
  readonly protocol: number
  readonly sport: number
  readonly dport: number
}

function flowOf(packet: Packet, way: Way): Flow {
  const { local, remote, protocol } = packet
  const [from, to] = way === dir.OUT ? [local, remote] : [remote, local]
  const ports =
    way === dir.OUT ? [packet.localPort, packet.remotePort] : [packet.remotePort, packet.localPort]
  // The flow key keeps ICMP type and code where others have ports.
  const [sport = 0, dport = 0] = isIcmp(protocol) ? [packet.type, packet.code] : ports
  const family = packet.family === 'inet' ? af.INET : af.INET6
  return { source: from.bytes, destination: to.bytes, family, protocol, sport, dport }
}

function matches(sel: Selector, flow: Flow): boolean {
  return (
    sel.family === flow.family &&
    prefixContains(
      { ...readAddress(sel.saddr, sel.family), length: sel.prefixlen_s },
      readAddress(flow.source, flow.family),
    ) &&
    prefixContains(
      { ...readAddress(sel.daddr, sel.family), length: sel.prefixlen_d },
      readAddress(flow.destination, flow.family),
    ) &&
    (sel.proto === 0 || sel.proto === flow.protocol) &&
    ((flow.sport ^ sel.sport) & sel.sport_mask) === 0 &&
    ((flow.dport ^ sel.dport) & sel.dport_mask) === 0 &&
    sel.ifindex === 0
  )
}

/** The policy that the kernel takes: smallest priority; of equal ones the older, which stands first here. */
export function findPolicy(
  policies: readonly KernelPolicy[],
  packet: Packet,
  way: Way,
  mark: number,
): KernelPolicy | undefined {
  const flow = flowOf(packet, way)
  let best: KernelPolicy | undefined
  for (const policy of policies) {
    if (policy.dir !== way || (best && policy.priority >= best.priority)) continue
    const { v, m } = policy.mark ?? { v: 0, m: 0 }
    if ((mark & m) >>> 0 === (v & m) >>> 0 && matches(policy.sel, flow)) best = policy
  }
  return best
}

export type Verdict =
  | { readonly kind: 'sent'; readonly states: readonly State[] }
  | { readonly kind: 'blocked' }
  /** No SA for a required template: an acquire goes out, the packet does not. */
  | { readonly kind: 'held' }

/** @param states the newest first, as the kernel prefers them */
export function send(
  policies: readonly KernelPolicy[],
  states: readonly State[],
  packet: Packet,
  mark: number,
): Verdict {
  const policy = findPolicy(policies, packet, dir.OUT, mark)
  if (!policy) return { kind: 'sent', states: [] }
  if (policy.action === action.BLOCK) return { kind: 'blocked' }
  const flow = flowOf(packet, dir.OUT)
  const chosen: State[] = []
  for (const tmpl of policy.tmpl) {
    const suitable = states.filter((one) => suits(one, tmpl, flow))
    const state = suitable.find(hasSource) ?? suitable[0]
    if (state) chosen.push(state)
    else if (tmpl.optional === 0) return { kind: 'held' }
  }
  return { kind: 'sent', states: chosen }
}

/** An SA for the packet's own source comes before one for any. */
function hasSource({ body }: State): boolean {
  return body.saddr.some((byte) => byte !== 0)
}

function suits(state: State, tmpl: UserTmpl, flow: Flow): boolean {
  const { body } = state
  const anySource = !hasSource(state)
  return (
    body.id.proto === tmpl.id.proto &&
    body.reqid === tmpl.reqid &&
    body.mode === tmpl.mode &&
    body.family === flow.family &&
    startsWith(body.id.daddr, flow.destination) &&
    (anySource || startsWith(body.saddr, flow.source)) &&
    matches(body.sel, flow)
  )
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return head.every((byte, i) => byte === bytes[i])
}

/**
 * True where the packet is delivered.
 *
 * @param path the SAs that were taken off, outermost first
 */
export function deliver(policies: readonly KernelPolicy[], path: readonly State[], packet: Packet): boolean {
  let mark = 0
  for (const { attributes } of path) {
    const { set_mark: value = 0, set_mark_mask: mask = 0 } = attributes
    mark = ((mark & ~mask) | (value & mask)) >>> 0
  }
  const flow = flowOf(packet, dir.IN)
  if (path.some(({ body }) => !matches(body.sel, flow))) return false
  const policy = findPolicy(policies, packet, dir.IN, mark)
  if (!policy) return true
  if (policy.action === action.BLOCK) return false
  return satisfiesTemplates(policy.tmpl, path)
}

/** The last template is the outermost header. Transport protection beyond the templates is tolerated. */
function satisfiesTemplates(templates: readonly UserTmpl[], path: readonly State[]): boolean {
  let next = 0
  for (const tmpl of [...templates].reverse()) {
    if (tmpl.optional !== 0 && tmpl.mode === mode.TRANSPORT) continue
    while (next < path.length && !satisfies(path[next], tmpl)) next++
    if (next === path.length) return false
    next++
  }
  return true
}

function satisfies(state: State | undefined, tmpl: UserTmpl): boolean {
  return (
    state !== undefined &&
    state.body.id.proto === tmpl.id.proto &&
    (tmpl.reqid === 0 || state.body.reqid === tmpl.reqid) &&
    state.body.mode === tmpl.mode
  )
}

/** AH and ESP by their protocol numbers. */
export function isEsp({ body }: State): boolean {
  return body.id.proto === proto.ESP
}

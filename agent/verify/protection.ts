/**
 * Whether the SAs that a packet was protected by are those that policy asks for.
 *
 * @module
 */
import { action, family as af, dir } from '../../netlink/xfrm/constants.ts'
import type { Cover } from '../capture/frame.ts'
import { type Protector, satisfiesTemplates } from '../datapath/software/policy/templates.ts'
import { type Flow, stateSelectorMatches } from '../packet/flow.ts'
import type { Snapshot } from './snapshot.ts'
import type { Judgement } from './verdict.ts'
import { protectionText } from './words.ts'

/** A packet whose protection was taken off. */
export interface OpenedPacket {
  /** Of what was inside. Its `ifindex` is changed. */
  readonly flow: Flow
  /** The SAs, the outermost first, and the same as they were taken off. */
  readonly path: readonly Protector[]
  readonly covers: readonly Cover[]
  /** Index of the interface. */
  readonly ifindex: number
  /** What was inside has an address of this host. */
  readonly isFromHere: boolean
  readonly isForHere: boolean
}

/** What this host has protected: by what its outbound policy asks for? */
export function judgeSent(
  { flow, path, covers, ifindex, isFromHere }: OpenedPacket,
  snapshot: Snapshot,
): Judgement {
  let failure: Judgement | undefined
  const interfaceId = path[0]?.attributes.if_id ?? 0
  for (const device of [ifindex, ...tunnelDevices(path, snapshot)]) {
    flow.ifindex = device
    for (const mark of isFromHere ? [0] : [snapshot.forwardedMark, 0]) {
      const policy = snapshot.lookup(dir.OUT, flow, mark, interfaceId)
      if (!policy) continue
      const isAllowed = policy.info.action !== action.BLOCK
      if (isAllowed && satisfiesTemplates(policy.templates, path, path.length)) {
        return { category: policy.templates.length > 0 ? 'protected' : 'unasked', policy }
      }
      failure = { category: 'leak', policy, seen: protectionText(path, covers) }
    }
  }
  return failure ?? { category: 'unasked' }
}

/** Tunnel interfaces whose packets an SA in tunnel mode carries: rules of tunnels are bound to them. */
function tunnelDevices(path: readonly Protector[], snapshot: Snapshot): number[] {
  const tunnel = path.find(({ isTunnel }) => isTunnel)
  if (!tunnel) return []
  const length = tunnel.body.family === af.INET ? 4 : 16
  const { saddr, id } = tunnel.body
  return snapshot.tunnelsBetween(saddr.subarray(0, length), id.daddr.subarray(0, length))
}

/** As the way in does (`inbound.ts`): the SAs' marks choose the policy, and it is held against the SAs. */
export function judgeArrived({ flow, path, covers, isForHere }: OpenedPacket, snapshot: Snapshot): Judgement {
  const came = protectionText(path, covers)
  let mark = 0
  for (const { body, attributes } of path) {
    if (!stateSelectorMatches(body.sel, flow)) {
      return { category: 'arrivedOtherwise', seen: `${came}, which is for other packets` }
    }
    const { set_mark: value, set_mark_mask: mask = 0xffffffff } = attributes
    if (value !== undefined) mark = ((mark & ~mask) | (value & mask)) >>> 0
  }
  const isTunnelled = path.some(({ isTunnel }) => isTunnel)
  const interfaceId = path.find(({ attributes }) => attributes.if_id)?.attributes.if_id ?? 0
  const policy = snapshot.lookup(isTunnelled && !isForHere ? dir.FWD : dir.IN, flow, mark, interfaceId)
  if (!policy) {
    if (!isTunnelled) return { category: 'unasked' }
    return { category: 'arrivedOtherwise', seen: `${came}, for which there is no policy` }
  }
  const isAllowed = policy.info.action !== action.BLOCK
  if (isAllowed && satisfiesTemplates(policy.templates, path, path.length)) {
    return { category: policy.templates.length > 0 ? 'protected' : 'unasked', policy }
  }
  return { category: 'arrivedOtherwise', policy, seen: came }
}

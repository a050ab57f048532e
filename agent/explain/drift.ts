/**
 * What the kernel has otherwise than the rules ask for, as far as it matters to one packet.
 *
 * @module
 */
import { dir } from '../../netlink/xfrm/constants.ts'
import { type Flow, selectorMatches } from '../packet/flow.ts'
import type { InstalledPolicy, PolicyPlan } from '../reconcile/plan.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import { flowOf } from './kernel-answer.ts'
import { outerPacket, type Packet, type Passage } from './packet.ts'

export type Drift =
  | { readonly kind: 'missing'; readonly wanted: KernelPolicy }
  | { readonly kind: 'changed'; readonly found: InstalledPolicy; readonly wanted: KernelPolicy }
  | { readonly kind: 'left over'; readonly found: InstalledPolicy }
  /** A policy of another program has the place that one of ours should have. */
  | { readonly kind: 'in the way'; readonly found: InstalledPolicy; readonly wanted: KernelPolicy }

/** The steps of a plan that are about policies which the kernel asks for this packet. */
export function driftFor(plan: PolicyPlan, packet: Packet, passage: Passage): Drift[] {
  const { way, isForwarded, tunnel, ifindex } = passage
  const direction = way === 'out' ? dir.OUT : isForwarded ? dir.FWD : dir.IN
  const flows: [Flow, number][] = [[flowOf(packet, way, way === 'out' ? ifindex : 0), direction]]
  if (tunnel) flows.push([flowOf(outerPacket(packet, tunnel), way), way === 'out' ? dir.OUT : dir.IN])
  const isAsked = ({ dir: itsDirection, sel }: Pick<KernelPolicy, 'dir' | 'sel'> | InstalledPolicy['info']) =>
    flows.some(([flow, wanted]) => itsDirection === wanted && selectorMatches(sel, flow))
  return [
    ...plan.add.filter(isAsked).map((wanted): Drift => ({ kind: 'missing', wanted })),
    ...plan.update
      .filter(({ from }) => isAsked(from.info))
      .map(({ from: found, to: wanted }): Drift => ({ kind: 'changed', found, wanted })),
    ...plan.remove.filter(({ info }) => isAsked(info)).map((found): Drift => ({ kind: 'left over', found })),
    ...plan.conflicts
      .filter(({ foreign }) => isAsked(foreign.info))
      .map(({ foreign: found, wanted }): Drift => ({ kind: 'in the way', found, wanted })),
  ]
}

/**
 * What becomes of a packet that this host sends (`xfrm_lookup` and `xfrm_output` of the kernel).
 *
 * @module
 */
import { action, family as af, dir } from '../../../netlink/xfrm/constants.ts'
import type { Flow } from '../../packet/flow.ts'
import type { IpHeader } from '../../packet/ip-header.ts'
import type { Packet } from '../../packet/packet.ts'
import { V4_LENGTH, V6_LENGTH } from '../../packet/protocols.ts'
import type { Databases } from './databases.ts'
import { encapsulate, overheadOf } from './encapsulation.ts'
import { FlowCache } from './policy/flow-cache.ts'
import type { Policy } from './policy/policy.ts'
import { HARD, SOFT } from './state/lifetime.ts'
import type { State } from './state/state.ts'
import type { Counter } from './state/statistics.ts'

/** What policy says of a flow. */
export type Decision =
  /** @property isChoice - a policy would protect it if there were an SA */
  | { readonly kind: 'clear'; readonly isChoice: boolean; readonly policy?: Policy }
  | { readonly kind: 'refuse'; readonly counter: Counter }
  /** SAs, the innermost first. */
  | { readonly kind: 'protect'; readonly states: readonly State[]; readonly policy: Policy }

const CLEAR: Decision = { kind: 'clear', isChoice: false }
const BLOCKED: Decision = { kind: 'refuse', counter: 'XfrmOutPolBlock' }

export class Outbound {
  readonly #databases: Databases
  readonly #cache = new FlowCache<Decision>()

  constructor(databases: Databases) {
    this.#databases = databases
  }

  /** What is to be done with packets of a flow. A decision that needs an SA which is not there is never kept. */
  decide(flow: Flow, mark = 0): Decision {
    const { generation } = this.#databases
    const known = this.#cache.get(flow, mark, generation)
    if (known) return known
    const policy = this.#databases.policies.lookup(dir.OUT, flow, mark)
    const decision = policy ? this.#resolve(policy, flow) : CLEAR
    const isLasting = decision.kind !== 'refuse' || decision === BLOCKED
    if (isLasting) this.#cache.set(flow, mark, generation, decision)
    return decision
  }

  #resolve(policy: Policy, flow: Flow): Decision {
    policy.useTime = this.#databases.now
    if (policy.info.action === action.BLOCK) return BLOCKED
    const states: State[] = []
    for (const [index, tmpl] of policy.templates.entries()) {
      const state = this.#databases.states.sender(tmpl, flow)
      if (state) states.push(state)
      else if (tmpl.optional === 0) {
        this.#databases.events.acquire(policy, index, flow)
        return { kind: 'refuse', counter: 'XfrmOutNoStates' }
      }
    }
    if (states.length > 0) return { kind: 'protect', states, policy }
    return policy.templates.length > 0 ? { kind: 'clear', isChoice: true, policy } : CLEAR
  }

  /**
   * Protects a packet in place with the SAs of its decision.
   *
   * @returns the counter of the reason why it cannot be
   */
  protect(packet: Packet, ip: IpHeader, states: readonly State[]): Counter | undefined {
    const { now } = this.#databases
    for (const state of states) {
      const stage = state.stage()
      if (stage === HARD) {
        this.#databases.expire(state)
        return 'XfrmOutStateExpired'
      }
      if (stage === SOFT) this.#databases.softExpire(state)
      // What is counted is what is protected: in transport mode not the IP header.
      const length = packet.end - (state.isTunnel ? packet.at : ip.upperAt)
      const failure = encapsulate(state, packet, ip)
      if (failure) return failure
      state.use(length, now)
    }
    return undefined
  }
}

/** The longest packet of this kind that is not longer than `mtu` with its protection. */
export function innerMtu(states: readonly State[], ip: IpHeader, mtu: number): number {
  const headers = ip.upperAt - ip.at
  let low = headers
  let high = mtu
  // Padding makes the overhead go up and down with the length: the largest that fits is searched for.
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (protectedLength(states, headers, middle) <= mtu) low = middle
    else high = middle - 1
  }
  return low
}

/** Length of a packet of `length` bytes, of which its headers are `headers`, with its protection around it. */
export function protectedLength(states: readonly State[], headers: number, length: number): number {
  let total = length
  let headerLength = headers
  for (const state of states) {
    const grown = total + overheadOf(state, total, total - headerLength)
    if (state.isTunnel) headerLength = state.body.family === af.INET ? V4_LENGTH : V6_LENGTH
    total = grown
  }
  return total
}

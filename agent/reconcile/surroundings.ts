/**
 * The interfaces and addresses of the namespace that a session works on, read when they are first asked for.
 *
 * @module
 */
import type { OwnTunnel } from '../model/tunnel.ts'
import type { HostLink } from '../translate/tunnel-interfaces.ts'
import { type HostNetwork, readHostLinks, readHostNetwork } from './host.ts'
import { networkWith } from './tunnel-network.ts'
import { isEmptyTunnelPlan, planTunnels, stepsOut, type TunnelPlan } from './tunnel-plan.ts'
import { runTunnelSteps, TunnelError } from './tunnel-steps.ts'

export class Surroundings {
  #network: HostNetwork | undefined
  #links: readonly HostLink[] | undefined

  get network(): HostNetwork {
    this.#network ??= readHostNetwork()
    return this.#network
  }

  get links(): readonly HostLink[] {
    this.#links ??= readHostLinks()
    return this.#links
  }

  /** The network as it is when the tunnel interfaces of ours are as they are to be. */
  networkFor(before: readonly OwnTunnel[], after: readonly OwnTunnel[]): HostNetwork {
    if (before.length + after.length === 0) return this.network
    return networkWith(this.network, this.links, before, after)
  }

  /** Something has changed. */
  forget(): void {
    this.#network = undefined
    this.#links = undefined
  }

  /** What it takes to have the tunnel interfaces of ours as they are to be. */
  planRepair(own: readonly OwnTunnel[]): TunnelPlan {
    return planTunnels(own, own, own.length > 0 ? this.links : [])
  }

  /** Carries a plan out, as far as the kernel lets it, where policies are as they are to be. @throws TunnelError */
  repair({ early, middle, late }: TunnelPlan): void {
    this.forget()
    runTunnelSteps([...early, ...middle, ...late])
  }

  /**
   * Begins to take a change back, before policies do: what was not there before goes, and what had other ends goes down.
   *
   * @param own those that were ours
   * @param pending those that would have been
   * @throws TunnelError
   */
  beginBack(own: readonly OwnTunnel[], pending: readonly OwnTunnel[]): void {
    this.forget()
    if (own.length + pending.length === 0) return
    runTunnelSteps(stepsOut(planTunnels(own, [...own, ...pending], this.links)))
    this.forget()
  }

  /**
   * Makes the others what they were. Where the kernel does not let it, nothing passes that should not: the interface is
   * missing, which the agent, or the next change, mends.
   */
  finishBack(own: readonly OwnTunnel[], pending: readonly OwnTunnel[]): void {
    if (own.length + pending.length === 0) return
    const plan = planTunnels(own, [...own, ...pending], this.links)
    try {
      if (!isEmptyTunnelPlan(plan)) this.repair(plan)
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
    }
  }
}

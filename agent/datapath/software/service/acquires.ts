/**
 * Acquires: key managers are told which SA a packet would have needed (`XFRM_MSG_ACQUIRE`).
 *
 * @module
 */
import { family as af, mode } from '../../../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { Flow } from '../../../packet/flow.ts'
import type { Policy } from '../policy/policy.ts'

const MOST_REMEMBERED = 10_000

export class Acquires {
  /** When each may be sent again. */
  readonly #pending = new Map<string, number>()
  readonly #pause: () => number

  /** @param pause seconds in which an acquire for the same need is not repeated */
  constructor(pause: () => number) {
    this.#pause = pause
  }

  /**
   * @param template index of the one of `policy` that no SA meets
   * @param now seconds
   * @returns what is to be announced, if it was not lately
   */
  need(policy: Policy, template: number, flow: Flow, now: number): XfrmMessage<'ACQUIRE'> | undefined {
    const tmpl = policy.templates[template]
    if (!tmpl) return undefined
    const key = `${policy.info.index} ${template} ${String(flow.source)} ${String(flow.destination)}`
    if ((this.#pending.get(key) ?? 0) > now) return undefined
    if (this.#pending.size > MOST_REMEMBERED) this.#pending.clear()
    this.#pending.set(key, now + this.#pause())
    return acquireMessage(policy, tmpl, flow)
  }
}

function acquireMessage(
  policy: Policy,
  tmpl: Policy['templates'][number],
  flow: Flow,
): XfrmMessage<'ACQUIRE'> {
  const { aalgos, ealgos, calgos } = tmpl
  const prefix = flow.family === af.INET ? 32 : 128
  const sel = {
    ...defaultPolicy().sel,
    family: flow.family,
    saddr: flow.source.slice(),
    daddr: flow.destination.slice(),
    prefixlen_s: prefix,
    prefixlen_d: prefix,
    proto: flow.protocol,
    sport: flow.sport,
    sport_mask: flow.sport === 0 ? 0 : 0xffff,
    dport: flow.dport,
    dport_mask: flow.dport === 0 ? 0 : 0xffff,
  }
  const isTunnel = tmpl.mode === mode.TUNNEL
  const id = { ...tmpl.id, daddr: isTunnel ? tmpl.id.daddr : sel.daddr }
  const saddr = isTunnel ? tmpl.saddr : sel.saddr
  const body = { id, saddr, sel, policy: policy.info, aalgos, ealgos, calgos, seq: policy.info.index }
  return { name: 'ACQUIRE', body, attributes: { tmpl: [tmpl] } }
}

/**
 * What becomes of a protected packet that arrives (`xfrm_input` and `xfrm_policy_check` of the kernel): its SAs are
 * found, checked and taken off one after the other, and then policy is asked whether that was what it wanted.
 *
 * @module
 */
import { action, family as af, dir, encapType, proto } from '../../../netlink/xfrm/constants.ts'
import { type Flow, newFlow, stateSelectorMatches } from '../../packet/flow.ts'
import { readFlow } from '../../packet/flow-of.ts'
import { type IpHeader, parseIp, setLength } from '../../packet/ip-header.ts'
import type { Packet } from '../../packet/packet.ts'
import { AH_FIXED_LENGTH, ESP_HEADER_LENGTH } from '../../packet/protocols.ts'
import { takeOffOuter } from '../../packet/tunnel.ts'
import { openAh } from './ah.ts'
import type { Databases } from './databases.ts'
import { tunnelOptionsOf } from './encapsulation.ts'
import { type Opened, openEsp } from './esp.ts'
import { InnerFragments } from './inner-fragments.ts'
import { FlowCache } from './policy/flow-cache.ts'
import { countPacket, type Policy } from './policy/policy.ts'
import { satisfiesTemplates } from './policy/templates.ts'
import { HARD, SOFT } from './state/lifetime.ts'
import type { State } from './state/state.ts'
import type { Counter } from './state/statistics.ts'

/** `XFRM_MAX_DEPTH`: SAs on one packet. */
const MAX_DEPTH = 6
/** A lookup that found nothing is remembered, too. */
const NO_POLICY = 'no policy'

export class Inbound {
  readonly #databases: Databases
  readonly #isDeliveredHere: (flow: Flow) => boolean
  readonly #opened: Opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
  readonly #flow = newFlow()
  readonly #cache = new FlowCache<Policy | typeof NO_POLICY>()
  readonly #fragments = new InnerFragments()
  readonly #isHere = new FlowCache<boolean>()
  /** The SAs that the last packet came through, outermost first. */
  readonly path: State[] = []
  /** What is to be delivered of the last packet that was not refused: the packet itself, or one of which it was a part. */
  delivery: Packet | undefined

  /** @param isDeliveredHere whether a packet out of a tunnel is for this host, and not to be passed on */
  constructor(databases: Databases, isDeliveredHere: (flow: Flow) => boolean) {
    this.#databases = databases
    this.#isDeliveredHere = isDeliveredHere
  }

  /**
   * Takes all protection off a packet, in place, and checks it.
   *
   * @param ip its parsed header; parsed anew as it changes
   * @param encapsulated whether its ESP arrived in UDP, which was taken off already
   * @returns `undefined` where {@link delivery} is to be delivered, `held` where there is nothing to deliver yet, or the
   *   counter of the reason why it must not be
   */
  receive(packet: Packet, ip: IpHeader, encapsulated: boolean, mark = 0): Counter | 'held' | undefined {
    const { path } = this
    path.length = 0
    this.delivery = packet
    let packetMark = mark
    while (ip.protocol === proto.ESP || ip.protocol === proto.AH) {
      if (path.length === MAX_DEPTH) return 'XfrmInBufferError'
      const found = this.#takeOff(packet, ip, encapsulated && path.length === 0)
      if (typeof found === 'string') return found
      path.push(found)
      const { set_mark: value = 0, set_mark_mask: mask = 0xffffffff } = found.attributes
      if (found.attributes.set_mark !== undefined) packetMark = ((packetMark & ~mask) | (value & mask)) >>> 0
    }
    if (path.length === 0) return 'XfrmInHdrError'
    return ip.isFragment
      ? this.#checkFragment(packet, ip, packetMark)
      : this.#checkPolicy(packet, ip, packetMark)
  }

  /** Out of a tunnel. What is to be passed on is passed on as it is. */
  #checkFragment(packet: Packet, ip: IpHeader, mark: number): Counter | 'held' | undefined {
    readFlow(packet.arena.bytes, ip, this.#flow)
    if (!this.#isForHere(this.#flow)) return this.#checkPolicy(packet, ip, mark)
    const whole = this.#fragments.add(packet, ip, this.path, this.#databases.now)
    if (typeof whole === 'string') return whole
    this.delivery = whole
    return this.#checkPolicy(whole, ip, mark)
  }

  #isForHere(flow: Flow): boolean {
    const { generation } = this.#databases
    let known = this.#isHere.get(flow, 0, generation)
    if (known === undefined) {
      known = this.#isDeliveredHere(flow)
      this.#isHere.set(flow, 0, generation, known)
    }
    return known
  }

  /** One SA. */
  #takeOff(packet: Packet, ip: IpHeader, encapsulated: boolean): State | Counter {
    const { bytes, view } = packet.arena
    const { protocol, upperAt, end } = ip
    const isAh = protocol === proto.AH
    if (ip.isFragment || end - upperAt < (isAh ? AH_FIXED_LENGTH : ESP_HEADER_LENGTH)) return 'XfrmInHdrError'
    const spi = view.getUint32(upperAt + (isAh ? 4 : 0))
    const family = ip.version === 4 ? af.INET : af.INET6
    const state = this.#databases.states.receiver(family, bytes, ip.destinationAt, spi, protocol)
    if (!state) return 'XfrmInNoStates'
    if (state.isDead) return 'XfrmInStateInvalid'
    const expected = state.attributes.encap?.encap_type === encapType.ESPINUDP
    if (expected !== encapsulated) return 'XfrmInStateMismatch'
    const stage = state.stage()
    if (stage === HARD) {
      this.#databases.expire(state)
      return 'XfrmInStateExpired'
    }
    if (stage === SOFT) this.#databases.softExpire(state)
    const into = this.#opened
    const failure = isAh
      ? openAh(state, packet.arena, packet.at, upperAt, end, into)
      : openEsp(state, packet.arena, upperAt, end, into)
    if (failure) return failure
    state.use(into.payloadEnd - into.payloadAt, this.#databases.now)
    return this.#unwrap(state, packet, ip)
  }

  /** What stands inside becomes the packet. */
  #unwrap(state: State, packet: Packet, ip: IpHeader): State | Counter {
    const { bytes } = packet.arena
    const { payloadAt, payloadEnd, nextHeader } = this.#opened
    if (state.isTunnel) {
      const { trafficClass } = ip
      const options = tunnelOptionsOf(state)
      const outcome = takeOffOuter(bytes, payloadAt, payloadEnd, nextHeader, trafficClass, options, ip)
      if (outcome < 0) return 'XfrmInStateModeError'
      packet.at = payloadAt
      packet.end = ip.end
      return state
    }
    const gap = payloadAt - ip.upperAt
    bytes[ip.nextHeaderAt] = nextHeader
    bytes.copyWithin(packet.at + gap, packet.at, ip.upperAt)
    packet.at += gap
    packet.end = payloadEnd
    setLength(bytes, packet.at, packet.end)
    return parseIp(bytes, packet.at, packet.end, ip) ? state : 'XfrmInHdrError'
  }

  #checkPolicy(packet: Packet, ip: IpHeader, mark: number): Counter | undefined {
    const { path } = this
    const flow = this.#flow
    readFlow(packet.arena.bytes, ip, flow)
    for (const { body } of path) if (!stateSelectorMatches(body.sel, flow)) return 'XfrmInStateMismatch'
    const isTunnelled = path.some(({ isTunnel }) => isTunnel)
    const policy = this.#lookup(flow, mark, isTunnelled)
    if (!policy) return isTunnelled ? 'XfrmInNoPols' : undefined
    return this.#ask(policy, packet)
  }

  /** What was not in a tunnel is for this host: else its ESP or AH would not have come here. */
  #lookup(flow: Flow, mark: number, isTunnelled: boolean): Policy | undefined {
    const { generation, policies } = this.#databases
    let known = this.#cache.get(flow, mark, generation)
    if (known === undefined) {
      const direction = isTunnelled && !this.#isForHere(flow) ? dir.FWD : dir.IN
      known = policies.lookup(direction, flow, mark) ?? NO_POLICY
      this.#cache.set(flow, mark, generation, known)
    }
    return known === NO_POLICY ? undefined : known
  }

  #ask(policy: Policy, { at, end }: Packet): Counter | undefined {
    const { now } = this.#databases
    policy.useTime = now
    if (policy.info.action === action.BLOCK) return 'XfrmInPolBlock'
    if (!satisfiesTemplates(policy.templates, this.path, this.path.length)) return 'XfrmInTmplMismatch'
    countPacket(policy, end - at, now)
    return undefined
  }
}

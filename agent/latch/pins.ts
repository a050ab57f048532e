/**
 * Latching: an established connection keeps the policy that it began under. What a change of rules means for connections,
 * and the pins that hold on to the old decision. Pure.
 *
 * A pin is a rule for one connection that comes before all rules. It says what to do, not which kernel policies do it: SAs
 * change their classes with the rules, and a pin's policies follow.
 *
 * @module
 */
import { type Address, addressBits, formatAddress, hostPrefix, prefixContains } from '../model/address.ts'
import type { Action, AddressPair, Rule } from '../model/policy.ts'
import type { PlacedRule } from '../translate/policies.ts'
import { BAND, bandOf, priorityOf, SLOTS } from '../translate/priorities.ts'
import { type Connection, type Flow, flowKey, isWithinHost, PROTOCOL_UDP } from './connections.ts'

/** What the packets of a connection are to be: as the actions of a rule. Where no rule is about them, in clear. */
export interface Decision {
  readonly out: readonly Action[]
  readonly in: readonly Action[]
}

export interface Pin extends Connection, Decision {
  /**
   * The connection is no more, and so are the pin's policies. Until the rules change the next time, SAs stay in the classes
   * that they have because of it.
   */
  readonly isEnded?: true
}

/** A rule and the positions of its address pairs. */
export interface RuleInPlace {
  readonly rule: Rule
  readonly placements: readonly { readonly position: number }[]
}

/** A connection for which new rules decide otherwise. */
export interface ConcernedConnection {
  readonly connection: Connection
  readonly from: Decision
  readonly to: Decision
}

export interface LatchInput {
  readonly before: { readonly rules: readonly RuleInPlace[]; readonly pins: readonly Pin[] }
  readonly after: readonly RuleInPlace[]
  readonly connections: readonly Connection[]
  readonly localAddresses: readonly Address[]
}

/** No rule is about it. */
const IN_CLEAR: readonly Action[] = [{ kind: 'bypass' }]

/**
 * The connections that a change of rules concerns. Left out are those that policy is not asked about (within this host, UDP
 * 500 and 4500 of key management), and those whose packets may go through a tunnel with rules of its own: tunnels never
 * latch, and a pin would take the packets out of their hands.
 */
export function concernedConnections({
  before,
  after,
  connections,
  localAddresses,
}: LatchInput): ConcernedConnection[] {
  const [old, next] = [new RuleIndex(before.rules), new RuleIndex(after)]
  const texts = new ActionTexts()
  const pinned = new Map(before.pins.filter(({ isEnded }) => !isEnded).map((pin) => [flowKey(pin), pin]))
  return connections.flatMap((connection): ConcernedConnection[] => {
    if (isExempt(connection) || isWithinHost(connection, localAddresses)) return []
    if (old.hasTunnelRule(connection) || next.hasTunnelRule(connection)) return []
    const pin = pinned.get(flowKey(connection))
    const from = pin?.cookie === connection.cookie ? { out: pin.out, in: pin.in } : old.decide(connection)
    const to = next.decide(connection)
    return texts.areSame(from, to) ? [] : [{ connection, from, to }]
  })
}

/** Pins that keep these connections as they were. Sockets that share both ends (SO_REUSEPORT) share one. */
export function pinsFor(concerned: readonly ConcernedConnection[]): Pin[] {
  const pins = new Map<string, Pin>()
  for (const { connection, from } of concerned) {
    const key = flowKey(connection)
    if (!pins.has(key)) pins.set(key, { ...connection, out: from.out, in: from.in })
  }
  return [...pins.values()]
}

/** Pins whose connection is no more among the live ones, also where another socket has its place. */
export function endedPins(pins: readonly Pin[], live: readonly Connection[]): Pin[] {
  const there = new Set(live.map((connection) => `${connection.cookie} ${flowKey(connection)}`))
  return pins.filter((pin) => !pin.isEnded && !there.has(`${pin.cookie} ${flowKey(pin)}`))
}

/** Connections have two ends, so the pins of no two of them are about the same packets: one place will do for all. */
const BASE = BAND.pin + SLOTS

/** Pins as rules: those that count for the classes of SAs, and of these, those that have policies. */
export function pinnedRules(pins: readonly Pin[]): { readonly rules: Rule[]; readonly placed: PlacedRule[] } {
  const rules: Rule[] = []
  const placed: PlacedRule[] = []
  for (const pin of pins) {
    const pair: AddressPair = { local: hostPrefix(pin.local), remote: hostPrefix(pin.remote) }
    for (const [direction, actions] of [['out', pin.out] as const, ['in', pin.in] as const]) {
      const { protocol, localPort, remotePort } = pin
      const rule = {
        selector: { pairs: [pair], protocol, localPort, remotePort },
        direction,
        actions,
        text: '',
        file: '',
        span: { line: 0, column: 0, length: 0 },
      }
      rules.push(rule)
      if (!pin.isEnded) placed.push({ rule, pair, position: 0, base: BASE })
    }
  }
  return { rules, placed }
}

const KEY_MANAGEMENT = [500, 4500]

function isExempt({ protocol, localPort }: Flow): boolean {
  return protocol === PROTOCOL_UDP && KEY_MANAGEMENT.includes(localPort)
}

/** One address pair of a rule. */
interface Candidate {
  readonly rule: Rule
  readonly pair: AddressPair
  /** The smallest wins. */
  readonly priority: number
}

/** Rules by the remote host that they are about, so that thousands of connections can be asked about. */
class RuleIndex {
  readonly #byHost = new Map<string, Candidate[]>()
  readonly #others: Candidate[] = []
  readonly #tunnels: Candidate[] = []

  constructor(rules: readonly RuleInPlace[]) {
    for (const { rule, placements } of rules) {
      const band = bandOf(rule.actions)
      rule.selector.pairs.forEach((pair, i) => {
        const position = placements[i]?.position ?? 0
        this.#add({ rule, pair, priority: rule.tunnel ? 0 : priorityOf(band, position) })
      })
    }
  }

  #add(candidate: Candidate): void {
    const { remote } = candidate.pair
    // One that protects the packets of a tunnel is about none of TCP or UDP.
    if (candidate.rule.tunnel?.mode === 'transport') return
    if (candidate.rule.tunnel) this.#tunnels.push(candidate)
    else if (!remote || remote.length < addressBits(remote.family)) this.#others.push(candidate)
    else {
      const key = formatAddress(remote)
      const same = this.#byHost.get(key)
      if (same) same.push(candidate)
      else this.#byHost.set(key, [candidate])
    }
  }

  decide(flow: Flow): Decision {
    const found = [...this.#others, ...(this.#byHost.get(formatAddress(flow.remote)) ?? [])]
    const matching = found.filter((candidate) => covers(candidate, flow))
    const winner = (way: 'out' | 'in'): readonly Action[] => {
      let best: Candidate | undefined
      for (const candidate of matching) {
        const { direction } = candidate.rule
        if (direction !== way && direction !== 'both') continue
        if (!best || candidate.priority < best.priority) best = candidate
      }
      return best?.rule.actions ?? IN_CLEAR
    }
    return { out: winner('out'), in: winner('in') }
  }

  hasTunnelRule(flow: Flow): boolean {
    return this.#tunnels.some((candidate) => covers(candidate, flow))
  }
}

function covers({ rule: { selector }, pair }: Candidate, flow: Flow): boolean {
  const { protocol, localPort, remotePort, icmpType, icmpCode } = selector
  return (
    (protocol === undefined || protocol === flow.protocol) &&
    (!localPort || localPort === flow.localPort) &&
    (!remotePort || remotePort === flow.remotePort) &&
    !icmpType &&
    !icmpCode &&
    (!pair.local || prefixContains(pair.local, flow.local)) &&
    (!pair.remote || prefixContains(pair.remote, flow.remote))
  )
}

/** Lists of actions as texts, each written once. */
class ActionTexts {
  readonly #known = new Map<readonly Action[], string>()

  areSame(a: Decision, b: Decision): boolean {
    return this.#same(a.out, b.out) && this.#same(a.in, b.in)
  }

  #same(a: readonly Action[], b: readonly Action[]): boolean {
    return a === b || this.#textOf(a) === this.#textOf(b)
  }

  #textOf(actions: readonly Action[]): string {
    let text = this.#known.get(actions)
    if (text === undefined) {
      text = JSON.stringify(actions)
      this.#known.set(actions, text)
    }
    return text
  }
}

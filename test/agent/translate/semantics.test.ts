/**
 * The proof of the translation: whatever the rules, the SAs and the packet, a Linux host with our policies
 * decides as a Solaris host with the rules does.
 */
import fc from 'fast-check'
import t from 'tap'
import { sameAddress } from '../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { DEFAULT_MARK_MASK } from '../../../agent/translate/marks.ts'
import { association, packet as packets, rules as ruleSets } from './simulation/arbitrary.ts'
import { fitting } from './simulation/fitting.ts'
import { type Host, inOrder, makeHost, wrappings } from './simulation/host.ts'
import type { Packet, Wrapping } from './simulation/packet.ts'
import {
  accepts,
  departure,
  type Expectation,
  isExactly,
  mayBeClear,
  protectionsOf,
  winningRule,
} from './simulation/solaris.ts'
import { deliver, isEsp, type State, send, type Verdict } from './simulation/xfrm.ts'

const inbound = packets.chain((packet) =>
  fc.record({
    packet: fc.constant(packet),
    associations: fc.array(association(packet, 'in'), { minLength: 1, maxLength: 6 }),
  }),
)
const outbound = packets.chain((packet) =>
  fc.record({
    packet: fc.constant(packet),
    associations: fc.array(association(packet, 'out'), { maxLength: 6 }),
  }),
)

function show(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'bigint' ? String(one) : one instanceof Uint8Array ? one.join('.') : one,
  )
}

/**
 * SAs for single flows are between these hosts. The choice among alternatives is made for all flows of two hosts at
 * once (a documented difference: Solaris chooses for each), so it may be another one than Solaris's, and may have to
 * wait for SAs; but it is one that the rule allows.
 */
function isAllowedWithFlows(
  verdict: Verdict,
  rules: readonly Rule[],
  packet: Packet,
  associationOf: ReadonlyMap<State, SecurityAssociation>,
): boolean {
  const hasFlows = [...associationOf.values()].some(
    ({ upperProtocol, destination }) => upperProtocol !== 0 && sameAddress(destination, packet.remote),
  )
  if (!hasFlows) return false
  if (verdict.kind !== 'sent') return true
  const rule = winningRule(rules, packet, 'out')
  if (!rule) return false
  if (verdict.states.length === 0) return mayBeClear(rule)
  return isAsExpected(verdict, { kind: 'protected', as: protectionsOf(rule) }, associationOf)
}

/** Rules say nothing about a family that none of them is about: no policy of ours is there then. */
function isConcerned(rules: readonly Rule[], packet: Packet): boolean {
  return rules.some(({ selector }) =>
    selector.pairs.some(({ local, remote }) => {
      const side = local ?? remote
      return !side || side.family === packet.family
    }),
  )
}

const arrivals = fc.array(inbound, { minLength: 1, maxLength: 8 })
const departures = fc.array(outbound, { minLength: 1, maxLength: 8 })

/** The usual bits, few (so that classes have to share values), and none. */
const NARROW_MASK = 0x0000_03f0

/** Calls `check` for every way in which each packet can arrive. */
function eachArrival(
  host: Host,
  rules: readonly Rule[],
  all: readonly { packet: Packet; associations: readonly SecurityAssociation[] }[],
  check: (delivered: boolean, expected: boolean, wrapping: Wrapping, packet: Packet) => boolean,
): void {
  for (const { packet, associations } of all) {
    if (!isConcerned(rules, packet)) continue
    for (const wrapping of wrappings(associations)) {
      const path = [wrapping.ah, wrapping.esp].flatMap((sa) => (sa ? [host.stateOf(sa)] : []))
      const delivered = deliver(host.policies, path, packet)
      if (!check(delivered, accepts(rules, wrapping, packet), wrapping, packet)) {
        throw new Error(`${delivered ? 'delivered' : 'refused'}: ${show({ packet, wrapping })}`)
      }
    }
  }
}

for (const [name, mask] of [
  ['the usual mark bits', DEFAULT_MARK_MASK],
  ['few mark bits', NARROW_MASK],
] as const) {
  t.test(`property: inbound, exactly what the rules accept is delivered (${name})`, async () => {
    fc.assert(
      fc.property(ruleSets, arrivals, (rules, all) => {
        const host = fitting(() => makeHost(inOrder(rules), { markMask: mask }))
        eachArrival(host, rules, all, (delivered, expected) => delivered === expected)
      }),
      { numRuns: 200 },
    )
  })
}

t.test('property: what may come in clear is what the tunables say', async () => {
  const switches = fc.record({ icmp: fc.boolean(), igmp: fc.boolean(), pim: fc.boolean() })
  fc.assert(
    fc.property(ruleSets, arrivals, switches, (rules, all, clearMessages) => {
      const host = fitting(() => makeHost(inOrder(rules), { clearMessages }))
      for (const { packet } of all) {
        if (!isConcerned(rules, packet)) continue
        const delivered = deliver(host.policies, [], packet)
        if (delivered !== accepts(rules, {}, packet, clearMessages)) {
          throw new Error(`${delivered ? 'delivered' : 'refused'}: ${show({ packet, clearMessages })}`)
        }
      }
    }),
    { numRuns: 200 },
  )
})

t.test(
  'property: without mark bits nothing comes in clear that should not, and no SA of another class',
  async () => {
    fc.assert(
      fc.property(ruleSets, arrivals, (rules, all) => {
        const host = makeHost(inOrder(rules), { markMask: 0 })
        eachArrival(host, rules, all, (delivered, expected, { esp, ah }, packet) => {
          if (!esp && !ah) return delivered === expected
          // What is tolerated is protection that the rule did not ask for, never less than it did.
          const part = [
            {},
            { ...(esp && { esp }) },
            { ...(ah && { ah }) },
            { ...(esp && { esp }), ...(ah && { ah }) },
          ]
          return !delivered || part.some((some) => accepts(rules, some, packet))
        })
      }),
    )
  },
)

t.test(
  'property: outbound, a packet leaves in clear, protected or not at all, as the rules say',
  async () => {
    fc.assert(
      fc.property(ruleSets, departures, fc.boolean(), (rules, all, forwarding) => {
        const associations = all.flatMap((one) => one.associations)
        const host = makeHost(inOrder(rules), { outbound: associations, forwarding })
        const associationOf = new Map(associations.map((sa) => [host.stateOf(sa), sa]))
        const states = [...associationOf.keys()]
        for (const { packet } of all) {
          const expected = departure(rules, associations, packet)
          const verdict = send(host.policies, states, packet, 0)
          if (
            !isAsExpected(verdict, expected, associationOf) &&
            !isAllowedWithFlows(verdict, rules, packet, associationOf)
          ) {
            throw new Error(show({ packet, expected, verdict }))
          }
          if (!forwarding) continue
          const passing = send(host.policies, states, packet, host.marks?.forwarded ?? 0)
          if (passing.kind !== 'sent' || passing.states.length > 0) {
            throw new Error(`a forwarded packet was touched: ${show({ packet, passing })}`)
          }
        }
      }),
      { numRuns: 300 },
    )
  },
)

function isAsExpected(
  verdict: Verdict,
  expected: Expectation,
  associationOf: ReadonlyMap<State, SecurityAssociation>,
): boolean {
  if (verdict.kind !== 'sent') return expected.kind === 'held'
  if (verdict.states.length === 0) return expected.kind === 'clear'
  const used: Wrapping = Object.fromEntries(
    verdict.states.map((one) => [isEsp(one) ? 'esp' : 'ah', associationOf.get(one)]),
  )
  return expected.kind === 'protected' && expected.as.some((one) => isExactly(one, used))
}

/**
 * The tables decide as a plain reading of XFRM's rules does, for whatever the translation of any rules puts into them.
 */
import fc from 'fast-check'
import t from 'tap'
import type { Databases } from '../../../../agent/datapath/software/databases.ts'
import { Outbound } from '../../../../agent/datapath/software/outbound.ts'
import { policyOf } from '../../../../agent/datapath/software/policy/policy.ts'
import { satisfiesTemplates } from '../../../../agent/datapath/software/policy/templates.ts'
import { State } from '../../../../agent/datapath/software/state/state.ts'
import { type Flow, newFlow, stateSelectorMatches } from '../../../../agent/packet/flow.ts'
import { action, family as af, dir } from '../../../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../../../netlink/xfrm/defaults.ts'
import { association, packet as packets, rules as ruleSets } from '../../translate/simulation/arbitrary.ts'
import { fitting } from '../../translate/simulation/fitting.ts'
import { type Host, inOrder, makeHost, wrappings } from '../../translate/simulation/host.ts'
import { isIcmp, type Packet } from '../../translate/simulation/packet.ts'
import { deliver, findPolicy, type State as Simulated, send } from '../../translate/simulation/xfrm.ts'
import { emptyDatabases, surroundings } from './surroundings.ts'

function databasesOf({ policies }: Host): Databases {
  const databases = emptyDatabases()
  for (const [index, { sel, priority, action: what, tmpl, mark, dir: direction }] of policies.entries()) {
    const body = { ...defaultPolicy(), sel, priority, action: what, dir: direction }
    const attributes = { tmpl: [...tmpl], ...(mark && { mark }) }
    databases.policies.add(policyOf({ body, attributes }, 8 * (index + 1), 0))
  }
  return databases
}

function flowOf(packet: Packet, direction: number): Flow {
  const flow = newFlow()
  const { local, remote, protocol } = packet
  const [from, to] = direction === dir.OUT ? [local, remote] : [remote, local]
  flow.family = packet.family === 'inet' ? af.INET : af.INET6
  flow.source.set(from.bytes)
  flow.destination.set(to.bytes)
  flow.protocol = protocol
  const ports =
    direction === dir.OUT ? [packet.localPort, packet.remotePort] : [packet.remotePort, packet.localPort]
  const [sport = 0, dport = 0] = isIcmp(protocol) ? [packet.type, packet.code] : ports
  flow.sport = sport
  flow.dport = dport
  return flow
}

t.test('property: inbound, the same policy is found, and the same packets are let in', async () => {
  const cases = packets.chain((packet) =>
    fc.record({
      packet: fc.constant(packet),
      associations: fc.array(association(packet, 'in'), { maxLength: 4 }),
    }),
  )
  fc.assert(
    fc.property(ruleSets, fc.array(cases, { minLength: 1, maxLength: 6 }), (rules, all) => {
      const host = fitting(() => makeHost(inOrder(rules)))
      const { policies } = databasesOf(host)
      for (const { packet, associations } of all) {
        const flow = flowOf(packet, dir.IN)
        for (const { ah, esp } of wrappings(associations)) {
          const simulated = [ah, esp].flatMap((sa) => (sa ? [host.stateOf(sa)] : []))
          const path = simulated.map((one) => new State(one, surroundings()))
          let mark = 0
          for (const { attributes } of path) {
            const { set_mark: value = 0, set_mark_mask: mask = 0 } = attributes
            mark = ((mark & ~mask) | (value & mask)) >>> 0
          }
          const policy = policies.lookup(dir.IN, flow, mark)
          const expected = findPolicy(host.policies, packet, dir.IN, mark)
          if (policy?.info.priority !== expected?.priority) return false
          const isIn =
            path.every(({ body }) => stateSelectorMatches(body.sel, flow)) &&
            (!policy ||
              (policy.info.action !== action.BLOCK &&
                satisfiesTemplates(policy.templates, path, path.length)))
          if (isIn !== deliver(host.policies, simulated, packet)) return false
        }
      }
      return true
    }),
    { numRuns: 150 },
  )
})

t.test('property: outbound, the same SAs are chosen, or none', async () => {
  const cases = packets.chain((packet) =>
    fc.record({
      packet: fc.constant(packet),
      associations: fc.array(association(packet, 'out'), { maxLength: 5 }),
    }),
  )
  fc.assert(
    fc.property(ruleSets, fc.array(cases, { minLength: 1, maxLength: 6 }), (rules, all) => {
      const associations = all.flatMap((one) => one.associations)
      const host = fitting(() => makeHost(inOrder(rules), { outbound: associations }))
      const databases = databasesOf(host)
      const simulated = uniqueStates(associations.map((sa) => host.stateOf(sa)))
      // The newest is preferred; the simulation wants it first.
      for (const one of [...simulated].reverse()) databases.states.add(new State(one, surroundings()))
      const outbound = new Outbound(databases)
      return all.every(({ packet }) => {
        const expected = send(host.policies, simulated, packet, 0)
        const wanted =
          expected.kind === 'sent' ? expected.states.map(({ body }) => body.id.spi).join() : 'refused'
        // The second time, the answer comes from memory.
        return [1, 2].every(() => {
          const decision = outbound.decide(flowOf(packet, dir.OUT))
          const found =
            decision.kind === 'protect'
              ? decision.states.map(({ body }) => body.id.spi).join()
              : decision.kind === 'clear'
                ? ''
                : 'refused'
          return found === wanted
        })
      })
    }),
    { numRuns: 200 },
  )
})

/** Each with an SPI of its own, by which it is told from the others. */
function uniqueStates(states: readonly Simulated[]): Simulated[] {
  return states.map((one, n) => ({ ...one, body: { ...one.body, id: { ...one.body.id, spi: 0x1000 + n } } }))
}

/**
 * What `explain` says is what the two simulations say that know nothing of it: Solaris's rules, and XFRM's look-up.
 */
import fc from 'fast-check'
import t from 'tap'
import { isClear, pathOf, type Wrapping } from '../../../agent/explain/associations.ts'
import { explain, explainPacket, type Situation } from '../../../agent/explain/explain.ts'
import type { Packet, Passage } from '../../../agent/explain/packet.ts'
import { proposedSituation } from '../../../agent/explain/situation.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import type { KernelAssociation } from '../../../agent/translate/read-association.ts'
import { dir } from '../../../netlink/xfrm/constants.ts'
import {
  association,
  localAddresses,
  packet as packets,
  rules as ruleSets,
} from '../translate/simulation/arbitrary.ts'
import { fitting } from '../translate/simulation/fitting.ts'
import { type Host, inOrder, makeHost } from '../translate/simulation/host.ts'
import { accepts, departure, winningRule } from '../translate/simulation/solaris.ts'
import { deliver, findPolicy, send } from '../translate/simulation/xfrm.ts'

const OUT: Passage = { way: 'out', isForwarded: false, ifindex: 0 }
const IN: Passage = { way: 'in', isForwarded: false, ifindex: 0 }

interface Scene {
  readonly situation: Situation
  readonly host: Host
  readonly associations: readonly SecurityAssociation[]
}

const network = { localAddresses, tunnels: new Map(), routedMarks: 0 }

/** The same rules and SAs, as `explain` and as the simulations have them. */
function sceneOf(
  rules: readonly Rule[],
  associations: readonly SecurityAssociation[],
  clearMessages = { icmp: true, igmp: true, pim: true },
): Scene {
  const distinct = [...new Map(associations.map((sa) => [`${sa.protocol} ${sa.spi}`, sa])).values()]
  return fitting(() => {
    const situation = proposedSituation({
      rules,
      associations: distinct,
      algorithms: defaultAlgorithmTable,
      network,
      tunables: Object.fromEntries(
        Object.entries(clearMessages).map(([name, isOn]) => [`${name}_accept_clear_messages`, Number(isOn)]),
      ),
    })
    const host = makeHost(inOrder(rules), { outbound: distinct, clearMessages })
    return { situation, host, associations: distinct }
  })
}

/** The SAs as the simulations have them. */
function bare(wrapping: Wrapping, { associations }: Scene) {
  const find = (one: KernelAssociation | undefined) =>
    one &&
    associations.find(
      ({ spi, protocol }) => spi === one.association.spi && protocol === one.association.protocol,
    )
  const [esp, ah] = [find(wrapping.esp), find(wrapping.ah)]
  return { ...(esp && { esp }), ...(ah && { ah }) }
}

function isConcerned(rules: readonly Rule[], packet: Packet): boolean {
  return rules.some(({ selector }) =>
    selector.pairs.some(({ local, remote }) => {
      const side = local ?? remote
      return !side || side.family === packet.family
    }),
  )
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'bigint' ? String(one) : one instanceof Uint8Array ? one.join('.') : one,
  )
}

const outbound = packets.chain((packet) =>
  fc.record({
    packet: fc.constant(packet),
    associations: fc.array(association(packet, 'out'), { maxLength: 5 }),
  }),
)
const inbound = packets.chain((packet) =>
  fc.record({
    packet: fc.constant(packet),
    associations: fc.array(association(packet, 'in'), { maxLength: 5 }),
  }),
)

t.test(
  'property: outbound, the rule and what becomes of the packet are those of the simulations',
  async () => {
    fc.assert(
      fc.property(ruleSets, outbound, (rules, { packet, associations }) => {
        const scene = sceneOf(rules, associations)
        const { rules: answer, kernel, agreement } = explainPacket(packet, OUT, scene.situation)
        const { decider } = answer
        const expected = winningRule(rules, packet, 'out')
        if (
          decider.kind !== 'exception' &&
          (decider.kind === 'rule' ? decider.candidate.rule : undefined) !== expected
        ) {
          throw new Error(`another rule: ${show({ decider, expected })}`)
        }
        const bySolaris = departure(rules, scene.associations, packet)
        const kind = { clear: 'clear', protected: 'protected', dropped: 'held', held: 'held' } as const
        if (answer.departure && kind[answer.departure.kind] !== bySolaris.kind) {
          throw new Error(`another fate: ${show({ answer: answer.departure, bySolaris })}`)
        }
        const states = scene.associations.map((sa) => scene.host.stateOf(sa)).reverse()
        const byKernel = send(scene.host.policies, states, packet, 0)
        const found = kernel?.departure?.departure
        const kernelKind = { clear: 'sent', protected: 'sent', blocked: 'blocked', held: 'held' } as const
        if (!found || kernelKind[found.kind] !== byKernel.kind) {
          throw new Error(`another fate in the kernel: ${show({ found, byKernel })}`)
        }
        if (found.kind === 'protected' && byKernel.kind === 'sent') {
          const [mine, theirs] = [
            found.associations.map(({ association: { spi } }) => spi),
            byKernel.states.map(({ body }) => body.id.spi),
          ]
          if (mine.join() !== theirs.join()) throw new Error(`other SAs: ${show({ mine, theirs })}`)
        }
        const policy = kernel?.departure?.lookups.at(-1)?.policy
        const wanted = findPolicy(scene.host.policies, packet, dir.OUT, 0)
        // Positions differ, so priorities do.
        if (
          show(policy && [policy.info.sel, policy.info.action, policy.tmpl]) !==
          show(wanted && [wanted.sel, wanted.action, wanted.tmpl])
        ) {
          throw new Error('another policy')
        }
        if (agreement === 'different')
          throw new Error(`they differ: ${show({ answer: answer.departure, found })}`)
      }),
      { numRuns: 250 },
    )
  },
)

const clearMessages = fc.record({ icmp: fc.boolean(), igmp: fc.boolean(), pim: fc.boolean() })

t.test('property: inbound, what is let in is what the simulations let in', async () => {
  fc.assert(
    fc.property(ruleSets, inbound, clearMessages, (rules, { packet, associations }, clear) => {
      const scene = sceneOf(rules, associations, clear)
      const { rules: answer, kernel, agreement } = explainPacket(packet, IN, scene.situation)
      for (const [i, { wrapping, isAccepted }] of (answer.arrivals ?? []).entries()) {
        const own = bare(wrapping, scene)
        if (isConcerned(rules, packet) && isAccepted !== accepts(rules, own, packet, clear)) {
          throw new Error(`Solaris: ${show({ wrapping: own, isAccepted, decider: answer.decider })}`)
        }
        const path = pathOf(wrapping)
        const states = path.map((one) => one.state)
        const mine = kernel?.arrivals?.[i]?.isAccepted
        if (mine !== deliver(scene.host.policies, states, packet)) {
          throw new Error(`kernel: ${show({ isClear: isClear(wrapping), mine })}`)
        }
      }
      if (agreement === 'different')
        throw new Error(`they differ: ${show(answer.arrivals?.map(({ why }) => why))}`)
    }),
    { numRuns: 250 },
  )
})

t.test('property: a question with open parts has the answer of each packet that it is about', async () => {
  const PARTS = ['protocol', 'localPort', 'remotePort', 'type', 'code'] as const
  fc.assert(
    fc.property(ruleSets, packets, fc.subarray([...PARTS]), fc.boolean(), (rules, packet, chosen, isOut) => {
      // Ports and types mean nothing without a protocol.
      const open = chosen.includes('protocol') ? [...PARTS] : chosen
      const { situation } = sceneOf(rules, [])
      const asked = Object.fromEntries(
        Object.entries(packet).filter(([part]) => !open.some((one) => one === part)),
      ) as Parameters<typeof explain>[0]
      const way = isOut ? OUT : IN
      const { main, narrower } = explain(asked, way, situation)
      const cases = [...(main ? [main] : []), ...narrower]
      // Each case is a packet that was asked about, and its answer is that for this packet.
      for (const { explanation, assumed } of cases) {
        for (const part of PARTS) {
          if (open.includes(part)) continue
          if (explanation.packet[part] !== packet[part]) throw new Error(`${part} was changed`)
        }
        if (assumed.some((part) => !open.includes(part))) throw new Error('assumed what was told')
      }
      // Whatever rule decides for a packet that was asked about, some case has it.
      const winner = winningRule(rules, packet, way.way)
      const winners = cases.map(
        ({
          explanation: {
            rules: { considered },
          },
        }) => considered.winner?.rule,
      )
      if (!winners.includes(winner)) throw new Error(`no case for ${show(winner?.selector)}`)
    }),
    { numRuns: 250 },
  )
})

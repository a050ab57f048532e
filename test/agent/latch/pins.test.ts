/** What a change of rules means for connections, and that a pin decides as the old rules did. */
import fc from 'fast-check'
import t from 'tap'
import { type Connection, flowKey, isWithinHost } from '../../../agent/latch/connections.ts'
import { concernedConnections, endedPins, type Pin, pinnedRules, pinsFor } from '../../../agent/latch/pins.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { appendRules, emptyState, replaceRules } from '../../../agent/reconcile/policy-edit.ts'
import { decodeState, encodeState, placedRules, rulesInForce } from '../../../agent/reconcile/policy-state.ts'
import { planRelease } from '../../../agent/reconcile/release-plan.ts'
import { BAND } from '../../../agent/translate/priorities.ts'
import { defaultPolicy } from '../../../netlink/xfrm/defaults.ts'
import { rulesOf } from '../../compat/solaris/ipsecconf/support.ts'
import { address } from '../../support/address.ts'
import {
  association,
  localAddresses,
  packet as packets,
  rules as ruleSets,
} from '../translate/simulation/arbitrary.ts'
import { fitting } from '../translate/simulation/fitting.ts'
import { type Host, makeHost, wrappings } from '../translate/simulation/host.ts'
import type { Packet } from '../translate/simulation/packet.ts'
import { isExactly, protectionsOf, winningRule } from '../translate/simulation/solaris.ts'
import { deliver, isEsp, send } from '../translate/simulation/xfrm.ts'

const EMPTY = emptyState(0xff00_0000)

function connectionOf({ protocol, local, remote, localPort, remotePort }: Packet, cookie = '1'): Connection {
  if (protocol !== 6 && protocol !== 17) throw new Error('not a connection')
  return { protocol, local, remote, localPort, remotePort, cookie }
}

/** Not those of key management, which pass under any SA that serves some rule. */
const flowPackets = packets.filter(
  ({ protocol, localPort }) => protocol === 6 || (protocol === 17 && ![500, 4500].includes(localPort)),
)
const traffic = flowPackets.chain((packet) =>
  fc.record({
    packet: fc.constant(packet),
    inbound: fc.array(association(packet, 'in'), { maxLength: 4 }),
    outbound: fc.array(association(packet, 'out'), { maxLength: 4 }),
  }),
)

const isAbout = (rules: readonly Rule[], { family }: Packet) =>
  rules.some(({ selector }) =>
    selector.pairs.some(({ local, remote }) => ((local ?? remote)?.family ?? family) === family),
  )

/**
 * What becomes of an outbound packet: which of the rule's alternatives it leaves under. Of several SAs that serve the same
 * alternative, which is taken is nobody's business.
 */
function departure(
  host: Host,
  rules: readonly Rule[],
  associations: readonly SecurityAssociation[],
  packet: Packet,
): string {
  const byState = new Map(associations.map((sa) => [host.stateOf(sa), sa]))
  const verdict = send(host.policies, [...byState.keys()], packet, 0)
  if (verdict.kind !== 'sent' || verdict.states.length === 0) return verdict.kind
  const used = Object.fromEntries(verdict.states.map((one) => [isEsp(one) ? 'esp' : 'ah', byState.get(one)]))
  const rule = winningRule(rules, packet, 'out')
  const alternative = rule && protectionsOf(rule).findIndex((one) => isExactly(one, used))
  return `protected as alternative ${alternative}`
}

/** A state with these rules, and with pins for the flow as a change to it would make them. */
function changed(old: readonly Rule[], next: readonly Rule[], packet: Packet) {
  const before = appendRules(EMPTY, old)
  const after = replaceRules(before, next, { kind: 'all' })
  const concerned = concernedConnections({
    before,
    after: after.rules,
    connections: [connectionOf(packet)],
    localAddresses,
  })
  return { before, after: { ...after, pins: pinsFor(concerned) }, unpinned: after, concerned }
}

const hostOf = (state: typeof EMPTY, outbound: readonly SecurityAssociation[]) =>
  fitting(() => makeHost(placedRules(state), { outbound }))

t.test('property: a pinned connection is treated as under the old rules, both ways', async () => {
  let pinned = 0
  fc.assert(
    fc.property(ruleSets, ruleSets, traffic, (old, next, { packet, inbound, outbound }) => {
      const { before, after, concerned } = changed(old, next, packet)
      const [was, is] = [hostOf(before, outbound), hostOf(after, outbound)]
      if (concerned.length > 0) pinned++
      // Where no rule is about the family, no policy of ours is there to refuse what is protected.
      const open = !isAbout(old, packet) || (concerned.length === 0 && !isAbout(next, packet))
      for (const { esp, ah } of wrappings(open ? [] : inbound)) {
        const path = (host: Host) => [ah, esp].flatMap((sa) => (sa ? [host.stateOf(sa)] : []))
        if (deliver(was.policies, path(was), packet) !== deliver(is.policies, path(is), packet)) return false
      }
      return departure(was, old, outbound, packet) === departure(is, old, outbound, packet)
    }),
    { numRuns: 400 },
  )
  t.ok(pinned > 100, `${pinned} of the changes concerned the connection`)
})

t.test('property: what is not concerned needs no pin, and other packets go by the new rules', async () => {
  fc.assert(
    fc.property(
      ruleSets,
      ruleSets,
      flowPackets,
      traffic,
      (old, next, flow, { packet, inbound, outbound }) => {
        const { after, unpinned } = changed(old, next, flow)
        if (flowKey(connectionOf(flow)) === flowKey(connectionOf(packet))) return true
        // SAs that serve the pin alone may carry what passes under any SA.
        if ([500, 4500].includes(packet.localPort)) return true
        const [plain, pinned] = [hostOf(unpinned, outbound), hostOf(after, outbound)]
        if (!isAbout(next, packet)) return true
        for (const { esp, ah } of wrappings(inbound)) {
          const path = (host: Host) => [ah, esp].flatMap((sa) => (sa ? [host.stateOf(sa)] : []))
          if (
            deliver(plain.policies, path(plain), packet) !== deliver(pinned.policies, path(pinned), packet)
          ) {
            return false
          }
        }
        return departure(plain, next, outbound, packet) === departure(pinned, next, outbound, packet)
      },
    ),
    { numRuns: 300 },
  )
})

t.test('property: a pin holds across further changes, and goes when the rules are as they were', async () => {
  fc.assert(
    fc.property(ruleSets, ruleSets, ruleSets, flowPackets, (one, two, three, packet) => {
      const first = changed(one, two, packet)
      const back = replaceRules(first.after, one, { kind: 'all' })
      const third = replaceRules(first.after, three, { kind: 'all' })
      const again = (rules: typeof back) =>
        concernedConnections({
          before: first.after,
          after: rules.rules,
          connections: [connectionOf(packet)],
          localAddresses,
        })
      const direct = changed(one, three, packet)
      const from = (found: typeof direct.concerned) =>
        JSON.stringify(found.map((concerned) => [concerned.from, concerned.to]))
      return again(back).length === 0 && from(again(third)) === from(direct.concerned)
    }),
    { numRuns: 200 },
  )
})

const L = address('192.0.2.1')
const R = address('192.0.2.2')
const ssh: Connection = { protocol: 6, local: L, remote: R, localPort: 22, remotePort: 4000, cookie: 'a' }
const concern = (
  old: string,
  next: string,
  connections: readonly Connection[],
  pins: readonly Pin[] = [],
) => {
  const before = { ...appendRules(EMPTY, rulesOf(old)), pins }
  const after = replaceRules(before, rulesOf(next), { kind: 'all' })
  return concernedConnections({ before, after: after.rules, connections, localAddresses: [L] })
}
const DROP = '{ulp tcp lport 22 dir both} drop {}'

t.test('who is concerned', async (t) => {
  t.equal(concern(DROP, '{ulp tcp lport 23 dir both} drop {}', [ssh]).length, 1)
  t.equal(
    concern(DROP, `{raddr 198.51.100.0/24} drop {}\n${DROP}`.replace('drop {}', 'bypass {}'), [ssh]).length,
    0,
    'the same is said',
  )
  t.equal(concern(DROP, '{ulp udp} ipsec {encr_algs aes}', [{ ...ssh, protocol: 17 }]).length, 1)
  const ike = { ...ssh, protocol: 17, localPort: 500 } as const
  t.equal(concern(DROP, '{ulp udp} ipsec {encr_algs aes}', [ike]).length, 0, 'key management')
  t.equal(concern(DROP, '{} ipsec {encr_algs aes}', [{ ...ssh, remote: L }]).length, 0, 'within the host')
  t.ok(isWithinHost({ ...ssh, remote: address('127.0.0.1') }, []))
  const tunnel = '{tunnel t negotiate tunnel raddr 192.0.2.0/24} ipsec {encr_algs aes}'
  t.equal(concern(`${tunnel}\n${DROP}`, tunnel, [ssh]).length, 0, 'tunnels never latch')
  const [found] = concern(DROP, '{ulp tcp lport 22 dir in} bypass {}', [ssh])
  t.match(found, {
    from: { out: [{ kind: 'drop' }] },
    to: { out: [{ kind: 'bypass' }], in: [{ kind: 'bypass' }] },
  })
})

t.test('a pin is for one socket', async (t) => {
  const pin: Pin = { ...ssh, out: [{ kind: 'bypass' }], in: [{ kind: 'bypass' }] }
  t.equal(concern(DROP, `${DROP} `, [ssh], [pin]).length, 1, 'it was in clear, by its pin')
  t.equal(concern(DROP, DROP, [{ ...ssh, cookie: 'b' }], [pin]).length, 0, 'a new one goes by the rules')
  t.equal(concern(DROP, DROP, [ssh], [{ ...pin, isEnded: true }]).length, 0)
  t.same(endedPins([pin], [ssh]), [])
  t.same(endedPins([pin], []), [pin])
  t.same(endedPins([pin], [{ ...ssh, cookie: 'b' }]), [pin], 'another socket has its place')
  t.same(endedPins([{ ...pin, isEnded: true }], []), [])
})

t.test('the record has them; at their end, policies go and classes stay', async (t) => {
  const pin: Pin = { ...ssh, out: [{ kind: 'bypass' }], in: [{ kind: 'drop' }] }
  const other: Pin = { ...pin, remotePort: 4001, cookie: 'b' }
  const state = { ...appendRules(EMPTY, rulesOf(DROP)), latch: true, pins: [pin, other] }
  t.same(decodeState(encodeState(state)), state)
  const { policies } = makeHost(placedRules(state))
  const installed = policies.map((policy, i) => {
    const { dir, sel, priority, action, tmpl, mark } = policy
    const info = { ...defaultPolicy(), dir, sel, priority, action, index: 0x4000_0000 + 8 * i }
    return { info, tmpl, ifId: 0, ...(mark && { mark }) }
  })
  t.equal(installed.filter(({ info }) => info.priority >= BAND.pin && info.priority < BAND.system).length, 4)
  const { next, steps } = planRelease(state, [pin], installed)
  t.same(
    steps.map((step) => step.kind === 'remove' && step.policy.info.sel.dport + step.policy.info.sel.sport),
    [4022, 4022],
  )
  t.same(next.pins, [{ ...pin, isEnded: true }, other])
  t.equal(placedRules(next).length, placedRules(state).length - 2)
  t.equal(rulesInForce(next).length, rulesInForce(state).length)
  t.same(planRelease(next, [pin], installed), { next, steps: [] }, 'once')
  t.equal(pinnedRules(next.pins).placed.length, 2)
})

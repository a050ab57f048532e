/** What the page decides is what `explain` decides. */
import fc from 'fast-check'
import t from 'tap'
import { explainPacket } from '../../../agent/explain/explain.ts'
import { matchRule } from '../../../agent/explain/match.ts'
import { candidatesOf } from '../../../agent/explain/order.ts'
import type { Packet, Passage } from '../../../agent/explain/packet.ts'
import { proposedSituation } from '../../../agent/explain/situation.ts'
import { formatAddress, parseAddress } from '../../../agent/model/address.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { hiddenRules } from '../../../agent/picture/coverage.ts'
import { decideInPage, type PagePacket, readAddressInPage } from '../../../agent/picture/page-rules.ts'
import { pictureReport } from '../../../agent/picture/report.ts'
import type { Tunnel } from '../../../agent/translate/tunnels.ts'
import { address } from '../../support/address.ts'
import { localAddresses, packet as packets, rules as ruleSets } from '../translate/simulation/arbitrary.ts'
import { fitting } from '../translate/simulation/fitting.ts'

const TUNNEL: Tunnel = {
  name: 'tun0',
  ifindex: 9,
  endpoints: { local: address('198.51.100.1'), remote: address('198.51.100.2') },
  protocols: [4],
}
const network = { localAddresses, tunnels: new Map([['tun0', TUNNEL]]), routedMarks: 0 }
const ABOUT = { title: '', source: '', time: '', algorithms: defaultAlgorithmTable, isLoaded: false }

const situationOf = (rules: readonly Rule[]) =>
  fitting(() => proposedSituation({ rules, associations: [], algorithms: defaultAlgorithmTable, network }))

/** As a page gets them: through JSON, and with the functions as texts. */
const decide = new Function(`return ${decideInPage.toString()}`)() as typeof decideInPage
const readAddress = new Function(`return ${readAddressInPage.toString()}`)() as typeof readAddressInPage

const pagePacket = (packet: Packet, { way, tunnel }: Passage): PagePacket => ({
  ...packet,
  way,
  local: [...packet.local.bytes],
  remote: [...packet.remote.bytes],
  tunnel: tunnel?.name ?? '',
})

/** Some of the rules are about the tunnel: those that a tunnel can have. */
const withTunnel = fc
  .tuple(ruleSets, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }))
  .map(([rules, flags]) =>
    rules.map((rule, i): Rule => {
      const canBe = flags[i] && rule.actions.every(({ kind }) => kind !== 'bypass')
      return canBe ? { ...rule, tunnel: { name: 'tun0', mode: 'tunnel' } } : rule
    }),
  )

t.test('property: the page decides as explain does', async () => {
  fc.assert(
    fc.property(withTunnel, packets, fc.boolean(), fc.boolean(), (rules, packet, isOut, isInside) => {
      const situation = situationOf(rules)
      const passage: Passage = {
        way: isOut ? 'out' : 'in',
        isForwarded: false,
        ifindex: 0,
        ...(isInside && { tunnel: TUNNEL }),
      }
      const { rules: pageRules, own } = pictureReport(situation, ABOUT)
      const data = JSON.parse(JSON.stringify(pageRules.map(({ page }) => page)))
      const found = decide(data, own, pagePacket(packet, passage))
      const { rules: answer } = explainPacket(packet, passage, situation)
      const { decider, considered } = answer
      const exception = decider.kind === 'exception' ? decider.exception : ''
      if (found.exception !== exception) throw new Error(`exception: ${found.exception}, not ${exception}`)
      const index = decider.kind === 'rule' ? decider.candidate.index : undefined
      if (pageRules[found.rule]?.index !== index) throw new Error(`rule ${found.rule}, not ${index}`)
      if (!exception && found.asked !== considered.asked.length) throw new Error('another number was asked')
      const isClearIcmp = answer.arrivals?.[0]?.why === 'clear ICMP'
      if (index !== undefined && found.isClearIcmp !== isClearIcmp)
        throw new Error('another fate of clear ICMP')
    }),
    { numRuns: 200 },
  )
})

t.test('property: a rule that is struck out decides for no packet', async () => {
  fc.assert(
    fc.property(ruleSets, packets, fc.boolean(), (rules, packet, isOut) => {
      const { rules: loaded, tunnels } = situationOf(rules)
      const candidates = candidatesOf(loaded, { kind: 'host' }, tunnels)
      const hidden = hiddenRules(candidates)
      const way = isOut ? 'out' : 'in'
      const winner = candidates.find(({ rule, pair }) => matchRule(rule, pair, packet, way).kind === 'yes')
      return winner === undefined || !hidden.has(winner)
    }),
    { numRuns: 200 },
  )
})

t.test('rules that are struck out', async (t) => {
  const end = (text: string, length: number) => ({ ...address(text), length })
  const make = (selector: object, action: 'bypass' | 'drop'): Rule => ({
    selector: { pairs: [{}], ...selector },
    direction: 'both',
    actions: [{ kind: action }],
    text: '',
    file: '',
    span: { line: 1, column: 1, length: 1 },
  })
  const hiddenAmong = (...rules: Rule[]) => {
    const { rules: loaded, tunnels } = situationOf(rules)
    return hiddenRules(candidatesOf(loaded, { kind: 'host' }, tunnels)).size
  }
  const net = { pairs: [{ remote: end('192.0.2.0', 24) }] }
  const host = { pairs: [{ remote: end('192.0.2.7', 32) }] }
  t.equal(hiddenAmong(make(net, 'bypass'), make(host, 'drop')), 1)
  t.equal(hiddenAmong(make(host, 'bypass'), make(net, 'drop')), 0)
  t.equal(hiddenAmong(make({ localPort: 22 }, 'bypass'), make({ protocol: 6, localPort: 22 }, 'drop')), 1)
  t.equal(hiddenAmong(make({ localPort: 22 }, 'bypass'), make({ protocol: 47 }, 'drop')), 0)
  t.equal(hiddenAmong(make(net, 'bypass'), make({}, 'drop')), 0)
})

t.test('property: the page reads addresses as everybody does', async () => {
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatAddress({ family: 'inet6', bytes })),
    fc.string({ unit: fc.constantFrom(':', '0', '1', 'f', '.', '::', '255', 'g', '-'), maxLength: 14 }),
  )
  fc.assert(
    fc.property(text, (one) => {
      const expected = parseAddress(one)
      return String(readAddress(one)) === String(expected && [...expected.bytes])
    }),
    { numRuns: 2000 },
  )
})

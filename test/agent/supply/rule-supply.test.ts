import fc from 'fast-check'
import t from 'tap'
import type { Passage } from '../../../agent/explain/packet.ts'
import { askRules } from '../../../agent/explain/rules-answer.ts'
import { type Proposal, proposedSituation } from '../../../agent/explain/situation.ts'
import {
  formatAddress,
  isUnspecified,
  type Prefix,
  parseAddress,
  prefixContains,
  unspecified,
} from '../../../agent/model/address.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { indexByEnd } from '../../../agent/supply/association-index.ts'
import { supplyOf } from '../../../agent/supply/rule-supply.ts'
import { shortageSentences } from '../../../agent/supply/words.ts'
import { MarkCapacityError } from '../../../agent/translate/policy-set.ts'
import { read } from '../../compat/configuration/support.ts'
import { espPair, espSa } from '../../support/configuration-place.ts'
import {
  association,
  localAddresses,
  packet as packets,
  rules as ruleSets,
} from '../translate/simulation/arbitrary.ts'

const PASSAGES: Readonly<Record<'in' | 'out', Passage>> = {
  out: { way: 'out', isForwarded: false, ifindex: 0 },
  in: { way: 'in', isForwarded: false, ifindex: 0 },
}

t.test(
  'property: a packet gets through by SAs that its rule has, and is held back where it has none',
  async () => {
    const scenes = fc.constantFrom('in' as const, 'out' as const).chain((way) =>
      packets.chain((packet) =>
        fc.record({
          way: fc.constant(way),
          packet: fc.constant(packet),
          rules: ruleSets,
          associations: fc.array(association(packet, way), { maxLength: 5 }),
        }),
      ),
    )
    let [supplied, lacking] = [0, 0]
    fc.assert(
      fc.property(scenes, ({ way, packet, rules, associations }) => {
        const situation = situationOf(rules, associations)
        const supply = supplyOf(situation)
        if (!supply) throw new Error('too much to compare')
        const { decider, departure, arrivals = [] } = askRules(packet, PASSAGES[way], situation)
        if (decider.kind !== 'rule') return
        const { rule, pair } = decider.candidate
        const isLacking = supply.shortages.some(
          (one) => one.rule === rule && one.pair === pair && one.ways.includes(way),
        )
        const used =
          departure?.kind === 'protected'
            ? [departure.wrapping]
            : arrivals
                .filter(({ why, wrapping }) => why === 'as asked' && (wrapping.esp || wrapping.ah))
                .map(({ wrapping }) => wrapping)
        if (isLacking) {
          lacking++
          if (used.length > 0) throw new Error('an SA is said to be lacking that a packet got through by')
          if (departure && departure.kind !== 'held')
            throw new Error(`said to be held back, and ${departure.kind}`)
        }
        for (const { esp, ah } of used) {
          supplied++
          for (const one of [esp, ah])
            if (one && supply.unclaimed.includes(one))
              throw new Error('an SA in use is said to serve no rule')
        }
      }),
      { numRuns: 2000, seed: 7 },
    )
    t.ok(supplied > 50 && lacking > 50, `${supplied} supplied, ${lacking} lacking`)
  },
)

function situationOf(
  rules: Proposal['rules'],
  associations: Proposal['associations'],
  network: Proposal['network'] = { localAddresses, tunnels: new Map(), routedMarks: 0 },
) {
  const distinct = [...new Map(associations.map((sa) => [`${sa.protocol} ${sa.spi}`, sa])).values()]
  try {
    return proposedSituation({ rules, associations: distinct, algorithms: defaultAlgorithmTable, network })
  } catch (error) {
    if (error instanceof MarkCapacityError) fc.pre(false)
    throw error
  }
}

const [HERE, PEER, OTHER] = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }
const TUNNEL = {
  name: 'tun0',
  ifindex: 9,
  endpoints: { local: address('198.51.100.1'), remote: address('198.51.100.2') },
  protocols: [4],
}

function address(text: string) {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(`no address: ${text}`)
  return parsed
}

/** What is said of a document on a host with these addresses. */
function told(policies: readonly object[], associations: readonly object[]) {
  const { configuration, diagnostics } = read({ policies, associations })
  if (!configuration || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics))
  const supply = supplyOf(
    situationOf(configuration.rules ?? [], configuration.associations ?? [], {
      localAddresses: [address(HERE), address('2001:db8::1'), TUNNEL.endpoints.local],
      tunnels: new Map([[TUNNEL.name, TUNNEL]]),
      routedMarks: 0,
    }),
  )
  return {
    said: shortageSentences(supply?.shortages ?? []).map((one) => one.replace(/^[^ ]+ /, '')),
    unclaimed: supply?.unclaimed.map(({ association: { spi } }) => spi) ?? [],
  }
}

const HELD = 'its packets are held back until it has.'

t.test('a rule with a pair of SAs has what it needs', async (t) => {
  const policies = [{ remote: PEER, protect: PROTECT }]
  t.same(told(policies, espPair(0x1001, HERE, PEER)), { said: [], unclaimed: [] })
})

t.test('no SA, none to send by, none to receive by', async (t) => {
  const policies = [{ remote: PEER, protect: PROTECT }]
  t.same(told(policies, []).said, [`rule 2 has no SA with ${PEER}: ${HELD}`])
  t.same(told(policies, [espSa(0x1001, PEER, HERE)]).said, [
    `rule 2 has no SA to send by with ${PEER}: ${HELD}`,
  ])
  t.same(told(policies, [espSa(0x1001, HERE, PEER)]).said, [
    `rule 2 has no SA to receive by with ${PEER}: its packets are refused until it has.`,
  ])
})

t.test(
  'an SA between the same hosts that is not what is asked for is named, and serves no rule',
  async (t) => {
    const protect = { ...PROTECT, authentication: 'sha512' }
    const { said, unclaimed } = told([{ remote: PEER, protect }], espPair(0x1001, HERE, PEER))
    t.same(said, [
      `rule 2 has no SA with ${PEER}: ${HELD} What is there is not what it asks for (0x00001001, 0x00001002).`,
    ])
    t.same(unclaimed, [0x1002, 0x1001])
    const other = told([{ remote: OTHER, protect: PROTECT }], espPair(0x1001, HERE, PEER))
    t.same(other.said, [`rule 2 has no SA with ${OTHER}: ${HELD}`], 'those of other hosts are not')
  },
)

t.test('what needs no SA lacks none', async (t) => {
  const policies = [
    { remote: PEER, action: 'bypass', direction: 'both' },
    { remote: OTHER, action: 'drop', direction: 'both' },
    { remote: '192.0.2.4', protect: [PROTECT, 'bypass'] },
  ]
  t.same(told(policies, []).said, [])
})

t.test('one way alone, one of two alternatives, and a header of two', async (t) => {
  const sends = [{ remote: PEER, protect: PROTECT, direction: 'out' }]
  t.same(told(sends, [espSa(0x1001, HERE, PEER)]).said, [])
  const either = [{ remote: PEER, protect: [{ ...PROTECT, encryption: 'aes(256)' }, PROTECT] }]
  t.same(told(either, espPair(0x1001, HERE, PEER)).said, [])
  const nested = [{ remote: PEER, protect: { encryption: 'aes(128)', ah: 'sha256' } }]
  const { said, unclaimed } = told(nested, espPair(0x1001, HERE, PEER))
  t.same(said, [`rule 2 has no SA with ${PEER}: ${HELD}`], 'ESP without its AH')
  t.same(unclaimed, [], 'which is a part of what is asked for')
})

t.test('an SA for another flow is none', async (t) => {
  const web = { upperProtocol: 'tcp', destinationPort: 80 }
  const policies = (remotePort: number) => [
    { remote: PEER, protocol: 'tcp', remotePort, protect: PROTECT, direction: 'out' },
  ]
  t.same(told(policies(80), [espSa(0x1001, HERE, PEER, web)]).said, [])
  t.equal(told(policies(25), [espSa(0x1001, HERE, PEER, web)]).said.length, 1)
})

t.test('rules of a tunnel have the SAs between its ends', async (t) => {
  const policies = [
    {
      tunnel: { name: 'tun0', mode: 'tunnel' },
      local: '10.1.0.0/16',
      remote: '10.2.0.0/16',
      protect: PROTECT,
    },
  ]
  const [local, remote] = [formatAddress(TUNNEL.endpoints.local), formatAddress(TUNNEL.endpoints.remote)]
  const inner = (source: string, destination: string) => ({ inner: { source, destination } })
  const pair = [
    espSa(0x1001, local, remote, inner('10.1.0.0/16', '10.2.0.0/16')),
    espSa(0x1002, remote, local, inner('10.2.0.0/16', '10.1.0.0/16')),
  ]
  t.same(told(policies, pair), { said: [], unclaimed: [] })
  const elsewhere = [espSa(0x1001, local, remote, inner('10.1.0.0/16', '10.3.0.0/16'))]
  t.same(told(policies, elsewhere).said, [`rule 2 has no SA with 10.2.0.0/16: ${HELD}`])
  t.equal(told(policies, espPair(0x1001, local, remote)).said.length, 1, 'transport mode is no tunnel')
})

t.test('many are told of in few lines', async (t) => {
  const policies = Array.from({ length: 12 }, (_, i) => ({ remote: `192.0.2.${10 + i}`, protect: PROTECT }))
  const { said } = told(policies, [])
  t.equal(said.length, 6)
  t.match(said.at(-1), /rules have no SA/)
  const [rule] = read({ policies }).configuration?.rules ?? []
  if (!rule) throw new Error('no example')
  const byName = Array.from({ length: 9 }, (_, i) => ({
    rule,
    index: 2,
    pair: { remote: { ...address(`192.0.2.${10 + i}`), length: 32 } },
    ways: ['in' as const],
    unfit: [],
  }))
  t.match(shortageSentences(byName), [
    /no SA to receive by with 192\.0\.2\.10, 192\.0\.2\.11, 192\.0\.2\.12 and 6 more: its packets are refused/,
  ])
})

t.test('100,000 rules and as many SAs take no time to speak of', async (t) => {
  const hosts = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  const { configuration } = read({
    policies: [{ remote: PEER, protect: PROTECT }],
    associations: espPair(0x1001, HERE, PEER),
  })
  const [rule] = configuration?.rules ?? []
  const [sa] = situationOf([], configuration?.associations ?? []).associations
  if (!rule || !sa) throw new Error('no example')
  const rules = hosts.map((host, i) => ({
    rule: {
      ...rule,
      direction: 'out' as const,
      selector: { pairs: [{ remote: { ...address(host), length: 32 } }] },
    },
    placements: [{ firstIndex: i + 1, position: i + 1 }],
  }))
  const associations = hosts.map((host) => ({
    ...sa,
    association: { ...sa.association, source: address(HERE), destination: address(host) },
  }))
  const supply = supplyOf({ rules, tunnels: new Map(), localAddresses: [address(HERE)], associations })
  t.same([supply?.shortages.length, supply?.unclaimed.length], [0, 0], 'not given up')
})

t.test('property: the index finds what a look at all finds', async () => {
  const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((all) => all.map((byte) => byte & 3))
  const prefix = fc
    .record({ bytes, length: fc.integer({ min: 0, max: 32 }) })
    .map((one): Prefix => ({ family: 'inet', ...one }))
  const ends = fc.array(fc.oneof({ weight: 9, arbitrary: bytes }, fc.constant(unspecified('inet').bytes)), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(ends, prefix, (all, wanted) => {
      const sas = all.map((one) => ({ association: { source: { family: 'inet', bytes: one } } })) as never[]
      const found = new Set(indexByEnd(sas, 'source')(wanted))
      return sas.every((sa: { association: { source: Prefix } }) => {
        const { source } = sa.association
        return (
          found.has(sa as never) ===
          (isUnspecified(source) || wanted.length === 0 || prefixContains(wanted, source))
        )
      })
    }),
    { numRuns: 2000, seed: 11 },
  )
})

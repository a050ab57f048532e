/** What is made of tables, notes and the record. */
import t from 'tap'
import { makeReport } from '../../../agent/status/make-report.ts'
import { carriedBy } from '../../../agent/status/report.ts'
import { defaultPolicy, defaultTemplate } from '../../../netlink/xfrm/defaults.ts'
import { violations } from '../../schemas/support.ts'
import { NOW, policiesOf, rulesOf, sourcesWith, stateOf } from './scene.ts'

const RULES = rulesOf(`{lport 22 ulp tcp dir both} bypass {}
{laddr 10.1.0.1 raddr 10.1.0.2} ipsec {encr_algs aes(128) encr_auth_algs sha256}`)

t.test('SAs: what they are, what they have carried, what is left', async (t) => {
  const lastUsed = BigInt(NOW - 5)
  const states = [
    stateOf({
      spi: 1,
      bytes: 600n,
      packets: 6n,
      integrity: 2,
      used: BigInt(NOW - 60),
      lastUsed,
      hardTime: 130n,
    }),
    stateOf({ spi: 2, outbound: true, hardBytes: 1000n, bytes: 400n }),
    stateOf({ spi: 3, isForeign: true }),
  ]
  const sources = sourcesWith({ tables: { policies: [], states } })
  const report = makeReport(sources)
  t.match(report.tables?.associations, { own: 2, foreign: 1, larval: 0 })
  const [into, out] = report.associations
  t.match(into, {
    protocol: 'esp',
    spi: 1,
    source: '10.1.0.2',
    destination: '10.1.0.1',
    owner: 'solipsec',
    direction: 'in',
    isAuthenticated: true,
    bytes: 600,
    packets: 6,
    errors: { integrity: 2, replay: 0, replayWindow: 0 },
    firstUsed: NOW - 60,
    lastUsed: NOW - 5,
    hard: { seconds: 30 },
  })
  t.match(into, { encryption: /128$/, authentication: /256$/ })
  t.equal(into?.soft, undefined, 'no limit')
  t.same(out?.hard, { bytes: 600 })
  t.equal(out?.lastUsed, undefined, 'this kernel does not tell')
  t.equal(report.associations.length, 2)
  t.equal(makeReport(sources, { withForeign: true }).associations.at(-1)?.owner, 'other')
  const json = JSON.stringify(makeReport(sources, { withForeign: true }))
  t.same(violations('solipsec-status.schema.json', json), [])
  t.notMatch(json, /abab|171,171/, 'no keys')
})

t.test('larval SAs, and what others have', async (t) => {
  const larval = stateOf({ spi: 9 })
  const policy = { ...defaultPolicy(), index: 9 }
  const report = makeReport(
    sourcesWith({
      tables: {
        states: [{ ...larval, attributes: {} }],
        policies: [
          { name: 'NEWPOLICY', body: policy, attributes: {} },
          { name: 'NEWPOLICY', body: { ...policy, dir: 4 }, attributes: {} },
        ],
      },
    }),
  )
  t.same(report.tables, {
    policies: { ofRules: 0, frame: 0, foreign: 1, ofSockets: 1 },
    associations: { own: 0, foreign: 0, larval: 1 },
  })
})

t.test('rules: in force, used, or not', async (t) => {
  const policies = policiesOf(RULES, BigInt(NOW - 7))
  const whole = makeReport(sourcesWith({ rules: RULES, tables: { policies, states: [] } }))
  t.same(whole.problems, [])
  t.equal(whole.tables?.policies.ofRules, policies.length)
  t.match(whole.rules[1], { index: 6, file: '/etc/inet/ipsecinit.conf', line: 2, lastUsed: NOW - 7 })
  t.same(whole.rules[1]?.entries, [
    { index: 5, direction: 'out', family: 'inet', policies: 1, lastUsed: NOW - 7 },
    { index: 6, direction: 'in', family: 'inet', policies: 1, lastUsed: NOW - 7 },
  ])
  const lame = makeReport(sourcesWith({ rules: RULES, tables: { policies: policies.slice(1), states: [] } }))
  t.match(lame.problems, [/^A rule has entries that are not in force: 4$/])
  t.equal(lame.rules[0]?.entries[0]?.policies, 0)
})

t.test('rules: what they have let through, where somebody counts', async (t) => {
  const [clear, out] = [4, 4]
  const policies = policiesOf(RULES).map((policy, i) => {
    const [packets, bytes] = i === out ? [3n, 300n] : [0n, 0n]
    const body = { ...policy.body, curlft: { ...policy.body.curlft, packets, bytes } }
    return { ...policy, body, attributes: i < clear ? {} : { tmpl: [defaultTemplate()] } }
  })
  const tables = { policies, states: [] }
  const dataPath = { kind: 'software', state: 'ready' } as const
  const report = makeReport(sourcesWith({ rules: RULES, tables, dataPath }))
  t.same(
    report.rules.map(({ entries }) => entries.map(({ bytes, packets }) => [bytes, packets])),
    [
      Array(clear).fill([undefined, undefined]),
      [
        [300, 3],
        [0, 0],
      ],
    ],
    'nobody counts what passes in clear',
  )
  t.same(report.rules.map(carriedBy), [undefined, { bytes: 300, packets: 3 }])
  t.same(violations('solipsec-status.schema.json', JSON.stringify(report)), [])
  const kernel = makeReport(
    sourcesWith({ rules: RULES, tables: { policies: policiesOf(RULES), states: [] } }),
  )
  t.same(kernel.rules.map(carriedBy), [undefined, undefined])
})

t.test('rules without SAs, and SAs without a rule', async (t) => {
  const policies = policiesOf(RULES)
  const reportOf = (states: ReturnType<typeof stateOf>[], more = policies) =>
    makeReport(sourcesWith({ rules: RULES, tables: { policies: more, states } }))
  t.same(
    reportOf([]).rules.map(({ lacks }) => lacks),
    [undefined, ['out', 'in']],
  )
  const [out, into] = [stateOf({ spi: 0x1000, outbound: true }), stateOf({ spi: 0x1001 })]
  t.same(
    reportOf([out]).rules.map(({ lacks }) => lacks),
    [undefined, ['in']],
  )
  t.same(
    reportOf([out, into]).rules.map(({ lacks }) => lacks),
    [undefined, undefined],
  )
  t.same(reportOf([out, stateOf({ spi: 0x1001, isForeign: true })]).rules[1]?.lacks, ['in'], 'but of ours')
  const stranger = { ...out, body: { ...out.body, saddr: Uint8Array.of(10, 9, 9, 9, ...new Uint8Array(12)) } }
  t.same(
    reportOf([stranger]).associations.map(({ servesNoRule }) => servesNoRule),
    [true],
  )
  t.same(
    reportOf([out]).associations.map(({ servesNoRule }) => servesNoRule),
    [undefined],
  )
  const ofSocket = { name: 'NEWPOLICY' as const, body: { ...defaultPolicy(), dir: 4 }, attributes: {} }
  t.same(
    reportOf([stranger], [...policies, ofSocket]).associations.map(({ servesNoRule }) => servesNoRule),
    [undefined],
    'it may be for a socket',
  )
  const bare = makeReport(sourcesWith({ tables: { policies: [], states: [stranger] } }))
  t.same(bare.associations[0]?.servesNoRule, undefined, 'without rules, none is asked for')
  const json = JSON.stringify(reportOf([stranger]))
  t.same(violations('solipsec-status.schema.json', json), [])
})

t.test('a record that is lost, a change under way, a data path that does not run', async (t) => {
  const policies = policiesOf(RULES)
  const tables = { policies, states: [] }
  t.match(makeReport(sourcesWith({ tables })).problems, [/no record of the rules/])
  t.match(makeReport(sourcesWith({ tables, isRecordLost: true })).problems, [/cannot be read/])
  t.match(makeReport(sourcesWith({ rules: RULES, isChanging: true })).problems, [/under way/])
  const { tables: _, ...blind } = sourcesWith({
    rules: RULES,
    dataPath: { kind: 'software', state: 'stopped' },
  })
  const stopped = makeReport(blind)
  t.match(stopped.problems, [/does not run/])
  t.notOk('tables' in stopped || 'losses' in stopped, 'what is not known is absent')
  t.same(violations('solipsec-status.schema.json', JSON.stringify(stopped)), [])
})

t.test('pairs, idle limits and tunables', async (t) => {
  const note = (pairSpi: number) => ({ pairSpi, idle: { addTime: 0n, useTime: 60n } })
  const notes = new Map([
    ['esp 10.1.0.1 1', note(2)],
    ['esp 10.1.0.2 2', note(99)],
  ])
  const states = [stateOf({ spi: 1 }), stateOf({ spi: 2, outbound: true })]
  const tunables = { icmp_accept_clear_messages: 1 }
  const report = makeReport(sourcesWith({ tables: { policies: [], states }, notes, tunables }))
  t.same(
    report.associations.map(({ pair, idleLimit }) => ({ pair, idleLimit })),
    [
      { pair: { spi: 2, isThere: true }, idleLimit: 60 },
      { pair: { spi: 99, isThere: false }, idleLimit: 60 },
    ],
  )
  t.same(report.tunables, tunables)
})

/** What `solipsec verify` says of what was found. */
import t from 'tap'
import type { PolicyState } from '../../../../../agent/reconcile/policy-state.ts'
import { interpret } from '../../../../../compat/commands/solipsec/verify/arguments.ts'
import { JsonReport } from '../../../../../compat/commands/solipsec/verify/json-report.ts'
import type { Outcome } from '../../../../../compat/commands/solipsec/verify/report.ts'
import { Rules } from '../../../../../compat/commands/solipsec/verify/rules.ts'
import { TextReport } from '../../../../../compat/commands/solipsec/verify/text-report.ts'
import { clockText, flowText } from '../../../../../compat/commands/solipsec/verify/wording.ts'
import { association, both, packet, policy, protect, stateOf, World } from '../../../../agent/verify/world.ts'
import { violations } from '../../../../schemas/support.ts'
import { captureIo } from '../../support/capture-io.ts'

const SCENE = { devices: ['eth0', 'eth1'], dataPath: 'kernel', policies: 2, associations: 1 } as const
const OUR_INDEX = 0x4000_0000
/** Position 64 of the band of ESP. */
const PRIORITY = 0x3000_0000 + 64 * 8 + 3

const state = {
  rules: [
    {
      rule: {
        file: '/etc/inet/ipsecinit.conf',
        span: { line: 12 },
        text: '{laddr 10.0.0.1}\n  ipsec {encr_algs aes}\n',
        direction: 'both',
        selector: { pairs: [{}] },
        actions: [],
      },
      placements: [{ position: 64, firstIndex: 5 }],
    },
  ],
} as unknown as PolicyState

const esp = association()
const asked = [
  policy({ direction: 'OUT', asks: ['esp'], index: OUR_INDEX + 9, priority: PRIORITY }),
  policy({ direction: 'IN', asks: ['esp'] }),
]

function reporter(kind: 'text' | 'json', words: readonly string[] = []) {
  const io = captureIo()
  const knowledge = { rules: new Rules(() => state), deviceName: (index: number) => `eth${index - 2}` }
  const asked = interpret(
    words.map((name) => ({ name })),
    [],
  )
  if (!('request' in asked)) throw new Error(asked.usage)
  const report =
    kind === 'json' ? new JsonReport(knowledge, io) : new TextReport(asked.request, knowledge, io)
  return { io, report }
}

const outcome = (world: World, rest: Partial<Outcome> = {}): Outcome => ({
  scene: SCENE,
  tally: world.tally,
  unread: 0,
  seconds: 5.00049,
  ...rest,
})

/** The end of the report in words. */
function ending(world: World, rest: Partial<Outcome> = {}): string {
  const { io, report } = reporter('text')
  report.end(outcome(world, rest))
  return io.out()
}

t.test('a leak, with the rule that asked for more', async (t) => {
  const world = new World({ policies: asked, states: [stateOf(esp)] })
  world.see(protect(esp, packet()))
  world.see(packet(), { at: 10 })
  world.see(packet(), { at: 20 })
  world.see(packet(), { way: 'in', type: 1, at: 25 })
  const [first, last] = [world.last.first, world.tally.findings('leak')[0]?.last ?? 0]
  const out = ending(world, { unread: 7 })
  const time = `${clockText(first - 15)} to ${clockText(last)}`
  t.ok(
    out.startsWith(
      `LEAK  10.0.0.1:40000 -> 10.0.0.2:7 UDP, out by eth0\n  seen:   in clear\n  asked:  ESP\n` +
        `  by:     rule 8 (/etc/inet/ipsecinit.conf:12) {laddr 10.0.0.1} ipsec {encr_algs aes}\n` +
        `  2 packets, ${time}\n\n` +
        `ARRIVED IN CLEAR  10.0.0.1:40000 -> 10.0.0.2:7 UDP, in by eth0\n`,
    ),
    out,
  )
  t.match(out, /by: {5}policy in 0\.0\.0\.0\/0 -> 0\.0\.0\.0\/0 .*esp\/transport/, 'of another program')
  t.ok(
    out.endsWith(
      `PACKETS\n      1  protected as policy asks\n      1  ARRIVED IN CLEAR: to be refused here\n` +
        `      2  LEAK: went out in clear, or not as policy asks\n      7  NOT LOOKED AT: too many at once\n\n` +
        `WRONG: 2 of 4 packets. Leaked: 2 packets. Not looked at: 7 packets.\n`,
    ),
    out,
  )
})

t.test('how it ends', async (t) => {
  const nothing = new World()
  t.match(ending(nothing), /^No packet was seen on eth0, eth1\.\n$/)
  t.match(ending(nothing, { unread: 1 }), /No packet was seen on eth0, eth1\. Not looked at: 1 packet\.\n$/)
  const right = new World({ policies: asked, states: [stateOf(esp)] })
  right.see(protect(esp, packet()))
  t.match(ending(right), /\nRight: 1 packet, as policy asks\.\n$/)
  t.match(
    ending(right, { unread: 3 }),
    /1 packet that was looked at, as policy asks\. Not looked at: 3 packets\.\n$/,
  )
  right.see(packet(), { way: 'in', type: 1 })
  t.match(ending(right), /\nNothing wrong went out, but see above: 1 of 2 packets\.\n$/)
  right.see(protect(association({ fill: 1 }), packet()))
  t.match(ending(right), /\nWRONG: 1 of 3 packets\.\n$/)
})

t.test('many flows are not all listed', async (t) => {
  const world = new World({ policies: both({ asks: ['esp'] }) })
  for (let port = 1; port <= 130; port++) world.see(packet({ port }))
  world.see(packet({ port: 130 }))
  const out = ending(world)
  t.equal(out.match(/^LEAK {2}10/gm)?.length, 100)
  t.match(out, '\nLEAK  and 31 packets of other flows\n')
})

t.test('the beginning', async (t) => {
  const { io, report } = reporter('text')
  report.begin(SCENE)
  t.equal(io.err(), 'Looking at eth0, eth1 for 5 seconds: 2 policies and 1 SA, on the kernel data path\n')
  const continuous = reporter('text', ['continuous'])
  continuous.report.begin({ ...SCENE, policies: 0, devices: [] })
  t.match(continuous.io.err(), /^Looking at no interface, with 5% of a processor: 0 policies/)
  t.match(continuous.io.err(), '\nNOTE: no policy is loaded, so nothing has to be protected\n')
})

t.test('told as it happens, a line each', async (t) => {
  const world = new World({ policies: asked })
  world.see(packet())
  const quiet = reporter('text')
  quiet.report.tell(world.last, 1)
  t.equal(quiet.io.out(), '', 'a short look tells in the end')
  const { io, report } = reporter('text', ['continuous'])
  report.tell(world.last, 1)
  for (let i = 0; i < 4; i++) world.see(packet())
  report.tell(world.last, 4)
  t.match(
    io.out(),
    /^[\d:.]{12} LEAK 10\.0\.0\.1:40000 -> 10\.0\.0\.2:7 UDP, out by eth0: in clear; asked: ESP \(rule 8\)\n[\d:.]{12} LEAK .*: 4 more\n$/,
  )
})

t.test('JSON follows its schema, and has no key in it', async (t) => {
  const world = new World({ policies: asked, states: [stateOf(esp)] })
  world.see(protect(esp, packet()))
  world.see(packet())
  world.see(packet(), { way: 'in', type: 1 })
  world.see(protect(association({ fill: 1 }), packet()))
  const { io, report } = reporter('json')
  report.begin(SCENE)
  for (const finding of world.found) report.tell(finding, 1)
  report.end(outcome(world, { unread: 2 }))
  const lines = io.out().trimEnd().split('\n')
  t.equal(lines.length, 5)
  for (const line of lines) {
    t.same(violations('solipsec-verify.schema.json', line), [], line)
    t.notMatch(line, /(07){8}|\balg_/)
  }
  t.match(JSON.parse(lines[1] ?? ''), {
    category: 'leak',
    asked: 'ESP',
    rule: { index: 8, line: 12 },
    device: 'eth0',
  })
  t.match(JSON.parse(lines.at(-1) ?? ''), {
    event: 'summary',
    isWrong: true,
    seconds: 5,
    notLookedAt: 2,
    packets: { protected: 1, leak: 1, arrivedInClear: 1, wrongIcv: 1, echo: 0 },
    findings: [
      { category: 'arrivedInClear' },
      { category: 'wrongIcv', spi: 0x1234_5678 },
      { category: 'leak' },
    ],
  })
  t.not(violations('solipsec-verify.schema.json', (lines[1] ?? '').replace('"out"', '"up"')).length, 0)
  t.not(
    violations('solipsec-verify.schema.json', (lines.at(-1) ?? '').replace('"leak":', '"leek":')).length,
    0,
  )
})

t.test('flows in words', async (t) => {
  const flow = (protocol: number, sport: number, dport: number, family = 2) => ({
    family,
    source: Uint8Array.of(10, ...new Array<number>(15).fill(0)),
    destination: Uint8Array.of(11, ...new Array<number>(15).fill(0)),
    protocol,
    sport,
    dport,
    ifindex: 0,
  })
  t.equal(flowText(flow(1, 8, 0)), '10.0.0.0 -> 11.0.0.0 ICMP type 8 code 0')
  t.equal(flowText(flow(50, 0, 0)), '10.0.0.0 -> 11.0.0.0 ESP')
  t.equal(flowText(flow(200, 0, 0)), '10.0.0.0 -> 11.0.0.0 protocol 200')
  t.equal(flowText(flow(6, 1, 2, 10)), '[a00::]:1 -> [b00::]:2 TCP')
})

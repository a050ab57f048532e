/** The command line of `solipsec status`, and what it prints. */
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { StatusReport } from '../../../../../agent/status/report.ts'
import { interpret, optionTable } from '../../../../../compat/commands/solipsec/status/arguments.ts'
import { statusText } from '../../../../../compat/commands/solipsec/status/text-report.ts'
import { getopt } from '../../../../../compat/commands/support/getopt.ts'
import { associationWith, NOW, reportWith } from '../../../../agent/status/scene.ts'

const PLAIN = {
  width: Number.POSITIVE_INFINITY,
  height: Number.POSITIVE_INFINITY,
  most: Number.POSITIVE_INFINITY,
  hasColour: false,
}

const rule = (changes: Partial<StatusReport['rules'][number]> = {}): StatusReport['rules'][number] => ({
  index: 4,
  file: '/etc/inet/ipsecinit.conf',
  line: 12,
  text: '{laddr 10.1.0.1 raddr 10.1.0.2} ipsec {encr_algs aes(128) encr_auth_algs sha256}',
  entries: [
    { index: 3, direction: 'out', family: 'inet', policies: 1 },
    { index: 4, direction: 'in', family: 'inet', policies: 1, lastUsed: NOW - 3 },
  ],
  lastUsed: NOW - 3,
  ...changes,
})

const FULL = reportWith({
  rules: [rule(), rule({ index: 6, entries: [{ index: 6, direction: 'in', family: 'inet', policies: 0 }] })],
  tables: {
    policies: { ofRules: 2, frame: 3, foreign: 1, ofSockets: 2 },
    associations: { own: 2, foreign: 1, larval: 1 },
  },
  associations: [
    associationWith({ bytes: 1_234_567, packets: 1000, hard: { seconds: 7500 }, lastUsed: NOW - 61 }),
    associationWith({
      spi: 0x1001,
      direction: 'out',
      state: 'dying',
      errors: { integrity: 1, replay: 2, replayWindow: 0 },
      pair: { spi: 0x1000, isThere: false },
    }),
  ],
  losses: { XfrmInNoStates: 4, XfrmInError: 0 },
  agent: {
    state: 'online',
    processId: 44,
    since: NOW - 7500,
    loaded: NOW - 60,
    drift: 'enforce',
    drifts: 2,
  },
  units: [
    { unit: 'a.service', sockets: 3, unprotected: 2 },
    { unit: 'b.service', sockets: 1, unprotected: 0 },
  ],
  problems: ['A rule has entries that are not in force: 6'],
})

t.test('arguments', async (t) => {
  const read = (...argv: string[]) => {
    const { options, operands } = getopt(argv, optionTable)
    return interpret(options, operands)
  }
  const usual = {
    form: 'text',
    withForeign: false,
    most: Number.POSITIVE_INFINITY,
    seriesLimit: 1000,
    pictures: [],
  }
  t.same(read(), { request: usual })
  t.same(read('--watch'), { request: { ...usual, watch: 2 } })
  t.same(read('-a', '--json', '--netns', 'blue', '--watch', '0.5'), {
    request: { ...usual, form: 'json', withForeign: true, netns: 'blue', watch: 0.5 },
  })
  t.same(read('--metrics', '--series', '0'), { request: { ...usual, form: 'metrics', seriesLimit: 0 } })
  t.same(read('-n', '5'), { request: { ...usual, most: 5 } })
  t.match(read('--svg', 'a', '--html', '-'), {
    request: {
      pictures: [
        { format: 'svg', path: 'a' },
        { format: 'html', path: '-' },
      ],
    },
  })
  t.match(read('--svg', 'a', '--json'), { usage: /a picture, and that is all/ })
  t.match(read('5'), { usage: /goes with --watch/ })
  t.match(read('--watch', '5', '--json'), { usage: /Options come before/ })
  for (const seconds of ['0', '-1', 'x', '1e3', '9999999'])
    t.match(read('--watch', seconds), { usage: /seconds/ })
  t.match(read('--json', '--metrics'), { usage: /cannot both be/ })
  t.match(read('--metrics', '--watch'), { usage: /one report/ })
  t.match(read('--series', '5'), { usage: /needs --metrics/ })
  t.match(read('-n', 'x'), { usage: /not a number/ })
})

t.test('everything', async (t) => {
  const text = statusText(FULL, PLAIN)
  for (const line of [
    'Data path  kernel, ready',
    'Agent      online for 2h5m, process 44, drift 2 times',
    'Rules      2, with 3 entries in 2 policies, and 3 around them',
    'SAs        2: 1 in, 1 out, 1 past a soft limit, 1 without the other half of a pair',
    'Carried    in 1.23 MB in 1000 packets; out 0 B in 0 packets',
    'Refused    1 with a wrong ICV, 2 repeated',
    'Lost       4 packets',
    'Sockets    4 sockets of 2 services to be protected; without a policy: 2 of a.service',
    'Missing    1 SA that packets need and nobody has made',
    'Others     1 policy of other programs, 1 SA of other programs, 2 policies of single sockets',
    'PROBLEM    A rule has entries that are not in force: 6',
    'RULES',
    'SECURITY ASSOCIATIONS',
    'LOST PACKETS',
  ]) {
    t.ok(text.split('\n').includes(line), line)
  }
  t.match(text, /\n {4}4 {4}3s {2}yes {7}\/etc\/inet\/ipsecinit\.conf:12 {2}\{laddr 10/)
  t.match(text, /\n {4}6 {4}3s {2}0 of 1 /)
  t.match(text, /\nin {3}0x00001000 {2}esp transport {2}10\.1\.0\.2 .* 1\.23 MB +1000 +0 +2h5m +1m1s /)
  t.match(text, /\nout {2}0x00001001 .* dying .* 0x1000 gone {2}solipsec\n/)
  t.match(text, /\n {6}4 {2}XfrmInNoStates {2}came with an SPI that no SA has\n$/)
  t.notMatch(text, '\x1b')
  t.match(statusText(FULL, { ...PLAIN, hasColour: true }), '\x1b[1;31mA rule has entries')
})

t.test('rules without SAs, and SAs without a rule', async (t) => {
  const report = reportWith({
    rules: [rule({ lacks: ['out', 'in'] }), rule({ index: 6, lacks: ['in'] }), rule({ index: 8 })],
    ...(FULL.tables && { tables: FULL.tables }),
    associations: [associationWith({ servesNoRule: true })],
  })
  const text = statusText(report, PLAIN)
  t.match(text, /\nRules {6}3, with .*; 2 without an SA: held back\n/)
  t.match(text, /\nSAs {8}1: 1 in, 0 out, 1 that no rule asks for\n/)
  t.match(text, /\n +4 +3s +yes, no SA +\/etc/)
  t.match(text, /\n +6 +3s +yes, no SA in +\/etc/)
  t.match(text, /\n +8 +3s +yes +\/etc/)
  t.match(text, / mature, no rule /)
  t.match(statusText(report, { ...PLAIN, hasColour: true }), '\x1b[33myes, no SA in')
})

t.test('rates, the busiest first', async (t) => {
  const now = reportWith({
    ...FULL,
    time: NOW + 2,
    associations: FULL.associations.map((sa) => ({
      ...sa,
      packets: sa.packets + (sa.direction === 'out' ? 100 : 0),
      bytes: sa.bytes + (sa.direction === 'out' ? 1_000_000 : 0),
    })),
    losses: { XfrmInNoStates: 6, XfrmInError: 0 },
  })
  const text = statusText(now, { ...PLAIN, before: FULL })
  t.match(text, /\nNow {8}in 0 bit\/s, 0 packets\/s; out 4\.00 Mbit\/s, 50 packets\/s\n/)
  t.match(text, /\nLost {7}6 packets, 2 of them in the last 2 s\n/)
  t.ok(text.indexOf('0x00001001') < text.indexOf('0x00001000  esp'), 'the busiest first')
})

t.test('it fits, whatever the size', async (t) => {
  const associations = Array.from({ length: 300 }, (_, i) =>
    associationWith({ spi: i + 1, source: '2001:db8:1234:5678:9abc:def0:1234:5678' }),
  )
  const rules = Array.from({ length: 100 }, (_, i) =>
    rule({ index: i, file: '/etc/very/long/name/of/a/file.conf' }),
  )
  const many = reportWith({ ...FULL, associations, rules })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 250 }),
      fc.integer({ min: 1, max: 120 }),
      fc.boolean(),
      (width, height, hasColour) => {
        const text = statusText(many, { width, height, hasColour, most: Number.POSITIVE_INFINITY })
        const lines = stripVTControlCharacters(text).split('\n').slice(0, -1)
        return lines.length <= height && lines.every((line) => line.length <= width)
      },
    ),
    { seed: 1 },
  )
  const screen = statusText(many, { ...PLAIN, width: 100, height: 40 })
  t.match(screen, /\nand \d+ more\n/)
  t.ok(screen.split('\n').length - 1 <= 40)
  const few = statusText(many, { ...PLAIN, most: 2 })
  t.match(few, /\nand 98 more\n/)
  t.match(few, /\nand 298 more\n/)
})

t.test('names cannot write to the terminal', async (t) => {
  const text = statusText(
    reportWith({ ...FULL, rules: [rule({ text: '{} \x1b[2J\u202edrop' })], problems: ['\x1b]0;x\x07'] }),
    PLAIN,
  )
  t.notOk(text.includes('\x1b') || text.includes('\u202e'))
})

t.test('tunnel interfaces that solipsec has made', async (t) => {
  const tunnel = { name: 'a', kind: 'ipip', local: '192.0.2.1', remote: '192.0.2.2', state: 'up' } as const
  const line = (...tunnels: NonNullable<StatusReport['tunnels']>) =>
    /^Tunnels +(.*)$/m.exec(statusText(reportWith({ tunnels }), PLAIN))?.[1]
  t.equal(line(tunnel), '1 of 1 up')
  t.equal(line(tunnel, { ...tunnel, name: 'b', state: 'missing' }), '1 of 2 up, b missing')
  t.equal(line(), undefined)
})

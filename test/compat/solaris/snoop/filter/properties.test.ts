/**
 * Random expressions on random packets, against what they mean by the packet's own description; and any octets and any
 * text whatever. `SOLIPSEC_FUZZ=N` multiplies the number of runs by N.
 */
import fc from 'fast-check'
import t from 'tap'
import type { Frame } from '../../../../../agent/capture/frame.ts'
import { FilterError, parseFilter } from '../../../../../compat/solaris/snoop/filter/index.ts'
import { times } from '../../../../support/fuzz.ts'
import { anyFrame, withSurroundings } from '../arbitraries.ts'
import * as p from '../packets.ts'

const options = times(1500)
const { numRuns: runs } = options

/** A packet in words. */
interface Facts {
  readonly v6: boolean
  readonly protocol: 'tcp' | 'udp'
  readonly from: number
  readonly to: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly size: number
}

const few = fc.integer({ min: 1, max: 3 })
const facts: fc.Arbitrary<Facts> = fc.record({
  v6: fc.boolean(),
  protocol: fc.constantFrom('tcp', 'udp'),
  from: few,
  to: few,
  sourcePort: few,
  destinationPort: few,
  size: fc.nat(20),
})

function frameFor({ v6, protocol, from, to, sourcePort, destinationPort, size }: Facts): Frame {
  const data = new Uint8Array(size)
  const upper =
    protocol === 'tcp'
      ? p.tcp(sourcePort, destinationPort, 0, data)
      : p.udp(sourcePort, destinationPort, data)
  const packet = v6 ? p.ip6(protocol === 'tcp' ? 6 : 17, upper) : p.ip(protocol === 'tcp' ? 6 : 17, upper)
  if (v6) {
    packet[23] = from
    packet[39] = to
  } else {
    packet[15] = from
    packet[19] = to
  }
  return p.packetOf(packet)
}

const lengthOf = ({ v6, protocol, size }: Facts): number =>
  14 + (v6 ? 40 : 20) + (protocol === 'tcp' ? 20 : 8) + size

/** An expression with its meaning. */
interface Meant<T> {
  readonly text: string
  readonly value: (facts: Facts) => T
}

const number: fc.Arbitrary<Meant<number>> = fc.letrec<{ number: Meant<number>; sum: Meant<number> }>(
  (tie) => ({
    sum: fc.tuple(tie('number'), fc.constantFrom('+', '-', '*'), tie('number')).map(([a, operator, b]) => ({
      text: `(${a.text} ${operator} ${b.text})`,
      value: (f) => {
        const [x, y] = [a.value(f), b.value(f)]
        return operator === '+' ? x + y : operator === '-' ? x - y : x * y
      },
    })),
    number: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.nat(120).map((n) => ({ text: String(n), value: () => n })),
      fc.constant<Meant<number>>({ text: 'length', value: lengthOf }),
      fc.constant<Meant<number>>({ text: 'ether[12:2]', value: ({ v6 }) => (v6 ? 0x86dd : 0x0800) }),
      fc.constant<Meant<number>>({
        text: 'udp[0:2]',
        value: (f) => (f.protocol === 'udp' ? f.sourcePort : Number.NaN),
      }),
      fc.constant<Meant<number>>({ text: 'ip[19]', value: (f) => (f.v6 ? Number.NaN : f.to) }),
      tie('sum'),
    ),
  }),
).number

const RELATIONS: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a < b || a > b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

const primitive: fc.Arbitrary<Meant<boolean>> = fc.oneof(
  fc.constantFrom<Meant<boolean>>(
    { text: 'tcp', value: (f) => f.protocol === 'tcp' },
    { text: 'udp', value: (f) => f.protocol === 'udp' },
    { text: 'ip', value: (f) => !f.v6 },
    { text: 'ip6', value: (f) => f.v6 },
    { text: 'arp', value: () => false },
    { text: 'nofrag', value: () => true },
  ),
  few.map((n) => ({ text: `10.0.0.${n}`, value: (f: Facts) => !f.v6 && (f.from === n || f.to === n) })),
  few.map((n) => ({ text: `from 2001:db8::${n}`, value: (f: Facts) => f.v6 && f.from === n })),
  few.map((n) => ({ text: `to net 10.0.0.${n}/31`, value: (f: Facts) => !f.v6 && f.to >>> 1 === n >>> 1 })),
  few.map((n) => ({ text: `port ${n}`, value: (f: Facts) => f.sourcePort === n || f.destinationPort === n })),
  few.map((n) => ({
    text: `dst tcp port ${n}`,
    value: (f: Facts) => f.protocol === 'tcp' && f.destinationPort === n,
  })),
  fc
    .integer({ min: 42, max: 94 })
    .map((n) => ({ text: `greater ${n}`, value: (f: Facts) => lengthOf(f) > n })),
  fc.tuple(number, fc.constantFrom(...Object.keys(RELATIONS)), number).map(([a, sign, b]) => ({
    text: `${a.text} ${sign} ${b.text}`,
    value: (f: Facts) => RELATIONS[sign]?.(a.value(f), b.value(f)) ?? false,
  })),
)

/** Without more parentheses than precedence asks for. */
const expression: fc.Arbitrary<Meant<boolean>> = fc.letrec<{
  or: Meant<boolean>
  and: Meant<boolean>
  not: Meant<boolean>
}>((tie) => ({
  not: fc.oneof(
    { maxDepth: 4 },
    primitive,
    primitive,
    tie('not').map(({ text, value }) => ({ text: `not ${text}`, value: (f: Facts) => !value(f) })),
    tie('or').map(({ text, value }) => ({ text: `(${text})`, value })),
  ),
  and: fc
    .tuple(fc.array(tie('not'), { minLength: 1, maxLength: 3 }), fc.constantFrom(' and ', ' && ', ' '))
    .map(([parts, sign]) => ({
      text: parts.map(({ text }) => text).join(sign),
      value: (f: Facts) => parts.every(({ value }) => value(f)),
    })),
  or: fc
    .tuple(fc.array(tie('and'), { minLength: 1, maxLength: 3 }), fc.constantFrom(' or ', ',', ' || '))
    .map(([parts, sign]) => ({
      text: parts.map(({ text }) => text).join(sign),
      value: (f: Facts) => parts.some(({ value }) => value(f)),
    })),
})).or

t.test('filters select what they say', async (t) => {
  let selected = 0
  fc.assert(
    fc.property(expression, fc.array(facts, { minLength: 5, maxLength: 5 }), ({ text, value }, packets) => {
      const filter = parseFilter(text)
      for (const one of packets) {
        const matches = filter(frameFor(one))
        if (matches) selected++
        if (matches !== value(one)) return false
      }
      return true
    }),
    options,
  )
  t.ok(selected > runs && selected < 4 * runs, 'some, and not all', { selected })
})

/** One by one: in a longer expression the first that is true would hide the rest. */
const EVERYTHING = [
  ...[
    'tcp',
    'udp',
    'ah',
    'esp',
    'spi 5',
    'spi 4294967295',
    'spi 0',
    'bootp',
    'dhcp6',
    'nofrag',
    'fragment',
    'ip',
    'ip6',
    'arp',
  ],
  ...[
    '10.0.0.1',
    'to 0.0.0.0',
    'from 255.255.255.255',
    '2001:db8::1',
    'to net ffff::/16',
    'net ::/127',
    'net 10',
  ],
  ...[
    '8:0:27:aa:11:11',
    '0:0:0:0:0:0',
    '0ff:ff:ff:ff:ff:ff',
    'broadcast',
    'multicast',
    'vlan',
    'vlan-id 0',
    'ethertype 0xffff',
  ],
  ...[
    'port 22',
    'port 0',
    'port 65535',
    'to port 65535',
    'ethertype 0',
    'ethertype 0x86dd',
    'ether[length - 1] > 5',
  ],
  ...[
    'ip[ip[0] & 0xf * 4 : 4] > 9',
    'tcp[13] > 1',
    'icmp6[4:4] > 1',
    'ah[8:4] = 9',
    'esp[4:4] > 9',
    'udp[6:2] > 3',
    'icmp[1] > 0',
  ],
].map((text) => parseFilter(text))

t.test('any octets: nothing outside of the frame counts', async (t) => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const [zeros, ones] = withSurroundings(frame)
      return EVERYTHING.every((filter) => filter(zeros) === filter(ones))
    }),
    options,
  )
  t.pass()
})

const WORDS =
  'host from to ether inet net port tcp udp esp ah spi ip[ ether[ ] : 2 0x1f 10.0.0.1 fe80::1 8:0:20:f:b1:51 ( ) not and or , & | - + = != < > length greater vlan-id x-y ~ \u{1f600}'.split(
    ' ',
  )

t.test('any text: a filter, or an error with a place inside', async (t) => {
  const anyText = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join(' ')),
  )
  let filters = 0
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        parseFilter(text)
        filters++
        return true
      } catch (error) {
        if (!(error instanceof FilterError)) throw error
        const { span, source = '' } = error.diagnostic
        return span.column >= 1 && span.column <= source.length + 1
      }
    }),
    options,
  )
  t.ok(filters > 0)
})

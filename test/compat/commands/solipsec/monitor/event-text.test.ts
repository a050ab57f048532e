/** Events in words. */
import t from 'tap'
import type { Occurrence } from '../../../../../agent/status/events.ts'
import { interpret, optionTable } from '../../../../../compat/commands/solipsec/monitor/arguments.ts'
import { eventText } from '../../../../../compat/commands/solipsec/monitor/event-text.ts'
import { getopt } from '../../../../../compat/commands/support/getopt.ts'
import { violations } from '../../../../schemas/support.ts'

const association = {
  protocol: 'esp',
  spi: 0x77,
  source: '10.1.0.1',
  destination: '10.1.0.2',
  direction: 'out',
  mode: 'tunnel',
  encryption: 'aes-cbc 128',
  authentication: 'hmac-sha256 256',
  selector: 'protocol 6',
} as const
const policy = {
  dir: 'in',
  source: '0.0.0.0/0',
  destination: '10.1.0.1/32',
  protocol: 0,
  sourcePort: 'any',
  destinationPort: 'any',
  ifindex: 0,
  priority: 16,
  action: 'block',
  templates: [],
} as const
const owner = 'solipsec'
const acquire = {
  protocol: 'ah',
  source: '10.1.0.1',
  destination: '10.1.0.2',
  mode: 'transport',
  upperProtocol: 17,
  sourcePort: 0,
  destinationPort: 7,
} as const

const WORDS: readonly (readonly [Occurrence, string])[] = [
  [
    { event: 'sa-added', owner, association, by: 9 },
    'sa-added esp 0x00000077 10.1.0.1 -> 10.1.0.2 out tunnel (protocol 6) aes-cbc 128, hmac-sha256 256 by 9',
  ],
  [
    {
      event: 'sa-removed',
      owner: 'other',
      association: { protocol: 'ah', spi: 1, source: '::1', destination: '::2' },
      isResynchronised: true,
    },
    'sa-removed ah 0x00000001 ::1 -> ::2 of another program (found by comparison)',
  ],
  [
    {
      event: 'sa-expired',
      hard: true,
      owner,
      association: { protocol: 'ah', spi: 1, source: '::1', destination: '::2' },
      by: 0,
    },
    'sa-expired for good: ah 0x00000001 ::1 -> ::2',
  ],
  [
    { event: 'policy-changed', owner, policy, by: 9 },
    'policy-changed in 0.0.0.0/0 -> 10.1.0.1/32 priority 0x10 block by 9',
  ],
  [
    { event: 'policy-expired', hard: false, owner, policy, by: 0 },
    'policy-expired soon: in 0.0.0.0/0 -> 10.1.0.1/32 priority 0x10 block',
  ],
  [{ event: 'sas-flushed', protocol: 'all', by: 9 }, 'sas-flushed all by 9'],
  [{ event: 'policies-flushed', by: 9 }, 'policies-flushed by 9'],
  [
    { event: 'acquire', sequence: 3, acquire, by: 0 },
    'acquire ah transport 10.1.0.1 -> 10.1.0.2 protocol 17 destination port 7',
  ],
  [
    { event: 'overrun' },
    'overrun: announcements were lost, for there were too many at a time; reading the tables',
  ],
  [{ event: 'resynchronised', policies: 1, associations: 2 }, 'resynchronised: 1 policy, 2 SAs'],
  [{ event: 'data-path', dataPath: { kind: 'software', state: 'stopped' } }, 'data-path software, stopped'],
]

t.test('each kind', async (t) => {
  for (const [occurrence, words] of WORDS) {
    const event = { time: 1_795_000_000.25, ...occurrence }
    t.same(violations('solipsec-event.schema.json', JSON.stringify(event)), [], occurrence.event)
    const [clock, ...rest] = eventText(event).split(' ')
    t.match(clock, /^\d\d:\d\d:\d\d\.250$/)
    t.equal(rest.join(' '), words)
  }
})

t.test('arguments', async (t) => {
  const read = (...argv: string[]) => {
    const { options, operands } = getopt(argv, optionTable)
    return interpret(options, operands)
  }
  t.same(read(), { request: { json: false, isPassive: false } })
  t.same(read('--passive', '--json', '--netns', 'x'), {
    request: { json: true, isPassive: true, netns: 'x' },
  })
  t.match(read('x'), { usage: /what is 'x'/ })
})

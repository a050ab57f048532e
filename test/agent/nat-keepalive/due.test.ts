import t from 'tap'
import { parseAddress } from '../../../agent/model/address.ts'
import { Secret } from '../../../agent/model/secret.ts'
import { KeepaliveClock } from '../../../agent/nat-keepalive/due.ts'
import { newState } from '../../../agent/translate/associations.ts'

function address(text: string) {
  const found = parseAddress(text)
  if (!found) throw new Error(text)
  return found
}

const HERE = address('192.0.2.1')
const THERE = address('198.51.100.2')
const NONE = { allocations: 0n, bytes: 0n, addTime: 0n, useTime: 0n }

function state(
  usedAt: bigint,
  more: { readonly inbound?: true; readonly reqid?: number; readonly plain?: true } = {},
) {
  const [source, destination] = more.inbound ? [THERE, HERE] : [HERE, THERE]
  const made = newState(
    {
      protocol: 'esp',
      spi: 0x1000,
      source,
      destination,
      authAlgorithm: 5,
      authKey: new Secret(new Uint8Array(32)),
      encrAlgorithm: 11,
      saltBits: 0,
      upperProtocol: 0,
      sourcePort: 0,
      destinationPort: 0,
      soft: NONE,
      hard: NONE,
      idle: { addTime: 0n, useTime: 0n },
      replayWindow: 0,
      replayValue: 0n,
      ...(!more.plain && { encapsulation: { localPort: 4500, remotePort: 1024 } }),
    },
    { protectionClass: undefined, marks: undefined, outboundOnly: !more.inbound },
  )
  const curlft = { ...made.body.curlft, packets: usedAt === 0n ? 0n : 1n, use_time: 1n }
  return {
    body: { ...made.body, curlft, ...(more.reqid !== undefined && { reqid: more.reqid }) },
    attributes: { ...made.attributes, lastused: usedAt },
  }
}

t.test('due when it was quiet for the interval, and again an interval later', async (t) => {
  const clock = new KeepaliveClock()
  const due = (usedAt: bigint, now: number, interval = 20) =>
    clock.due([state(usedAt)], [HERE], interval, now)
  t.same(due(100n, 119), [])
  t.match(due(100n, 120), [{ source: HERE, destination: THERE, sourcePort: 4500, destinationPort: 1024 }])
  t.same(due(100n, 139), [])
  t.equal(due(100n, 140).length, 1)
  t.same(due(155n, 160), [], 'a packet has gone out since')
  t.equal(due(155n, 175).length, 1)
  t.same(due(155n, 999, 0), [])
})

t.test('who needs none', async (t) => {
  const due = (one: ReturnType<typeof state>) => new KeepaliveClock().due([one], [HERE], 20, 1000).length
  t.equal(due(state(1n)), 1)
  t.equal(due(state(0n)), 0, 'never used')
  t.equal(due(state(1n, { inbound: true })), 0)
  t.equal(due(state(1n, { reqid: 7 })), 0, 'of another program')
  t.equal(due(state(1n, { plain: true })), 0, 'not in UDP')
  const one = state(1n)
  t.equal(due({ ...one, attributes: { ...one.attributes, nat_keepalive_interval: 5 } } as typeof one), 0)
})

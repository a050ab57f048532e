/** Announcements and comparisons as events: each change is told once. */
import t from 'tap'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { EventTracker } from '../../../agent/status/event-tracker.ts'
import { dir, proto } from '../../../netlink/xfrm/constants.ts'
import { defaultPolicy, zeroCounters } from '../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { violations } from '../../schemas/support.ts'
import { HERE, stateOf } from './scene.ts'

const make = () =>
  new EventTracker(
    { notes: new Map(), localAddresses: [{ family: 'inet', bytes: HERE }] },
    defaultAlgorithmTable,
  )

function policy(index: number, priority = 1, direction: number = dir.OUT): XfrmMessage<'NEWPOLICY'> {
  return { name: 'NEWPOLICY', body: { ...defaultPolicy(), index, priority, dir: direction }, attributes: {} }
}

function deletion({ body, attributes }: XfrmMessage<'NEWSA'>): XfrmMessage<'DELSA'> {
  const { id, family } = body
  const { daddr, spi } = id
  return {
    name: 'DELSA',
    body: { daddr, spi, family, proto: id.proto },
    attributes: { ...attributes, sa: body },
  }
}

function removal({ body }: XfrmMessage<'NEWPOLICY'>): XfrmMessage<'DELPOLICY'> {
  return {
    name: 'DELPOLICY',
    body: { sel: body.sel, index: body.index, dir: body.dir },
    attributes: { policy: body },
  }
}

t.test('SAs', async (t) => {
  const tracker = make()
  const sa = stateOf({ spi: 5, outbound: true })
  const added = tracker.read(sa, 42)
  t.match(added, {
    event: 'sa-added',
    owner: 'solipsec',
    association: { protocol: 'esp', spi: 5, direction: 'out', source: '10.1.0.1', destination: '10.1.0.2' },
    by: 42,
  })
  t.notMatch(JSON.stringify(added), /abab|171,171/, 'no keys')
  t.equal(tracker.read(sa, 42), undefined, 'known already')
  const longer = { ...sa, name: 'UPDSA' as const, body: { ...sa.body, reqid: 7 } }
  t.match(tracker.read(longer, 1), { event: 'sa-changed', owner: 'other' })
  const expiry = (hard: number) =>
    ({ name: 'EXPIRE', body: { state: sa.body, hard }, attributes: {} }) as const
  t.match(tracker.read(expiry(0), 0), { event: 'sa-expired', hard: false, by: 0 })
  t.match(tracker.read(deletion(sa), 9), { event: 'sa-removed', by: 9 })
  t.equal(tracker.read(deletion(sa), 9), undefined, 'gone already')
  tracker.read(sa, 1)
  t.match(tracker.read(expiry(1), 0), { event: 'sa-expired', hard: true })
  t.equal(tracker.read(deletion(sa), 9), undefined, 'it had expired')
  t.equal(tracker.read({ ...sa, attributes: {} }, 1), undefined, 'larval SAs are none')
})

t.test('policies', async (t) => {
  const tracker = make()
  t.match(tracker.read(policy(8), 3), {
    event: 'policy-added',
    owner: 'other',
    policy: { dir: 'out' },
    by: 3,
  })
  t.equal(tracker.read(policy(8), 3), undefined)
  t.match(tracker.read({ ...policy(8, 2), name: 'UPDPOLICY' }, 3), {
    event: 'policy-changed',
    policy: { priority: 2 },
  })
  t.match(tracker.read(removal(policy(8)), 3), { event: 'policy-removed' })
  t.equal(tracker.read(removal(policy(8)), 3), undefined)
  t.equal(tracker.read(policy(12, 1, 4), 3), undefined, 'that of a socket')
  t.match(tracker.read({ name: 'POLEXPIRE', body: { pol: policy(8).body, hard: 1 }, attributes: {} }, 0), {
    event: 'policy-expired',
    hard: true,
  })
})

t.test('flushed: what comes again is new', async (t) => {
  const tracker = make()
  tracker.begin({ states: [stateOf({ spi: 1 })], policies: [policy(8)] })
  t.equal(tracker.read(stateOf({ spi: 1 }), 1), undefined, 'it was there')
  t.same(tracker.read({ name: 'FLUSHSA', body: { proto: proto.AH }, attributes: {} }, 6), {
    event: 'sas-flushed',
    protocol: 'ah',
    by: 6,
  })
  t.equal(tracker.read(stateOf({ spi: 1 }), 1), undefined, 'it is not of AH')
  t.match(tracker.read({ name: 'FLUSHSA', body: { proto: 0 }, attributes: {} }, 6), { protocol: 'all' })
  t.match(tracker.read(stateOf({ spi: 1 }), 1), { event: 'sa-added' })
  t.same(tracker.read({ name: 'FLUSHPOLICY', body: {}, attributes: {} }, 6), {
    event: 'policies-flushed',
    by: 6,
  })
  t.match(tracker.read(policy(8), 1), { event: 'policy-added' })
})

t.test('after a loss, the difference is told, and nothing twice', async (t) => {
  const tracker = make()
  const [one, two, three] = [stateOf({ spi: 1 }), stateOf({ spi: 2 }), stateOf({ spi: 3 })]
  tracker.begin({ states: [one, two], policies: [policy(8), policy(16)] })
  const busier = { ...two, body: { ...two.body, curlft: { ...zeroCounters(), bytes: 99n } } }
  const occurrences = tracker.resynchronise({
    states: [busier, three],
    policies: [policy(16, 5), policy(24)],
  })
  t.match(occurrences, [
    { event: 'sa-removed', association: { spi: 1 }, isResynchronised: true },
    { event: 'sa-added', association: { spi: 3 }, isResynchronised: true },
    { event: 'policy-removed', policy: { index: 8 } },
    { event: 'policy-changed', policy: { index: 16, priority: 5 } },
    { event: 'policy-added', policy: { index: 24 } },
    { event: 'resynchronised', policies: 2, associations: 2 },
  ])
  t.equal(occurrences.length, 6, 'an SA that has but carried more is the same')
  for (const one of occurrences) {
    t.same(violations('solipsec-event.schema.json', JSON.stringify({ time: 1.5, ...one })), [])
  }
  t.equal(tracker.read(three, 1), undefined, 'its announcement comes late')
  t.equal(tracker.read(deletion(one), 1), undefined)
})

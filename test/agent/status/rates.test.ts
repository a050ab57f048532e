/** What has changed between two reports. */
import t from 'tap'
import { ratesBetween } from '../../../agent/status/rates.ts'
import { associationKey } from '../../../agent/status/report.ts'
import { associationWith, NOW, reportWith } from './scene.ts'

t.test('by second', async (t) => {
  const sa = associationWith({ bytes: 1000, packets: 10 })
  const before = reportWith({ associations: [sa], losses: { XfrmInNoStates: 1, XfrmInError: 4 } })
  const later = { ...sa, bytes: 2000, packets: 20 }
  const fresh = associationWith({ spi: 2, packets: 5, direction: 'out' })
  const after = reportWith({
    time: NOW + 2,
    associations: [later, fresh],
    losses: { XfrmInNoStates: 4, XfrmInError: 4 },
  })
  const rates = ratesBetween(before, after)
  t.equal(rates?.seconds, 2)
  t.same(rates?.in, { packetsPerSecond: 5, bitsPerSecond: 4000 })
  t.same(rates?.out, { packetsPerSecond: 0, bitsPerSecond: 0 }, 'of what is new nothing is known')
  t.notOk(rates?.associations.has(associationKey(fresh)))
  t.same([...(rates?.losses ?? [])], [['XfrmInNoStates', 3]])
})

t.test('made anew, or begun anew, or no time between', async (t) => {
  const sa = associationWith({ bytes: 1000, packets: 10 })
  const before = reportWith({ associations: [sa] })
  const at = (one: typeof sa, time = NOW + 1) =>
    ratesBetween(before, reportWith({ time, associations: [one] }))
  t.equal(at({ ...sa, added: NOW, packets: 90 })?.associations.size, 0)
  t.equal(at({ ...sa, packets: 1 })?.associations.size, 0)
  t.equal(at(sa, NOW), undefined)
  t.equal(at(sa, NOW - 1), undefined)
})

import t from 'tap'
import { Ledger } from '../../../agent/daemon/ledger.ts'
import { saKey } from '../../../agent/reconcile/association-notes.ts'
import { kernelAssociation } from './support.ts'

const [one, two] = [kernelAssociation(1000), kernelAssociation(2000)]
const NONE = { missing: [], changed: [], unknown: [] }

function made(): Ledger {
  const ledger = new Ledger()
  ledger.adopt([one, two], new Map([[saKey(two.association), { pairSpi: 1000 }]]), 5)
  return ledger
}

t.test('use changes nothing', async (t) => {
  const ledger = made()
  t.equal(ledger.size, 2)
  t.same(ledger.difference([kernelAssociation(2000, { packets: 9, sent: 9 }), one]), NONE)
})

t.test('what is missing is known as it was last seen', async (t) => {
  const ledger = made()
  ledger.see([kernelAssociation(1000, { sent: 77 })], 6)
  const [missing] = ledger.difference([two]).missing
  t.match(missing, { key: saKey(one.association), readAt: 6, isFinal: false, note: undefined })
  t.equal(missing?.association().state.attributes.replay_esn_val?.oseq, 77)
  t.ok(missing?.association().association.encrKey?.equals(one.association.encrKey as never))
  ledger.gone(kernelAssociation(1000, { sent: 99 }), 7)
  const [gone] = ledger.difference([two]).missing
  t.match(gone, { readAt: 7, isFinal: true })
  t.equal(gone?.association().state.attributes.replay_esn_val?.oseq, 99)
  t.same(ledger.difference([one]).missing[0]?.note, { pairSpi: 1000 })
})

t.test('another one in its place is not it', async (t) => {
  const ledger = made()
  const other = kernelAssociation(1000, { key: 2, sent: 5 })
  t.match(ledger.difference([other, two]), { missing: [], unknown: [], changed: [{ present: other }] })
  ledger.see([other], 9)
  ledger.gone(other, 9)
  t.match(ledger.difference([other, two]).changed, [{ entry: { readAt: 5, isFinal: false } }])
  t.match(ledger.difference([kernelAssociation(1000, { reqid: 0x7000_0002 }), two]), { changed: [{}] })
})

t.test('what nobody has asked for is another program’s', async (t) => {
  const foreign = kernelAssociation(3000)
  t.same(made().difference([one, two, foreign]), { ...NONE, unknown: [foreign] })
})

t.test('what has come to its end is not missing', async (t) => {
  const ledger = made()
  t.match(ledger.expired(two.association), { note: { pairSpi: 1000 } })
  t.equal(ledger.expired(two.association), undefined)
  t.same(ledger.difference([one]), NONE)
  ledger.clear()
  t.equal(ledger.size, 0)
})

t.test('a change of our own takes along what others do in the same moment', async (t) => {
  const ledger = made()
  const foreign = kernelAssociation(3000)
  const key = saKey(one.association)
  // The second one went while the first one was put right.
  ledger.follow([kernelAssociation(1000, { sent: 8 }), foreign], new Map([[key, 'made']]), new Map(), 6)
  const { missing, unknown } = ledger.difference([one, foreign])
  t.match(missing, [{ key: saKey(two.association), note: { pairSpi: 1000 }, readAt: 5 }])
  t.same(unknown, [foreign], 'nobody has asked for it')
  t.match(ledger.difference([]).missing[0], { key, readAt: 6 })

  const moved = kernelAssociation(1000, { reqid: 0x7000_0002 })
  ledger.follow([moved, two], new Map(), new Map(), 7)
  t.match(ledger.difference([moved, two]), { changed: [{ present: moved }] }, 'changed by others')
  ledger.follow([moved, two], new Map([[key, 'made']]), new Map(), 8)
  t.same(ledger.difference([moved, two]), NONE, 'by ourselves')
  ledger.follow([two], new Map([[key, 'removed']]), new Map(), 9)
  t.equal(ledger.size, 1)
})

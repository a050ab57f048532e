import t from 'tap'
import { decodeJournal, encodeJournal, undoMessages } from '../../../agent/reconcile/association-journal.ts'
import type { Step } from '../../../agent/reconcile/steps.ts'
import { defaultState } from '../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'

const add: XfrmMessage = { name: 'NEWSA', body: { ...defaultState(), reqid: 7 }, attributes: { set_mark: 3 } }
const remove: XfrmMessage = {
  name: 'DELSA',
  body: { daddr: new Uint8Array(16), spi: 9, family: 2, proto: 50 },
  attributes: {},
}

t.test('what is undone last was done first; what cannot be undone is left out', async (t) => {
  const steps: Step[] = [
    { kind: 'message', message: add, undo: remove },
    { kind: 'message', message: remove },
    { kind: 'message', message: remove, undo: add },
  ]
  t.same(
    undoMessages(steps).map(({ name }) => name),
    ['NEWSA', 'DELSA'],
  )
})

t.test('a journal reads back as it was written', async (t) => {
  const text = encodeJournal([add, remove])
  t.equal(encodeJournal(decodeJournal(text)), text)
  t.match(decodeJournal(text), [
    { name: 'NEWSA', body: { reqid: 7 }, attributes: { set_mark: 3 } },
    { name: 'DELSA', body: { spi: 9 } },
  ])
})

t.test('a line without its end does not count', async (t) => {
  t.same(decodeJournal(`${encodeJournal([remove])}16 AAA`).length, 1)
  t.same(decodeJournal(''), [])
})

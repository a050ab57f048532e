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
  const journal = encodeJournal([add, remove])
  t.same(encodeJournal(decodeJournal(journal)), journal)
  t.match(decodeJournal(journal), [
    { name: 'NEWSA', body: { reqid: 7 }, attributes: { set_mark: 3 } },
    { name: 'DELSA', body: { spi: 9 } },
  ])
})

t.test('messages that were read have bytes of their own', async (t) => {
  const alg_key = Uint8Array.of(1, 2, 3, 4)
  const alg_auth = { alg_name: 'hmac(sha256)', alg_key_len: 32, alg_key }
  const journal = encodeJournal([{ ...add, attributes: { alg_auth } } as XfrmMessage])
  const read = decodeJournal(journal)
  journal.fill(0)
  t.match(read, [{ attributes: { alg_auth: { alg_key: Uint8Array.of(1, 2, 3, 4) } } }])
})

t.test('what is damaged is refused: half a way back is none', async (t) => {
  const journal = encodeJournal([remove, remove])
  for (const length of [journal.length - 1, journal.length - 20, journal.length / 2 + 8]) {
    t.throws(() => decodeJournal(journal.subarray(0, length)), `${length} of ${journal.length} bytes`)
  }
  t.same(decodeJournal(new Uint8Array(0)), [])
})

import t from 'tap'
import { emptyState, replaceTunables, setTunables } from '../../../agent/reconcile/policy-edit.ts'
import { decodeState, encodeState } from '../../../agent/reconcile/policy-state.ts'
import { acquireExpiry, settingsFor } from '../../../agent/reconcile/system-settings.ts'

const EMPTY = emptyState(0xff00_0000)

t.test('tunables are part of the record', async (t) => {
  const state = {
    ...setTunables(EMPTY, [['ipsecesp_acquire_timeout', 20]]),
    settings: { acquireExpiry: { value: 20, before: 30 } },
  }
  t.same(decodeState(encodeState(state)), state)
  t.same(setTunables(state, [['ipsecesp_acquire_timeout', 15]]).tunables, {}, 'the initial value is none')
  t.same(replaceTunables(state, {}).tunables, {})
})

t.test('a record of the version before is read', async (t) => {
  const { tunables: _, settings: __, ...old } = JSON.parse(encodeState(EMPTY))
  t.same(decodeState(JSON.stringify({ ...old, version: 4 })), EMPTY)
  t.throws(() => decodeState(JSON.stringify({ ...old, version: 3 })))
})

t.test('the longest time that was set is that of the kernel', async (t) => {
  t.equal(acquireExpiry({}), undefined)
  t.equal(acquireExpiry({ ipsecesp_reap_delay: 3 }), undefined)
  t.equal(acquireExpiry({ ipsecesp_acquire_timeout: 5 }), 5, 'what nobody set does not count')
  t.equal(acquireExpiry({ ipsecesp_acquire_timeout: 5, ipsecah_larval_timeout: 40 }), 40)
})

t.test('what a setting was before is kept while it is ours', async (t) => {
  const ours = { acquireExpiry: { value: 5, before: 77 } }
  t.same(settingsFor({ ipsecesp_larval_timeout: 9 }, ours), { acquireExpiry: { value: 9, before: 77 } })
  t.same(settingsFor({}, ours), {})
})

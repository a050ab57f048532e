import fc from 'fast-check'
import t from 'tap'
import {
  isPossible,
  rangeText,
  remarkOn,
  TUNABLE_MODULES,
  TUNABLES,
  type TunableValues,
  tunableChanges,
  tunableOf,
  tunablesOf,
  tunableValue,
  withValues,
} from '../../../agent/model/tunables.ts'

t.test('names and paths are there once; the initial value is possible', async (t) => {
  t.equal(new Set(TUNABLES.map(({ name }) => name)).size, TUNABLES.length)
  t.equal(new Set(TUNABLES.map(({ path }) => path.join('.'))).size, TUNABLES.length)
  for (const tunable of TUNABLES) {
    t.ok(isPossible(tunable, tunable.initial), tunable.name)
    t.notOk(isPossible(tunable, tunable.max + 1), tunable.name)
    t.notOk(isPossible(tunable, tunable.min - 1), tunable.name)
    t.notOk(isPossible(tunable, tunable.min + 0.5), tunable.name)
    t.equal(tunableOf(tunable.name), tunable)
  }
  t.equal(TUNABLE_MODULES.flatMap(tunablesOf).length, TUNABLES.length)
})

t.test('ranges and defaults of Solaris', async (t) => {
  const row = (name: string) => {
    const tunable = tunableOf(name)
    return tunable && [rangeText(tunable), tunable.initial]
  }
  t.same(row('icmp_accept_clear_messages'), ['0-1', 1])
  t.same(row('ipsec_override_persocket_policy'), ['0-1', 0])
  t.same(row('ipsec_policy_log_interval'), ['0-999999', 0])
  t.same(row('ipsecesp_replay_size'), ['1-4096', 64])
  t.same(row('ipsecah_age_interval'), ['125-32000', 8000])
  t.same(row('ipsecah_default_hard_addtime'), ['0-4294967295', 28800])
  t.same(row('ipsecesp_padding_check'), ['0-2', 1])
  t.same(row('keysock_max_buf'), ['65536-1073741824', 262144])
  t.same(row('spdsock_recv_hiwat'), ['4096-65536', 8192])
  t.same(row('ipsectun_dfbit'), ['0,2', 2])
  t.equal(row('ipsecah_padding_check'), undefined)
})

t.test('only what is not initial is kept; a change says once what it does not do', async (t) => {
  const values = withValues({}, [
    ['ipsecesp_reap_delay', 3],
    ['icmp_accept_clear_messages', 1],
  ])
  t.same(values, { ipsecesp_reap_delay: 3 })
  t.equal(tunableValue(values, 'icmp_accept_clear_messages'), 1)
  t.throws(() => tunableValue(values, 'nonsense'), RangeError)
  const [change] = tunableChanges({}, values)
  t.match(change && remarkOn(change), /^ipsecesp_reap_delay is kept and shown, but has no effect/)
  const [back] = tunableChanges(values, {})
  t.equal(back && remarkOn(back), undefined, 'nothing is to be said of the initial value')
})

const some = fc
  .array(
    fc
      .constantFrom(...TUNABLES)
      .chain((tunable) =>
        fc
          .constantFrom(tunable.min, tunable.max, tunable.initial)
          .map((value) => [tunable.name, value] as const),
      ),
  )
  .map((entries): TunableValues => withValues({}, entries))

t.test('property: changes lead from one set of values to the other', async () => {
  fc.assert(
    fc.property(some, some, (from, to) => {
      const changes = tunableChanges(from, to).map(({ tunable, to: value }) => [tunable.name, value] as const)
      return JSON.stringify(withValues(from, changes)) === JSON.stringify(to)
    }),
  )
})

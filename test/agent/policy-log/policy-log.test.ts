import fc from 'fast-check'
import t from 'tap'
import { type Counters, failuresBetween, parseCounters } from '../../../agent/policy-log/failures.ts'
import { Limiter } from '../../../agent/policy-log/limiter.ts'
import { lookInterval, PolicyLog } from '../../../agent/policy-log/policy-log.ts'
import { refusersSince } from '../../../agent/policy-log/refusers.ts'
import { policyIndex } from '../../../agent/reconcile/ownership.ts'
import type { InstalledPolicy } from '../../../agent/reconcile/plan.ts'
import { appendRules, emptyState } from '../../../agent/reconcile/policy-edit.ts'
import { BAND, SLOT_REFUSE, SLOTS } from '../../../agent/translate/priorities.ts'
import { makeSelector } from '../../../agent/translate/selectors.ts'
import { action, dir } from '../../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../../netlink/xfrm/defaults.ts'
import { rulesOf } from '../../compat/solaris/ipsecconf/support.ts'
import { address } from '../../support/address.ts'

const STAT = 'XfrmInError                     \t0\nXfrmInNoStates \t4\nXfrmInPolBlock                  \t3\n'

t.test('counters of the kernel', async (t) => {
  t.same(
    [...parseCounters(STAT)],
    [
      ['XfrmInError', 0],
      ['XfrmInNoStates', 4],
      ['XfrmInPolBlock', 3],
    ],
  )
  const found = failuresBetween(new Map([['XfrmInPolBlock', 1]]), parseCounters(STAT), false)
  t.match(found, [{ counter: 'XfrmInPolBlock', direction: 'in', count: 2 }])
  t.equal(found.length, 1, 'an unknown SA is no failure of policy')
  t.equal(failuresBetween(new Map(), parseCounters(STAT), true).length, 2)
  t.match(
    failuresBetween(new Map([['XfrmInPolBlock', 9]]), parseCounters(STAT), false),
    [{ count: 3 }],
    'anew',
  )
})

t.test('property: one message an interval, and nothing is lost or told twice', async () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 700 }), count: fc.integer({ min: 0, max: 3 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 1000 }), (steps, interval) => {
      const limiter = new Limiter()
      let now = 0
      let last = Number.NEGATIVE_INFINITY
      let [seen, told] = [0, 0]
      for (const { wait, count } of [...steps, { wait: 2000, count: 0 }]) {
        now += wait
        seen += count
        const failure = { counter: 'XfrmInPolBlock', direction: 'in', reason: '', count } as const
        const message = limiter.take(count > 0 ? [failure] : [], now, interval)
        if (message.length === 0) continue
        if (now - last < interval) return false
        last = now
        told += message.reduce((sum, one) => sum + one.count, 0)
      }
      return seen === told
    }),
  )
})

t.test('what is told follows the tunables', async (t) => {
  let counters: Counters = new Map()
  const asked: number[] = []
  const source = {
    counters: () => counters,
    refusers: (since: number) => {
      asked.push(since)
      return []
    },
  }
  const log = new PolicyLog(source, 5_500)
  const bump = (entries: Record<string, number>) => {
    counters = new Map(Object.entries(entries))
  }
  bump({ XfrmInPolBlock: 1 })
  t.equal(log.look({}, 0, 6000), undefined, 'the initial value is 0: nothing')
  bump({ XfrmInPolBlock: 3, XfrmInNoStates: 1 })
  const on = { ipsec_policy_log_interval: 1000 }
  const first = log.look(on, 1000, 7000)
  t.equal(first?.text, 'incoming packets refused: 2 refused by a rule, or not protected as one asks')
  t.same(asked, [5])
  bump({ XfrmInPolBlock: 4, XfrmInNoStates: 1, XfrmOutPolBlock: 2 })
  t.equal(log.look(on, 1500, 7500), undefined)
  bump({ XfrmInPolBlock: 5, XfrmInNoStates: 1, XfrmOutPolBlock: 2 })
  t.match(log.look(on, 2000, 8000)?.failures, [
    { counter: 'XfrmInPolBlock', count: 2 },
    { counter: 'XfrmOutPolBlock', count: 2 },
  ])
  t.same(asked, [5, 7])
  bump({ XfrmInPolBlock: 6, XfrmInNoStates: 2, XfrmOutPolBlock: 2 })
  t.match(log.look({ ipsecah_log_unknown_spi: 1 }, 9000, 9000)?.failures, [
    { counter: 'XfrmInNoStates', count: 1 },
  ])
  t.equal(lookInterval({}), undefined)
  t.equal(lookInterval({ ipsec_policy_log_interval: 1 }), 250)
  t.equal(lookInterval({ ipsec_policy_log_interval: 90_000 }), 1000)
  t.equal(lookInterval({ ipsecesp_log_unknown_spi: 1 }), 1000)
})

t.test('the rule that refused is named', async (t) => {
  const state = appendRules(emptyState(0xff00_0000), rulesOf('{raddr 192.0.2.0/24 dir in} drop {}'))
  const [position = 0] = state.rules.flatMap(({ placements }) => placements.map((one) => one.position))
  const prefix = (text: string, length: number) => ({ ...address(text), length })
  const policy = (priority: number, usedAt: bigint, more = {}): InstalledPolicy => {
    const plain = defaultPolicy()
    const info = {
      ...plain,
      sel: makeSelector(prefix('192.0.2.0', 24), prefix('0.0.0.0', 0), 17),
      dir: dir.IN,
      action: action.BLOCK,
      index: policyIndex(1, dir.IN),
      priority,
      curlft: { ...plain.curlft, use_time: usedAt },
      ...more,
    }
    return { info, tmpl: [], ifId: 0 }
  }
  const base = BAND.drop + position * SLOTS + SLOT_REFUSE
  const found = refusersSince(
    [
      policy(base, 100n),
      policy(base, 99n),
      policy(BAND.fence, 101n),
      policy(base, 100n, { index: 8 }),
      policy(base, 100n, { action: action.ALLOW }),
    ],
    state,
    100,
  )
  t.match(found, [
    { direction: 'in', source: '192.0.2.0/24', destination: '0.0.0.0/0', protocol: 17, rule: { line: 1 } },
    { source: '192.0.2.0/24', rule: undefined },
  ])
  t.equal(found.length, 2, 'not used since, of others, or letting through')
})

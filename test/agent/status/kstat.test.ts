/** Counters under the names of Solaris. */
import t from 'tap'
import { COUNTERS } from '../../../agent/datapath/software/state/statistics.ts'
import { kstatsOf } from '../../../agent/status/kstat.ts'
import { LOSS_WORDS, parseLosses } from '../../../agent/status/losses.ts'
import { associationWith, reportWith } from './scene.ts'

const errors = { integrity: 1, replay: 2, replayWindow: 3 }
const REPORT = reportWith({
  associations: [
    associationWith({ packets: 10, errors }),
    associationWith({ packets: 5, isAuthenticated: false, owner: 'other' }),
    associationWith({ packets: 7, direction: 'out' }),
    associationWith({ protocol: 'ah', packets: 3 }),
  ],
  losses: { XfrmInPolBlock: 1, XfrmInTmplMismatch: 2, XfrmInNoStates: 4, XfrmOutPolBlock: 8 },
})
const values = (...parameters: Parameters<typeof kstatsOf>) =>
  Object.fromEntries(
    kstatsOf(...parameters).flatMap(({ module, instance, name, statistics }) =>
      [...statistics].map(([statistic, value]) => [`${module}:${instance}:${name}:${statistic}`, value]),
    ),
  )

t.test('every statistic', async (t) => {
  t.same(values(REPORT, { authentication: 5, encryption: 8 }), {
    'ip:0:ip:ipsecInFailed': 3,
    'ip:0:ipdrop:ah_bad_auth': 0,
    'ip:0:ipdrop:ah_early_replay': 0,
    'ip:0:ipdrop:esp_bad_auth': 1,
    'ip:0:ipdrop:esp_early_replay': 5,
    'ip:0:ipsec_stat:ah_stat_in_discards': 0,
    'ip:0:ipsec_stat:ah_stat_in_requests': 3,
    'ip:0:ipsec_stat:esp_stat_in_discards': 6,
    'ip:0:ipsec_stat:esp_stat_in_requests': 21,
    'ip:0:xfrm_stat:XfrmInNoStates': 4,
    'ip:0:xfrm_stat:XfrmInPolBlock': 1,
    'ip:0:xfrm_stat:XfrmInTmplMismatch': 2,
    'ip:0:xfrm_stat:XfrmOutPolBlock': 8,
    'ipsecah:0:ah_stat:bad_auth': 0,
    'ipsecah:0:ah_stat:good_auth': 3,
    'ipsecah:0:ah_stat:num_aalgs': 5,
    'ipsecah:0:ah_stat:out_requests': 0,
    'ipsecah:0:ah_stat:replay_early_failures': 0,
    'ipsecesp:0:esp_stat:bad_auth': 1,
    'ipsecesp:0:esp_stat:good_auth': 10,
    'ipsecesp:0:esp_stat:num_aalgs': 5,
    'ipsecesp:0:esp_stat:num_ealgs': 8,
    'ipsecesp:0:esp_stat:out_requests': 7,
    'ipsecesp:0:esp_stat:replay_early_failures': 5,
  })
  const order = kstatsOf(REPORT).map(({ module, name }) => `${module}:${name}`)
  t.same(order, [
    'ip:ip',
    'ip:ipdrop',
    'ip:ipsec_stat',
    'ip:xfrm_stat',
    'ipsecah:ah_stat',
    'ipsecesp:esp_stat',
  ])
})

t.test('what is not known is not there', async (t) => {
  const { tables: _, losses: __, ...blind } = REPORT
  t.same(values({ ...blind, associations: [] }), {})
})

t.test('counters of xfrm_stat', async (t) => {
  t.same(parseLosses('XfrmInError             \t0\nXfrmInNoStates\t12\nnonsense\n'), {
    XfrmInError: 0,
    XfrmInNoStates: 12,
  })
  for (const name of COUNTERS) t.ok(LOSS_WORDS[name], name)
})

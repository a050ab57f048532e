/** Packets that policy refuses, on this kernel: counted, and the rule that refused them named. */
import t from 'tap'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import { PolicyLog } from '../../../../agent/policy-log/policy-log.ts'
import { failureSource } from '../../../../agent/policy-log/source.ts'
import { Session } from '../../../../agent/reconcile/session.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { Station } from '../../../vm/support/station.ts'
import { udp } from '../../../vm/support/traffic.ts'

ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24'], ['10.1.0.2/24'])
const ON = { ipsec_policy_log_interval: 1 }

t.test('refused in and out', async (t) => {
  await left.policy(
    '{raddr 10.1.0.2 ulp udp lport 7 dir in} drop {}\n{raddr 10.1.0.2 ulp udp rport 9 dir out} drop {}',
  )
  const here = { station: left, address: '10.1.0.1' }
  const there = { station: right, address: '10.1.0.2' }
  const log = left.visit(() => new PolicyLog(failureSource(left.folder, loaded)))
  t.equal(
    left.visit(() => log.look(ON)),
    undefined,
  )
  t.notOk(udp(there, here, { port: 7 }).delivered)
  const message = left.visit(() => log.look(ON))
  t.match(message?.failures, [{ counter: 'XfrmInPolBlock', direction: 'in', count: 1 }])
  t.match(message?.refusers, [{ direction: 'in', source: '10.1.0.2/32', protocol: 17, rule: { line: 1 } }])
  t.match(
    message?.text,
    /^incoming packets refused: 1 .*; by .*:1 \(10\.1\.0\.2\/32 -> 0\.0\.0\.0\/0 protocol 17\)$/,
  )
  t.notOk(udp(here, there, { port: 9 }).delivered)
  t.match(left.visit(() => log.look(ON))?.failures, [{ counter: 'XfrmOutPolBlock', direction: 'out' }])
})

function loaded() {
  const session = Session.open(defaultAlgorithmTable)
  try {
    return session.state
  } finally {
    session.close()
  }
}

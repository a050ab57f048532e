/** The kernel's own counters of ESP, with packets whose numbers are known: good, repeated, changed, for nobody. */
import t from 'tap'
import type { StatusEvent } from '../../../../../agent/status/events.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { parseMetrics } from '../../../../support/prometheus.ts'
import { SolipsecProcess } from '../../../../support/solipsec-process.ts'
import { Commands, GOOD, L, loadBoth, R, SPI, sendAll } from '../../../../support/status-scene.ts'
import { AES_SHA256, keyFile, pairOf } from '../../../support/keys.ts'
import { Station } from '../../../support/station.ts'

t.setTimeout(500_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, [`${L}/24`], [`${R}/24`])
const commands = new Commands(t)

t.test('what was carried, and what was refused', async (t) => {
  await loadBoth(left, right)
  await sendAll(t, left, right)
  const report = await commands.report(right)
  t.same(report.dataPath, { kind: 'kernel', state: 'ready' })
  t.same(report.problems, [])
  const into = report.associations.find(({ spi }) => spi === SPI)
  t.match(into, {
    direction: 'in',
    packets: GOOD,
    errors: { integrity: 1, replay: 1, replayWindow: 0 },
    sequence: GOOD,
    isAuthenticated: true,
  })
  t.ok((into?.bytes ?? 0) > GOOD * 8)
  t.ok((into?.hard?.seconds ?? 0) > 3000)
  t.equal(into?.hard?.bytes, 1_000_000 - (into?.bytes ?? 0))
  const [rule] = report.rules
  t.ok((rule?.lastUsed ?? 0) > 0, 'the kernel tells when a policy was used')
  t.ok(
    rule?.entries.every(({ packets, bytes }) => packets === undefined && bytes === undefined),
    'but no counts',
  )
  t.match(report.losses, { XfrmInStateSeqError: 1, XfrmInStateProtoError: 1, XfrmInNoStates: 1 })
  t.match(
    (await commands.report(left)).associations.find(({ spi }) => spi === SPI),
    {
      direction: 'out',
      packets: GOOD,
    },
  )

  const kstat = await commands.kstat(right)
  t.equal(kstat.get('ipsecesp:0:esp_stat:good_auth'), String(GOOD))
  t.equal(kstat.get('ipsecesp:0:esp_stat:bad_auth'), '1')
  t.equal(kstat.get('ipsecesp:0:esp_stat:replay_early_failures'), '1')
  t.equal(kstat.get('ip:0:ipdrop:esp_bad_auth'), '1')
  t.equal(kstat.get('ip:0:xfrm_stat:XfrmInNoStates'), '1')
  t.equal((await commands.kstat(left)).get('ipsecesp:0:esp_stat:out_requests'), String(GOOD))

  const metrics = parseMetrics((await commands.run(right, 'status', '--metrics')).out)
  const errors = metrics.get('solipsec_sa_errors_total')?.samples ?? []
  const ofSa = errors.filter(({ labels }) => labels.spi === '0x00001000')
  t.same(Object.fromEntries(ofSa.map(({ labels, value }) => [labels.reason, value])), {
    integrity: 1,
    replay: 1,
    replay_window: 0,
  })
  t.match(
    (await commands.run(right, 'status')).out,
    /\nRefused {4}1 with a wrong ICV, 1 repeated\nLost {7}3 packets\n/,
  )
})

t.test('SAs that reach a limit', async (t) => {
  const monitor = new SolipsecProcess(t, right.host.namespace, ['monitor', '--json'])
  await monitor.until(() => monitor.out.includes('\n'))
  const more = 'hard_addtime 3 soft_addtime 1'
  const shortLived = pairOf({ ...AES_SHA256, spi: 0x2000, source: L, destination: R, more })
  await right.keys(keyFile(shortLived.slice(0, 1)))
  const expired = (hard: boolean) => (one: StatusEvent) => one.event === 'sa-expired' && one.hard === hard
  for (const hard of [false, true])
    await monitor.until(() => monitor.documents<StatusEvent>().some(expired(hard)))
  const soft = monitor.documents<StatusEvent>().find(expired(false))
  t.match(soft, { by: 0, owner: 'solipsec', association: { spi: 0x2000, protocol: 'esp', state: 'dying' } })
  t.same((await commands.report(right)).associations, [])
  t.equal(await monitor.stop(), 0)
})

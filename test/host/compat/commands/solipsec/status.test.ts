/** Status, kstat, metrics and monitor on the software data path, with packets whose numbers are known. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { StatusEvent } from '../../../../../agent/status/events.ts'
import { temporaryFolder } from '../../../../compat/commands/support/temporary.ts'
import { violations } from '../../../../schemas/support.ts'
import { ownState } from '../../../../support/own-state.ts'
import { parseMetrics } from '../../../../support/prometheus.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { SolipsecProcess } from '../../../../support/solipsec-process.ts'
import { Commands, ESP, GOOD, L, loadBoth, R, SPI, sendAll } from '../../../../support/status-scene.ts'
import { until } from '../../../../support/until.ts'
import { AES_SHA256, keyFile } from '../../../../vm/support/keys.ts'
import { Station } from '../../../../vm/support/station.ts'

t.setTimeout(240_000)
ownState(t)
const { net, left, right } = await softwarePair(t, [`${L}/24`], [`${R}/24`])
const commands = new Commands(t)

t.test('nothing is loaded', async (t) => {
  const report = await commands.report(left)
  t.match(report, { dataPath: { kind: 'kernel', state: 'ready' }, rules: [], associations: [], problems: [] })
  const { out } = await commands.run(left, 'status')
  t.match(out, /\nAgent {6}none: /)
  t.match(out, /\nRules {6}none: nothing has to be protected\nSAs {8}none\n/)
})

t.test('what was carried, and what was refused', async (t) => {
  await loadBoth(left, right)
  const before = new SolipsecProcess(t, right.host.namespace, ['status', '--json', '--watch', '0.2'])
  await before.until(() => before.out.includes('\n'))
  await sendAll(t, left, right)

  const report = await commands.report(right)
  t.match(report.dataPath, { kind: 'software', state: 'ready', processId: right.serviceId })
  t.same(report.problems, [])
  const into = report.associations.find(({ spi }) => spi === SPI)
  t.match(into, {
    direction: 'in',
    owner: 'solipsec',
    encryption: /^aes.* 128$/,
    authentication: /sha.*256/,
    isAuthenticated: true,
    packets: GOOD,
    errors: { integrity: 1, replay: 1, replayWindow: 0 },
    sequence: GOOD,
    state: 'mature',
  })
  t.ok((into?.bytes ?? 0) > GOOD * 8, 'bytes')
  t.ok((into?.lastUsed ?? 0) > 0)
  t.ok((into?.hard?.seconds ?? 0) > 3000 && (into?.hard?.seconds ?? 0) <= 3600)
  t.equal(into?.hard?.bytes, 1_000_000 - (into?.bytes ?? 0))
  const [rule] = report.rules
  t.ok((rule?.lastUsed ?? 0) > 0, 'the rule was used')
  t.ok(rule?.entries.every(({ policies }) => policies > 0))
  const counted = (direction: 'in' | 'out') =>
    rule?.entries.filter((entry) => entry.direction === direction && entry.family === 'inet') ?? []
  t.match(counted('in'), [{ packets: GOOD }], 'what was refused does not count')
  t.ok((counted('in')[0]?.bytes ?? 0) >= GOOD * (20 + 8), 'packets with their headers')
  t.match(counted('out'), [{ packets: 0, bytes: 0 }])
  const [sent] = (await commands.report(left)).rules
  t.match(
    sent?.entries.find(({ direction, family }) => direction === 'out' && family === 'inet'),
    { packets: Number },
  )
  t.match(report.losses, {
    XfrmInStateSeqError: 1,
    XfrmInStateProtoError: 1,
    XfrmInNoStates: 1,
    XfrmInError: 0,
  })

  const kstat = await commands.kstat(right)
  t.equal(kstat.get('ipsecesp:0:esp_stat:good_auth'), String(GOOD))
  t.equal(kstat.get('ipsecesp:0:esp_stat:bad_auth'), '1')
  t.equal(kstat.get('ipsecesp:0:esp_stat:replay_early_failures'), '1')
  t.equal(kstat.get('ip:0:ipsec_stat:esp_stat_in_requests'), String(GOOD + 2))
  t.equal(kstat.get('ip:0:xfrm_stat:XfrmInNoStates'), '1')
  t.equal(kstat.get('ipsecah:0:ah_stat:good_auth'), '0')

  const metrics = parseMetrics((await commands.run(right, 'status', '--metrics')).out)
  const packets = metrics.get('solipsec_sa_packets_total')?.samples
  t.match(
    packets?.find(({ labels }) => labels.spi === '0x00001000'),
    { labels: { direction: 'in', source: L, destination: R, protocol: 'esp' }, value: GOOD },
  )
  t.match(metrics.get('solipsec_rule_packets_total')?.samples, [
    { labels: { index: String(rule?.index), tunnel: '' }, value: GOOD },
  ])
  t.match(metrics.get('solipsec_rule_bytes_total')?.samples, [{ value: counted('in')[0]?.bytes }])
  const lost = metrics.get('solipsec_lost_packets_total')?.samples
  t.equal(lost?.find(({ labels }) => labels.counter === 'XfrmInNoStates')?.value, 1)

  const { out } = await commands.run(right, 'status')
  t.match(out, new RegExp(`\\n *INDEX +USED +BYTES +PACKETS +IN FORCE +FROM +RULE\\n.* B? +${GOOD} +yes `))
  t.match(out, /\nRefused {4}1 with a wrong ICV, 1 repeated\nLost {7}3 packets\n/)
  t.match(out, /\nin {3}0x00001000 /)
  t.match(out, / +1 {2}XfrmInNoStates +came with an SPI that no SA has\n/)

  await before.until(() =>
    before.documents<{ losses: object }>().some(({ losses }) => 'XfrmInNoStates' in losses),
  )
  t.equal(await before.stop(), 0)
})

t.test('a left-over limit, and rates on a screen', async (t) => {
  const { out } = await commands.run(right, 'status', '--metrics', '--series', '0')
  const metrics = parseMetrics(out)
  t.notOk(metrics.has('solipsec_sa_packets_total'))
  t.same(metrics.get('solipsec_series_left_out')?.samples, [
    { name: 'solipsec_series_left_out', labels: { kind: 'sa' }, value: 2 },
    { name: 'solipsec_series_left_out', labels: { kind: 'rule' }, value: 1 },
  ])
  const watch = new SolipsecProcess(t, right.host.namespace, ['status', '--watch', '0.1'])
  await watch.until(() => watch.out.includes('PACKETS/S'))
  t.match(watch.out, /\nNow {8}in 0 bit\/s, 0 packets\/s; out 0 bit\/s/)
  watch.hangUp()
  t.equal(await watch.ended(), 0, 'it ends when nobody reads it any more')
})

t.test('events', async (t) => {
  const monitor = new SolipsecProcess(t, left.host.namespace, ['monitor', '--json'])
  const people = new SolipsecProcess(t, left.host.namespace, ['monitor', '--passive'])
  for (const one of [monitor, people]) await one.until(() => one.out.includes('\n'))
  const events = () => monitor.documents<StatusEvent>()
  const has = (event: StatusEvent['event']) => () => events().some((one) => one.event === event)
  const lone = { ...AES_SHA256, spi: 0x7777, source: L, destination: '10.1.0.9' }
  const file = join(temporaryFolder(t), 'keys')
  writeFileSync(file, keyFile([lone]), { mode: 0o600 })
  t.match(await left.ipseckey(['-f', file]), { code: 0 })
  await monitor.until(has('sa-added'))
  t.match(await left.ipseckey(['delete', 'esp', 'spi', '0x7777', 'dst', '10.1.0.9']), { code: 0, err: '' })
  await monitor.until(has('sa-removed'))
  await left.policy(`{laddr ${L} raddr ${R}} ipsec {${ESP}}`)
  await monitor.until(has('policy-removed'))
  await left.ipseckey(['flush'])
  await monitor.until(() => events().filter(({ event }) => event === 'sa-removed').length >= 3)
  await left.host.udpSend(R, 7, 'x', { timeout: 100 })
  await monitor.until(has('acquire'))
  left.endService('SIGKILL')
  await monitor.until(() => events().filter(({ event }) => event === 'data-path').length > 1)
  t.match(await commands.report(left), {
    dataPath: { kind: 'software', state: 'stopped' },
    problems: [/^The program of the software data path does not run/],
  })
  t.equal((await left.ipsecconf(['-l'])).code, 0, 'the next command starts it')
  await monitor.until(() => events().at(-1)?.event === 'resynchronised')
  const states = events().flatMap((one) => (one.event === 'data-path' ? [one.dataPath.state] : []))
  t.same(states, ['ready', 'stopped', 'ready'])
  t.notOk(
    events().some((one) => 'isResynchronised' in one),
    'it has what the one before had',
  )
  for (const line of monitor.out.trimEnd().split('\n')) {
    t.same(violations('solipsec-event.schema.json', line), [], line)
  }
  t.notMatch(monitor.out + people.out, /1{24}|2{24}/, 'no keys')
  await until(async () => people.out.includes('data-path software, stopped'))
  t.match(people.out, /^\d\d:\d\d:\d\d\.\d{3} data-path software, ready\n/)
  t.match(people.out, /sa-added esp 0x00007777 10\.1\.0\.1 -> 10\.1\.0\.9 out aes.* by \d+\n/)
  t.match(people.out, /policy-removed out .* block by \d+\n/)
  t.notMatch(people.out, /acquire/)
  t.equal(await monitor.stop('SIGINT'), 0)
  people.hangUp()
  await left.policy('')
  t.equal(await people.ended(), 0, 'the next line meets nobody')
})

t.test('on the kernel: policies of ours, of other programs and of nobody any more', async (t) => {
  const [station] = await Station.make(t, net, 1)
  const monitor = new SolipsecProcess(t, station.host.namespace, ['monitor', '--json'])
  await monitor.until(() => monitor.out.includes('\n'))
  const events = () => monitor.documents<StatusEvent>()
  await station.policy('{lport 99 ulp udp} drop {}\n{lport 22 ulp tcp dir both} bypass {}')
  const foreign = 'xfrm policy add src 198.51.100.0/24 dst 198.51.100.9/32 dir out priority 9 action block'
  await station.host.ip(foreign)
  const report = await commands.report(station)
  t.match(report, {
    dataPath: { kind: 'kernel', state: 'ready' },
    problems: [],
    tables: { policies: { foreign: 1, ofSockets: 0 }, associations: { own: 0, foreign: 0, larval: 0 } },
    losses: { XfrmInPolBlock: 0 },
  })
  t.ok((report.tables?.policies.ofRules ?? 0) >= 4)
  t.match((await commands.run(station, 'status')).out, /\nOthers {5}1 policy of other programs\n/)
  await monitor.until(() => events().some((one) => 'owner' in one && one.owner === 'other'))
  const added = events().filter(({ event }) => event === 'policy-added')
  t.equal(added.length, (report.tables?.policies.ofRules ?? 0) + (report.tables?.policies.frame ?? 0) + 1)
  const [other] = added.filter((one) => 'owner' in one && one.owner === 'other')
  t.match(other, { policy: { dir: 'out', action: 'block', priority: 9, destination: '198.51.100.9/32' } })

  await station.host.ip('xfrm policy flush')
  await monitor.until(() => events().at(-1)?.event === 'policies-flushed')
  const after = await commands.report(station)
  t.match(after.problems, [/^2 rules have entries that are not in force: /])
  t.match(
    (await commands.run(station, 'status')).out,
    /\nPROBLEM {4}2 rules have entries that are not in force/,
  )
  t.equal((await commands.run(station, 'kstat', 'nothing:::')).code, 1)
  const [svg, html] = [
    await commands.run(station, 'status', '--svg', '-'),
    await commands.run(station, 'status', '--html', '-'),
  ]
  t.match(svg.out, /^<svg .*UDP/s)
  t.match(html.out, /^<!doctype html>.*UDP/is)
  t.match((await commands.run(station, 'status', '--svg', '-', '--json')).code, 1)
  t.notOk('tunables' in after)
  const set = await commands.ndd(station, '-set', '/dev/ip', 'ipsec_policy_log_interval', '1000')
  t.match(set, { code: 0, out: '' })
  t.same((await commands.report(station)).tunables, { ipsec_policy_log_interval: 1000 })
  t.equal(await monitor.stop('SIGTERM'), 0)
  for (const line of monitor.out.trimEnd().split('\n')) {
    t.same(violations('solipsec-event.schema.json', line), [], line)
  }
})

t.test('more announcements than there is room for: what has changed is told all the same', async (t) => {
  const [station] = await Station.make(t, net, 1)
  const monitor = new SolipsecProcess(t, station.host.namespace, ['monitor', '--json'])
  await monitor.until(() => monitor.out.includes('\n'))
  monitor.pause()
  const many = 60_000
  const lines = Array.from({ length: many }, (_, i) => {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    return `xfrm policy add src ${address} dst 192.0.2.1 dir out action block`
  })
  await station.host.ip(...lines)
  monitor.resume()
  const told = () =>
    new Set(monitor.documents<StatusEvent>().flatMap((one) => ('policy' in one ? one.policy.source : [])))
  await monitor.until(() => monitor.tail.includes('"resynchronised"'))
  t.equal(told().size, many)
  t.ok(monitor.out.includes('"overrun"'), 'there was no room')
  t.equal(await monitor.stop(), 0)
})

import t from 'tap'
import { roundTrips } from '../../../bench/datapath/latency.ts'
import { pathTable } from '../../../bench/datapath/table.ts'
import { receivedRate } from '../../../bench/datapath/tcp.ts'

t.test('ping: median and 99th percentile of the answers', async (t) => {
  const line = (time: number) => `64 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=${time} ms\n`
  const times = Array.from({ length: 200 }, (_, i) => (i + 1) / 10).reverse()
  const summary = 'rtt min/avg/max/mdev = 0.1/10/20/5 ms\n'
  t.same(roundTrips(times.map(line).join('') + summary), { p50: 10, p99: 19.8 })
  t.same(roundTrips(line(0.5)), { p50: 0.5, p99: 0.5 })
  t.throws(() => roundTrips(summary), /no answer/)
})

t.test('iperf3: what the receiver got', async (t) => {
  const end = { sum_sent: { bits_per_second: 9e8 }, sum_received: { bits_per_second: 8e8 } }
  t.equal(receivedRate(JSON.stringify({ end })), 800)
  t.throws(() => receivedRate(JSON.stringify({ end: {}, error: 'the server is busy' })), /server is busy/)
  t.throws(() => receivedRate(JSON.stringify({ end: {} })), /no result/)
})

t.test('the table: medians, ranges, and each round against the same round of the peer', async (t) => {
  const readings = (...values: number[]) => values.map((value) => ({ value }))
  const text = pathTable([
    {
      what: 'TCP',
      unit: 'Mbit/s',
      target: { bound: 'least', ratio: 3 },
      results: [
        { name: 'no IPsec', readings: readings(1000, 2000, 4000) },
        { name: 'libipsec', readings: readings(500, 200, 1000) },
        { name: 'ours', readings: readings(1000, 600, 2000) },
      ],
    },
    {
      what: 'UDP',
      unit: 'packets/s',
      results: [
        { name: 'no IPsec', readings: [{ value: 300_000, isAtLeast: true }] },
        { name: 'libipsec', readings: readings(30_000) },
        { name: 'ours', readings: readings(90_000) },
      ],
    },
  ])
  t.equal(
    text,
    [
      '                        no IPsec        libipsec             ours  ours : libipsec',
      'TCP  Mbit/s     2000 (1000–4000)  500 (200–1000)  1000 (600–2000)             2.0×  wanted: ≥ 3×',
      'UDP  packets/s          ≥ 300000           30000            90000             3.0×',
      '',
    ].join('\n'),
  )
})

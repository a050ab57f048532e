import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { libipsec } from '../../../../bench/datapath/libipsec.ts'
import { attempt } from '../../../../bench/datapath/packet-rate.ts'
import { outputWithin } from '../../../../bench/datapath/processes.ts'
import { countsOf, makeTopology, on } from '../../../../bench/datapath/topology.ts'
import { Workplace } from '../../../../bench/support/host.ts'
import { Capture } from '../../../support/capture.ts'

const ping = (address: string) => ['ping', '-n', '-q', '-c', '5', '-i', '0.01', '-W', '5', address] as const

t.test('the counters of a topology: in clear, probes, IKE, ESP in UDP', async (t) => {
  using place = new Workplace()
  const { left, right } = makeTopology(place, 'counts')
  t.same(countsOf(right), { protected: 0, ike: 0, clear: 0, payload: 0 }, 'a silent wire')
  await outputWithin(20, on(left, ...ping(right.address)))
  t.equal(countsOf(right).clear, 5)
  t.equal(countsOf(left).clear, 5, 'replies')
  const { sent, arrived } = await attempt({ name: 'counts', left, right }, 1300, 100)
  t.ok(sent > 0)
  t.equal(arrived, sent, 'all that was sent arrived')
  t.equal(countsOf(right).clear, 5 + sent)

  const send = (port: number, hex: string) =>
    outputWithin(
      20,
      on(
        left,
        process.execPath,
        '-e',
        `const s = require('dgram').createSocket('udp4')
         s.send(Buffer.from('${hex}', 'hex'), ${port}, '${right.address}', () => s.close())`,
      ),
    )
  await send(500, '11')
  await send(4500, '00000000aabbccdd')
  await send(4500, 'ff')
  await send(4500, '12345678aabbccdd')
  t.match(countsOf(right), { protected: 1, ike: 3, clear: 5 + sent })
})

const installed =
  existsSync('/usr/sbin/charon-systemd') &&
  existsSync('/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so') &&
  existsSync('/dev/net/tun')

t.test(
  'strongSwan on both hosts: its TUN device, and ESP in UDP on the wire, as tcpdump sees it',
  { skip: installed ? false : 'strongSwan with kernel-libipsec is not installed' },
  async (t) => {
    using place = new Workplace()
    const topology = makeTopology(place, 'peer')
    const { left, right } = topology
    const peer = libipsec(place)
    try {
      await peer.start(topology)
      const capture = await Capture.start(left.namespace, left.device, join(t.testdir(), 'wire.pcap'), 'ip')
      await outputWithin(20, on(left, ...ping(right.address)))
      const packets = await capture.stop()
      t.equal(packets.length, 10, 'five requests, five replies')
      for (const { protocol, payload } of packets) {
        t.equal(protocol, 17)
        t.equal(payload.readUInt16BE(2), 4500, 'port')
        t.not(payload.readUInt32BE(8), 0, 'an SPI: ESP, not IKE')
      }
      t.match(await outputWithin(5, on(left, 'ip', '-d', 'link', 'show', 'ipsec0')), /tun/)
      t.match(countsOf(right), { clear: 0, protected: 5 })
    } finally {
      await peer.stop()
    }
  },
)

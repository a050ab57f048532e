import t from 'tap'
import { NatKeepalives } from '../../../../../agent/datapath/software/service/nat-keepalives.ts'
import { writeNatKeepalive } from '../../../../../agent/packet/nat-keepalive.ts'
import { encapType } from '../../../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../../../netlink/xfrm/defaults.ts'
import {
  destination4,
  destination6,
  digits,
  parsed,
  slowChecksum,
  source4,
  source6,
} from '../../../packet/packets.ts'
import { stateOf } from '../surroundings.ts'

const NOW = 1_800_000_000

function state(more: { readonly nat_keepalive_interval?: number }, inUdp = true) {
  const encap_oa = new Uint8Array(16)
  const encap = { encap_type: encapType.ESPINUDP, encap_sport: 4500, encap_dport: 4501, encap_oa }
  return stateOf({ body: defaultState(), attributes: { ...more, ...(inUdp && { encap }) } })
}

t.test('an SA in UDP is due when it was used and then was quiet', async (t) => {
  const keepalives = new NatKeepalives()
  const [used, never, often, off, plain] = [
    state({}),
    state({}),
    state({ nat_keepalive_interval: 5 }),
    state({ nat_keepalive_interval: 0 }),
    state({}, false),
  ]
  for (const one of [used, often, off, plain]) {
    one.sequence.take()
    one.use(100, NOW)
  }
  const due = (now: number) => keepalives.due([used, never, often, off, plain], now)
  t.same(due(NOW + 4), [])
  t.same(due(NOW + 5), [often])
  t.same(due(NOW + 6), [], 'once')
  t.same(due(NOW + 20), [used, often])
  used.use(100, NOW + 30)
  t.same(due(NOW + 40), [often], 'a packet does as well')
})

t.test('the packet is one byte in UDP', async (t) => {
  for (const [version, source, destination] of [
    [4, source4, destination4],
    [6, source6, destination6],
  ] as const) {
    const bytes = new Uint8Array(100).fill(0xaa)
    const end = writeNatKeepalive(bytes, 10, { version, source, destination }, [4500, 4501])
    const ip = parsed(bytes, 10, end)
    t.match(ip, { version, protocol: 17, end })
    t.equal(digits(bytes, ip.upperAt, ip.upperAt + 6), '119411950009', 'ports and length')
    t.equal(bytes[end - 1], 0xff)
    const pseudo = Uint8Array.of(0, 17, 0, 9)
    t.equal(
      slowChecksum(source, destination, pseudo, bytes.subarray(ip.upperAt, end)),
      0,
      'the checksum is right',
    )
    t.equal(bytes[end], 0xaa)
  }
})

/** What is said of ESP in UDP and what else comes by its ports, and of fragments. */
import t from 'tap'
import { newIpHeader, parseIp, refreshChecksum } from '../../../agent/packet/ip-header.ts'
import { asked, forged, IN, inEsp, judge, states } from './rows.ts'
import { association, both, packet, policy, protect, stateOf, World } from './world.ts'

const udpEsp = association({ inUdp: true })
const KEEPALIVE = Uint8Array.of(0xff)
const IKE = Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4)
const natPort = { port: 4500, sourcePort: 4500 }
const socketPolicy = { ...policy({ direction: 'SOCKET_OUT' }) }

judge(
  'ESP in UDP',
  { policies: asked, states: [stateOf(udpEsp)] },
  {
    out: { is: 'protected', bytes: protect(udpEsp, packet()) },
    in: { is: 'protected', bytes: protect(udpEsp, packet()), frame: IN },
    keepalive: { is: 'clear', bytes: packet({ ...natPort, payload: KEEPALIVE }) },
    'a byte that is none': { is: 'leak', bytes: packet({ ...natPort, payload: Uint8Array.of(0xfe) }) },
    'key management without exempt sockets': { is: 'leak', bytes: packet({ ...natPort, payload: IKE }) },
  },
)
judge(
  'a key manager with sockets of its own',
  { policies: [...asked, socketPolicy], states: [stateOf(udpEsp)] },
  {
    'port 4500': { is: 'clear', bytes: packet({ ...natPort, payload: IKE }) },
    'port 500': { is: 'clear', bytes: packet({ port: 500, sourcePort: 500, payload: IKE }) },
    'from port 4500, but no key management': {
      is: 'unknownSa',
      bytes: packet({ ...natPort, payload: Buffer.from('some data that is long') }),
    },
    'another port': { is: 'leak', bytes: packet({ payload: IKE }) },
  },
)

/** Cuts an IPv4 packet in two behind so many bytes of payload. */
function cut(bytes: Uint8Array, behind: number): [Uint8Array, Uint8Array] {
  const ip = newIpHeader()
  parseIp(bytes, 0, bytes.length, ip)
  const piece = (from: number, to: number, field: number) => {
    const out = Buffer.concat([bytes.subarray(0, 20), bytes.subarray(20 + from, 20 + to)])
    out.writeUInt16BE(out.length, 2)
    out.writeUInt16BE(field, 6)
    refreshChecksum(out, 0)
    return out
  }
  return [piece(0, behind, 0x2000), piece(behind, ip.end - 20, behind / 8)]
}

t.test('fragments', async (t) => {
  const world = {
    policies: both({ asks: ['esp'], sel: { proto: 17, dport: 7, dport_mask: 0xffff } }),
    states,
  }
  for (const wire of [inEsp(), protect(udpEsp, packet())]) {
    const [first, last] = cut(wire, 16)
    t.same(new World(world).see(first), ['fragment'])
    const here = new World(world)
    t.same([...here.see(first), ...here.see(last)], ['fragment', 'protected'])
  }
  const [badFirst, badLast] = cut(forged(), 16)
  const bad = new World(world)
  t.same([...bad.see(badFirst), ...bad.see(badLast)], ['fragment', 'wrongIcv'])
  const [first, last] = cut(packet(), 16)
  const clear = new World(world)
  t.same(
    [...clear.see(first), ...clear.see(last)],
    ['leak', 'leak'],
    'the ports of the first hold for the last',
  )
  t.equal(clear.found.length, 2)
  const [otherFirst, otherLast] = cut(packet({ port: 8 }), 16)
  const other = new World(world)
  t.same([...other.see(otherFirst), ...other.see(otherLast)], ['clear', 'clear'])
  const alone = new World({ ...world, policies: both({ asks: ['esp'] }) })
  t.same(alone.see(last), ['notChecked'], 'without the first, nobody knows the ports')
})

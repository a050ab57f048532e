/** What is said of a packet: a row for each thing that may be right or wrong with it. */
import t from 'tap'
import { newIpHeader, parseIp, refreshChecksum } from '../../../agent/datapath/software/packet/ip-header.ts'
import type { Category } from '../../../agent/verify/verdict.ts'
import { askedText } from '../../../agent/verify/words.ts'
import { family as af } from '../../../netlink/xfrm/constants.ts'
import { defaultSelector } from '../../../netlink/xfrm/defaults.ts'
import { ipv4 } from '../capture/files.ts'
import {
  AH_ATTRIBUTES,
  addressOf,
  association,
  both,
  type FrameOptions,
  LEFT,
  packet,
  policy,
  protect,
  RIGHT,
  stateOf,
  World,
  type WorldOptions,
} from './world.ts'

const OTHERHOST = 3
const OUR_INDEX = 0x4000_0008

interface Row {
  readonly is: Category
  readonly bytes: Uint8Array
  readonly frame?: FrameOptions
  /** What it has to say of it. */
  readonly seen?: string | RegExp
  readonly asked?: string
}

/** Each packet is shown to a world of its own. */
function judge(title: string, world: WorldOptions, rows: Readonly<Record<string, Row>>): void {
  t.test(title, async (t) => {
    for (const [name, { is, bytes, frame = {}, seen, asked }] of Object.entries(rows)) {
      const here = new World({ addresses: [frame.way === 'in' ? RIGHT : LEFT], ...world })
      t.same(here.see(bytes, frame), [is], name)
      if (seen !== undefined) t.match(here.last.seen, seen, name)
      if (asked !== undefined) t.equal(here.last.policy && askedText(here.last.policy), asked, name)
    }
  })
}

const esp = association()
const ah = association({ protocol: 'ah', attributes: AH_ATTRIBUTES })
const inEsp = () => protect(esp, packet())
const inBoth = () => protect(ah, protect(esp, packet()))
const states = [stateOf(esp), stateOf(ah)]
const IN = { way: 'in' } as const

judge(
  'ESP is asked for',
  { policies: both({ asks: ['esp'] }), states },
  {
    'ESP, out': { is: 'protected', bytes: inEsp() },
    'ESP, in': { is: 'protected', bytes: inEsp(), frame: IN },
    'more than asked': { is: 'protected', bytes: inBoth() },
    'clear, out': { is: 'leak', bytes: packet(), seen: /^in clear$/, asked: 'ESP' },
    'clear, in': { is: 'arrivedInClear', bytes: packet(), frame: IN, seen: 'in clear', asked: 'ESP' },
    'AH alone, out': { is: 'leak', bytes: protect(ah, packet()), seen: 'AH SPI 0x12345678', asked: 'ESP' },
    'AH alone, in': { is: 'arrivedOtherwise', bytes: protect(ah, packet()), frame: IN, seen: /^AH SPI/ },
  },
)

judge(
  'ESP inside of AH is asked for',
  { policies: both({ asks: ['esp', 'ah'] }), states },
  {
    both: { is: 'protected', bytes: inBoth() },
    'both, in': { is: 'protected', bytes: inBoth(), frame: IN },
    'ESP alone': {
      is: 'leak',
      bytes: inEsp(),
      seen: /^ESP SPI 0x12345678 \(aes-gcm/,
      asked: 'AH around ESP',
    },
    'ESP alone, in': { is: 'arrivedOtherwise', bytes: inEsp(), frame: IN },
  },
)

judge(
  'an SA of another class is asked for',
  { policies: both({ asks: ['esp'], reqid: 2 }), states },
  {
    out: { is: 'leak', bytes: inEsp(), seen: /^ESP SPI/, asked: 'ESP with reqid 2' },
    in: { is: 'arrivedOtherwise', bytes: inEsp(), frame: IN },
  },
)

judge(
  'no policy at all',
  { states },
  {
    clear: { is: 'clear', bytes: packet() },
    'clear, in': { is: 'clear', bytes: packet(), frame: IN },
    ESP: { is: 'unasked', bytes: inEsp() },
    'ESP, in': { is: 'unasked', bytes: inEsp(), frame: IN },
  },
)

judge(
  'clear is asked for, or nothing at all',
  {
    policies: [
      ...both({ sel: { dport: 7, dport_mask: 0xffff, proto: 17 } }),
      ...both({ isBlock: true, priority: 1 }),
    ],
    states,
  },
  {
    'clear, as asked': { is: 'clear', bytes: packet() },
    'protected, unasked': { is: 'unasked', bytes: inEsp() },
    'what is dropped went out': {
      is: 'leak',
      bytes: packet({ port: 8 }),
      asked: 'no such packet at all (drop)',
    },
    'and protected': { is: 'leak', bytes: protect(esp, packet({ port: 8 })) },
    'what is dropped came in': { is: 'arrivedInClear', bytes: packet({ port: 8 }), frame: IN },
    'and protected, in': { is: 'arrivedOtherwise', bytes: protect(esp, packet({ port: 8 })), frame: IN },
  },
)

const stranger = association({ fill: 8 })
const forged = () => inEsp().fill(1, -3)

judge(
  'packets that nobody can open',
  { policies: both({ asks: ['esp'] }), states: [stateOf(esp)] },
  {
    'another SPI': {
      is: 'unknownSa',
      bytes: protect(ah, packet()),
      seen: 'AH SPI 0x12345678: an SPI that no SA',
    },
    'another SPI, in': { is: 'unknownSa', bytes: protect(ah, packet()), frame: IN },
    'another key': { is: 'wrongIcv', bytes: protect(stranger, packet()), seen: 'not authentic' },
    changed: { is: 'wrongIcv', bytes: forged(), frame: IN },
    'too short for ESP': {
      is: 'malformed',
      bytes: ipv4(Buffer.alloc(4), 50),
    },
    'cut off': { is: 'malformed', bytes: inEsp().subarray(0, -4), seen: 'shorter than it says' },
    'cut off, in clear': { is: 'notChecked', bytes: packet().subarray(0, -4), seen: 'no whole IP packet' },
    'between others': {
      is: 'notOurs',
      bytes: protect(ah, packet({ from: '10.0.0.8' })),
      frame: { way: 'in', type: OTHERHOST },
    },
  },
)

const offloaded = { offload_dev: { ifindex: 2, flags: 0 } }
const byCard = { offload_dev: { ifindex: 2, flags: 4 } }
const strangeAlgorithm = {
  alg_aead: { alg_name: 'new(gcm)', alg_key_len: 8, alg_icv_len: 64, alg_key: new Uint8Array([1]) },
}
const hidden = {
  alg_aead: {
    alg_name: 'rfc4106(gcm(aes))',
    alg_key_len: 160,
    alg_icv_len: 128,
    alg_key: new Uint8Array(20),
  },
}
const asked = both({ asks: ['esp'] })

judge(
  'compressed',
  { policies: asked },
  {
    alone: { is: 'notChecked', bytes: packet({ protocol: 108 }), seen: 'compressed' },
  },
)
judge(
  'compressed inside of ESP',
  { policies: asked, states },
  {
    out: { is: 'notChecked', bytes: protect(esp, packet({ protocol: 108 })), seen: 'compressed' },
  },
)
judge(
  'an algorithm that is not known here',
  { policies: asked, states: [stateOf(esp, {}, strangeAlgorithm)] },
  {
    out: { is: 'notChecked', bytes: inEsp(), seen: 'not known here' },
  },
)
judge(
  'keys that the kernel keeps for itself',
  { policies: asked, states: [stateOf(esp, {}, hidden)] },
  {
    out: { is: 'notChecked', bytes: inEsp(), seen: 'does not tell the keys' },
  },
)
judge(
  'the network card encrypts',
  { policies: asked, states: [stateOf(esp, {}, offloaded)] },
  {
    'not yet encrypted': { is: 'notChecked', bytes: forged(), seen: 'offload' },
    'in clear': { is: 'leak', bytes: packet() },
  },
)
judge(
  'the network card does everything',
  { policies: asked, states: [stateOf(esp, {}, byCard)] },
  {
    'in clear': { is: 'notChecked', bytes: packet(), seen: 'out of sight' },
  },
)
judge(
  'the kernel takes ESP off early',
  { policies: asked, states, facts: { hasEarlyInput: true } },
  {
    out: { is: 'leak', bytes: packet() },
    in: { is: 'notChecked', bytes: packet(), frame: IN, seen: 'out of sight' },
  },
)

judge(
  'not ours',
  { policies: asked },
  {
    'for another host, on the same wire': {
      is: 'notOurs',
      bytes: packet(),
      frame: { way: 'in', type: OTHERHOST },
    },
    'from and for others, not passed on': {
      is: 'notOurs',
      bytes: packet({ from: '10.0.0.8', to: '10.0.0.9' }),
    },
    'no IP': { is: 'notOurs', bytes: Uint8Array.of(0, 1, 8, 0, 6, 4) },
    'a host without an address': { is: 'leak', bytes: packet({ from: '0.0.0.0' }) },
    'to everybody': {
      is: 'arrivedInClear',
      bytes: packet({ from: '10.0.0.9', to: '255.255.255.255' }),
      frame: { way: 'in', type: 1 },
    },
  },
)

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

const passing = { from: '10.1.0.9', to: '10.2.0.9' }
const forwarding = { isForwarding: true }
const forwarded = both({ asks: ['esp'] }).concat(policy({ direction: 'FWD', asks: ['esp'] }))

judge(
  'passed on, under policies of others',
  { policies: forwarded, facts: forwarding },
  {
    'out in clear': { is: 'leak', bytes: packet(passing) },
    'in in clear': { is: 'arrivedInClear', bytes: packet(passing), frame: IN },
    'ESP of others': { is: 'leak', bytes: protect(esp, packet(passing)), asked: 'ESP' },
  },
)
judge(
  'what this host does not pass on, somebody else has sent',
  { policies: forwarded },
  {
    out: { is: 'notOurs', bytes: packet(passing) },
    in: { is: 'notOurs', bytes: packet(passing), frame: IN },
  },
)
const unmarked = policy({
  direction: 'OUT',
  asks: ['esp'],
  index: OUR_INDEX,
  attributes: { mark: { v: 0, m: 0x8000_0000 } },
})
judge(
  'passed on, under policies of ours, which leave it out',
  { policies: [unmarked], facts: forwarding },
  {
    'passed on': { is: 'clear', bytes: packet(passing) },
    own: { is: 'leak', bytes: packet() },
  },
)
judge(
  'the software data path does not hold it against outbound policy',
  { policies: forwarded, facts: { ...forwarding, dataPath: 'software' } },
  {
    out: { is: 'clear', bytes: packet(passing) },
    in: { is: 'arrivedInClear', bytes: packet(passing), frame: IN },
    own: { is: 'leak', bytes: packet() },
  },
)

const tunnel = association({ isTunnel: true })
const inTunnel = () => protect(tunnel, packet(passing))
/** The end of the tunnel here, and the other one. */
const GATEWAY = '10.0.0.3'
const addresses = [GATEWAY, LEFT, RIGHT]

judge(
  'a tunnel between networks',
  {
    addresses,
    policies: [
      ...both({ asks: ['esp'], isTunnel: true }),
      policy({ direction: 'FWD', asks: ['esp'], isTunnel: true }),
    ],
    states: [stateOf(tunnel)],
    facts: forwarding,
  },
  {
    out: { is: 'protected', bytes: inTunnel() },
    'in, to be passed on': { is: 'protected', bytes: inTunnel(), frame: IN },
    'in, for this host': { is: 'protected', bytes: protect(tunnel, packet({ from: '10.1.0.9' })), frame: IN },
    'past the tunnel': { is: 'leak', bytes: packet(passing), asked: 'ESP in tunnel mode' },
  },
)
judge(
  'a tunnel without policy',
  { addresses, states: [stateOf(tunnel)], facts: forwarding },
  {
    out: { is: 'unasked', bytes: inTunnel() },
    in: { is: 'arrivedOtherwise', bytes: inTunnel(), frame: IN, seen: 'for which there is no policy' },
  },
)
judge(
  'transport mode is asked for',
  { addresses, policies: asked, states: [stateOf(tunnel)] },
  {
    out: { is: 'leak', bytes: inTunnel(), seen: /^ESP in tunnel mode/ },
  },
)

const IFINDEX = 9
const [local, remote] = [addressOf(GATEWAY), addressOf(RIGHT)]
const tunnels = new Map([
  ['tun0', { name: 'tun0', ifindex: IFINDEX, endpoints: { local, remote }, protocols: [4] }],
])
judge(
  'a rule that is bound to a tunnel interface',
  {
    addresses,
    policies: [
      policy({ direction: 'OUT', asks: ['esp'], isTunnel: true, sel: { ifindex: IFINDEX } }),
      policy({ direction: 'OUT', isBlock: true, sel: { proto: 4 } }),
    ],
    states: [stateOf(tunnel)],
    facts: { tunnels },
  },
  {
    'by the tunnel': { is: 'protected', bytes: inTunnel() },
    'the interface itself, in clear': {
      is: 'leak',
      bytes: packet({ protocol: 4 }),
      asked: 'no such packet at all (drop)',
    },
    'beside it': { is: 'clear', bytes: packet() },
  },
)

judge(
  "the SA's mark chooses the policy",
  {
    policies: [
      policy({ direction: 'IN', asks: ['esp'], attributes: { mark: { v: 0x0100_0000, m: 0xff00_0000 } } }),
      policy({ direction: 'IN', isBlock: true, priority: 1 }),
    ],
    states: [stateOf(esp, {}, { set_mark: 0x0100_0000, set_mark_mask: 0xff00_0000 })],
  },
  {
    in: { is: 'protected', bytes: inEsp(), frame: IN },
    clear: { is: 'arrivedInClear', bytes: packet(), frame: IN },
  },
)
judge(
  'an SA for other packets',
  {
    policies: asked,
    states: [stateOf(esp, { sel: { ...defaultSelector(af.INET), proto: 6 } })],
  },
  { in: { is: 'arrivedOtherwise', bytes: inEsp(), frame: IN, seen: 'for other packets' } },
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

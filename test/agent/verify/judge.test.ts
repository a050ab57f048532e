/** What is said of a packet: a row for each thing that may be right or wrong with it. */
import { ipv4 } from '../capture/files.ts'
import { ah, asked, esp, forged, IN, inBoth, inEsp, judge, states } from './rows.ts'
import { association, both, packet, protect, stateOf } from './world.ts'

const OTHERHOST = 3

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

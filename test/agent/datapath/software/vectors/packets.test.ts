/**
 * Whole ESP packets as the standards print them: the transforms of the data path make them byte for byte, open them,
 * and refuse them with any bit changed; ESP finds the payload in them.
 */
import { ecb } from '@noble/ciphers/aes.js'
import t, { type Test } from 'tap'
import type { Backend } from '../../../../../agent/datapath/software/crypto/backend.ts'
import {
  type EspTransform,
  NOT_EXTENDED,
} from '../../../../../agent/datapath/software/crypto/esp-transform.ts'
import {
  type AlgorithmAttributes,
  espTransform,
} from '../../../../../agent/datapath/software/crypto/keying.ts'
import { type Opened, openEsp } from '../../../../../agent/datapath/software/esp.ts'
import { State } from '../../../../../agent/datapath/software/state/state.ts'
import { ESP_HEADER_LENGTH } from '../../../../../agent/packet/protocols.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import { proto, stateFlag } from '../../../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../../../netlink/xfrm/defaults.ts'
import { surroundings } from '../surroundings.ts'
import { backends, bytesOf, hexOf, readVectors } from './support.ts'

interface PacketVector {
  readonly source: string
  readonly algorithm: string
  /** With the salt behind it. */
  readonly key: string
  readonly icvBits: number
  /** Upper half of an extended sequence number. */
  readonly sequenceHigh?: string
  /** From the SPI to the ICV. */
  readonly packet: string
  /** With padding, pad length and next header. */
  readonly plaintext: string
}

/** Room around the packet, which must stay as it is. */
const ESP = 64
const UNTOUCHED = 0xee
const NO_NEXT_HEADER = 59
/** An SA counts up to 2⁵³; some of the packets have numbers that only transforms can be asked about. */
const HALF_LIMIT = 2 ** 21
const arena = allocateArena(4096)

function attributesOf({ algorithm, key, icvBits }: PacketVector): AlgorithmAttributes {
  const named = { alg_name: algorithm, alg_key_len: key.length * 4, alg_key: bytesOf(key) }
  return icvBits === 0 ? { alg_crypt: named } : { alg_aead: { ...named, alg_icv_len: icvBits } }
}

const highOf = ({ sequenceHigh }: PacketVector) =>
  sequenceHigh === undefined ? NOT_EXTENDED : Number.parseInt(sequenceHigh, 16)

function put(bytes: Uint8Array): void {
  arena.bytes.fill(UNTOUCHED)
  arena.bytes.set(bytes, ESP)
}

function isElsewhereUntouched(length: number): boolean {
  const { bytes } = arena
  return [...bytes.subarray(0, ESP), ...bytes.subarray(ESP + length)].every((byte) => byte === UNTOUCHED)
}

/** What must stand in the IV's place for this IV to come out: for CBC, what encrypts to it. */
function placeholder({ algorithm, key }: PacketVector, iv: Uint8Array): Uint8Array {
  if (algorithm !== 'cbc(aes)') return iv
  return ecb(bytesOf(key), { disablePadding: true }).decrypt(iv)
}

function seals(t: Test, vector: PacketVector, transform: EspTransform): void {
  const packet = bytesOf(vector.packet)
  const dataAt = ESP_HEADER_LENGTH + transform.ivLength
  const icvAt = packet.length - transform.icvLength
  const clear = packet.slice(0, icvAt)
  clear.set(placeholder(vector, clear.slice(ESP_HEADER_LENGTH, dataAt)), ESP_HEADER_LENGTH)
  clear.set(bytesOf(vector.plaintext), dataAt)
  put(clear)
  transform.seal(arena, ESP, ESP + icvAt, highOf(vector))
  t.equal(hexOf(arena.bytes.subarray(ESP, ESP + packet.length)), vector.packet, 'is made')
  t.ok(isElsewhereUntouched(packet.length), 'and nothing else')
}

function opens(t: Test, vector: PacketVector, transform: EspTransform): void {
  const packet = bytesOf(vector.packet)
  const dataAt = ESP + ESP_HEADER_LENGTH + transform.ivLength
  const icvAt = ESP + packet.length - transform.icvLength
  const high = highOf(vector)
  put(packet)
  t.ok(transform.open(arena, ESP, icvAt, high), 'is opened')
  t.equal(hexOf(arena.bytes.subarray(dataAt, icvAt)), vector.plaintext, 'to what it was')
  t.ok(isElsewhereUntouched(packet.length), 'and nothing else is touched')
  if (vector.icvBits === 0) return
  for (let bit = 0; bit < 8 * packet.length; bit++) {
    put(packet)
    const at = ESP + (bit >> 3)
    arena.view.setUint8(at, arena.view.getUint8(at) ^ (1 << (bit & 7)))
    if (transform.open(arena, ESP, icvAt, high)) t.fail(`opened with bit ${bit} changed`)
  }
  put(packet)
  t.notOk(transform.open(arena, ESP, icvAt, high === NOT_EXTENDED ? 0 : high + 1), 'in another half')
}

/** A receiving SA that waits for just this packet. */
function receiver(vector: PacketVector, backend: Backend): State {
  const packet = Buffer.from(vector.packet, 'hex')
  const low = packet.readUInt32BE(4)
  const high = highOf(vector)
  const isExtended = high !== NOT_EXTENDED
  const before = (isExtended ? high * 2 ** 32 : 0) + low - 1
  const body = defaultState()
  return new State(
    {
      body: {
        ...body,
        id: { ...body.id, spi: packet.readUInt32BE(0), proto: proto.ESP },
        flags: isExtended ? stateFlag.ESN : 0,
      },
      attributes: {
        ...attributesOf(vector),
        replay_esn_val: {
          bmp_len: 2,
          oseq: 0,
          seq: before % 2 ** 32,
          oseq_hi: 0,
          seq_hi: Math.floor(before / 2 ** 32),
          replay_window: 64,
          bmp: [],
        },
      },
    },
    { ...surroundings(), backend },
  )
}

function isReceived(t: Test, vector: PacketVector, backend: Backend): void {
  const packet = bytesOf(vector.packet)
  const clear = bytesOf(vector.plaintext)
  const [padding = 0, nextHeader = 0] = clear.subarray(-2)
  const into: Opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
  const state = receiver(vector, backend)
  put(packet)
  const refused = openEsp(state, arena, ESP, ESP + packet.length, into)
  if (padding + 2 >= clear.length || nextHeader === NO_NEXT_HEADER) {
    t.equal(refused, 'XfrmInStateProtoError', 'there is no payload in it')
    return
  }
  const payload = clear.subarray(0, clear.length - 2 - padding)
  t.equal(refused, undefined, 'is received')
  t.equal(hexOf(arena.bytes.subarray(into.payloadAt, into.payloadEnd)), hexOf(payload), 'with its payload')
  t.equal(into.nextHeader, nextHeader)
  put(packet)
  t.equal(openEsp(state, arena, ESP, ESP + packet.length, into), 'XfrmInStateSeqError', 'and only once')
  state.destroy()
}

for (const backend of backends) {
  for (const vector of readVectors<PacketVector>('packets.json')) {
    t.test(`${backend.name}: ${vector.algorithm}, ${vector.source}`, async (t) => {
      const sealing = espTransform(attributesOf(vector), 'encrypt', backend)
      seals(t, vector, sealing)
      sealing.destroy()
      const opening = espTransform(attributesOf(vector), 'decrypt', backend)
      opens(t, vector, opening)
      opening.destroy()
      if (highOf(vector) < HALF_LIMIT) isReceived(t, vector, backend)
    })
  }
}

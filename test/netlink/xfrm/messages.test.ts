import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { DecodeError } from '../../../netlink/codec/errors.ts'
import { memoryOf } from '../../../netlink/codec/memory.ts'
import {
  decodeMessage,
  describeOffset,
  encodeMessage,
  messageType,
  type XfrmMessage,
  xfrm,
} from '../../../netlink/xfrm/messages.ts'
import { plain } from '../codec/plain.ts'
import { messageNames, ofMessage } from './arbitrary.ts'

for (const name of messageNames) {
  const type = messageType(name)

  t.test(`${name}: decode undoes encode, and encode undoes decode`, async (t) => {
    fc.assert(
      fc.property(ofMessage(name), (message) => {
        const payload = encodeMessage(message)
        if (payload.length % 4 !== 0) return false
        const decoded = decodeMessage(type, payload)
        const same = isDeepStrictEqual(plain(decoded), plain(message))
        const inOrder = isDeepStrictEqual(Object.keys(decoded.attributes), Object.keys(message.attributes))
        return same && inOrder && Buffer.compare(encodeMessage(decoded), payload) === 0
      }),
    )
    t.pass('for random messages')
  })

  t.test(`${name}: a message cut short is refused, or is a valid shorter one`, async (t) => {
    fc.assert(
      fc.property(ofMessage(name), (message) => {
        const payload = encodeMessage(message)
        for (let length = 0; length < payload.length; length++)
          cutOrRefused(type, payload.subarray(0, length))
      }),
      { numRuns: 10 },
    )
    t.pass('at every length')
  })

  t.test(`${name}: bytes too many are refused`, async (t) => {
    const sample = fc.sample(ofMessage(name), { numRuns: 1, seed: 7 })
    const payload = encodeMessage(sample[0] as XfrmMessage)
    for (let extra = 1; extra < 4; extra++) {
      const longer = new Uint8Array(payload.length + extra)
      longer.set(payload)
      t.throws(() => decodeMessage(type, longer), { code: 'ERR_NETLINK_DECODE', offset: payload.length })
    }
  })

  t.test(`${name}: random bytes give a message or a DecodeError`, async (t) => {
    let read = 0
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), randomAttributes, (body, tail) => {
        const size = xfrm.definitions[name][1].size
        const whole = new Uint8Array((((size + 3) >> 2) << 2) + tail.length)
        whole.set(body.subarray(0, size))
        whole.set(tail, whole.length - tail.length)
        if (sameButPadding(type, whole)) read++
        sameButPadding(type, body)
      }),
      { seed: 20260101 },
    )
    t.ok(read > 0, 'some of them were messages')
  })
}

/** Bytes that look somewhat like attributes. */
const randomAttributes = fc
  .array(fc.tuple(fc.nat(45), fc.uint8Array({ maxLength: 90 }), fc.boolean()), { maxLength: 4 })
  .map((list) =>
    Buffer.concat(
      list.map(([type, bytes, honest]) => {
        const length = 4 + bytes.length
        const whole = Buffer.alloc((length + 3) & ~3)
        whole.writeUInt16LE(honest ? length : length + 1, 0)
        whole.writeUInt16LE(type, 2)
        whole.set(bytes, 4)
        return whole
      }),
    ),
  )

/** Decodes and encodes again: nothing may differ but padding, which has to become zero. */
function sameButPadding(type: number, payload: Uint8Array): boolean {
  try {
    const again = encodeMessage(decodeMessage(type, payload))
    if (again.length < payload.length || again.length - payload.length > 3) throw new Error('another length')
    payload.forEach((byte, offset) => {
      if (again[offset] === byte) return
      const place = describeOffset(type, payload, 16 + offset)
      // A name ends at its NUL: what follows is padding too.
      if (!/\(padding\)|alg_name$/.test(place) || again[offset] !== 0) throw new Error(`${place} differs`)
    })
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}

function cutOrRefused(type: number, payload: Uint8Array): void {
  try {
    const again = encodeMessage(decodeMessage(type, payload))
    const padded = Buffer.alloc((payload.length + 3) & ~3)
    padded.set(payload)
    if (Buffer.compare(again, padded) !== 0) throw new Error(`${payload.length} bytes decoded to others`)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    if (error.offset > payload.length) throw new Error('an offset behind the end')
  }
}

t.test('a message of no known type is refused', async (t) => {
  t.throws(() => decodeMessage(15, new Uint8Array(0)), {
    code: 'ERR_NETLINK_DECODE',
    reason: 'XFRM message 15 is not known',
  })
  t.throws(() => decodeMessage(42, new Uint8Array(300)), DecodeError)
  t.throws(() => messageType('TOASTER' as never), { code: 'ERR_NETLINK_ENCODE' })
})

t.test('a short body says where it ends', async (t) => {
  const place = {
    code: 'ERR_NETLINK_DECODE',
    offset: 40,
    path: 'xfrm_userpolicy_info.sel.family',
    reason: '40 bytes, 168 needed',
  }
  t.throws(() => decodeMessage(19, new Uint8Array(40)), place)
})

t.test('a whole message into the memory of the caller', async (t) => {
  const memory = memoryOf(new Uint8Array(64).fill(0xee))
  const message = { name: 'FLUSHSA', body: { proto: 50 }, attributes: {} } as const
  const end = xfrm.write(memory, 8, message, { flags: 5, seq: 0x01020304 })
  t.equal(end, 28)
  const expected = 'eeeeeeeeeeeeeeee140000001c000500040302010000000032000000eeeeeeee'
  t.equal(Buffer.from(memory.bytes.subarray(0, 32)).toString('hex'), expected)
  t.throws(() => xfrm.write(memory, 48, message, { flags: 5, seq: 1 }), { code: 'ERR_NETLINK_ENCODE' })
})

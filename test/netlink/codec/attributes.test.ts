import { inspect } from 'node:util'
import t from 'tap'
import { attributes } from '../../../netlink/codec/attributes.ts'
import { u8, u16, u32 } from '../../../netlink/codec/field.ts'
import { memoryOf } from '../../../netlink/codec/memory.ts'
import {
  anything,
  exactly,
  flag,
  flexible,
  listOf,
  opaqueTail,
  raw,
  tailOf,
  text,
} from '../../../netlink/codec/payload.ts'
import { pad, struct } from '../../../netlink/codec/struct.ts'
import { hex, plain } from './plain.ts'

const pair = struct('pair', 4, [['a', u8], pad(1), ['b', u16]])
const keyHead = struct('key', 4, [['bits', u32]])
const wordsHead = struct('words', 4, [['count', u32]])
const inside = attributes('IN', { kind: [1, text], data: [2, anything] })
const set = attributes('TEST', {
  number: [1, exactly(u32)],
  pairs: [2, listOf(pair)],
  key: [3, flexible(keyHead, 'bytes', opaqueTail, 'bits', (bits) => Math.ceil(bits / 8))],
  words: [4, flexible(wordsHead, 'list', tailOf(u32), 'count')],
  on: [5, flag],
  name: [6, text],
  inside: [7, inside],
  raw: [8, raw],
  maybe: [9, flexible(wordsHead, 'list', tailOf(u32), 'count', undefined, true)],
})

function decode(digits: string) {
  const bytes = hex(digits)
  return set.get(memoryOf(bytes), 0, bytes.length)
}

function encode(value: Parameters<typeof set.sizeOf>[0]): string {
  const memory = memoryOf(new Uint8Array(set.sizeOf(value)).fill(0xee))
  set.set(memory, 0, value)
  return Buffer.from(memory.bytes).toString('hex')
}

const strip = (digits: string) => digits.replace(/\s/g, '')

t.test('every kind of payload, both ways', async (t) => {
  const wire = `08000100 05000000
    0c000200 01000200 03000400
    0a000300 0c000000 abc00000
    10000400 02000000 0a000000 0b000000
    04000500
    08000600 65746800
    18000700 08000100 67726500 0b000200 01020304 05060700
    06000800 090a0000`
  const value = {
    number: 5,
    pairs: [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ],
    key: { bits: 12, bytes: hex('abc0') },
    words: { count: 2, list: [10, 11] },
    on: true as const,
    name: 'eth',
    inside: { kind: 'gre', data: hex('01020304050607') },
    raw: hex('090a'),
  }
  t.same(plain(decode(wire)), plain(value))
  t.equal(encode(value), strip(wire))
})

t.test('the order of the properties is the order on the wire', async (t) => {
  t.equal(encode({ on: true, number: 1 }), '0400050008000100' + '01000000')
  t.equal(encode({ number: 1, on: true }), '0800010001000000' + '04000500')
  t.same(Object.keys(decode('04000500 08000100 01000000')), ['on', 'number'])
})

t.test('unknown and repeated attributes keep their bytes and their place', async (t) => {
  const wire = `05006300 aa000000 08000100 01000000 04006400 08000100 02000000 04000500 04000240 04006500`
  const value = decode(wire)
  t.equal(value.number, 2, 'the last one counts, as it does for the kernel')
  t.same(plain(value.unknown), [
    { type: 0x63, bytes: [0xaa], index: 0 },
    { type: 1, bytes: [1, 0, 0, 0], index: 1 },
    { type: 0x64, bytes: [], index: 2 },
    { type: 0x4002, bytes: [], index: 5 },
    { type: 0x65, bytes: [], index: 6 },
  ])
  t.equal(encode(value), strip(wire))
})

t.test('an attribute repeated three times', async (t) => {
  const wire = '08000100 01000000 08000100 02000000 08000100 03000000'
  t.equal(decode(wire).number, 3)
  t.equal(encode(decode(wire)), strip(wire))
})

t.test('an unknown attribute without a place comes last', async (t) => {
  t.equal(encode({ unknown: [{ type: 99, bytes: hex('01') }], on: true }), '04000500' + '0500630001000000')
})

t.test('flags in the type; the last padding may be missing', async (t) => {
  t.equal(encode(decode('04000580')), '04000580', 'a flag that does not belong there makes it unknown')
  t.same(plain(decode('0c000780 08000100 67726500')), { inside: { kind: 'gre' } })
  t.same(plain(decode('06000800 090a')), { raw: [9, 10] })
})

t.test('a property that is undefined is not written', async (t) => {
  t.equal(encode({ number: undefined, on: true } as never), '04000500')
})

t.test('what is malformed is refused with its place', async (t) => {
  const refused = (digits: string, offset: number, path: string, reason: string) => {
    t.throws(() => decode(digits), { code: 'ERR_NETLINK_DECODE', offset, path, reason }, digits)
  }
  refused('080001', 0, '', '3 bytes left over')
  refused('04000500 0000', 4, '', '2 bytes left over')
  refused('03000500', 0, '', 'an attribute of 3 bytes')
  refused('04000500 0c000100 01000000', 4, '', 'an attribute of 12 bytes where 8 are left')
  refused('07000100 010000', 7, 'TEST_NUMBER', '3 bytes, 4 needed')
  refused('0c000100 01000000 02000000', 8, 'TEST_NUMBER', '8 bytes, 4 expected')
  refused('0b000200 01000200 030004', 11, 'TEST_PAIRS[1].b', '7 bytes, 8 needed')
  refused('06000300 0000', 6, 'TEST_KEY.bits', '2 bytes, 4 needed')
  refused('0a000300 19000000 abcd', 10, 'TEST_KEY.bytes', '6 bytes, 8 needed')
  refused('0c000300 08000000 abcd0000', 9, 'TEST_KEY', '8 bytes, 5 expected')
  refused('08000400 ffffffff', 8, 'TEST_WORDS.list', '4 bytes, 17179869184 needed')
  refused('05000500 01', 4, 'TEST_ON', '1 bytes, 0 expected')
  refused('07000600 657468', 4, 'TEST_NAME', 'text that does not end in its only NUL')
  refused('08000600 65007400', 4, 'TEST_NAME', 'text that does not end in its only NUL')
  refused('04000600', 4, 'TEST_NAME', 'text that does not end in its only NUL')
  refused('0b000700 07000100 677265', 8, 'TEST_INSIDE.IN_KIND', 'text that does not end in its only NUL')
})

t.test('what cannot be encoded is refused with its name', async (t) => {
  t.throws(() => encode({ nothing: 1 } as never), { message: 'no TEST attribute has the name nothing' })
  t.throws(
    () =>
      encode({
        pairs: [
          { a: 1, b: 2 },
          { a: 1, b: -2 },
        ],
      }),
    { code: 'ERR_NETLINK_ENCODE', path: 'TEST_PAIRS[1].b' },
  )
  t.throws(() => encode({ key: { bits: 8, bytes: hex('abcd') } }), {
    code: 'ERR_NETLINK_ENCODE',
    path: 'TEST_KEY.bits',
  })
  t.throws(() => encode({ raw: new Uint8Array(65536) }), { code: 'ERR_NETLINK_ENCODE', path: 'TEST_RAW' })
  t.throws(() => encode({ name: 'a\0' }), { code: 'ERR_NETLINK_ENCODE', path: 'TEST_NAME' })
})

t.test('a tail that may be left out', async (t) => {
  t.same(decode('08000900 03000000').maybe, { count: 3, list: [] })
  t.equal(encode({ maybe: { count: 3, list: [] } }), strip('08000900 03000000'))
  t.same(decode('0c000900 01000000 07000000').maybe, { count: 1, list: [7] })
  t.throws(() => decode('0c000900 02000000 07000000'), {
    code: 'ERR_NETLINK_DECODE',
    path: 'TEST_MAYBE.list',
  })
  t.throws(() => encode({ maybe: { count: 2, list: [7] } }), { code: 'ERR_NETLINK_ENCODE' })
})

t.test('a description with a number twice is refused at load', async (t) => {
  t.throws(() => attributes('TWICE', { a: [1, flag], b: [1, flag] }), TypeError)
})

t.test('keys and unknown bytes never print', async (t) => {
  const value = decode('0a000300 0c000000 abc00000 06006300 abc0')
  for (const printed of [inspect(value, { depth: 9 }), JSON.stringify(value), `${value.key?.bytes}`]) {
    t.notMatch(printed, /abc0|171|192/)
    t.match(printed, '<2 bytes>')
  }
  t.same(Array.from(value.key?.bytes ?? []), [0xab, 0xc0], 'and yet they are there')
  t.match(inspect(value.key?.bytes.subarray(1)), '<1 bytes>', 'a part of a key is a key')
})

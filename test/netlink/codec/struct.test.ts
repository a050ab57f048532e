import t from 'tap'
import { EncodeError } from '../../../netlink/codec/errors.ts'
import { be16, be32, bytes, name, s32, u8, u16, u32, u64 } from '../../../netlink/codec/field.ts'
import { littleEndian, memoryOf } from '../../../netlink/codec/memory.ts'
import { pad, struct } from '../../../netlink/codec/struct.ts'
import { hex } from './plain.ts'

const inner = struct('inner', 4, [['port', be16], ['proto', u8], pad(1)])
const outer = struct('outer', 48, [
  ['id', inner],
  ['spi', be32],
  ['count', u64],
  ['index', s32],
  ['family', u16],
  pad(2),
  ['name', name(8)],
  ['address', bytes(16)],
])
const value = {
  id: { port: 0x0102, proto: 3 },
  spi: 0x04050607,
  count: 0x1112131415161718n,
  index: -2,
  family: 0x0a0b,
  name: 'esp',
  address: new Uint8Array(16).fill(0xcc),
}

t.test('a struct lies in memory as C lays it out', async (t) => {
  t.equal(littleEndian, true, 'the expected bytes below are those of a little-endian host')
  const memory = memoryOf(new Uint8Array(56).fill(0xee))
  outer.set(memory, 4, value)
  const expected = `eeeeeeee 0102 03 00 04050607 1817161514131211 feffffff 0b0a 0000
    6573700000000000 cccccccccccccccccccccccccccccccc eeeeeeee`
  t.same(Array.from(memory.bytes), Array.from(hex(expected)), 'padding is zeroed, what lies around is left')
  t.same(outer.get(memory, 4), value)
})

t.test('a struct names what stands at an offset', async (t) => {
  t.equal(outer.locate(0), 'id.port')
  t.equal(outer.locate(1), 'id.port')
  t.equal(outer.locate(2), 'id.proto')
  t.equal(outer.locate(3), 'id.(padding)')
  t.equal(outer.locate(22), '(padding)')
  t.equal(outer.locate(47), 'address')
})

t.test('a description that does not add up is refused at load', async (t) => {
  t.throws(() => struct('short', 8, [['a', u32]]), { message: 'short is described with 4 bytes, but has 8' })
})

t.test('what does not fit its field is refused by name', async (t) => {
  const memory = memoryOf(new Uint8Array(48))
  const misfit = (part: object, path: string) => {
    t.throws(() => outer.set(memory, 0, { ...value, ...part }), { code: 'ERR_NETLINK_ENCODE', path })
  }
  misfit({ id: { port: 65536, proto: 0 } }, 'id.port')
  misfit({ id: { port: 1, proto: 256 } }, 'id.proto')
  misfit({ id: { port: 1, proto: -1 } }, 'id.proto')
  misfit({ spi: 2 ** 32 }, 'spi')
  misfit({ spi: 1.5 }, 'spi')
  misfit({ spi: undefined }, 'spi')
  misfit({ count: -1n }, 'count')
  misfit({ count: 1n << 64n }, 'count')
  misfit({ count: 5 }, 'count')
  misfit({ index: 2 ** 31 }, 'index')
  misfit({ family: NaN }, 'family')
  misfit({ name: 'nine chars' }, 'name')
  misfit({ name: 'a\0b' }, 'name')
  misfit({ name: '\u{1f511}' }, 'name')
  misfit({ address: new Uint8Array(4) }, 'address')
})

t.test('an encode error is a RangeError that tells a number, but never bytes', async (t) => {
  const memory = memoryOf(new Uint8Array(48))
  try {
    outer.set(memory, 0, { ...value, address: new Uint8Array([1, 2, 3, 77]) })
    t.fail('it was accepted')
  } catch (error) {
    t.ok(error instanceof RangeError && error instanceof EncodeError)
    t.equal((error as Error).message, 'address: 4 bytes where 16 belong')
  }
})

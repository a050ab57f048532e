import { endianness } from 'node:os'
import t from 'tap'
import { readInetAddress, writeInetAddress } from '../../../netlink/libc/inet-address.ts'

const V4 = { family: 'inet', bytes: Uint8Array.of(192, 0, 2, 1) } as const
const V6 = { family: 'inet6', bytes: Uint8Array.from({ length: 16 }, (_, i) => i + 1) } as const
const short = (value: number) => (endianness() === 'LE' ? [value, 0] : [0, value])

t.test('as ip(7) and ipv6(7) have them', async (t) => {
  t.same([...writeInetAddress(V4, 4500)], [...short(2), 0x11, 0x94, 192, 0, 2, 1, ...Array(8).fill(0)])
  t.same([...writeInetAddress(V6, 4500)], [...short(10), 0x11, 0x94, 0, 0, 0, 0, ...V6.bytes, 0, 0, 0, 0])
  t.same(writeInetAddress(V6), writeInetAddress(V6, 0))
})

t.test('there and back, also where the bytes lie in others', async (t) => {
  for (const address of [V4, V6]) {
    const written = writeInetAddress(address, 65535)
    t.same(readInetAddress(written), { address, port: 65535 })
    const among = Uint8Array.of(9, 9, 9, ...written, 9)
    t.same(readInetAddress(among.subarray(3, 3 + written.length)), { address, port: 65535 })
  }
})

t.test('what is none', async (t) => {
  t.equal(readInetAddress(new Uint8Array(0)), undefined)
  t.equal(readInetAddress(new Uint8Array(28)), undefined, 'AF_UNSPEC')
  t.equal(readInetAddress(Uint8Array.of(...short(1), ...new Uint8Array(26))), undefined, 'AF_UNIX')
  t.equal(readInetAddress(writeInetAddress(V4).subarray(0, 15)), undefined)
  t.equal(readInetAddress(writeInetAddress(V6).subarray(0, 23)), undefined)
})

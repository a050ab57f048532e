import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import {
  type Address,
  addressBits,
  anyPrefix,
  type Family,
  formatAddress,
  formatPrefix,
  hostPrefix,
  isUnspecified,
  maskPrefix,
  type Prefix,
  parseAddress,
  prefixContains,
  prefixesOverlap,
  sameAddress,
  unspecified,
} from '../../../agent/model/address.ts'

const bytesOf = (text: string): string | undefined => {
  const address = parseAddress(text)
  return address && Buffer.from(address.bytes).toString('hex')
}

t.test('text forms of RFC 4291 section 2.2', async (t) => {
  const forms: readonly (readonly [string, string])[] = [
    ['192.0.2.1', 'c0000201'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['1:2:3::6:7:8', '00010002000300000000000600070008'],
    ['::ffff:129.144.52.38', '00000000000000000000ffff81903426'],
    ['::13.1.68.3', '0000000000000000000000000d014403'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
    ['1::1.2.3.4', '00010000000000000000000001020304'],
  ]
  for (const [text, hex] of forms) t.equal(bytesOf(text), hex, text)
})

t.test('what is no address', async (t) => {
  const wrong =
    '|1|1.2.3|1.2.3.4.5|1.2.3.256|01.2.3.4|1..2.3|:|:::|1:|:1|1:::2|1::2::3|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|12345::|g::|1:2:3:4:5:6:7:8::|::1:2:3:4:5:6:7:8|1.2.3.4::|::1.2.3|::1.2.3.4:5|1:2:3:4:5:6:7:1.2.3.4|::1:2:3:4:5:6:1.2.3.4|fe80::1%eth0|::1/64| ::1'
  for (const text of wrong.split('|')) t.equal(parseAddress(text), undefined, JSON.stringify(text))
})

t.test('property: agrees with the runtime on what an address is', async () => {
  const near = fc.array(fc.constantFrom('0', '1', 'f', 'ffff', '255', '256', ':', ':', '::', '.', '.'), {
    maxLength: 18,
  })
  const agrees = (text: string): boolean =>
    (parseAddress(text) !== undefined) === (isIPv4(text) || isIPv6(text))
  fc.assert(
    fc.property(
      near.map((parts) => parts.join('')),
      agrees,
    ),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.ipV6(), agrees))
  fc.assert(fc.property(fc.ipV4(), agrees))
})

t.test('property: what is written reads back', async () => {
  const address = fc.constantFrom(4, 16).chain((size) =>
    // Many zeros, so that the runs of zeros which `::` stands for are met.
    fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: size, maxLength: size }),
  )
  fc.assert(
    fc.property(address, (bytes) => {
      const family = bytes.length === 4 ? 'inet' : 'inet6'
      return (
        bytesOf(formatAddress({ family, bytes: Uint8Array.from(bytes) })) ===
        Buffer.from(bytes).toString('hex')
      )
    }),
  )
})

/** An address as a number, to reckon with instead of bytes. */
const numberOf = ({ bytes }: Address): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const hostBits = ({ family, length }: Prefix): bigint => BigInt(addressBits(family) - length)
const networkOf = (prefix: Prefix): bigint => numberOf(prefix) >> hostBits(prefix)

/** Prefixes and addresses that share many leading bits, so that the answers are not all no. */
const near = fc.constantFrom<Family>('inet', 'inet6').chain((family) => {
  const bits = addressBits(family)
  const bytes = fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 })
  return fc
    .record({ bytes, flip: fc.option(fc.nat(bits - 1)), first: fc.nat(bits), second: fc.nat(bits) })
    .map(({ bytes: one, flip, first, second }) => {
      const other = Uint8Array.from(one)
      if (flip !== null) other[flip >> 3] = (other[flip >> 3] ?? 0) ^ (128 >> (flip & 7))
      return [
        { family, bytes: one, length: first },
        { family, bytes: other, length: second },
      ] as const
    })
})

t.test('property: prefixes are as arithmetic says', async () => {
  fc.assert(
    fc.property(near, ([a, b]) => {
      const shared = a.length < b.length ? a : b
      const masked = maskPrefix(a)
      return (
        prefixContains(a, b) === (networkOf(a) === numberOf(b) >> hostBits(a)) &&
        prefixesOverlap(a, b) === (numberOf(a) >> hostBits(shared) === numberOf(b) >> hostBits(shared)) &&
        numberOf(masked) === networkOf(a) << hostBits(a) &&
        masked.length === a.length &&
        sameAddress(a, b) === (numberOf(a) === numberOf(b))
      )
    }),
    { numRuns: 500 },
  )
})

t.test('the families are apart', async (t) => {
  const [inet, inet6] = [anyPrefix('inet'), anyPrefix('inet6')]
  t.notOk(prefixContains(inet, inet6))
  t.notOk(prefixesOverlap(inet, inet6))
  t.notOk(sameAddress(unspecified('inet'), unspecified('inet6')))
  t.ok(isUnspecified(inet6))
  t.same([hostPrefix(inet).length, hostPrefix(inet6).length], [32, 128])
  t.equal(formatPrefix(inet6), '::/0')
})

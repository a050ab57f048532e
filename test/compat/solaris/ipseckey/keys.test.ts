import fc from 'fast-check'
import t from 'tap'
import { isWeakDesKey, setOddParity } from '../../../../compat/solaris/ipseckey/des.ts'
import { parseKey } from '../../../../compat/solaris/ipseckey/keys.ts'
import { parseBigNumber, parseNumber } from '../../../../compat/solaris/ipseckey/numbers.ts'

const KEYS: [text: string, hex: string, bits: number, truncated: boolean][] = [
  ['00ff', '00ff', 16, false],
  ['0x00FF', '00ff', 16, false],
  ['00ff/16', '00ff', 16, false],
  ['123/12', '1230', 12, false],
  ['ffff/9', 'ff80', 9, true],
  ['ffff/8', 'ff', 8, true],
  ['ffff/0x8', 'ff', 8, true],
  ['ff/7', 'fe', 7, false],
]

for (const [text, hex, bits, truncated] of KEYS) {
  t.test(`key form ${text}`, (t) => {
    const key = parseKey(text)
    if ('reason' in key) return void t.fail(key.reason)
    t.same([Buffer.from(key.bytes).toString('hex'), key.bits, key.truncated], [hex, bits, truncated])
    t.end()
  })
}

const BAD_KEYS = ['', '0x', 'xyz', '123', '12/9', '12/0', '12/', '12/x', '12/8/8', '-12', '12 34', '0x0x12']
for (const text of BAD_KEYS) {
  t.test(`no key: "${text}"`, (t) => {
    t.hasProp(parseKey(text), 'reason')
    t.end()
  })
}

t.test('every byte string is read back from its digits', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      const key = parseKey(Buffer.from(bytes).toString('hex'))
      return !('reason' in key) && Buffer.from(key.bytes).equals(bytes) && key.bits === bytes.length * 8
    }),
  )
  t.end()
})

t.test('parity', (t) => {
  const key = Uint8Array.of(0, 1, 2, 3, 0xfe, 0xff, 0x80, 0x7f)
  setOddParity(key)
  t.same([...key], [1, 1, 2, 2, 0xfe, 0xfe, 0x80, 0x7f])
  t.end()
})

const WEAK = [
  '0101010101010101',
  'fefefefefefefefe',
  '1f1f1f1f0e0e0e0e',
  'e0e0e0e0f1f1f1f1',
  '01fe01fe01fe01fe',
  'fee0fee0fef1fef1',
  '0123456789abcdef0123456789abcdeffedcba9876543210',
  '0123456789abcdeffedcba9876543210fedcba9876543210',
  '0123456789abcdef0101010101010101fedcba9876543210',
]
const STRONG = ['0123456789abcdef', '0123456789abcdeffedcba98765432100123456789abcdef']

t.test('weak DES and 3DES keys', (t) => {
  const bytes = (hex: string) => {
    const key = Uint8Array.from(Buffer.from(hex, 'hex'))
    setOddParity(key)
    return key
  }
  for (const key of WEAK) t.equal(isWeakDesKey(bytes(key)), true, key)
  for (const key of STRONG) t.equal(isWeakDesKey(bytes(key)), false, key)
  t.equal(isWeakDesKey(bytes('0000000000000000')), true, 'parity does not hide a weak key')
  t.end()
})

t.test('numbers are read in base 0', (t) => {
  const cases: [string, number | undefined][] = [
    ['0', 0],
    ['10', 10],
    ['010', 8],
    ['0x10', 16],
    ['0XfF', 255],
    ['08', undefined],
    ['1x', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['', undefined],
    ['0x', undefined],
    ['1e3', undefined],
    [' 1', undefined],
  ]
  for (const [text, value] of cases) {
    t.equal(parseNumber(text), value, text)
    t.equal(parseBigNumber(text), value === undefined ? undefined : BigInt(value), text)
  }
  t.equal(parseBigNumber('0xffffffffffffffff'), 2n ** 64n - 1n)
  t.equal(parseBigNumber('01777777777777777777777'), 2n ** 64n - 1n)
  t.end()
})

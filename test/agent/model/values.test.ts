/** Key sizes, look-ups and secrets. */
import { inspect } from 'node:util'
import t from 'tap'
import { algorithmByName, algorithmByNumber, type KeySizes } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import { acceptsKeyBits, allKeyBits, defaultKeyBits, keySizeBounds } from '../../../agent/model/key-sizes.ts'
import { Secret } from '../../../agent/model/secret.ts'

t.test('key sizes', async (t) => {
  const list = (...sizes: number[]): KeySizes => ({ kind: 'list', sizes })
  const range = (step: number): KeySizes => ({ kind: 'range', default: 192, min: 128, max: 256, step })
  const rows: [KeySizes, number, [number, number], number[]][] = [
    [list(), 0, [0, 0], []],
    [list(192, 128), 192, [128, 192], [128, 192]],
    [range(64), 192, [128, 256], [128, 192, 256]],
    [range(0), 192, [128, 256], [128, 256]],
  ]
  for (const [sizes, usual, [min, max], all] of rows) {
    t.equal(defaultKeyBits(sizes), usual)
    t.same(keySizeBounds(sizes), { min, max })
    t.same(allKeyBits(sizes), all)
    t.ok(all.every((bits) => acceptsKeyBits(sizes, bits)))
    for (const bits of [1, 127, 257, 512]) t.notOk(acceptsKeyBits(sizes, bits))
  }
  t.ok(acceptsKeyBits(list(), 0))
  t.notOk(acceptsKeyBits(range(64), 129))
  t.ok(acceptsKeyBits(range(0), 136))
})

t.test('algorithms by name and number', async (t) => {
  t.equal(algorithmByName(defaultAlgorithmTable, 2, 'SHA-1'), algorithmByNumber(defaultAlgorithmTable, 2, 3))
  t.equal(algorithmByName(defaultAlgorithmTable, 3, 'sha1'), undefined, 'not of this protocol')
  t.equal(algorithmByNumber(defaultAlgorithmTable, 3, 99), undefined)
})

t.test('a secret does not tell itself', async (t) => {
  const text = 'correct horse battery staple'
  const secret = new Secret(new TextEncoder().encode(text))
  for (const shown of [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }),
    String(Object.values(secret)),
  ]) {
    t.notMatch(shown, /correct|63,6f|99,111/, shown)
  }
  t.equal(Buffer.from(secret.reveal()).toString(), text)
  t.ok(secret.equals(new Secret(new TextEncoder().encode(text))))
  t.notOk(secret.equals(new Secret(new TextEncoder().encode(text.toUpperCase()))))
  t.notOk(new Secret(Uint8Array.of(8), 5).equals(new Secret(Uint8Array.of(8))), 'another length')
  t.throws(() => new Secret(Uint8Array.of(1, 2), 8), RangeError)
  secret.wipe()
  t.ok(secret.reveal().every((byte) => byte === 0))
})

t.test('warnings are no errors', async (t) => {
  const at = { message: '', file: '', span: { line: 1, column: 1, length: 1 } }
  t.notOk(hasErrors([{ severity: 'warning', ...at }]))
  t.ok(
    hasErrors([
      { severity: 'warning', ...at },
      { severity: 'error', ...at },
    ]),
  )
})

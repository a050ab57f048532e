/**
 * Broken and hostile documents: nothing throws, every place is in the text, nothing takes long, and no message shows a
 * key. `SOLIPSEC_FUZZ=N` multiplies the number of runs.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { blankKeys } from '../../../compat/configuration/blank.ts'
import { toSolaris } from '../../../compat/configuration/convert.ts'
import { renderDiagnostics } from '../../../compat/diagnostics.ts'
import { times } from '../../support/fuzz.ts'
import { keyWatch, mutations } from '../mutations.ts'
import { KEY_128, KEY_256, read } from './support.ts'

const DOCUMENT = JSON.stringify(
  {
    comment: `an old key: ${KEY_256}`,
    policies: [
      {
        comment: ['a', 'b'],
        local: '192.0.2.1',
        localPort: 22,
        protect: [{ encryption: 'aes(256)', ah: 'any' }, 'bypass'],
      },
      { tunnel: { name: 'ip.tun0', mode: 'tunnel' }, protect: { encryption: 'aes-gcm' } },
    ],
    associations: [
      {
        protocol: 'esp',
        spi: '0x1001',
        source: '192.0.2.1',
        destination: '192.0.2.2',
        encryption: { algorithm: 'aes', key: `0x${KEY_128}/128` },
        authentication: { algorithm: 'sha256', key: KEY_256 },
        hard: { bytes: 100 },
      },
      {
        protocol: 'ah',
        spi: 300,
        destination: 'x',
        authentication: { algorithm: 'sha256', key: { file: 'key' } },
      },
    ],
    tunnels: [{ name: 'ip.tun0', kind: 'ipip', local: '192.0.2.1', remote: '192.0.2.2' }],
    sockets: [{ service: 'a.service', action: 'bypass' }],
    tunables: { ip: { acceptClearIcmp: false } },
  },
  undefined,
  1,
)
const assertNoKey = keyWatch([KEY_128, KEY_256])

/** What must hold for every text. */
function examine(text: string): void {
  const world = { files: { key: { name: 'key', text: KEY_256, isExposed: true } }, isExposed: true }
  const { diagnostics } = read(text, world)
  const lines = text.split('\n')
  for (const { span, source } of diagnostics) {
    const line = lines[span.line - 1]
    assert.ok(
      line !== undefined && span.column >= 1 && span.column <= line.length + 1,
      'a place outside of the text',
    )
    if (source !== undefined) assert.ok(source.length <= line.length)
  }
  assertNoKey(JSON.stringify(diagnostics))
  assertNoKey(renderDiagnostics(diagnostics))
  for (const kind of ['ipsecinit.conf', 'ipseckeys', 'ipsecalgs'] as const) {
    assertNoKey(renderDiagnostics(toSolaris(text, 'x', kind, true).diagnostics))
  }
}

const PUT = [
  ...'{}[]",:\\/ \n\t01ab',
  'null',
  '"key"',
  '"key": ',
  '"',
  '\\u0030',
  '//',
  '":"',
  '0x',
  '\0',
  '\ud800',
]
const mutation = mutations(DOCUMENT, {
  pieces: PUT,
  longestCut: 40,
  others: [
    (text) => text.replaceAll('"key"', '"kye"'),
    (text) => text.replaceAll('"key":', ''),
    (text) => text.replaceAll('"', ''),
    (text) => text.replaceAll('"', "'"),
    (text) => text.replaceAll('\n', ''),
    (text) => text.replaceAll(' ', '\n'),
    (text) => text.replaceAll(KEY_128, `${KEY_128.slice(0, 16)}", "${KEY_128.slice(16)}`),
    (text) => text.replaceAll('algorithm', KEY_128),
    (text) => text.toUpperCase(),
  ],
})

t.test('the document itself is good', async (t) => {
  const { diagnostics } = read(DOCUMENT, { files: { key: { name: 'key', text: KEY_256, isExposed: false } } })
  t.same(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
})

t.test('no diagnostic of a mutated document shows a key', async () => {
  const changes = fc.array(mutation, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(changes, (list) => examine(list.reduce((text, change) => change(text), DOCUMENT))),
    times(300),
  )
})

t.test('values of any kind in any place', async () => {
  const root = JSON.parse(DOCUMENT) as Record<string, unknown>
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(KEY_128, [KEY_256], { key: KEY_128 }))
  const property = fc.property(
    fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 5 }),
    value,
    (steps, put) => {
      examine(JSON.stringify(replaced(root, steps, put), undefined, steps.length % 3))
    },
  )
  fc.assert(property, times(300))
})

/** A copy with another value at the place that a walk by numbers leads to. */
function replaced(node: unknown, [step, ...steps]: readonly number[], put: unknown): unknown {
  if (step === undefined || typeof node !== 'object' || node === null) return put
  const names = Object.keys(node)
  const name = names[step % Math.max(1, names.length)] ?? 'x'
  const copy = (Array.isArray(node) ? [...node] : { ...node }) as Record<string, unknown>
  copy[name] = replaced(copy[name], steps, put)
  return copy
}

t.test('any text', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), examine), times(300))
})

t.test('blanking keeps every place', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.array(mutation, { maxLength: 3 }),
      (text, list) => {
        const whole = text + list.reduce((one, change) => change(one), DOCUMENT)
        const shown = blankKeys(whole)
        assert.equal(shown.length, whole.length)
        assert.equal(shown.split('\n').length, whole.split('\n').length)
      },
    ),
    times(200),
  )
})

t.test('what is blanked', async (t) => {
  for (const [text, shown] of [
    ['{"key": "00"}', '{"key": "xx"}'],
    ['{"key"\n:\n"00 11"}', '{"key"\n:\n"xxxxx"}'],
    ['{"authKey": ["00", "11"], "spi": 300}', '{"authKey": ["xx", "xx"], "spi": 300}'],
    ['{"a": "0011223344556677"}', '{"a": "xxxxxxxxxxxxxxxx"}'],
    ['{"a": "de ad be ef"}', '{"a": "xxxxxxxxxxx"}'],
    ['{"a": 18446744073709551615, "b": "192.0.2.1"}', '{"a": 18446744073709551615, "b": "192.0.2.1"}'],
    ['{"key": {"file": "a.key"}}', '{"key": {"file": "a.key"}}'],
  ] as const) {
    t.equal(blankKeys(text), shown)
  }
})

/** User plus system time of this process for one reading: other processes do not count. */
function cost(text: string): number {
  const start = process.cpuUsage()
  read(text)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

t.test('time grows with the size of the text, not with its square', async (t) => {
  const sa = {
    protocol: 'ah',
    destination: '192.0.2.1',
    authentication: { algorithm: 'sha256', key: KEY_256 },
  }
  const list = (n: number, item: (index: number) => unknown) =>
    JSON.stringify(Array.from({ length: n }, (_, i) => item(i)))
  const unit: Record<string, (count: number) => string> = {
    rules: (n) => `{"policies": ${list(n, (i) => ({ localPort: i, direction: 'in', action: 'drop' }))}}`,
    'SAs on one line': (n) => `{"associations": ${list(n, (i) => ({ ...sa, spi: 256 + i }))}}`,
    'wrong SAs on one line': (n) =>
      `{"associations": ${list(n / 4, (i) => ({ ...sa, destination: 'nowhere', spi: 256 + i }))}}`,
    'unknown members': (n) => `{${Array.from({ length: n }, (_, i) => `"polices${i}": 1`).join(',')}}`,
    'wrong values': (n) => `{"policies": ${list(n, () => 7)}}`,
    'one long text': (n) => `{"comment": "${'ab '.repeat(n * 8)}"}`,
    'one long word': (n) => `{"comment": "${'a0'.repeat(n * 8)}"}`,
    backslashes: (n) => `{"comment": "${'\\\\'.repeat(n * 8)}`,
    quotes: (n) => '"'.repeat(n * 8),
    blanks: (n) => `{"key"${' '.repeat(n * 8)}`,
    digits: (n) => '1'.repeat(n * 8),
  }
  for (const [name, make] of Object.entries(unit)) {
    cost(make(250))
    const small = Math.min(cost(make(500)), cost(make(500)))
    const large = Math.min(cost(make(4000)), cost(make(4000)))
    // 8 times the text; a square would be 64 times the work. The constant absorbs what is too short to measure.
    t.ok(large < 28 * small + 40, `${name}: ${small} ms, ${large} ms`)
  }
})

import t from 'tap'
import { EspLoop } from '../../../bench/codec/loop.ts'
import { bytesPerSecond } from '../../../bench/codec/openssl-speed.ts'
import { codecTable } from '../../../bench/codec/table.ts'
import { transforms } from '../../../bench/codec/transforms.ts'

t.test('reports of openssl speed', async (t) => {
  t.equal(bytesPerSecond('+H:1400\n+F:25:AES-128-GCM:2202206666.67\n', ''), 2202206666.67)
  t.throws(() => bytesPerSecond('', 'speed: unknown option\nmore'), /unknown option$/)
  t.throws(() => bytesPerSecond('+H:1400\n', ''), /no result/)
})

t.test('each transform that is measured seals what it opens', async (t) => {
  for (const { what, attributes } of transforms) {
    const loop = new EspLoop(attributes, 1400)
    t.doesNotThrow(() => loop.sealAndOpen(3), what)
    loop.close()
  }
})

t.test('the table', async (t) => {
  const text = codecTable([
    { what: 'A', seal: [100, 200, 300], open: [300, 400, 500], openssl: [100, 100, 100], target: 2 },
    { what: 'B', seal: [10], open: [20] },
    { packets: 10_000_000, megabytes: [50, 51, 52] },
  ])
  t.equal(
    text,
    [
      'ESP    seal    open  openssl speed  seal :  open :',
      'A    200 ns  400 ns         100 ns    2.0×    4.0×  wanted: ≤ 2×',
      'B     10 ns   20 ns',
      'memory over 10 million packets: 50.0 MB after the first million, 51.0 in the middle, 52.0 at the end',
      '',
    ].join('\n'),
  )
})

import t from 'tap'
import { probeAlgorithms } from '../../../../../agent/datapath/kernel/probe.ts'
import { PROTOCOL_AH, PROTOCOL_ESP } from '../../../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../../../agent/model/default-algorithms.ts'
import { allKeyBits } from '../../../../../agent/model/key-sizes.ts'
import { kernelAlgorithm, kernelAlgorithmOf } from '../../../../../agent/translate/kernel-algorithms.ts'

// Loading some forty modules takes an emulated machine a minute.
t.setTimeout(300_000)

t.test('a stock kernel has every row of the built-in table, with every key size', async (t) => {
  const candidates = defaultAlgorithmTable.algorithms.flatMap((row) => {
    const algorithm = kernelAlgorithmOf(row)
    const sizes = allKeyBits(row.keySizes)
    return algorithm ? (sizes.length ? sizes : [0]).map((keyBits) => ({ algorithm, keyBits })) : []
  })
  const results = probeAlgorithms(candidates)
  candidates.forEach(({ algorithm, keyBits }, index) => {
    t.same(results[index], { available: true }, `${algorithm.name} ${keyBits}`)
  })
  t.equal(new Set(candidates.map(({ algorithm }) => algorithm)).size, defaultAlgorithmTable.algorithms.length)
})

t.test('and every further number that the manual page offers', async (t) => {
  const rows: [protocol: number, number: number, keyBits: number][] = [
    [PROTOCOL_AH, 8, 160],
    [PROTOCOL_ESP, 6, 128],
    [PROTOCOL_ESP, 22, 128],
    [PROTOCOL_ESP, 252, 128],
    [PROTOCOL_ESP, 253, 128],
  ]
  for (const [protocol, number, keyBits] of rows) {
    const algorithm = kernelAlgorithm(protocol, number)
    if (!algorithm) t.fail(`${protocol}/${number} has no kernel side`)
    else t.same(probeAlgorithms([{ algorithm, keyBits }]), [{ available: true }], algorithm.name)
  }
})

t.test('a key of the wrong length is refused', async (t) => {
  const algorithm = kernelAlgorithm(PROTOCOL_ESP, 12)
  t.match(algorithm && probeAlgorithms([{ algorithm, keyBits: 136 }]), [
    { available: false, lacks: 'algorithm' },
  ])
})
